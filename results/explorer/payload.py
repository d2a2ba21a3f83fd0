"""Studies as one compact payload: tables whose columns are typed arrays, for the page's script.

The live app and the export send the same payload, so that both compute the same selection from it.
"""

import base64
from typing import Any

import numpy as np
import pandas as pd

from results.artefacts.load import Findings
from results.explorer import notes
from results.facts import halving, search
from results.facts.evaluation import without_copies
from results.facts.halving import Replay
from results.figures.style import on_black, style

Encoded = dict[str, Any]

TRIAL_TEXT = ("trial_id", "stage", "setting", "status", "reason", "error", "device", "node")
TRIAL_NUMBERS = ("retries", "parameters", "multiply_adds")
MEASURES = (
    "val_accuracy",
    "val_balanced_accuracy",
    "val_macro_f1",
    "val_loss",
    "train_accuracy",
    "train_loss",
    "lr",
    "epoch_seconds",
)
LATER = pd.Timestamp(0, tz="UTC")


def array(values: Any, kind: str) -> Encoded:
    """Numbers as base64 of a little-endian array; kind is f8, f4, i4, u2 or u1. NaN is absent."""
    raw = np.ascontiguousarray(np.asarray(values), dtype=np.dtype(kind).newbyteorder("<"))
    return {"kind": kind, "base64": base64.b64encode(raw.tobytes()).decode()}


def numbers(column: pd.Series, kind: str = "f8") -> Encoded:
    """Whatever is no number is NaN."""
    return array(pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan), kind)


def words(column: pd.Series) -> Encoded:
    """Text as its distinct words and a code a row, -1 where there is none."""
    codes, found = pd.factorize(column.where(column.notna(), None))
    return {"words": [str(word) for word in found], "codes": array(codes, "i4")}


def moments(column: pd.Series) -> np.ndarray:
    """UTC timestamps as milliseconds since 1970, NaN where there is none."""
    when = pd.to_datetime(column, utc=True)
    return ((when - LATER) / pd.Timedelta(milliseconds=1)).to_numpy(float, na_value=np.nan)


def latest(when: np.ndarray) -> float:
    """The last of these moments; 0 without one."""
    return float(np.nanmax(when)) if np.isfinite(when).any() else 0.0


def payload(
    studies: list[Findings], since: float = 0.0, whole: list[Findings] | None = None
) -> Encoded:
    """Everything of the studies but their answers; of epochs only those finished after `since`.

    `whole`: the same studies with all their trials, where `studies` have a part of them: what is
    told of a study as such, its replays for one, is of all of it.

    `since` is in milliseconds, the `newest` of an earlier payload: an epoch repeated after a crash
    is newer than the one it replaces. `total` epochs are there: a page that has another number
    after adding what is new (a clock was set back, a table read before another) asks for all.
    """
    offsets = np.cumsum([0, *(len(one.trials) for one in studies)])
    trials = joined([one.trials for one in studies])
    place: dict[tuple[int, str], int] = {}
    for number, one in enumerate(studies):
        for row, name in enumerate(one.trials["trial_id"]):
            place[number, name] = int(offsets[number]) + row
    begun = [times for one in studies for times in [resumed(one)] for _ in range(len(one.trials))]
    epochs, decisions = (placed(studies, name, place) for name in ("epochs", "decisions"))
    finished = moments(epochs["finished_at"]) if len(epochs) else np.zeros(0)
    total, whole_epochs = len(epochs), epochs
    epochs = epochs[~(finished <= since)] if since else epochs
    metrics = {one.metric: one.judged for one in whole or studies}
    if len(metrics) > 1:  # what all of them have
        metrics = {"accuracy": "val accuracy"}
    ((metric, judged),) = metrics.items()
    return {
        "judged": f"val_{metric}",
        "judged_words": judged,
        "whole": not since,
        "newest": latest(finished),
        "total": total,
        "studies": [about(one, place, number) for number, one in enumerate(whole or studies)],
        "styles": {str(m): look(str(m)) for m in trials["hp_model"].dropna().unique()},
        "trials": trial_columns(studies, trials, offsets) | usage(trials, whole_epochs),
        "lost": {
            name: array(values, "f8") for name, values in lost(trials, whole_epochs, begun).items()
        },
        "columns": hyperparameters(studies, trials),
        "epochs": {"trial": array(epochs["row"], "i4"), "epoch": numbers(epochs["epoch"], "u2")}
        | {
            name: numbers(epochs[name], "f4") if name in epochs else array([], "f4")
            for name in MEASURES
        },
        "decisions": {
            "trial": array(decisions["row"], "i4"),
            "rung": numbers(decisions["rung"], "u2"),
            "value": numbers(decisions["value"], "f4"),
            "cutoff": numbers(decisions["cutoff"], "f4"),
            "stopped": array(decisions["decision"] == "stop", "u1"),
        },
    }


def joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Frames of several studies one below the other; an empty one has no say in a column's type."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0].copy()


def placed(studies: list[Findings], name: str, place: dict[tuple[int, str], int]) -> pd.DataFrame:
    """A table of all studies with `row`, the place of its trial; rows of no known trial fall."""
    frames = []
    for number, one in enumerate(studies):
        frame = getattr(one, name)
        rows = [place.get((number, trial), -1) for trial in frame["trial_id"]]
        frame = frame.assign(row=np.array(rows, int))
        frames.append(frame[frame["row"] >= 0])
    return joined(frames)


def trial_columns(studies: list[Findings], trials: pd.DataFrame, offsets: np.ndarray) -> Encoded:
    """Every trial's own columns, hyperparameters aside."""
    study = np.repeat(np.arange(len(studies)), np.diff(offsets))
    images = [search.trained_images(one, one.trials) for one in studies]
    columns: Encoded = {
        "study": array(study, "u1"),
        "images": numbers(pd.concat(images)),  # of an epoch
        "model": words(trials["hp_model"]),
        "asked": numbers(trials["hp_epochs"]),
    }
    columns |= {name: words(trials[name]) for name in TRIAL_TEXT if name in trials}
    columns |= {name: numbers(trials[name]) for name in TRIAL_NUMBERS}
    when = ("started_at", "ended_at")
    return columns | {name: array(moments(trials[name]), "f8") for name in when}


def usage(trials: pd.DataFrame, epochs: pd.DataFrame) -> Encoded:
    """A trial's images a second, median of its epochs, the most memory that it took, in MiB, the
    least share of a GPU that an epoch had, and the seconds of its epochs, of which such a share
    counts as that share."""
    found = {"computing": array(computing(trials, epochs), "f8")}
    for name, how in (("images_per_second", "median"), ("memory_mib", "max"), ("gpus", "min")):
        if name in epochs and len(epochs):
            each = pd.to_numeric(epochs[name]).groupby(epochs["row"]).agg(how)
        else:
            each = pd.Series(dtype=float)
        found[name] = array(each.reindex(range(len(trials))), "f4")
    return found


def computing(trials: pd.DataFrame, epochs: pd.DataFrame) -> pd.Series:
    if epochs.empty:
        return pd.Series(0.0, trials.index)
    seconds = pd.to_numeric(epochs["epoch_seconds"]) * epochs["gpus"].where(epochs["gpus"] > 0, 1.0)
    return seconds.groupby(epochs["row"]).sum().reindex(range(len(trials)), fill_value=0.0)


def resumed(one: Findings) -> np.ndarray:
    """When the drivers after the first began, in ms since 1970."""
    return moments(pd.Series([driver.get("time") for driver in one.drivers[1:]], dtype=object))


