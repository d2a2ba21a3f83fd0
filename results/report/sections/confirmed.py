"""The report's sections on confirmed models and the paper: frames in, blocks out."""

from typing import Any

import numpy as np
import pandas as pd

from results.artefacts.load import Findings
from results.facts import evaluation, paper, status
from results.facts import statistics as st
from results.facts.evaluation import Judged
from results.figures import charts
from results.report.blocks import Figure, Matrix, Section, Side, Table, Text, table
from results.words import listed, ranged, seeds

HOW = (
    "Intervals are 95 % by a bootstrap of {n:,} samples on two levels: the images are drawn anew "
    "and so are the seeds. With one seed only the images are drawn; the interval then says nothing "
    "of how far another seed would fall. sd is over seeds."
)


def overview(studies: list[Findings]) -> Section:
    """What was asked and where it stands, a column per study."""
    each = [status.overview(one).set_index("what") for one in studies]
    order = dict.fromkeys(what for told in each for what in told.index)
    frame = pd.concat(each, axis=1).reindex(order).fillna("").reset_index(names="what")
    labels = {"what": " "} | ({studies[0].name: "  "} if len(studies) == 1 else {})
    whole = table("overview", "What was asked", frame, {c: "text" for c in frame}, labels=labels)
    blocks: list[Any] = [whole]
    for one in studies:
        every = status.trials(one)
        kinds = {c: "text" for c in every} | {"val_accuracy": "percent", "val_loss": "number"}
        caption = f"The trials of {one.name} ({len(every):,})"
        blocks.append(table(f"trials-{one.name}", caption, every, kinds, folded=True))
    return Section("The study", blocks)


def confirmed(settings: list[Judged], printed: pd.DataFrame) -> Section:
    """A row per setting with every scope's accuracy and its interval."""
    frame = evaluation.confirmed(settings)
    rows = []
    for name, group in frame.groupby("setting", sort=False):
        at = group.set_index(["scope", "measure"])
        row = {"setting": name}
        for scope in [scope for scope in evaluation.SCOPES if (scope, "accuracy") in at.index]:
            told = at.loc[(scope, "accuracy")]
            interval = ranged(told["low"], told["high"])
            row[scope] = f"{100 * told['mean']:.2f} %\n{interval}"
        for measure in ("macro_f1", "balanced_accuracy"):
            if ("test", measure) in at.index:
                told = at.loc[("test", measure)]
                interval = ranged(told["low"], told["high"])
                name = f"{measure.replace('_', ' ').replace('f1', 'F1')}, test"
                row[name] = f"{100 * told['mean']:.2f} %\n{interval}"
        sd = at.loc[("test", "accuracy")]["sd"] if ("test", "accuracy") in at.index else np.nan
        row["sd, test"] = f"{100 * sd:.2f}" if pd.notna(sd) else "one seed"
        row |= {"seeds": str(group["seeds"].iloc[0]), "network": group["model"].iloc[0]}
        rows.append(row)
    scope = "test" if "test" in set(frame["scope"]) else frame["scope"].iloc[0]
    dots = frame[(frame["scope"] == "val+test") & (frame["measure"] == "accuracy")]
    theirs = printed[printed["setting"].isin(dots["setting"]) & printed["matrix"].notna()]
    best = frame[(frame["scope"] == scope) & (frame["measure"] == "accuracy")]
    top = best.loc[best["mean"].idxmax()]
    told = (
        f"{100 * top['mean']:.2f} % on {scope}, 95 % interval {ranged(top['low'], top['high'])}, "
        f"{seeds(top['seeds'])}, {top['images']:,} images."
    )
    summary = (
        (f"{top['setting']}: {told}" if len(best) == 1 else f"Highest: {top['setting']}, {told}")
        + " Drawn here: val+test, all images never trained on"
        + (", with the paper's figure on the same images." if len(theirs) else ".")
    )
    shown = Table("confirmed", "All figures", frame, pd.DataFrame(rows))
    each = evaluation.by_seed(settings)
    return Section(
        "Confirmed accuracy",
        [
            Figure("confirmed", "Accuracy with 95 % intervals", summary,
                   [("Accuracy on val+test", charts.interval_dots(dots, theirs))], shown),
            Text(HOW.format(n=st.RESAMPLES), "quiet"),
            Text(st.too_narrow(int(frame["seeds"].min())), "quiet"),
            table("by-seed", "Each network by itself",
                  each.pivot(index=["setting", "model", "seed"], columns="scope",
                             values="accuracy").reset_index(),
                  {"setting": "text", "model": "text", "seed": "text"}
                  | {scope: "percent" for scope in evaluation.SCOPES}, folded=True),
        ],
    )  # fmt: skip


