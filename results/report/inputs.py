"""What the sections are made of: studies with what was evaluated of them, and the paper."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from fer_stats.verdicts import Comparison
from results.artefacts.load import Findings
from results.facts import evaluation, paper, verdicts
from results.facts.evaluation import Evaluated


@dataclass(frozen=True)
class Inputs:
    """Studies, named apart, and their confirmed settings, evaluated."""

    studies: list[Findings]
    settings: list[Evaluated]
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
    def verdicts(self) -> list[Comparison]:
        """verdicts.of every two of the settings."""
        return verdicts.of(self.studies, self.settings)

    @cached_property
    def compared(self) -> list[Evaluated]:
        """The settings on the images that the paper judged on: only they are held against it."""
        return paper.comparable(self.studies, self.settings)[0]

    @cached_property
    def not_compared(self) -> dict[str, str]:
        """The others that confirmed one of the paper's settings: study, or setting of a study, ->
        why they aren't."""
        return paper.comparable(self.studies, self.settings)[1]

    @cached_property
    def printed(self) -> pd.DataFrame:
        """paper.settings_table of the studies."""
        return paper.settings_table(self.published, self.settings, self.studies)

    @cached_property
    def across(self) -> list[Comparison]:
        """paper.across of the studies."""
        return paper.across(self.studies, self.settings)

    @property
    def several(self) -> bool:
        return len(self.studies) > 1
