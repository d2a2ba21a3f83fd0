"""Faces in photographs, answered by a study's confirmed networks and told."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_stats.share import wilson
from fer_stats.words import percent
from study import Mistake, complain, counted, say
from study.model import confirmed, conformal, faces, picture
from study.model.whole import Ensemble

AT_ONCE = 512  # faces that are kept before they are answered
UNLIKE = "  unlike the training images: no face is seen in it"
UNMARKED = "What isn't marked may still be unlike these images: the mark says that no face is seen."
UNASKED = "Whether the photographs are like these images wasn't asked: --unlike."


def answered(
    paths: Sequence[Path],
    folder: Path,
    network: str,
    model: str,
    ask: bool,
    form: str,
    out: Path | None,
) -> int:
    """Find the faces in each photograph, ask a study's best network or the one named, and tell in
    the `form` json, csv or words; the exit code is 2 if some of them couldn't be judged.

    `ask` marks what is unlike the training images; `out` is where the one photograph is drawn."""
    run = confirmed.opened(folder, model)
    networks = confirmed.chosen(run, network, model)
    ensemble, sets = Ensemble(run, networks), calibrated(run, networks)
    rows: list[dict[str, Any]] = []
    waiting: list[tuple[Path, int, faces.Face]] = []
    left_out = 0

    def answer() -> None:
        shares = ensemble.probabilities(np.stack([face.crop for _, _, face in waiting]))
        for (path, number, face), own, inside in zip(waiting, shares, sets.of(shares), strict=True):
            unlike = not faces.shows_face(face.crop, run.study.crop) if ask else None
            rows.append(row(path, number, face, unlike, own, inside, run.classes))
        waiting.clear()

    for path in paths:
        try:
            image = faces.opened(path)
            there = faces.found(image, run.side_px, run.study.crop)
            if not there:
                raise Mistake(f"{path} shows no face that was found")
            waiting += [(path, number, face) for number, face in enumerate(there, 1)]
        except Mistake as error:
            left_out += 1
            complain(f"study.predict: {error}")
        if len(waiting) >= AT_ONCE:
            answer()
    if waiting:
        answer()
    told(rows, form, run, networks, sets, ask)
    if out and rows:
        shown = [(face, *bars(one, run.classes)) for face, one in zip(there, rows, strict=True)]
        picture.drawn(image, shown, run.classes).save(out)
    if left_out:
        complain(f"study.predict: {left_out} of {counted(len(paths), 'photograph')} left out")
    return 2 if left_out else 0


def calibrated(run: confirmed.Run, networks: list[confirmed.Confirmed]) -> conformal.Sets:
    return conformal.calibrated(*confirmed.answers(run, networks, "val", unseen=True))


def row(
    path: Path,
    number: int,
    face: faces.Face,
    unlike: bool | None,
    shares: np.ndarray,
    inside: np.ndarray,
    classes: list[str],
) -> dict[str, Any]:
    """What is told of a face; `unlike` the training images: None if that wasn't asked."""
    named = [classes[k] for k in np.argsort(-shares) if inside[k]]
    return {
        "photo": str(path),
        "face": number,
        "left": face.left,
        "top": face.top,
        "side": face.side,
        "unlike": unlike,
        "answer": classes[int(shares.argmax())],
        "set": named,
        **{
            f"p_{name}": round(float(share), 6) for name, share in zip(classes, shares, strict=True)
        },
    }


def bars(one: dict[str, Any], classes: list[str]) -> tuple[list[float], list[bool], bool]:
    shares = [one[f"p_{name}"] for name in classes]
    return shares, [name in one["set"] for name in classes], bool(one["unlike"])


def told(
    rows: list[dict[str, Any]],
    form: str,
    run: confirmed.Run,
    networks: list[confirmed.Confirmed],
    sets: conformal.Sets,
    ask: bool,
) -> None:
    """Print the answers as JSON, CSV or, where neither is asked for, in words."""
    if form == "json":
        for one in rows:
            say(json.dumps(one))
        return
    if form == "csv":
        text = io.StringIO()
        if rows:
            writer = csv.DictWriter(text, [*rows[0]], lineterminator="\n")
            writer.writeheader()
            writer.writerows({**one, "set": ", ".join(one["set"])} for one in rows)
        say(text.getvalue().rstrip("\n"))
        return
    for one in rows:
        share = percent(one[f"p_{one['answer']}"])
        say(
            f"{one['photo']}  face {one['face']}: {one['answer']} {share}  90 % set: "
            f"{', '.join(one['set'])}{UNLIKE if one['unlike'] else ''}"
        )
    shares, labels = confirmed.answers(run, networks, "test", unseen=True)
    held, size = conformal.coverage(sets, shares, labels)
    low, high = wilson(held * len(labels), len(labels))
    right = percent(float((shares.argmax(1) == labels).mean()))
    say(
        f"By {', '.join(one.name for one in networks)}: {right} right of {len(labels):,} test "
        "images without copies of training images. On them the 90 % set held the right answer for "
        f"{percent(held)} (95 %: {percent(low)} to {percent(high)}), with "
        f"{size:.1f} expressions on average. "
        f"{UNMARKED if ask else UNASKED}"
    )