def cost(studies: list[Findings], settings: list[Judged]) -> Section | None:
    """Accuracy against what it costs to train and to use."""
    frame = evaluation.cost(studies, settings)
    if len(frame) < 2 or frame["seconds"].isna().all():
        return None
    devices = sorted(set(frame["device"]))
    kinds = {"setting": "text", "mean": "percent", "seconds": "count", "multiply_adds": "large",
             "parameters": "large", "device": "text", "undominated": "yes"}  # fmt: skip
    summary = (
        "More accurate than any that trained in less time: "
        f"{listed(list(frame.loc[frame['undominated'], 'setting']))} (filled marks). Seconds are "
        f"of a whole training, on {listed(devices)}."
    )
    if len(devices) > 1:
        summary += " They were not all trained on one kind of device, so seconds don't compare."
    plots = [("Against seconds of training", charts.cost(frame, "seconds", "seconds")),
             ("Against multiply-adds of one image, forward",
              charts.cost(frame, "multiply_adds", "multiply-adds"))]  # fmt: skip
    labels = {"mean": "test accuracy", "undominated": "filled"}
    return Section(
        "Accuracy and cost",
        [
            Figure("cost", "What accuracy costs", summary, plots,
                   table("cost", "Accuracy and cost", frame, kinds, True, labels))
        ],
    )  # fmt: skip


def matrices(settings: list[Judged], published: dict[str, Any], real: set[str]) -> Section:
    """Confusion matrices on test, or on val+test beside the paper's where it prints one.

    `real` names the studies on real faces: only they are compared with the paper.
    """
    blocks: list[Any] = [
        Text("Truth down, answer across. In each cell the images (mean over seeds) and their share "
             "of the row; recall and precision with the half-width of their 95 % interval "
             "(Wilson).", "quiet")
    ]  # fmt: skip
    printed = {e["id"]: e["confusion"] for e in published["experiments"] if e["confusion"]}
    for one in settings:
        alike = one.answers.study in real and set(one.answers.classes) == set(published["classes"])
        theirs = printed.get(one.answers.setting) if alike else None
        scope = "val+test" if theirs else "test"
        if scope not in one.scopes:
            continue
        classes = published["classes"] if alike else list(one.answers.classes)
        counts = evaluation.matrix(one.answers, scope, classes)
        rows = evaluation.per_class(counts, classes)
        name = f"confusion-{one.name}"
        ours = Matrix(name, f"{one.name}, {scope}, {seeds(len(one.answers.seeds))}", counts,
                      classes, rows)  # fmt: skip
        pair = [ours]
        if theirs:
            cells = paper.counts(published, theirs)
            pair.append(Matrix(f"{name}-paper", f"The paper's {paper.figure(theirs)}", cells,
                               classes, evaluation.per_class(cells, classes)))  # fmt: skip
        blocks.append(Side(pair))
        blocks.append(class_table(f"classes-{one.name}", rows))
    hard = evaluation.hardest(settings)
    if len(hard):
        wrong, images = hard["all_wrong"].sum(), hard["images"].sum()
        networks = sum(len(one.answers.seeds) for one in settings)
        blocks.append(
            Text(f"{wrong:,} of {images:,} test images are answered wrongly by "
                 f"{'the one network' if networks == 1 else f'each of the {networks} networks'}, "
                 f"{hard['all_right'].sum():,} rightly.")
        )  # fmt: skip
        blocks.append(table("hardest", "By class", hard, {"class": "text", "images": "count",
                            "all_wrong": "count", "all_right": "count"}, True))  # fmt: skip
    return Section("Confusion matrices", blocks)


def class_table(name: str, rows: pd.DataFrame) -> Table:
    """Recall and precision by class with their intervals."""
    shown = rows.assign(
        recall_interval=[ranged(*pair) for pair in rows[["recall_low", "recall_high"]].to_numpy()],
        precision_interval=[
            ranged(*pair) for pair in rows[["precision_low", "precision_high"]].to_numpy()
        ],
    )
    kinds = {"class": "text", "images": "count", "recall": "percent", "recall_interval": "text",
             "answers": "count", "precision": "percent", "precision_interval": "text"}  # fmt: skip
    return table(name, "Recall and precision by class", shown, kinds, True)


def calibration(settings: list[Judged]) -> Section | None:
    eces, bins = evaluation.calibration(settings)
    if eces.empty:
        return None
    told = [f"{row['setting']} {100 * row['ece']:.1f} points" for _, row in eces.iterrows()]
    most = eces.loc[(eces["confidence"] - eces["accuracy"]).abs().idxmax()]
    gap = most["confidence"] - most["accuracy"]
    summary = (
        f"Expected calibration error on test (15 bins): {', '.join(told)}. {most['setting']} is "
        f"{'too sure' if gap > 0 else 'not sure enough'} by {100 * abs(gap):.1f} points on average."
    )
    kinds = {"setting": "text", "seeds": "count", "ece": "percent", "confidence": "percent",
             "accuracy": "percent"}  # fmt: skip
    bin_kinds = {"setting": "text", "images": "count", "confidence": "percent",
                 "accuracy": "percent"}  # fmt: skip
    return Section(
        "Calibration",
        [
            Figure("reliability", "How sure, and how often right", summary,
                   [("Accuracy by confidence, test; on the dotted line a network is as often right "
                     "as it is sure", charts.reliability(bins))],
                   table("calibration", "Calibration error", eces, kinds, True), width="narrow"),
            table("reliability", "The bins", bins, bin_kinds, True),
        ],
    )  # fmt: skip
