"""CONFIGURATION: what a study and a trial are, from preset, TOML and flags, and the seeds.

Imports no other room.
"""
