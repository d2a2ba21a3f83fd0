"""How much of a GPU a trial needs, counted on its network, and what an epoch raises without it.

A trial's memory is its weights with gradient and optimiser state, what the forward pass keeps for
the backward one, and what every process on a GPU takes. The second is by far the most: it is
counted on the real network, so that no formula has to know the layers. Not yet held to a GPU.
"""

import re
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from fer_models.layers import parameters
from study import counted
from study.config.hyperparameters import Hyperparameters
from study.training.augment import AHEAD
from study.training.network import network, seeded

Answer = TypeVar("Answer")

CONTEXT_MIB = 700.0  # CUDA context, cuDNN and cuBLAS workspaces of a process
MARGIN = 1.3  # buffers that live for one layer only, and what fragmentation wastes


def memory_mib(hp: Hyperparameters, classes: int, images: int = 0) -> float:
    """GPU memory that a trial needs, with `images` images of all splits kept on the device."""
    weights = 4 * parameters(network(hp, classes, torch.device("cpu")))
    copies = 2 + (2 if hp.optimizer != "sgd" else hp.momentum > 0)
    pixels = hp.image_px**2
    ahead = 4 * 4 * max(AHEAD["cuda"], hp.batch_size * pixels)  # float32, a few at a time
    needed = copies * weights + hp.batch_size * kept_bytes(hp, classes) + ahead + images * pixels
    return CONTEXT_MIB + MARGIN * needed / 2**20


def kept_bytes(hp: Hyperparameters, classes: int) -> float:
    """Bytes that the forward pass keeps for the backward one, per image, on a GPU that computes in
    bfloat16 unless that is float32.

    On the meta device: shapes are worked out, nothing is computed. A network of one's own that
    looks at its numbers can't be run there, and is on the CPU.
    """
    try:
        return kept_on(torch.device("meta"), hp, classes)
    except Exception:  # whatever a person's code raises where tensors have no content
        return kept_on(torch.device("cpu"), hp, classes)


def kept_on(device: torch.device, hp: Hyperparameters, classes: int) -> float:
    """The same, by a forward pass of two images on this device."""
    model = network(hp, classes, device).train()
    own = {part.untyped_storage()._cdata for part in (*model.parameters(), *model.buffers())}
    # By storage, held so that no two share a name. bfloat16 is half a float, and no whole number.
    kept: dict[int, tuple[torch.UntypedStorage, int]] = {}
    half = 1 if hp.precision == "float32" else 2

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept.setdefault(storage._cdata, (storage, half if tensor.is_floating_point() else 1))
        return tensor

    faces = torch.zeros(2, 1, hp.image_px, hp.image_px, device=device)
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        seeded(0, torch.device("cpu")),
    ):
        logits = model(faces)
    total = sum(storage.nbytes() / by for name, (storage, by) in kept.items() if name not in own)
    del logits  # alive until here: what it kept was not given to others
    return total / 2


def hold_to(share: float) -> None:
    """Hold this process to its share of the GPU: torch's tensors, and beside them what every
    process takes, which torch doesn't count; trials that share a GPU would together want more."""
    whole = torch.cuda.mem_get_info()[1] / 2**20
    torch.cuda.set_per_process_memory_fraction(max(share - CONTEXT_MIB / whole, share / 2))


class OutOfMemory(MemoryError):
    """An epoch didn't fit; from the state before it, more microbatches may."""


def for_want_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out, on the GPU or on the machine, or hides one that
    does: what ends the recording of a graph raises an error of its own."""
    # Only CUDA's allocator has a class of its own; a CPU's and cuDNN's raise RuntimeError, the
    # latter also where none of its algorithms gets its workspace.
    said = "out of memory|enough memory|allocate memory|ALLOC_FAILED|unable to find an engine"
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError | torch.OutOfMemoryError):
            return True
        if isinstance(seen, RuntimeError) and re.search(said, str(seen)):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


@contextmanager
def noticing_memory(epoch: int, microbatches: int) -> Iterator[None]:
    """Whatever torch or Python raise for want of memory becomes OutOfMemory."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not for_want_of_memory(error):
            raise
        raise OutOfMemory(
            f"out of memory in epoch {epoch}, batches in {counted(microbatches, 'part')}: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from None


def in_parts(ask: Callable[[int], Answer], size: int) -> Answer:
    """What `ask` gives in batches of `size`, of half as many where memory runs out, and so on."""
    while size > 1:
        try:
            return ask(size)
        except (RuntimeError, MemoryError) as error:
            if not for_want_of_memory(error):
                raise
        size //= 2  # here, where the error no longer holds what filled the memory
    return ask(1)


def peak_mib(device: torch.device) -> float:
    """The most that this trial had on a CUDA device since its peak was reset, or this process in
    main memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    unit = 1 if sys.platform == "darwin" else 2**10  # bytes on macOS, KiB on Linux: getrusage(2)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
