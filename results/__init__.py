"""What a study found, from its artefact folder alone: neither torch nor ray is needed here."""


class Mistake(Exception):
    """A person's mistake: told in one sentence, exit code 2, no traceback."""
