"""A confirmed network written as a file, compared with the study's own answers, and described."""

import json
import time
from pathlib import Path

import numpy as np

from fer_stats.metric import without_copies
from fer_stats.words import percent
from study import Mistake, say
from study.model import card, confirmed, formats, whole

CALIBRATION = 512  # train images that 8 bits take their ranges from
RUNS = 200  # single images that are timed


def write(
    folder: Path,
    network: str,
    model: str,
    out: Path,
    kind: str,
    opset: int | None,
    int8: bool,
    data_at: str,
) -> int:
    """Write, compare, describe; a file that answers otherwise than the study isn't left there."""
    run = confirmed.opened(folder, model)
    one = confirmed.chosen(run, network, model)[0]
    asked = whole.whole(run, one)
    data = confirmed.images(run, data_at)
    about = facts(run, one)
    say(f"{one.name}: {one.hp.model}, {card.on_val(run, one)}")
    files = [out]
    if kind == "onnx":
        formats.write_onnx(asked, out, formats.LEAST if opset is None else opset, about)
    elif kind == "torchscript":
        formats.write_torchscript(asked, out)
    else:
        files.append(formats.write_safetensors(asked, out, about))
    try:
        measured = [compared(run, one, out, kind, data)]
    except BaseException:
        for path in files:
            path.unlink(missing_ok=True)
        raise
    if kind == "onnx":
        measured.append(paced(out, run.side_px))
    if int8:
        small = out.with_suffix(".int8.onnx")
        rng = np.random.default_rng(0)
        some = rng.permutation(len(data.train.labels))[:CALIBRATION]
        formats.write_int8(out, small, data.train.images[np.sort(some)], about | {"int8": "static"})
        measured += [eight_bits(out, small, data), paced(small, run.side_px)]
        files.append(small)
    beside = out.with_suffix(".md")
    beside.write_text(card.card(run, one, [path.name for path in files], measured))
    for line in measured:
        say(line)
    say(f"Written: {', '.join(str(path) for path in [*files, beside])}")
    return 0


def facts(run: confirmed.Run, one: confirmed.Confirmed) -> dict[str, str]:
    """What stands in the file's metadata."""
    shares, labels = confirmed.answers(run, [one], "test", unseen=True)
    data = run.header["data"]
    clean = without_copies(run.study.val_copies, data)
    return {
        "classes": json.dumps(run.classes),  # a name may have a comma
        "model": one.name,
        "network": one.hp.model,
        "study": str(run.header["study"]["name"]),
        "data": f"{data['name']} {data['digest']}",
        "val_accuracy": f"{one.val_accuracy:.4f}",
        "val_images": str(one.val_images),
        "val_copies": "without" if clean else "with",  # of training images
        "test_accuracy": f"{(shares.argmax(1) == labels).mean():.4f}",
        "test_images": str(len(labels)),
        "source": "fer-study " + str((run.header.get("git") or {}).get("commit") or ""),
        "license": "code Apache-2.0; the data's own terms hold for what was trained on them: "
        "see the model card",
        "input": "faces: uint8 (batch, height, width, 3), red green blue, cropped as in the data"
        + card.wider(run),
        "output": "probabilities: float32 (batch, classes)",
    }


def compared(
    run: confirmed.Run, one: confirmed.Confirmed, path: Path, kind: str, data: confirmed.Dataset
) -> str:
    """A sentence on how the file's answers to val differ from the study's; Mistake if any does."""
    faces = data.val.images
    ours, theirs = whole.probabilities(run, one, faces), formats.asked(path, kind, faces)
    others = int((ours.argmax(1) != theirs.argmax(1)).sum())
    largest = float(abs(ours - theirs).max())
    if others or not largest < 0.01:
        raise Mistake(
            f"{path.name} would answer {others:,} of {len(faces):,} val images otherwise than the "
            f"study (probabilities differ by up to {largest:.2g}): it isn't left there"
        )
    return (
        f"{path.name}: the same answers as the study's network on all {len(faces):,} images of "
        f"val; probabilities differ by {largest:.1g} at most"
    )


def eight_bits(whole_file: Path, small: Path, data: confirmed.Dataset) -> str:
    """Accuracy on val and size, before and after."""
    right = [
        (formats.asked(path, "onnx", data.val.images).argmax(1) == data.val.labels).mean()
        for path in (whole_file, small)
    ]
    sizes = [path.stat().st_size / 1e6 for path in (whole_file, small)]
    return (
        f"{small.name}: {percent(right[1])} on val ({len(data.val.labels):,} images) instead "
        f"of {percent(right[0])}, {sizes[1]:.1f} MB instead of {sizes[0]:.1f} MB"
    )


def paced(path: Path, px: int) -> str:
    """How long one face takes on one core: median of single runs, in time of the processor, of
    which other work takes none."""
    run = formats.session(path)
    face = np.random.default_rng(0).integers(0, 256, (1, px, px, 3), np.uint8)
    spent = []
    for _ in range(RUNS):
        began = time.process_time()
        run.run(None, {formats.INPUT: face})
        spent.append(1000 * (time.process_time() - began))
    return (
        f"{path.name}: {np.median(spent):.2f} ms a face on one core of this machine, one at a time "
        f"(median of {RUNS})"
    )
