"""Where a study keeps prepared data sets, and the results look for their photographs."""

import os
from pathlib import Path


def folder(named: Path | None = None) -> Path:
    """The folder named, else FER_STUDY_CACHE, else ~/.cache/fer-study (XDG_CACHE_HOME heeded)."""
    usual = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    given = named or os.environ.get("FER_STUDY_CACHE")
    return Path(given or Path(usual) / "fer-study").expanduser()
