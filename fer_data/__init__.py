"""READERS OF FACES, a leaf that study and results both import: numpy, Pillow, nothing of ours.

Its error is also theirs (`study.Mistake`, `results.Mistake`): one class, defined where no import
can lead back, so that nobody has to translate one into another.
"""


class Mistake(ValueError):
    """A person's mistake, told in one sentence: what was found, what was expected, what to do.

    The command line prints it without a traceback and ends with exit code 2.
    """
