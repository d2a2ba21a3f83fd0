"""Measurements and faults: each module is a command that prints what it found."""
