"""--from: trials of earlier studies that the sampler of a new one knows. Runs on the driver.

A trial is known if it might have been one of the new study's: of the same images, a network of its,
as many epochs, and within its space. Early stopping doesn't know it: at a rung are trials of one
study alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from fer_record.tables import Tables, settings_of
from study import counted
from study.config.hyperparameters import FIELDS, applies
from study.config.study import Domain, Range, Setting, Study, configuration, domains

Record = dict[str, Any]  # what study.json keeps of an earlier study
STATES = {"completed": TrialState.COMPLETE, "stopped": TrialState.PRUNED}


def record(study: Study, digest: str, folder: str, header: Record, tables: Tables) -> Record:
    """What a study may know of an earlier one, whose study.json and tables these are; `digest` is
    that of its own images."""
    known, left_out = [], Counter[str]()
    of_others = other_question(study, digest, header)
    rows = tables.of_stage("search")
    for name, row in rows.items():
        hp = {key: value for key, value in settings_of(row).items() if value is not None}
        if why := of_others or unfit(study, header["study"], hp, row["status"]):
            left_out[why] += 1
            continue
        values = {
            epoch: one[study.objective]
            for (trial, epoch), one in tables.epochs.items()
            if trial == name
        }
        if values:
            known.append({"trial_id": name, "status": row["status"], "hp": hp, "values": values})
        else:
            left_out["without a finished epoch"] += 1
    return {
        "study": header["study"].get("name", ""),
        "folder": folder,
        "trials": len(rows),
        "left_out": dict(left_out),
        "known": known,
    }


def words(one: Record) -> str:
    """17 of 24 trials of runs/OLD are known to the sampler; 7 left out: 7 outside the space."""
    many = len(one["known"])
    known = f"{many} of {counted(one['trials'], 'trial')} of {one['folder']}"
    why = ", ".join(f"{many} {reason}" for reason, many in one["left_out"].items())
    left = f"; {sum(one['left_out'].values())} left out: {why}" if why else ""
    return f"{known} {'is' if many == 1 else 'are'} known to the sampler{left}"


def other_question(study: Study, digest: str, header: Record) -> str:
    """Why no trial of an earlier study was judged by the same on the same; empty if they were."""
    old = header["study"]
    if old.get("metric", "accuracy") != study.metric:
        return "of another metric"
    if (header.get("data") or {}).get("digest") != digest:
        return "of another data set"
    parts = ("train_images", "val_images")
    mine = [getattr(study, name) for name in parts]
    if [old.get(name, 0) for name in parts] != mine or (any(mine) and old["seed"] != study.seed):
        return "of another part of the images"
    data, judged = header.get("data") or {}, old.get("val_copies", "with")
    copies = any(data.get(name, 1) for name in ("val_duplicates", "val_near_copies"))  # or unknown
    return f"judged {judged} copies in val" if copies and judged != study.val_copies else ""


def unfit(study: Study, old: Record, hp: dict[str, Any], status: str) -> str:
    """Why a trial of an earlier study can't be one of this study's; empty if it can."""
    model = hp["model"]
    if status not in STATES:
        return "failed" if status == "failed" else "not ended"
    if model not in study.models or code(model, old.get("own_networks", ())) != code(
        model, study.own_networks
    ):
        return "of another network"
    if hp["epochs"] != study.epochs:
        return "of other epochs"
    fixed = configuration(study, Setting("", {"model": model}))
    for name in FIELDS:
        if name not in ("model", "epochs", "seed") and applies(name, model):
            _, domain = domains(study, model).get(name, ("", getattr(fixed, name)))
            if not holds(domain, hp.get(name, FIELDS[name].default)):
                return "outside the space"
    return ""


def holds(domain: Domain, value: Any) -> bool:
    """Whether a domain has a value."""
    if isinstance(domain, Range):
        return domain.low <= value <= domain.high
    return value in (domain if isinstance(domain, tuple) else (domain,))


def code(model: str, own_networks: Iterable[Record]) -> Any:
    """What a network of one's own is made of, wherever it is from; nothing of the study's own."""
    found = (one for one in own_networks if one["name"] == model)
    return next(((one["code"], one["digest"]) for one in found), None)


def distributions(study: Study, model: str) -> dict[str, BaseDistribution]:
    """What is searched of a network, by its label, as Optuna has it."""
    return {
        label: distribution(domain)
        for label, domain in domains(study, model).values()
        if isinstance(domain, Range | tuple)
    }


def distribution(domain: Range | tuple) -> BaseDistribution:
    """As `proposals.suggested` asks for it."""
    if isinstance(domain, tuple):
        return CategoricalDistribution(domain)
    if isinstance(domain.low, int):
        return IntDistribution(domain.low, int(domain.high), log=domain.log)
    return FloatDistribution(domain.low, domain.high, log=domain.log)


def trials(study: Study, model: str, earlier: Iterable[Record]) -> Iterator[FrozenTrial]:
    """The known trials of a network, as a study of that network alone would have them."""
    space = distributions(study, model)
    names = {label: name for name, (label, _) in domains(study, model).items()}
    for one in earlier:
        for trial in one["known"]:
            hp, values = trial["hp"], {int(e): v for e, v in trial["values"].items()}
            if hp["model"] != model:
                continue
            ended = trial["status"] == "completed"
            yield create_trial(
                state=STATES[trial["status"]],
                params={k: hp.get(names[k], FIELDS[names[k]].default) for k in space},
                distributions=space,
                intermediate_values=values,
                value=values[max(values)] if ended else None,
            )