def lost(
    trials: pd.DataFrame, epochs: pd.DataFrame, begun: list[np.ndarray]
) -> dict[str, list[float]]:
    """The times in which trials that were started again did nothing that was kept: trial's row,
    from and to in ms since 1970. They are the gaps between its epochs in which another
    driver began, of those `begun` in its study, and as many of the longest others as it had
    retries."""
    found: dict[str, list[float]] = {"trial": [], "from": [], "to": []}
    again = pd.to_numeric(trials["retries"]).fillna(0)
    began, ended = moments(trials["started_at"]), moments(trials["ended_at"])
    inside = [
        times[(times > a) & ~(times > b)]  # a running one has no end
        for times, a, b in zip(begun, began, ended, strict=True)
    ]
    at = np.array([len(times) > 0 for times in inside], bool)  # of no trial none
    for row in np.flatnonzero((again.to_numpy() > 0) | at):
        own = epochs[epochs["row"] == row].sort_values("epoch")
        done = moments(own["finished_at"]) if len(own) else np.zeros(0)
        start = done - 1000 * pd.to_numeric(own["epoch_seconds"]).to_numpy(float)
        gaps = [*zip([began[row], *done], [*start, ended[row]], strict=True)]
        gaps = [(a, b) for a, b in gaps if np.isfinite(a + b) and b > a]
        gaps.sort(key=lambda gap: gap[0] - gap[1])
        off = [gap for gap in gaps if ((inside[row] >= gap[0]) & (inside[row] <= gap[1])).any()]
        others = [gap for gap in gaps if gap not in off]
        for a, b in [*off, *others[: int(again.iloc[row])]]:
            for name, value in zip(found, (float(row), a, b), strict=True):
                found[name].append(value)
    return found


def hyperparameters(studies: list[Findings], trials: pd.DataFrame) -> list[Encoded]:
    """A column per hyperparameter that any trial has: values, log axis or not, varies or not."""
    found = []
    for name in trials:
        if not name.startswith("hp_") or name in ("hp_model", "hp_epochs"):
            continue
        column = trials[name]
        if column.notna().sum() == 0:
            continue
        number = search.is_number(column)
        varies = column.nunique() > 1 or (column.isna().any() and column.nunique() > 0)
        found.append(
            {
                "name": name[3:],
                "log": number and any(search.is_log(one, name[3:]) for one in studies),
                "varies": bool(varies) and name != "hp_seed",
                "values": numbers(column) if number else words(column),
            }
        )
    return found


def look(model: str) -> list[str]:
    """How the page shows a network: colour, marker, dash, and the colour on a dark page."""
    colour, marker, dash = style(model)
    return [colour, marker, dash, on_black(colour)]


def about(one: Findings, place: dict[tuple[int, str], int], number: int) -> Encoded:
    """What the views must know of a study: its schedule, its classes, what it was judged on.

    `place`: (study's number, trial) -> row of the payload, for the trials that it holds.
    """
    data, trials = one.study["data"], search.searched(one)
    return {
        "name": one.name,
        "status": one.study.get("status", "unknown"),
        "classes": one.classes,
        "judged_words": one.judged,
        "newest": latest(moments(one.epochs["finished_at"])),
        "digest": str(data.get("digest")),
        "synthetic": one.synthetic,
        "val_images": search.val_images(one),
        "without_copies": without_copies(one.study),
        "asha": halving.schedule(one),
        "one_pool": halving.in_one_pool(one, trials),
        "replays": [replayed(each, place, number) for each in halving.replays(one, trials)],
        "notes": notes.read(one.folder),
        "chosen": [
            {"setting": str(row["setting"]), "from_trial": str(row["from_trial"])}
            for _, row in one.chosen.iterrows()
            if row["from_trial"]
        ],
    }


def replayed(one: Replay, place: dict[tuple[int, str], int], number: int) -> Encoded:
    """A replay, with the rows of the trials that it would have stopped and at which epoch."""
    there = {
        row: epoch
        for name, epoch in one.stopped.items()
        if (row := place.get((number, name))) is not None
    }
    return {
        "factor": one.reduction_factor,
        "grace": one.grace_epochs,
        "run": one.epochs_run,
        "of": one.of,
        "best": number_or_none(one.best),
        "top": number_or_none(one.top),
        "many": len(one.stopped),
        "stopped": array(list(there), "i4"),
        "at": array(list(there.values()), "u2"),
    }


def number_or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
