"""A STUDY'S JOURNAL, READ, and what follows from it: a leaf that study and results both import.

The standard library and fer_data's Mistake, nothing else of ours: the terminal, `study.status` and
the explorer say the same of the same events because they ask the same functions. Appending to the
journal is the driver's own (study.record.journal).
"""
