"""READERS OF FACES, a leaf that study and results both import: numpy, Pillow, nothing of ours.

Its error is also theirs (`study.Mistake`, `results.Mistake`): one class, defined where no import
can lead back, so that nobody has to translate one into another. So are the plural of a count and
the names that a flag lists.
"""


class Mistake(ValueError):
    """A person's mistake, told in one sentence: what was found, what was expected, what to do.

    The command line prints it without a traceback and ends with exit code 2.
    """


def counted(many: float, word: str) -> str:
    """1 trial, 2 trials."""
    return f"{many:,.0f} {word}" if many == 1 else f"{many:,.0f} {word}s"


def listing(text: str) -> tuple[str, ...]:
    """The names that a flag lists, as A,B,... or "A, B"."""
    return tuple(filter(None, map(str.strip, text.split(","))))
