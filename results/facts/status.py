"""A study's configuration and state: overview, warnings, trials, learning curves."""

from typing import Any

import numpy as np
import pandas as pd

from fer_data import fer2013
from fer_stats.metric import copies_in_val
from fer_stats.words import added_after_test
from results.artefacts.load import Answers, Findings
from results.artefacts.once import once
from results.facts import drivers, evaluation, learning, search
from results.words import counted, listed


def settings_of(config: dict[str, Any]) -> list[str]:
    """The names of the settings of the study's own networks: its preset may know more networks."""
    models = config.get("models", [])
    return [one["name"] for one in config.get("settings", []) if one.get("model") in models]


def overview(findings: Findings) -> pd.DataFrame:
    """A row per thing worth knowing of a study: what, and the answer in words."""
    header, config, data = findings.study, findings.study["study"], findings.study["data"]
    images = data.get("images", {})
    settings = settings_of(config)
    machine, versions, git = (header.get(key) or {} for key in ("hardware", "versions", "git"))
    gpus = machine.get("gpus") or []
    stages = " then ".join(config.get("stages", []))
    rows = {
        "Preset": config.get("preset"),
        "Stages": stages,
        "Networks": ", ".join(config.get("models", [])),
        "Networks of one's own": ", ".join(
            f"{one['name']} from {one['source']} ({one['digest']})"
            for one in config.get("own_networks", ())
        ),
        "Settings": ", ".join(settings),
        "Search": f"{counted(config['trials'], 'trial')} of up to "
        f"{counted(config['epochs'], 'epoch')}, {config.get('sampler')}, {config.get('scheduler')}"
        if findings.searches
        else "",
        "Judged by": findings.judged,
        "Seeds of the confirmation": config.get("seeds") if "confirm" in stages else "",
        "Why this size": header.get("why_this_size"),
        "Status": status(findings),
        "Started": moment(header.get("started_at")),
        "Ended": moment(header.get("ended_at")),
        "Data": f"{data.get('name')} ({data.get('digest')})",
        "Images": ", ".join(f"{count:,} {name}" for name, count in images.items()),
        "Used in training": used(header),
        "Test images also in train or val": data.get("test_duplicates"),
        "Val images also in train": data.get("val_duplicates"),
        "Trials": ", ".join(f"{n} {word}" for word, n in counts(findings).items()) or "none yet",
        "Epochs run": f"{len(findings.epochs):,}",
        "Time in epochs": duration(pd.to_numeric(findings.epochs["epoch_seconds"]).sum()),
        "Trained on": drivers.devices(findings.trials),
        "Machine": ", ".join(
            str(part)
            for part in (
                machine.get("processor"),
                cores(machine),
                *gpus,
                counted(machine.get("nodes", 1), "node"),
            )
            if part
        )
        if machine
        else "",
        "Versions": ", ".join(f"{name} {value}" for name, value in versions.items()),
        "Git": commit(git),
        **drivers.rows(findings),
    }
    kept = [(what, str(value)) for what, value in rows.items() if value not in (None, "")]
    return pd.DataFrame(kept, columns=["what", findings.name])


def status(findings: Findings) -> str:
    """Status and reason; of a study that says it is running, also when its last event was."""
    header = findings.study
    state = str(header.get("status", "unknown"))
    if state == "running" and findings.last_event:
        return f"running, or killed: its last event is of {moment(findings.last_event)}"
    return f"{state}: {header['reason']}" if header.get("reason") else state


def cores(machine: dict) -> str:
    """The cores that the driver could use, of those that its machine has."""
    usable = machine.get("cores")
    if not usable:
        return ""
    whole = machine.get("cores_of_the_machine") or usable
    return f"{usable} of " * (usable != whole) + counted(whole, "core")


def counts(findings: Findings) -> dict[str, int]:
    return {str(k): int(v) for k, v in findings.trials["status"].value_counts(sort=False).items()}


