"""Numbers in words, for terminal and pages alike. Needs nothing."""


def percent(share: float) -> str:
    """A share from 0 to 1."""
    return f"{100 * share:.1f} %"


def signed(value: float, digits: int = 1) -> str:
    """With its sign, a minus as the printer's; what rounds to 0 has none."""
    text = f"{abs(value):.{digits}f}"
    return text if float(text) == 0 else ("+" if value > 0 else "−") + text


def reaching(low: float, high: float) -> str:
    """−0.3 to +5.3: the interval of a difference of fractions, in points."""
    return f"{signed(100 * low)} to {signed(100 * high)}"


def seeds_each(seeds: tuple[int, int]) -> str:
    """one seed each, 3 seeds each, 3 and 5 seeds."""
    first, second = seeds
    if first == second:
        return "one seed each" if first == 1 else f"{first} seeds each"
    return f"{first} and {second} seeds"


def added_after_test(planned: int, seeds: int) -> str:
    """That a study had more seeds than were planned when its test was opened, as a sentence."""
    opened = "1 seed" if planned == 1 else f"{planned} seeds"
    more = "1 was" if seeds - planned == 1 else f"{seeds - planned} were"
    return (
        f"Test was opened with {opened}, and {more} added after it: whoever adds seeds until a "
        "difference shows finds one where there is none (13.7 % of studies by 15 seeds), so no "
        "verdict here is at its level."
    )
