"""Faults at random moments, and what holds: each module is a command that prints a line."""
