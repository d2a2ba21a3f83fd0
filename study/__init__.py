"""THE EXPERIMENT: configuration, data, training, Ray, the command line."""


class Mistake(ValueError):
    """A person's mistake, told in one sentence: what was found, what was expected, what to do.

    The command line prints it without a traceback and ends with exit code 2.
    """
