"""The report's sections, a subject each."""
