"""The explorer: one selection of trials, read and written by every view. Needs the folder alone."""
