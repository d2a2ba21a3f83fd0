"""A beats B by x, as the studies at hand allow to say it: confirmed settings under the one rule.

Report, README and explorer ask `of`; the rule itself, which the terminal asks too, is fer_stats'.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from fer_stats import verdicts
from fer_stats.verdicts import Answered, Comparison
from results.artefacts.load import Answers, Findings
from results.facts.evaluation import PRIMARY, Evaluated, chosen, copies, digest


def of(
    studies: list[Findings], settings: list[Evaluated], scope: str = PRIMARY
) -> list[Comparison]:
    """Every two settings that answered the same images of the scope; the primary pairs first.

    Primary are the pairs that a study fixed before it trained, or else every two of its own: a
    family for each study, so that what is shown beside it changes none of its verdicts. Pairs of
    two studies were nobody's question and are secondary.
    """
    found: list[Comparison] = []
    for group in alike(settings, scope):
        each = {one.name: tested(studies, one, scope) for one in group}
        named = [one for one in studies if any(one.name == s.answers.study for s in group)]
        for study in named:
            its = [s for s in group if s.answers.study == study.name]
            own = {s.answers.setting: s.name for s in its}
            found += verdicts.of(
                [each[name] for name in own.values()],
                named_pairs(study, own),
                within(study),
                clusters(its, scope),
                unit([study], group),
            )
        units = {study.name: unit([study], group) for study in named}
        paid = {one.name: units[one.answers.study] for one in group}
        across = [
            (each[one.name], each[other.name])
            for one, other in combinations(group, 2)
            if one.answers.study != other.answers.study
        ]
        alone = clusters(group, scope)
        secondary = verdicts.family(across, False, verdicts.MARGIN, alone, "")
        found += [in_unit(one, paid[one.first], paid[one.second]) for one in secondary]
    return sorted(found, key=lambda one: not one.primary)


def in_unit(one: Comparison, first: str, second: str) -> Comparison:
    """With the unit of its hours, which are no sum where one is paid in GPU-hours and one in those
    of cores."""
    hours = one.hours if first == second else np.nan
    return replace(one, unit=first, hours=hours)


def clusters(settings: list[Evaluated], scope: str) -> np.ndarray | None:
    """Which of the same images are identical, as `copies`, by the first study that kept digests."""
    each = (copies(one.answers, chosen(one.answers, scope)) for one in settings)
    return next((groups for groups in each if groups is not None), None)


def named_pairs(study: Findings, names: dict[str, str]) -> list[tuple[str, str]] | None:
    """The primary pairs of a study by the `names` that its settings have here; None: every two."""
    asked = primary(study)
    if asked is None:
        return None
    return [(names[a], names[b]) for a, b in asked if {a, b} <= set(names)]


def within(study: Findings) -> float:
    """Within which the study's settings are called equal, a fraction."""
    margin = margin_of(study)
    return verdicts.MARGIN if margin is None else margin


def alike(settings: list[Evaluated], scope: str) -> list[list[Evaluated]]:
    """The settings with answers in the scope, those on the same images together."""
    groups: dict[str, list[Evaluated]] = {}
    for one in settings:
        if chosen(one.answers, scope).any():
            groups.setdefault(digest(one.answers, scope), []).append(one)
    return list(groups.values())


def fixed(study: Findings) -> list[tuple[str, str]]:
    """The pairs that the study fixed before it trained; [] where it fixed none."""
    pairs = [str(pair).partition(":") for pair in study.study["study"].get("pairs") or []]
    return [(first, second) for first, _, second in pairs]


def primary(study: Findings) -> list[tuple[str, str]] | None:
    """As `fer_stats.verdicts.primary`, of the study's chosen settings."""
    names = list(study.chosen["setting"])
    return verdicts.primary(fixed(study), others(study), names)


def others(study: Findings) -> dict[str, str]:
    """Setting that was confirmed beside the best of the search -> that best."""
    rows = study.chosen[study.chosen["beside"].notna()]
    return dict(zip(rows["setting"], rows["beside"], strict=True))


def defaults(study: Findings) -> dict[str, str]:
    """Best of a network -> the default that was confirmed beside it, unless the best is that."""
    trial = dict(zip(study.chosen["setting"], study.chosen["from_trial"], strict=True))
    return {best: name for name, best in others(study).items() if not trial[name]}


def gains(study: Findings, settings: list[Evaluated], scope: str = PRIMARY) -> list[Comparison]:
    """What the search gained over each network's default, on new seeds and images."""
    own = [one for one in settings if one.answers.study == study.name and scope in one.scopes]
    names = {one.answers.setting: one.name for one in own}
    wanted = [(names[a], names[b]) for a, b in defaults(study).items() if {a, b} <= set(names)]
    if not wanted:
        return []
    first = own[0].answers
    return verdicts.gains(
        [tested([study], one, scope) for one in own],
        wanted,
        within(study),
        copies(first, chosen(first, scope)),
        unit([study], own),
    )


def gained(study: Findings, settings: list[Evaluated]) -> list[str]:
    """What the search gained over each network's default, in a sentence; [] where it confirmed none
    beside its best."""
    each = [verdicts.gain_words(one) for one in gains(study, settings)]
    return [f"{verdicts.GAIN} ({study.name}): {'; '.join(each)}."] if each else []


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
    epochs = study.epochs[study.epochs["trial_id"].isin(own["trial_id"])]
    share = epochs["gpus"].where(epochs["gpus"] > 0, epochs["cores"])
    taken = pd.to_numeric(epochs["epoch_seconds"]) * share
    return float(taken.sum() / len(own) / 3600) if len(own) else np.nan


def unit(studies: list[Findings], group: list[Evaluated]) -> str:
    """What their trainings are paid in, whatever their searches were."""
    named = {one.answers.study for one in group}
    for one in (study for study in studies if study.name in named):
        confirmed = one.trials.loc[one.trials["stage"] == "confirm", "trial_id"]
        if (one.epochs.loc[one.epochs["trial_id"].isin(confirmed), "gpus"] > 0).any():
            return "GPU-hours"
    return "core-hours"


def in_short(pairs: list[Comparison]) -> str:
    """The verdicts on the pairs of each study: what is settled, then what isn't, in a sentence."""
    settled = [f"{one.words}." for one in pairs if one.settled]
    left = [one for one in pairs if not one.settled and pd.notna(one.low)]
    if not left:
        return " ".join(settled)
    needed = sorted(one.needed for one in left if one.needed)
    told = [f"{one.lead} ({one.reach})" for one in left]
    reach = " to ".join(dict.fromkeys(f"{one}" for one in (*needed[:1], *needed[-1:])))
    which = f"{len(needed)} of them" if len(needed) < len(left) else "them" if needed[1:] else "it"
    would = f"; {reach} seeds each would settle {which}" * bool(needed)
    return " ".join([*settled, f"Not settled within a study: {', '.join(told)}{would}."])


def frame(found: list[Comparison]) -> pd.DataFrame:
    """A row per comparison, its words and what would settle it included."""
    columns = [*Comparison.__dataclass_fields__, "words", "settle"]
    return pd.DataFrame([{n: getattr(one, n) for n in columns} for one in found], columns=columns)
