"""--resume with a wider space or more epochs: where that is sound, and why where it isn't. Driver.

What was tried must be what the wider study might have tried, trained as it would have trained it.
"""

from collections.abc import Iterable
from typing import Any

from fer_record.tables import Tables
from study import Mistake, counted, now
from study.config.flags import HYPER, flag, searched
from study.config.hyperparameters import SPREAD, applies
from study.config.study import Domain, Range, Setting, Study, configuration, domains
from study.search.earlier import holds

WIDENS = (*HYPER, "epochs")
ELSE = "start another with --name, which may know these trials by --from"


def changes(before: Study, after: Study, given: Iterable[str], tables: Tables) -> list[dict]:
    """What of the search has changed, for study.json; nothing where nothing has. Mistake where that
    isn't sound."""
    names = [name for name in given if name in WIDENS]
    if names:
        refuse_late(before, names[0], tables)
    for name in names:
        if name == "epochs":
            refuse_epochs(before, after, tables)
        else:
            refuse_narrower(before, after, name)
    if "schedule" in names and tables.of_stage("search") and after.epochs != before.epochs:
        raise Mistake(f"--epochs and --schedule can't change together: {ELSE}")
    what = {
        name: [before_text, after_text]
        for name in ("trials", *names)
        if (before_text := text(before, name)) != (after_text := text(after, name))
    }
    begun = len(tables.of_stage("search"))
    return [{"time": now(), "trials": begun, "what": what}] if what and begun else []


def words(one: dict[str, Any]) -> str:
    """After 12 trials: lr 0.01, now searched from 0.001 to 0.1, log."""
    each = [f"{name} {old}, now {new}" for name, (old, new) in one["what"].items()]
    return f"after {counted(one['trials'], 'trial')}: {'; '.join(each)}"


def text(study: Study, name: str) -> str:
    """An option, or a hyperparameter of each network, in words."""
    if name in ("trials", "epochs"):
        return str(getattr(study, name))
    own = {model: searched(domain(study, model, name)) for model in having(study, name)}
    if len(set(own.values())) == 1:
        return next(iter(own.values()))
    return ", ".join(f"{model}: {words}" for model, words in own.items())


def having(study: Study, name: str) -> list[str]:
    return [model for model in study.models if applies(name, model)]


def domain(study: Study, model: str, name: str) -> Domain:
    """What a network may have of a hyperparameter in the search."""
    fixed = getattr(configuration(study, Setting("", {"model": model})), name)
    return domains(study, model).get(name, ("", fixed))[1]


def refuse_late(study: Study, name: str, tables: Tables) -> None:
    if "search" not in study.stages:
        raise Mistake(f"{flag(name)} can't change: nothing is searched; start another with --name")
    if tables.chosen:
        raise Mistake(
            f"{flag(name)} can't change any more: what is confirmed has been chosen, and choosing "
            f"again after test was opened would be choosing on test; {ELSE}"
        )
    if study.sampler == "qmc" and name != "epochs":
        raise Mistake(
            f"{flag(name)} can't change: sampler qmc fills the space that it was begun with "
            f"evenly, and a wider one unevenly; {ELSE}"
        )


def refuse_narrower(before: Study, after: Study, name: str) -> None:
    """Mistake if a value that a trial may have is outside the new space."""
    for model in having(before, name):
        old, new = (domain(study, model, name) for study in (before, after))
        ends = (old.low, old.high) if isinstance(old, Range) else old
        held = all(holds(new, v) for v in (ends if isinstance(ends, tuple) else (ends,)))
        if not held or (isinstance(old, Range) and not isinstance(new, Range)):
            raise Mistake(
                f"{flag(name)} can't change from {searched(old)} to {searched(new)}: a space only "
                f"gets wider, so that it holds all that was tried; {ELSE}"
            )


def refuse_epochs(before: Study, after: Study, tables: Tables) -> None:
    """Mistake if a trial so far wouldn't have been the same with other epochs, or can't go on."""
    rows = tables.of_stage("search")
    if after.epochs < before.epochs and rows:
        raise Mistake(
            f"--epochs can't change from {before.epochs} to {after.epochs}: "
            f"{counted(len(rows), 'trial')} have begun with more; {ELSE}"
        )
    for name, row in rows.items() if after.epochs != before.epochs else ():
        if row["hp_schedule"] in SPREAD:
            raise Mistake(
                f"--epochs can't change: {name} was trained with schedule {row['hp_schedule']}, "
                "which is spread over all epochs, so that with more its learning rate would have "
                "been another; start another with --name"
            )
        if row["status"] == "completed":
            raise Mistake(
                f"--epochs can't change: {name} has done all its {row['hp_epochs']} epochs, and "
                "the states of ended trials aren't kept, so that it can't go on; start another "
                "with --name"
            )
