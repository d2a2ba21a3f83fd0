"""What this machine has, asked without torch. Runs on the driver."""

import ctypes


def nvidia_gpu_here() -> bool:
    """Whether NVIDIA's driver counts a GPU here: cuInit, cuDeviceGetCount (CUDA Driver API)."""
    try:
        driver, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(0)
    except OSError:
        return False
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):  # 0 is success
        return False
    return count.value > 0
