"""What may be concluded from right and wrong answers: a leaf that study and results both import.

numpy and scipy, nothing of ours: the terminal, the report, the README and the explorer say the same
of the same answers because they ask the same function.
"""
