"""A beats B by x, as the studies at hand allow to say it: confirmed settings under the one rule.

Report, README and explorer ask `of`; the rule itself, which the terminal asks too, is fer_stats'.
"""

import numpy as np
import pandas as pd

from fer_stats import verdicts
from fer_stats.verdicts import Answered, Comparison
from results.artefacts.load import Answers, Findings
from results.facts.evaluation import Evaluated, chosen, copies

SCOPE = "test, no duplicates"  # on which a comparison stands, unless a study says another


def of(studies: list[Findings], settings: list[Evaluated], scope: str = SCOPE) -> list[Comparison]:
    """Every two settings that answered the same images of the scope; the primary pairs first.

    Primary are the pairs that a study fixed before it trained. Where none did, every two are, and
    `fixed` tells whether that was so.
    """
    found: list[Comparison] = []
    for group in alike(settings, scope):
        names = {(one.answers.study, one.answers.setting): one.name for one in group}
        pairs = [
            (names[study.name, first], names[study.name, second])
            for study in studies
            for first, second in fixed(study)
            if (study.name, first) in names and (study.name, second) in names
        ]
        first = group[0].answers
        margin = next((margin_of(one) for one in studies if one.name == first.study), None)
        found += verdicts.of(
            [tested(studies, one, scope) for one in group],
            pairs,
            verdicts.MARGIN if margin is None else margin,
            copies(first, chosen(first, scope)),
            unit(studies, group),
        )
    return found


def alike(settings: list[Evaluated], scope: str) -> list[list[Evaluated]]:
    """The settings with answers in the scope, those on the same images together."""
    groups: dict[tuple[str, bytes], list[Evaluated]] = {}
    for one in settings:
        inside = chosen(one.answers, scope)
        if inside.any():
            key = one.answers.digest, one.answers.image[inside].tobytes()
            groups.setdefault(key, []).append(one)
    return list(groups.values())


def fixed(study: Findings) -> list[tuple[str, str]]:
    """The pairs that the study fixed before it trained; [] where it fixed none."""
    pairs = [str(pair).partition(":") for pair in study.study["study"].get("pairs") or []]
    return [(first, second) for first, _, second in pairs]


def margin_of(study: Findings) -> float | None:
    """Within which the study calls settings equal, a fraction; None in older ones."""
    points = study.study["study"].get("margin")
    return None if points is None else float(points) / 100


def tested(studies: list[Findings], one: Evaluated, scope: str) -> Answered:
    answers, inside = one.answers, chosen(one.answers, scope)
    right = answers.guess[:, inside] == answers.label[inside]
    study = next((study for study in studies if study.name == answers.study), None)
    cost = hours(study, answers.setting) if study else np.nan
    return Answered(one.name, right, answers.seeds, start(study, answers), cost)


def start(study: Findings | None, answers: Answers) -> str:
    """As `fer_stats.verdicts.start`, by the setting's own trials."""
    if study is None:
        return ""
    own = study.trials[study.trials["setting"] == answers.setting].iloc[0]
    shape = (own.get(name) for name in ("hp_stem", "hp_image_px", "hp_batch_norm"))
    return verdicts.start(answers.model, *shape)


def hours(study: Findings, setting: str) -> float:
    """What one training of a setting took, in GPU-hours, or in core-hours without a GPU."""
    trials = study.trials
    own = trials[(trials["setting"] == setting) & (trials["status"] == "completed")]
    own = own[own["stage"] == "confirm"]
    seconds = study.epochs.groupby("trial_id")["epoch_seconds"].sum()
    taken = pd.to_numeric(own["trial_id"].map(seconds))
    gpus = pd.to_numeric(own["gpus"]).fillna(0)
    cores = float(study.study["study"].get("cpus_per_trial") or 1)
    share = gpus.where(gpus > 0, cores)
    return float((taken * share).mean() / 3600) if len(own) else np.nan


def unit(studies: list[Findings], group: list[Evaluated]) -> str:
    """What their trainings are paid in."""
    named = {one.answers.study for one in group}
    trials = [one.trials["gpus"] for one in studies if one.name in named]
    gpus = [pd.to_numeric(share).fillna(0).max() for share in trials]
    return "GPU-hours" if any(share > 0 for share in gpus) else "core-hours"


def frame(found: list[Comparison]) -> pd.DataFrame:
    """A row per comparison, its words and what would settle it included."""
    columns = [*Comparison.__dataclass_fields__, "words", "settle"]
    return pd.DataFrame([{n: getattr(one, n) for n in columns} for one in found], columns=columns)
