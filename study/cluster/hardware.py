"""What GPUs this machine has, asked without torch where it has none. Runs on the driver."""

import ctypes
from pathlib import Path


def nvidia_gpu_here() -> bool:
    """Whether NVIDIA's driver counts a GPU here: cuInit, cuDeviceGetCount (CUDA Driver API)."""
    try:
        driver, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(0)
    except OSError:
        return False
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):  # 0 is success
        return False
    return count.value > 0


def gpu_here() -> bool:
    """Whether torch finds a GPU here: asked only where NVIDIA's or AMD's driver is, since torch
    takes 2 s to import."""
    if not (nvidia_gpu_here() or Path("/dev/kfd").exists()):
        return False
    import torch

    return torch.cuda.is_available()
