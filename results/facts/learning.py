"""What report, README and explorer say of networks that have learned nothing
(fer_stats.learning)."""

from dataclasses import asdict, fields

import pandas as pd

from fer_stats.learning import Unlearned, no_trial_has, setting_has_not
from fer_stats.learning import unlearned as of_answers
from results.artefacts.load import Answers, Findings
from results.artefacts.once import once
from results.facts import search
from results.facts.evaluation import Evaluated, without_copies
from results.words import listed

FIGURES = [one.name for one in fields(Unlearned)]
COLUMNS = ["study", "setting", "model", "seed", "seeds", "split", *FIGURES]


def unlearned(settings: list[Answers]) -> pd.DataFrame:
    """A row per setting and seed that has not learned by its answers to test, or to val where test
    wasn't opened. `seeds` counts its setting's."""
    rows = []
    for one in settings:
        split = "test" if (one.split == "test").any() else "val"
        inside = one.split == split
        shared = {"study": one.study, "setting": one.setting, "model": one.model, "split": split}
        for seed, guess in zip(one.seeds, one.guess[:, inside], strict=True):
            found = of_answers(one.metric, one.label[inside], guess, one.classes)
            if found:
                rows.append(shared | {"seed": seed, "seeds": len(one.seeds)} | asdict(found))
    return pd.DataFrame(rows, columns=COLUMNS)


def sentences(frame: pd.DataFrame) -> list[str]:
    """One for each setting of `unlearned`."""
    found = []
    for setting, part in frame.groupby("setting", sort=False):
        those = [Unlearned(**row) for row in part[FIGURES].to_dict("records")]
        first = part.iloc[0]
        found.append(setting_has_not(str(setting), first["split"], those, first["seeds"]))
    return found


def caution(settings: list[Evaluated], what: str) -> str:
    """A sentence for where `what` ("the calibration of") is told of networks some of which have
    learned nothing; or ""."""
    names = []
    for one in settings:
        flat, seeds = len(unlearned([one.answers])), len(one.answers.seeds)
        if flat:
            names.append(one.name + (f" ({flat} of {seeds} seeds)" if flat < seeds else ""))
    if not names:
        return ""
    return (
        f"{listed(names)} {'has' if len(names) == 1 else 'have'} not learned: read nothing "
        f"from {what} a network that is no better than a constant answer."
    )


def of_val(findings: Findings) -> dict[str, int]:
    """Images of each class among those of val that epochs were judged on; {} where the study didn't
    keep that."""
    data = findings.study["data"]
    counts = data.get("judged") or {}
    if not counts and not without_copies(findings.study):  # older: val as published
        counts = (data.get("counts") or {}).get("val") or {}
    return counts if search.val_images(findings) else {}


@once
def searched(findings: Findings) -> list[str]:
    """A sentence for each network whose best trial of the search isn't above the most frequent
    class of val; nothing where the study didn't keep the classes of what it was judged on."""
    counts, images = of_val(findings), search.val_images(findings)
    if not counts:
        return []
    trials = search.best(search.searched(findings))
    columns = trials[["model", "trial_id", "val_accuracy", "judged"]]
    found = [
        no_trial_has(model, trial, accuracy, judged, findings.metric, counts, images)
        for model, trial, accuracy, judged in columns.itertuples(index=False, name=None)
    ]
    return [words for words in found if words]
