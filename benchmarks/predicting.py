"""Answers of a confirmed network on one core: study.predict on a folder of faces against a plain
loop over the same torch model, beside what the core's rate of multiplying matrices leaves possible;
and the exported ONNX file against torch's forward pass, one face at a time.

    python -m benchmarks.predicting runs/NAME
    python -m benchmarks.predicting runs/NAME --model resnet34-s0 --faces 10000 --plain 500
"""

import argparse
import csv
import io
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks.measured import heading, machine, paired, say, spread, timed
from fer_models.layers import multiply_adds
from study import predict
from study.model import confirmed, formats, whole
from study.training import loop

OPSET = 18
SIDE, PRODUCTS = 1024, 20  # of the matrix product by which the core is measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a study's folder, with a confirmed network")
    parser.add_argument("--model", default="", help="a confirmed model by name [the best on val]")
    parser.add_argument("--faces", type=int, default=10_000, help="files in the folder")
    parser.add_argument("--plain", type=int, default=500, help="of them for the plain loop")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--singles", type=int, default=100, help="single faces in a round of ONNX")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    run = confirmed.opened(asked.run, asked.model)
    one = confirmed.chosen(run, "", asked.model)[0]
    print(f"{machine('onnxruntime', 'pillow')}, one thread, {asked.clock} clock")
    print(f"{one.name}: {one.hp.model} at {one.hp.image_px} px, trained on {run.study.data}\n")
    heading("faces", "plain loop, faces a second", "ours", "times")
    with tempfile.TemporaryDirectory() as folder:
        say(asked.faces, *of_folder(run, one, Path(folder), asked))
        print()
        heading("a matrix product's 1e9 multiply-adds a second", "a face's 1e6", "so at least, ms")
        say(*at_least(run, one, asked))
        print()
        heading("one face at a time", "torch, ms", "ONNX, ms", "times")
        say(asked.singles, *of_singles(run, one, Path(folder) / "model.onnx", asked))


def of_folder(
    run: confirmed.Run, one: confirmed.Confirmed, folder: Path, asked: argparse.Namespace
) -> list[str]:
    """Faces a second by both ways, and how many times as many ours are; equal answers."""
    images = confirmed.images(run).test.images
    paths = []
    for number in range(asked.faces):
        paths.append(folder / f"{number:05d}.png")
        Image.fromarray(images[number % len(images)]).save(paths[-1])
    model = network(run, one)
    answers: dict[str, list[str]] = {}

    def plainly() -> None:
        answers["plain"] = plain(model, run, one, paths[: asked.plain])

    def ours() -> None:
        answers["ours"] = by_predict(asked.run, one.name, folder)

    seconds = paired(plainly, ours, asked.rounds, asked.clock)
    assert answers["plain"] == answers["ours"][: asked.plain], "both ways answer alike"
    rates = [(asked.plain / slow, asked.faces / fast) for slow, fast in seconds]
    plains, fasts = zip(*rates, strict=True)
    times = [fast / slow for slow, fast in rates]
    return [spread([*plains], 0), spread([*fasts], 0), spread(times)]


def at_least(run: confirmed.Run, one: confirmed.Confirmed, asked: argparse.Namespace) -> list[str]:
    """What a face takes if its multiply-adds run as fast as those of a large matrix product."""
    matrix = torch.randn(SIDE, SIDE)

    def products() -> None:
        for _ in range(PRODUCTS):
            matrix @ matrix

    products()  # warms up
    seconds = [timed(products, asked.clock) for _ in range(asked.rounds)]
    rates = [PRODUCTS * SIDE**3 / one for one in seconds]
    each = multiply_adds(network(run, one), one.hp.image_px)
    least = [1000 * each / rate for rate in rates]
    return [spread([rate / 1e9 for rate in rates], 1), f"{each / 1e6:.1f}", spread(least)]


def network(run: confirmed.Run, one: confirmed.Confirmed) -> nn.Module:
    cpu = torch.device("cpu")
    return loop.trained(one.hp, len(run.classes), cpu, confirmed.state(one))


@torch.no_grad()
def plain(
    model: nn.Module, run: confirmed.Run, one: confirmed.Confirmed, paths: list[Path]
) -> list[str]:
    """As one writes it down: a file, a tensor, a forward pass; then the next."""
    scaling, side = confirmed.state(one)["scaling"], one.hp.image_px
    found = []
    for path in paths:
        face = torch.from_numpy(np.array(Image.open(path).convert("L"))).float()[None, None]
        if side != face.shape[-1]:
            face = nn.functional.interpolate(face, (side, side), mode="bilinear", antialias=True)
        shares = model((face.round() / 255 - scaling["mean"]) / scaling["std"]).softmax(1)
        found.append(run.classes[int(shares.argmax())])
    return found


def by_predict(run: Path, name: str, folder: Path) -> list[str]:
    """The answers of python -m study.predict."""
    text = io.StringIO()
    with redirect_stdout(text):
        assert predict.main([str(run), str(folder), "--model", name, "--csv"]) == 0
    return [row["answer"] for row in csv.DictReader(io.StringIO(text.getvalue()))]


def of_singles(
    run: confirmed.Run, one: confirmed.Confirmed, path: Path, asked: argparse.Namespace
) -> list[str]:
    """ms of a face by torch and by the ONNX file, from its pixels to probabilities."""
    model = whole.whole(run, one)
    formats.write_onnx(model, path, OPSET, {})
    session = formats.session(path)
    face = np.random.default_rng(0).integers(0, 256, (1, 48, 48, 3), np.uint8)
    tensor = torch.from_numpy(face)

    @torch.no_grad()
    def by_torch() -> None:
        for _ in range(asked.singles):
            model(tensor)

    def by_onnx() -> None:
        for _ in range(asked.singles):
            session.run(None, {formats.INPUT: face})

    seconds = paired(by_torch, by_onnx, asked.rounds, asked.clock)
    slow, fast = (
        [1000 * one / asked.singles for one in each] for each in zip(*seconds, strict=True)
    )
    return [spread(slow), spread(fast), spread([a / b for a, b in seconds])]


if __name__ == "__main__":
    main()
