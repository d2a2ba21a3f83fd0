"""Near copies: one photograph twice, with another crop, contrast, watermark or compression.

Two images are near where their grey levels, averaged to 24 x 24, correlate by LEAST or more.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

# Measured on FER-2013, PrivateTest against Training and PublicTest: of its 3,275 images whose very
# pixels don't occur there, 288 have a near copy (of PublicTest against Training 250 of 3,309). How
# many would by chance? Of the same 3,275 mirrored, 16, some of them mirrored copies indeed. Of 40
# pairs drawn from 0.92 to 0.95 and looked at, one was of two persons; of 20 from 0.91 to 0.92 about
# seven were.
LEAST = 0.92
SIDE = 24
LOW = 6  # waves along each side by which candidates are found
# Correlations are held as TILES squares of TILE x TILE at a time, 1 MiB. OpenBLAS multiplies so
# small ones with one thread; two, which wait for one another, take four times the processor.
TILE, TILES = 64, 64
ROUNDING = 1e-4  # of float32 in such a table
PART = 256  # images that are summed at a time: NumPy makes floats of each pixel


@dataclass(frozen=True)
class Looks:
    """Pictures as they are compared. `fine` float32 (N, 576): means of cells, centred, of length 1
    (zeros for one grey). `coarse` float32 (N, 36): its slowest waves, and the length of the rest.

    The product of two `coarse` is never below that of the `fine` (Cauchy and Schwarz, of the
    rests), so that no pair is missed.
    """

    fine: np.ndarray
    coarse: np.ndarray


def near_copies(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """bool (N,): whether one of `others` is nearly the same picture; uint8 (N, side, side) both."""
    return copies(looks(images), looks(others))


def copies(one: Looks, *others: Looks) -> np.ndarray:
    """bool (N,): whether a picture of `others` is nearly the same."""
    found = np.zeros(len(one.fine), bool)
    for other in others:
        tiles = in_tiles(other.coarse)
        for row in range(0, len(one.fine), TILE):
            for at in range(0, len(tiles), TILES):
                part = one.coarse[row : row + TILE] @ tiles[at : at + TILES]
                near = np.flatnonzero(part >= LEAST - ROUNDING)
                tile, a, b = np.unravel_index(near, part.shape)
                fine = other.fine[(at + tile) * TILE + b]
                products = np.einsum("nd,nd->n", one.fine[row + a], fine)
                found[row + a[products >= LEAST]] = True
    return found


def in_tiles(coarse: np.ndarray) -> np.ndarray:
    """float32 (T, 36, TILE) of float32 (N, 36): its rows as columns, with rows of zeros to fill."""
    filled = np.zeros((-(-len(coarse) // TILE) * TILE, coarse.shape[1]), np.float32)
    filled[: len(coarse)] = coarse
    return np.ascontiguousarray(filled.reshape(-1, TILE, coarse.shape[1]).transpose(0, 2, 1))


def looks(images: np.ndarray) -> Looks:
    """uint8 (N, side, side) as Looks; side >= 24."""
    fine = cells(images).reshape(len(images), SIDE * SIDE)
    fine -= fine.mean(1, keepdims=True)
    length = np.sqrt(np.einsum("nd,nd->n", fine, fine))[:, None]
    fine /= np.where(length > 1e-3, length, np.inf)
    coarse = fine @ waves().T
    rest = np.einsum("nd,nd->n", fine, fine) - np.einsum("nd,nd->n", coarse, coarse)
    return Looks(fine, np.concatenate([coarse, np.sqrt(rest.clip(0))[:, None]], 1))


def cells(images: np.ndarray) -> np.ndarray:
    """float32 (N, 24, 24): the mean of each cell; some are a pixel wider than others where the side
    is no multiple of 24."""
    side = images.shape[1]
    sums = np.zeros((len(images), SIDE, SIDE), np.float32)
    if side % SIDE == 0:
        for k, j in product(range(side // SIDE), repeat=2):
            sums += images[:, k :: side // SIDE, j :: side // SIDE]
    else:
        first = np.arange(SIDE) * side // SIDE
        for at in range(0, len(images), PART):
            rows = np.add.reduceat(images[at : at + PART], first, 1, np.float32)
            sums[at : at + PART] = np.add.reduceat(rows, first, 2)
    wide = np.diff(np.arange(SIDE + 1) * side // SIDE)
    sums /= wide[:, None] * wide
    return sums


def waves() -> np.ndarray:
    """float32 (35, 576): the slowest cosine waves over 24 x 24, orthonormal, without the mean."""
    k, x = np.arange(LOW)[:, None], np.arange(SIDE)
    wave = np.cos(np.pi * k * (x + 0.5) / SIDE) * np.sqrt(np.where(k, 2, 1) / SIDE)
    return np.einsum("ax,by->abxy", wave, wave).reshape(LOW**2, SIDE**2)[1:].astype(np.float32)
