"""Numbers and lists in words, for figures and tables alike."""

from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from fer_data import counted as counted
from fer_stats.metric import WORDS
from fer_stats.words import reaching
from fer_stats.words import signed as signed

DASH = "–"  # where there is no value


def capital(text: str) -> str:
    """With a capital first letter, the others as they are."""
    return text[:1].upper() + text[1:]


def measure_words(column: str) -> str:
    """A column of epochs in words: val macro-F1, train loss."""
    split, _, what = column.partition("_")
    return f"{split} {WORDS.get(what, what)}"


PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def large(value: float) -> str:
    """73.5 M, 1.2 G; 999,700 are 1 M in three digits, not 1e+03 k."""
    for size, letter in PREFIXES:
        if value >= 0.9995 * size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.0f}"


def number(value: float) -> str:
    """In four digits, from 1,000 on whole, never as 1.2e+04."""
    return f"{value:,.0f}" if abs(value) >= 999.95 else f"{value:.4g}"


def whole_or_tenth(count: float) -> str:
    """Small means over seeds keep a decimal, so that 0 is none. Halves go up, as the explorer has
    them: with two seeds every other mean is one."""
    step = "1" if count >= 10 or count == int(count) else "0.1"
    return f"{Decimal(float(count)).quantize(Decimal(step), ROUND_HALF_UP):,}"


def ranged(low: float, high: float, digits: int = 1) -> str:
    """57.2 to 59.5, as percentages."""
    if pd.isna(low) or pd.isna(high):
        return DASH
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f}".replace("-", "−")


def within(low: float, high: float) -> str:
    """The interval in brackets after a figure; nothing where there is none, as with one seed."""
    return "" if pd.isna(low) else f" ({ranged(low, high)})"


def listed(words: list[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def seeds(many: int) -> str:
    return "one seed" if many == 1 else f"{many} seeds"


def ranges(frame: pd.DataFrame, low: str, high: str, digits: int = 1) -> list[str]:
    """`ranged` of two columns, row by row."""
    ends = frame[[low, high]].to_numpy(float)
    return [ranged(first, last, digits) for first, last in ends]


def points(row: pd.Series) -> str:
    """-1.2 to +0.4: the interval low to high of a difference in accuracy, in points."""
    if pd.isna(row["low"]):
        return "no interval"
    return reaching(row["low"], row["high"])
