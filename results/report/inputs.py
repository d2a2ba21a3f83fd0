"""What the sections are made of: studies with what was evaluated of them, and the paper."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from results.artefacts.load import Findings
from results.facts import evaluation, paper
from results.facts import statistics as st
from results.facts.evaluation import Evaluated


@dataclass(frozen=True)
class Inputs:
    """Studies, named apart, and their confirmed settings with bootstraps."""

    studies: list[Findings]
    settings: list[Evaluated]
    resamples: int = st.RESAMPLES
    faces: Path | None = None  # source of the photographs: a section of its own
    voters: Path | None = None  # FER+'s table: likewise

    @cached_property
    def published(self) -> dict[str, Any]:
        return paper.published()

    @cached_property
    def accuracies(self) -> pd.DataFrame:
        """evaluation.confirmed of the settings."""
        return evaluation.confirmed(self.settings)

    @cached_property
    def real(self) -> set[str]:
        """The names of the studies on real faces: only they are held against the paper."""
        return {one.name for one in self.studies if not one.synthetic}

    @cached_property
    def printed(self) -> pd.DataFrame:
        """paper.settings_table, with ours of the studies on real faces."""
        real = [one for one in self.settings if one.answers.study in self.real]
        return paper.settings_table(self.published, real, self.studies)

    @property
    def several(self) -> bool:
        return len(self.studies) > 1