def used(header: dict) -> str:
    """Which part of the images was trained and validated on; empty where it was all of them, of val
    all that are no copies of training images where the study left those out."""
    data = header["data"]
    counts, images = data.get("counts") or {}, data.get("images") or {}
    whole = {name: sum(counts.get(name, {}).values()) for name in ("train", "val")}
    if evaluation.without_copies(header):
        whole["val"] -= copies_in_val(data)
    return ", ".join(
        f"{images[name]:,} of {many:,} {name}"
        for name, many in whole.items()
        if images.get(name, many) < many
    )


def commit(git: dict) -> str:
    if not git.get("commit"):
        return "not in a git checkout"
    return git["commit"][:12] + (", with uncommitted changes" if git.get("dirty") else "")


def moment(text: str | None) -> str:
    return pd.Timestamp(text).strftime("%Y-%m-%d %H:%M UTC") if text else ""


def duration(seconds: float) -> str:
    """1 h 05 min, 3 min 20 s, 12 s."""
    whole = round(float(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours:,} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def warnings(findings: Findings, settings: list[Answers]) -> list[str]:
    """What a reader must know before any number, a sentence each."""
    found: list[str] = []
    found += [sentence(note) for note in findings.study["data"].get("notes", [])]
    if findings.synthetic and not found:
        found.append("These faces are drawn: the numbers say nothing of real faces.")
    state = findings.study.get("status")
    if state != "complete":
        found.append(f"The study isn't complete ({status(findings)}): the results are preliminary.")
    if mixed := drivers.mixed(findings):
        found.append(f"Not all of it ran with the same: {mixed}.")
    if settings:
        found += looked(findings)
    part = used(findings.study)
    if part:
        found.append(f"Trained on a part of the images: {part}.")
    failed = findings.trials[findings.trials["status"] == "failed"]
    if len(failed):
        names = ", ".join(failed["trial_id"].head(8)) + (" and more" if len(failed) > 8 else "")
        found.append(
            f"{counted(len(failed), 'trial')} failed: {names}; the table of trials says why."
        )
    broken = diverged(findings)
    if broken:
        found.append(
            f"The loss of {counted(len(broken), 'trial')} is no number: {', '.join(broken[:8])}."
        )
    if findings.trials.empty:
        found.append("No trial has started yet.")
    elif not settings:
        found.append("No confirmed model has been evaluated on the test images.")
    elif single := [one.setting for one in settings if len(one.seeds) == 1]:
        who = "Every setting" if len(single) == len(settings) else listed(single)
        found.append(
            f"{who} {'have' if 1 < len(single) < len(settings) else 'has'} one seed: no interval, "
            "nothing is settled, and another seed may give another order."
        )
    found += [
        f"The sampler knew {len(one['known'])} of {counted(one['trials'], 'trial')} of "
        f"{one['study']} before its first, so that what the search found isn't its own "
        "trials' alone."
        for one in findings.study.get("earlier", ())
    ]
    for one in findings.study.get("changed", ()):
        each = [f"{name} {old}, now {new}" for name, (old, new) in one["what"].items()]
        many = counted(one["trials"], "trial")
        found.append(f"The search was changed after {many}: {'; '.join(each)}.")
    found += learning.sentences(learning.unlearned(settings)) + learning.searched(findings)
    return found + [sentence(note) for note in findings.notes]


def looked(findings: Findings) -> list[str]:
    """What was known of test before it was judged by, a sentence each."""
    found = [chosen_on_test(findings)] if chosen_on_test(findings) else []
    look = findings.study.get("look_at_test") or 1
    if look > 1:
        found.append(
            f"It is study number {look} of those that its machine and storage know to have opened "
            "these test images: what was "
            "learned from the earlier ones may have been chosen by them."
        )
    if added := findings.study.get("seeds_after_test"):
        found.append(added_after_test(*added))
    return found


def chosen_on_test(findings: Findings) -> str:
    """What of the study was chosen where its figures are judged, in a sentence; or "".

    The settings of preset `paper` leave open what the paper doesn't say, and that was read by how
    well val and test of FER-2013 together went (LOG.md, 2026-11-27), by no other images.
    """
    settings = findings.study["study"].get("settings") or []
    there = fer2013.of_its_halves(findings.study["data"])
    if not there or not any(one.get("published") for one in settings):
        return ""
    return (
        "What the paper doesn't say of its settings (optimiser, normalisation, initialisation) was "
        "first chosen by val and test together, so their accuracies on test may be a little high."
    )


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def diverged(findings: Findings) -> list[str]:
    """Trials with an epoch whose loss is NaN or infinite."""
    loss = findings.epochs[["train_loss", "val_loss"]].apply(pd.to_numeric)
    bad = ~np.isfinite(loss.to_numpy(float)).all(1) if len(loss) else np.zeros(0, bool)
    return list(findings.epochs["trial_id"][bad].unique())


def trials(findings: Findings) -> pd.DataFrame:
    """Every trial with how far it came, how it ended, and the hyperparameters that vary."""
    frame = findings.trials
    ordered = findings.epochs.sort_values("epoch")  # groupby's last would pass over a NaN
    last = ordered.drop_duplicates("trial_id", keep="last").set_index("trial_id")
    varies = [
        c
        for c in frame
        if c.startswith("hp_")
        and c not in ("hp_model", "hp_epochs")
        and frame[c].astype(str).nunique() > 1
    ]
    table = pd.DataFrame(
        {
            "trial": frame["trial_id"],
            "network": frame["hp_model"],
            "status": frame["status"],
            "epochs": frame["trial_id"].map(last["epoch"]).fillna(0).astype(int).astype(str)
            + "/"
            + frame["hp_epochs"].astype(str),
        }
    )
    for measure in dict.fromkeys([f"val_{findings.metric}", "val_accuracy", "val_loss"]):
        table[measure] = pd.to_numeric(frame["trial_id"].map(last[measure]))
    for column in varies:
        table[column[3:]] = frame[column]
    return table.assign(reason=frame["reason"], error=frame["error"])


def measures(findings: Findings) -> list[str]:
    """The measures of an epoch that curves are drawn of: losses, accuracies, and what the study was
    judged by."""
    plain = ["train_loss", "train_accuracy", "val_loss", "val_accuracy"]
    return list(dict.fromkeys([*plain, f"val_{findings.metric}"]))


def curves_on_val(findings: Findings) -> pd.DataFrame:
    """`curves`, with the images of val that its epochs were judged on: how many (`images`), and
    whether without copies of training images (`clean`), which makes accuracy 5 points lower."""
    images, clean = search.val_images(findings), evaluation.without_copies(findings.study)
    return curves(findings).assign(images=images, clean=clean)


def images_of_val(images: int, clean: bool, whose: str = "") -> str:
    """These images in words; `whose`, as " of fer2013", where there are several data sets."""
    copies = ", none of them a copy of a training image" if clean else ""
    return f"{images:,} images of val{whose}{copies}"


@once
def curves(findings: Findings) -> pd.DataFrame:
    """Mean, lowest and highest over seeds of each of `measures` by confirmed setting and epoch;
    `epochs` is how many the setting is to have."""
    of_setting = ["setting", "hp_model", "hp_epochs"]
    trials = findings.trials[findings.trials["stage"] == "confirm"]
    frame = findings.epochs.merge(trials[["trial_id", *of_setting]], on="trial_id")
    long = frame.melt(
        ["trial_id", *of_setting, "epoch"],
        measures(findings),
        "measure",
    )
    long["value"] = pd.to_numeric(long["value"])
    long = long[np.isfinite(long["value"])]
    grouped = long.groupby([*of_setting, "measure", "epoch"], sort=False)["value"]
    table = grouped.agg(mean="mean", low="min", high="max", seeds="count").reset_index()
    return table.rename(columns={"hp_model": "model", "hp_epochs": "epochs"})
