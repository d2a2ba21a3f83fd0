"""RECORD: the journal appended to, the tables written, and what they come to."""
