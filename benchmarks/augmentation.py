"""Our batched augmentation against kornia's and torchvision's, on the same batch and device.

    pip install kornia
    python -m benchmarks.augmentation

Flip, shift, rotation and change of size, each image with parameters of its own. torchvision draws
one set for a whole batch, so it is called image by image, as a Dataset would.
"""

import argparse

import kornia.augmentation as K
import torch
from torchvision.transforms import v2

from benchmarks.measured import CLOCKS, heading, machine, paired, say, spread
from study.config.hyperparameters import Hyperparameters
from study.training import augment

HP = dict(flip=0.5, shift=0.1, rotation=10.0, scale=0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--px", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--clock", default="wall", choices=CLOCKS)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    heading("batch", "ours, images/s", "kornia takes longer by", "torchvision takes longer by")
    for size in asked.batches:
        hp = Hyperparameters(batch_size=size, image_px=asked.px, **HP)
        images = torch.randint(256, (size, 1, asked.px, asked.px), dtype=torch.uint8, device=device)
        index = torch.arange(size, device=device)
        generator = torch.Generator(device).manual_seed(0)
        kornias = torch.nn.Sequential(
            K.RandomHorizontalFlip(0.5),
            K.RandomAffine(10.0, (0.1, 0.1), (0.9, 1.1), padding_mode="border", p=1.0),
        )
        visions = v2.Compose(
            [
                v2.RandomHorizontalFlip(0.5),
                v2.RandomAffine(
                    10, (0.1, 0.1), (0.9, 1.1), interpolation=v2.InterpolationMode.BILINEAR
                ),
            ]
        )

        def ours(hp=hp, images=images, index=index, generator=generator, size=size) -> None:
            drawn = augment.draws(hp, size, generator)
            augment.batch(images, index, drawn, slice(0, size), 0.5, 0.25)

        def kornia(images=images, index=index, kornias=kornias) -> None:
            augment.standardised(kornias(images[index].float() / 255), 0.5, 0.25)

        def torchvision(images=images, index=index, visions=visions) -> None:
            x = images[index].float() / 255
            augment.standardised(torch.stack([visions(image) for image in x]), 0.5, 0.25)

        both = paired(ours, kornia, asked.rounds, asked.clock)
        third = paired(ours, torchvision, asked.rounds, asked.clock)
        say(
            size,
            spread([size / mine for mine, _ in both], 0),
            spread([theirs / mine for mine, theirs in both]),
            spread([theirs / mine for mine, theirs in third]),
        )
    print(
        f"\n{asked.px} px, {asked.clock} seconds, {asked.threads} thread(s). "
        f"{machine('kornia', 'torchvision')}"
    )


if __name__ == "__main__":
    main()
