"""Whether a network of one's own can be studied: asked before the first trial. On the driver."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from fer_models import MODELS
from fer_models.own import KNOWN
from study import Mistake
from study.config.hyperparameters import Hyperparameters
from study.config.seeds import derived
from study.training.network import network, seeded

CPU = torch.device("cpu")
BATCH = 2


def check(tried: Iterable[Hyperparameters], classes: int) -> None:
    """Mistake where one of these configurations' networks is not the study's and can't be built,
    takes no faces of its size, gives another shape or no numbers, or isn't decided by the seed."""
    done = set()
    for hp in tried:
        key = (hp.model, hp.image_px, *sorted(hp.options.items()))
        if key not in done:
            done.add(key)
            check_one(hp, classes)


def check_one(hp: Hyperparameters, classes: int) -> None:
    source = KNOWN[hp.model]["source"]
    first, second = built(hp, classes, source), built(hp, classes, source)
    one, other = first.state_dict(), second.state_dict()
    if one.keys() != other.keys() or not all(torch.equal(one[k], other[k]) for k in one):
        raise Mistake(
            f"{source} isn't decided by the seed: made twice from one, its weights differ; draw "
            "them with torch's own generator"
        )
    if not any(p.requires_grad for p in first.parameters()):
        raise Mistake(f"{source} has no weights that could be trained")
    answers = [answer(net, hp, classes, source) for net in (first, second)]
    if not torch.equal(*answers):
        raise Mistake(
            f"{source} isn't decided by the seed: the same faces and the same seed give other "
            "answers; draw with torch's own generator"
        )


def built(hp: Hyperparameters, classes: int, source: str) -> nn.Module:
    """The network as a trial makes it, and its shapes alone as a GPU's share is worked out by."""
    try:
        with torch.device("meta"):
            MODELS[hp.model](classes=classes, **hp.options)
        return network(hp, classes, CPU)
    except Exception as error:
        raise Mistake(
            f"{source} can't be built with {classes} classes ({type(error).__name__}: {error})"
        ) from error


def answer(net: nn.Module, hp: Hyperparameters, classes: int, source: str) -> Tensor:
    """Logits of a training step, (2, K)."""
    faces = torch.linspace(-1, 1, BATCH * hp.image_px**2).reshape(BATCH, 1, hp.image_px, -1)
    try:
        with seeded(derived(hp.seed, 0, "init"), CPU), torch.no_grad():
            found = net.train()(faces.contiguous(memory_format=torch.channels_last))
    except Exception as error:
        raise Mistake(
            f"{source} can't take faces of {hp.image_px} x {hp.image_px} ({type(error).__name__}: "
            f"{(str(error) or 'no reason given').splitlines()[0]}): give --image-px a size that it "
            "takes"
        ) from error
    shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
    if shape != (BATCH, classes):
        raise Mistake(
            f"{source} gives {shape} for {BATCH} faces of {classes} classes; expected logits "
            f"({BATCH}, {classes})"
        )
    if not found.isfinite().all():
        raise Mistake(
            f"{source} gives logits that aren't finite numbers for faces of {hp.image_px} x "
            f"{hp.image_px} before any training; expected finite ones: correct it"
        )
    return found
