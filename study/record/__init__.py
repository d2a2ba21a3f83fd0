"""RECORD: the journal, the tables made of it, and what they come to."""
