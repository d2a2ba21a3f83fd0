"""What a checkpoint costs training: epochs with none, with one written at once, with one behind.

python -m benchmarks.checkpoints
"""

import argparse
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from benchmarks.measured import heading, machine, say, spread, timed
from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters, applies
from study.training import checkpoint, loop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(1)
    drawn = np.random.default_rng(0)
    faces = SimpleNamespace(
        images=drawn.integers(0, 256, (asked.images, 32, 32), np.uint8),
        labels=drawn.integers(0, 7, asked.images),
    )
    few = SimpleNamespace(images=faces.images[:64], labels=faces.labels[:64])
    data = loop.resident(faces, few, 32, device)
    heading("network", "MiB", "epoch s", "written at once costs", "written behind costs")
    for model in asked.models:
        stem = {"stem": "imagenet"} if applies("stem", model) else {}
        hp = Hyperparameters(model=model, image_px=32, batch_size=64, epochs=10**6, **stem)
        with tempfile.TemporaryDirectory() as place:
            folder, writer = Path(place), checkpoint.Writer(device)
            epochs = loop.fit(hp, data, 7, device)

            def none(epochs=epochs) -> None:
                next(epochs)

            def at_once(epochs=epochs, folder=folder) -> None:
                checkpoint.save(folder / "a", next(epochs)[1])

            def behind(epochs=epochs, folder=folder, writer=writer) -> None:
                writer.save(folder / "b", next(epochs)[1])

            for run in (none, at_once, behind):
                run()
            seconds: dict[str, list[float]] = {"none": [], "at_once": [], "behind": []}
            for _ in range(asked.rounds):
                for run in (none, at_once, behind):
                    writer.wait()
                    seconds[run.__name__].append(timed(run))
            writer.wait()
            mib = checkpoint.epochs(folder / "a")[-1].stat().st_size / 2**20
        plain = seconds["none"]
        cost = {
            name: [100 * (b / a - 1) for a, b in zip(plain, seconds[name], strict=True)]
            for name in ("at_once", "behind")
        }
        say(model, f"{mib:.0f}", spread(plain), *(f"{spread(one, 1)} %" for one in cost.values()))
    print(f"\n{asked.images} images of 32 px an epoch, one thread. {machine()}")


if __name__ == "__main__":
    main()
