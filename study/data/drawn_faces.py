"""Drawn faces for a study without FER-2013: labelled 48x48 grey portraits whose brows, eyes and
mouth obey facial action units, under the troubles of pictures found in the wild. NumPy only.
Pixels meet exactly rounded arithmetic alone (+ - * / sqrt): every machine draws the same.
"""

from functools import cache, reduce

import numpy as np

from study import Mistake

IMAGE_SIZE = 48
COUNTS = {  # FER-2013's training images: its shares are ours
    "angry": 3995,
    "disgust": 436,
    "fear": 4097,
    "happy": 7215,
    "neutral": 4965,
    "sad": 4830,
    "surprise": 3171,
}
CLASSES = tuple(COUNTS)
WRONG_LABELS = 0.10  # share of every split whose label is not what the face shows

# Emotion -> action unit -> share of its faces in which the unit takes part. Prototypes with their
# variants after Ekman & Friesen's EMFACS-7 (1983) and the FACS Investigator's Guide (2002).
EMOTIONS: dict[str, dict[int, float]] = {
    "angry": {4: 0.95, 5: 0.5, 7: 0.7, 10: 0.25, 17: 0.3, 23: 0.6, 25: 0.3, 26: 0.2},
    "disgust": {4: 0.4, 7: 0.3, 9: 0.9, 10: 0.5, 15: 0.6, 16: 0.5, 17: 0.4, 25: 0.3},
    "fear": {1: 0.9, 2: 0.7, 4: 0.7, 5: 0.8, 20: 0.8, 25: 0.7, 26: 0.5},
    "happy": {6: 0.8, 12: 1.0, 25: 0.75, 26: 0.3},
    "neutral": {},
    "sad": {1: 0.8, 4: 0.6, 11: 0.2, 15: 0.85, 17: 0.5, 43: 0.3},
    "surprise": {1: 0.9, 2: 0.95, 5: 0.8, 25: 0.8, 26: 0.85, 27: 0.3},
}
# These three set the difficulty. An AlexNet with batch norm (32 px, SGD 0.02, batch 64) reaches a
# val accuracy of 0.41 after 5 epochs on 1,800 faces (3 seeds; 0.36 on FER-2013 itself, 2 seeds)
# and 0.65 after 10 epochs on 8,000 (1 seed).
INTENSITY = (0.95, 0.50)  # mean and spread of an expression's strength; 1 is the full one
BLENDS = 0.30  # share of faces with another emotion mixed in, more weakly
UNIT_NOISE = 0.15  # spread of each unit's own strength, in half of the faces

# Action unit at full strength -> what it adds to FEATURES. Which way things move is from the FACS
# manual (2002); how far was set by eye, at 48 pixels.
UNITS: dict[int, dict[str, float]] = {
    1: {"brow_inner": 0.16, "forehead": 0.5, "upper_lid": 0.012},  # inner brow raiser
    2: {"brow_outer": 0.14, "brow_arch": 0.036, "forehead": 0.5},  # outer brow raiser
    4: {"brow_inner": -0.14, "brow_outer": -0.05, "brow_gap": -0.07, "frown": 0.9},  # brow lowerer
    5: {"upper_lid": 0.07},  # upper lid raiser
    6: {"lower_lid": -0.042, "upper_lid": -0.018, "cheek": 0.19, "fold": 0.24},  # cheek raiser
    7: {"upper_lid": -0.036, "lower_lid": -0.036},  # lid tightener
    9: {"bunny": 1.0, "brow_inner": -0.07, "upper_lid": -0.03, "lip_rise": 0.06, "fold": 0.5},
    10: {"lip_rise": 0.1, "teeth": 0.1, "fold": 0.5},  # upper lip raiser (9: nose wrinkler)
    11: {"fold": 0.5},  # nasolabial deepener
    12: {"corner": 0.24, "mouth_width": 0.16, "cheek": 0.06, "fold": 0.7},  # lip corner puller
    15: {"corner": -0.19, "mouth_width": -0.024},  # lip corner depressor
    16: {"lip_drop": 0.08, "lower_lip": 0.036},  # lower lip depressor
    17: {"mouth_y": -0.06, "lower_lip": 0.024, "corner": -0.05, "chin_boss": 0.14},  # chin raiser
    20: {"mouth_width": 0.14, "corner": -0.06, "lower_lip": -0.024},  # lip stretcher
    23: {"upper_lip": -0.042, "lower_lip": -0.05, "mouth_width": -0.06},  # lip tightener
    25: {"lip_rise": 0.036, "lip_drop": 0.1, "teeth": 0.07},  # lips part
    26: {"lip_drop": 0.23, "jaw_drop": 0.12, "mouth_width": -0.05},  # jaw drop
    27: {"lip_drop": 0.17, "jaw_drop": 0.1, "mouth_width": -0.06},  # mouth stretch
    43: {"upper_lid": -0.08},  # eyes close
}

# What the units move -> (mean, spread) of the face at rest. Lengths are in half face widths from
# the point between the eyes, down positive; of brows, lids and lip corners, up positive.
# fmt: off
FEATURES: dict[str, tuple[float, float]] = {
    "brow_inner": (0.29, 0.045), "brow_outer": (0.31, 0.045), "brow_arch": (0.06, 0.03),
    "brow_gap": (0.19, 0.025), "upper_lid": (0.075, 0.017), "lower_lid": (0.050, 0.011),
    "forehead": (0.05, 0.08), "frown": (0.05, 0.08), "bunny": (0.0, 0.05),  # wrinkles, 0 to 1
    "cheek": (0.08, 0.05), "fold": (0.15, 0.12), "chin_boss": (0.08, 0.04),
    "mouth_y": (0.95, 0.04), "mouth_width": (0.39, 0.03), "corner": (0.0, 0.03),
    "upper_lip": (0.075, 0.02), "lower_lip": (0.105, 0.025), "teeth": (0.03, 0.03),
    "lip_rise": (0.0, 0.006), "lip_drop": (0.0, 0.008), "jaw_drop": (0.0, 0.02),
}
# Whatever else differs from picture to picture -> (mean, spread). Greys run from 0 to 1.
OTHERS: dict[str, tuple[float, float]] = {
    "width": (18.4, 0.9), "x": (23.5, 0.6), "y": (19.5, 0.6),  # half width and place, px
    "tilt": (0.0, 0.04), "yaw": (0.0, 0.08), "pitch": (0.0, 0.025),  # tangents, roughly
    "crown": (0.62, 0.03), "chin": (0.63, 0.03), "jaw": (0.22, 0.12),  # crown, chin: 1 / length
    "skin": (0.60, 0.10), "blotches": (0.08, 0.04), "neck": (0.62, 0.08), "cloth": (0.4, 0.3),
    "light": (0.0, 0.11), "top_light": (0.2, 0.07),
    "nose": (0.62, 0.04), "nose_width": (0.19, 0.025), "nose_height": (0.36, 0.07),
    "eye_gap": (0.43, 0.025), "eye_width": (0.21, 0.02), "slant": (0.05, 0.08),
    "gaze": (0.0, 0.05), "gaze_y": (0.0, 0.02), "iris": (0.22, 0.12), "white": (0.78, 0.07),
    "lashes": (0.5, 0.2), "socket": (0.16, 0.08),
    "brow_thick": (0.055, 0.02), "brow_dark": (0.6, 0.18), "brow_length": (0.50, 0.04),
    "lip_dark": (0.28, 0.12), "smirk": (0.0, 0.025), "beard": (0.5, 0.2),
    "hair": (0.24, 0.18), "hair_shine": (0.12, 0.08), "hairline": (1.0, 0.16),
    "temple": (0.35, 0.25), "parting": (0.0, 0.25), "hair_crown": (0.55, 0.04),
    "hair_width": (0.84, 0.05), "hair_side": (1.0, 0.10), "hair_end": (0.5, 0.9),
    "ground": (0.52, 0.27), "ground_x": (0.0, 0.2), "ground_y": (0.0, 0.2),
    "ground_texture": (0.5, 0.45), "ground_edges": (0.3, 0.5),
    "gain": (1.0, 0.15), "offset": (0.0, 0.06), "noise": (0.006, 0.008),
}
CHANCES = {
    "bearded": 0.14, "glasses": 0.12, "sunglasses": 0.02, "strand": 0.05, "hand": 0.06,
    "thing": 0.04, "text": 0.08, "blurred": 0.30,
    "turned": 0.15, "sidelit": 0.15,  # see EXTREMES
    "talking": 0.12,  # lips apart without any meaning
}
# fmt: on
EXTREMES = {"turned": ("tilt", "yaw", "pitch"), "sidelit": ("light",)}  # 3.5 times the usual
UNIFORM = ("row", "column", "where", "turn", "shade")  # 0 to 1: textures, and what covers the face
WATERMARK = "PHOTO SAMPLE COPYRIGHT STOCK "
LETTERS = dict(  # 3x5 pixels: an octal digit per row
    pair.split(":")
    for pair in "A:25755 C:34443 E:74647 G:34553 H:55755 I:72227 K:55655 L:44447 M:57755 O:25552 "
    "P:65644 R:65655 S:34216 T:72222 Y:55222".split()
) | {" ": "00000"}

EYES = slice(0, 34)  # image rows that brows and eyes can reach
MOUTH = slice(15, 48)  # the same for nose, cheeks and mouth


def draw(
    train: int, val: int, test: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images (N, 48, 48) uint8, labels (N,) int64 into CLASSES, split names (N,), in that order."""
    sizes = {"train": train, "val": val, "test": test}
    for split, size in sizes.items():
        if size < 2 * len(CLASSES):
            raise Mistake(
                f"{split}: {size} faces cannot hold two of each of the {len(CLASSES)} classes; "
                f"ask for {2 * len(CLASSES)} or more"
            )
    streams = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3))
    order, people, pixels = streams
    labels, truth = zip(*(_labels(size, order) for size in sizes.values()), strict=True)
    images = _pictures(_people(np.concatenate(truth), people), pixels)
    return images, np.concatenate(labels), np.repeat(list(sizes), list(sizes.values()))


def _labels(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One split's labels (size,) in FER-2013's shares, and what its faces show instead.

    A wrong label's face shows another class by its share. Were the label drawn instead, evenly,
    most faces labelled "disgust" would show something else.
    """
    shares = np.array(list(COUNTS.values())) / sum(COUNTS.values())
    counts = np.maximum(2, (shares * size).astype(np.int64))
    while counts.sum() < size:  # hand out what rounding down has left
        counts[np.argmax(shares * size - counts)] += 1
    while counts.sum() > size:  # take back what the floor of two has cost
        counts[np.argmax(counts)] -= 1
    labels = rng.permutation(np.repeat(np.arange(len(CLASSES)), counts))
    truth = labels.copy()
    for i in rng.choice(size, round(WRONG_LABELS * size), replace=False):
        others = np.where(np.arange(len(CLASSES)) == labels[i], 0.0, shares)
        truth[i] = rng.choice(len(CLASSES), p=others / others.sum())
    return labels, truth


def _people(truth: np.ndarray, rng: np.random.Generator) -> np.recarray:
    """Everything about each picture save its pixel noise: float32 fields of shape (N, 1, 1)."""
    size, ranges = len(truth), FEATURES | OTHERS
    normal = np.clip(rng.standard_normal((size, len(ranges))), -2.5, 2.5)
    drawn = {
        name: mean + spread * z
        for (name, (mean, spread)), z in zip(ranges.items(), normal.T, strict=True)
    }
    dice = rng.random((size, len(CHANCES)))
    drawn |= {name: z < chance for (name, chance), z in zip(CHANCES.items(), dice.T, strict=True)}
    drawn |= dict(zip(UNIFORM, rng.random((size, len(UNIFORM))).T, strict=True))
    for chance, names in EXTREMES.items():
        drawn |= {name: drawn[name] * np.where(drawn[chance], 3.5, 1.0) for name in names}
    activity = _activity(truth, rng)
    activity[25] = np.maximum(activity[25], drawn["talking"] * drawn["shade"])
    for unit, moves in UNITS.items():
        for feature, shift in moves.items():
            drawn[feature] = drawn[feature] + shift * activity[unit]
    drawn["chin"] = 1 / (1 / drawn["chin"] + drawn["jaw_drop"])
    people = np.empty((size, 1, 1), dtype=[(name, np.float32) for name in drawn])
    for name, values in drawn.items():
        people[name][:, 0, 0] = values
    return people.view(np.recarray)


def _activity(truth: np.ndarray, rng: np.random.Generator) -> dict[int, np.ndarray]:
    """Action unit -> its strength in each face (N,), from 0 to 1.3."""
    size, (mean, spread) = len(truth), INTENSITY
    shares = np.array([[units.get(k, 0.0) for k in UNITS] for units in EMOTIONS.values()])
    emotions = [truth, rng.permutation(truth)]
    intensity = np.clip(mean + spread * rng.standard_normal((2, size, 1)), 0.1, 1.2)
    weak, blended = rng.random((2, size, 1))
    intensity[1] *= 0.8 * weak * (blended < BLENDS)
    part = rng.random((2, size, len(UNITS)))
    stray = rng.random((size, len(UNITS)))
    strength = (intensity * (part < shares[emotions])).max(axis=0)
    noise = UNIT_NOISE * rng.standard_normal((size, len(UNITS))) * (stray < 0.5)
    return dict(zip(UNITS, np.clip(strength + noise, 0, 1.3).T, strict=True))


def _pictures(people: np.recarray, rng: np.random.Generator, chunk: int = 32) -> np.ndarray:
    """Images (N, 48, 48) uint8 of people; chunk changes only the time (32 stays in the cache)."""
    soft, streaky = _texture(rng, (9, 9)), _texture(rng, (14, 2))
    images = np.empty((len(people), IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    for i in range(0, len(people), chunk):
        p = _part(people, slice(i, i + chunk))
        ground, blotches = _cut(soft, p.row, p.column), _cut(soft, p.column, p.where)
        image = _portrait(p, ground, blotches, _cut(streaky, p.column, p.row))
        images[i : i + chunk] = _camera(image, p, rng)
    return images


def _part(people: np.recarray, places: slice | np.ndarray) -> np.recarray:
    """Some of the people, as a record array still."""
    return people[places].view(np.recarray)


def _texture(rng: np.random.Generator, grain: tuple[int, int]) -> np.ndarray:
    """A smooth random field (256, 256) of variance 1 with blobs of `grain` (rows, columns) px."""
    field = rng.standard_normal((256, 256), dtype=np.float32)
    for axis, n in enumerate(grain):
        weights = [n - abs(k) for k in range(1 - n, n)]
        rolled = [np.roll(field, k, axis) * np.float32(w) for k, w in enumerate(weights)]
        field = reduce(np.add, rolled)  # in this order: the faces are the same everywhere
        field /= np.sqrt(np.float32(sum(w * w for w in weights)))
    return field


def _cut(texture: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Windows (B, 48, 48) of a texture at positions from 0 to 1, (B, 1, 1)."""
    span = len(texture) - IMAGE_SIZE
    corner = (row * span).astype(np.intp) * len(texture) + (column * span).astype(np.intp)
    steps = np.arange(IMAGE_SIZE)
    return texture.ravel()[corner + steps[:, None] * len(texture) + steps]


def _ramp(x: np.ndarray) -> np.ndarray:
    """A step softened over one unit: 0 below -1/2, 1 above 1/2. An edge's x is in pixels."""
    return np.clip(x + 0.5, 0.0, 1.0)


def _bump(x: np.ndarray, y: np.ndarray | float = 0.0) -> np.ndarray:
    """A smooth hill of height 1 that ends at distance 1."""
    hill = np.maximum(1.0 - x * x - y * y, 0.0)
    return hill * hill


def _blend(image: np.ndarray, mask: np.ndarray, grey: np.ndarray | float) -> None:
    """Lay grey over the image as far as the mask, 0 to 1, says; in place."""
    image += mask * (grey - image)


def _portrait(
    p: np.recarray, ground: np.ndarray, blotches: np.ndarray, streaks: np.ndarray
) -> np.ndarray:
    """Clean pictures (B, 48, 48) float32, 0 black to 1 white, painted from back to front."""
    steps, w = np.arange(IMAGE_SIZE, dtype=np.float32), p.width
    dx, dy = steps - p.x, steps[:, None] - p.y
    unit = 1 / (w * np.sqrt(1 + p.tilt * p.tilt))
    u, v = (dx + p.tilt * dy) * unit, (dy - p.tilt * dx) * unit  # half face widths, head upright
    u2, q = u * u, np.maximum(v * -p.crown, v * p.chin)
    q2 = q * q
    dome = 1.0 - u2 * (1 + p.jaw * q2) - q2 * (0.45 + 0.55 * q2)  # above 0 within the face
    depth = np.maximum(dome, 0.0)
    a, b = u + p.yaw * depth, v + p.pitch * depth  # the head turned: its far half is squeezed

    image = p.ground + (p.ground_x * dx + p.ground_y * dy) * 0.05
    image = image + p.ground_texture * 0.25 * np.clip(ground * (0.7 + 4 * p.ground_edges), -1, 1)
    hair = p.hair + p.hair_shine * streaks
    over, far = np.maximum(v * -p.hair_crown, 0.0), np.abs(u)
    mane = _ramp((1.0 - u2 * p.hair_width * p.hair_width - over * over + 0.03 * streaks) * w * 0.3)
    _blend(image, mane * _ramp((p.hair_end - v + 0.06 * streaks) * w * 0.4), hair * 0.8)
    neck = _ramp((p.neck - far) * w * 0.5) * _ramp((v - 0.8) * w * 0.4)
    _blend(image, neck, p.skin * (0.8 - 0.2 * np.minimum(q, 1.3)))
    _blend(image, _ramp((v - 1.62 - 0.2 * far) * w * 0.4), p.cloth)
    ear_x, ear_y = far * 13 - 12.7, v * 6 - 1.3
    _blend(image, _ramp(3.0 - ear_x * ear_x - ear_y * ear_y), p.skin * 0.8)

    skin = p.skin * (1 + p.blotches * blotches)
    lit = 1.0 + _slope(_relief(depth, p, a, b), p)
    _beard(skin, p, a, b, streaks)
    _eyes(skin[:, EYES], p, a[:, EYES], b[:, EYES])
    _mouth(skin[:, MOUTH], p, a[:, MOUTH], b[:, MOUTH])
    _blend(image, _ramp(dome * w * 0.35), skin * np.clip(lit, 0.3, 1.4))

    fringe = (p.temple * a + p.parting) * a - b - p.hairline + 0.04 * streaks
    sides = np.minimum(far - p.hair_side, p.hair_end - v) + 0.03 * streaks
    _blend(image, _ramp(np.maximum(fringe, sides) * w * 0.35) * mane, hair * (0.75 + 0.35 * depth))
    for cover, worn in (
        (_glasses, p.glasses + p.sunglasses),
        (_strand, p.strand),
        (_hand, p.hand),
        (_thing, p.thing),
        (_text, p.text),
    ):
        i = np.flatnonzero(worn)
        covered = image[i]
        cover(covered, _part(p, i), a[i], b[i])
        image[i] = covered
    return image


def _relief(depth: np.ndarray, p: np.recarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far each point of the face stands out: the head's dome, nose, cheeks, chin, sockets."""
    relief = 0.9 * depth
    ridge = np.clip((b + 0.3) * 1.1, 0.0, 1.0) * _ramp((p.nose - b) * 9)
    relief += p.nose_height * ridge * _bump(a / (p.nose_width * (1 + 0.4 * np.clip(b, 0.0, 0.6))))
    eyes = np.abs(a[:, EYES]) - p.eye_gap
    relief[:, EYES] -= p.socket * _bump(eyes * 2.8, (b[:, EYES] + 0.02) * 3.6)
    low, a, b = relief[:, MOUTH], a[:, MOUTH], b[:, MOUTH]
    low += p.nose_height * 0.35 * _bump(a * 3.6, (b - p.nose + 0.08) * 6)  # the nose's wings
    low += p.cheek * _bump((np.abs(a) - 0.52) * 2.4, (b - 0.5) * 2.8)
    low += 0.12 * _bump(a * 1.8, (b - p.mouth_y) * 2.6)
    low += p.chin_boss * _bump(a * 2.8, (b - 1.35 - p.jaw_drop) * 4.5)
    return relief


def _slope(relief: np.ndarray, p: np.recarray) -> np.ndarray:
    """What a relief's slopes add to the light that each pixel gets."""
    lit = np.zeros_like(relief)
    lit[:, :, 1:-1] = (relief[:, :, 2:] - relief[:, :, :-2]) * (p.light * p.width * 0.5)
    lit[:, 1:-1] += (relief[:, 2:] - relief[:, :-2]) * (p.top_light * p.width * 0.5)
    return lit


def _beard(
    skin: np.ndarray, p: np.recarray, a: np.ndarray, b: np.ndarray, streaks: np.ndarray
) -> None:
    i = np.flatnonzero(p.bearded)
    p, a, b, streaks = _part(p, i), a[i], b[i], streaks[i]
    moustache = 1.5 * _bump(a * 2.2, (b - 0.8) * 6)
    jaw = _ramp((b - 1.25 + 0.5 * a * a + 0.1 * streaks) * 3.5)
    grown = np.clip(np.maximum(moustache, jaw) * (1 + 0.15 * streaks), 0.0, 1.0)
    skin[i] *= 1 - np.clip(p.beard, 0.15, 0.75) * grown


def _eyes(skin: np.ndarray, p: np.recarray, a: np.ndarray, b: np.ndarray) -> None:
    """Eyes, brows and the wrinkles above them, both sides at once."""
    w, side = p.width, np.abs(a)
    x = side - p.eye_gap
    lid = 1.0 - (x / p.eye_width) ** 2  # the lids' curve: 1 mid-eye, 0 at the corners
    y = b + p.slant * x
    upper = y + p.upper_lid * lid
    lower = np.maximum(p.lower_lid, 0.01 - p.upper_lid) * lid - y
    near = _ramp((lid + 0.2) * 2.5)
    ball = p.white * (0.75 + np.clip(upper * 3, 0.0, 0.3))  # the lid's shadow
    gaze, gaze_y = x - np.copysign(p.gaze, a), y - p.gaze_y
    _blend(ball, _ramp((0.105 - np.sqrt(gaze * gaze + gaze_y * gaze_y)) * w), p.iris * 0.6)
    _blend(skin, _ramp(np.minimum(upper, lower) * w) * near, ball)
    lashes = p.lashes * _ramp((0.035 - np.abs(upper)) * w)
    crease = 0.2 * _ramp((0.02 - np.abs(upper + 0.085)) * w * 0.7)
    skin *= 1 - (lashes + crease) * near

    t = (side - p.brow_gap) / p.brow_length  # 0 at the inner end, 1 at the outer
    height = p.brow_inner + t * (p.brow_outer - p.brow_inner + 4 * p.brow_arch * (1 - t))
    brow = _ramp((p.brow_thick * (1.2 - 0.6 * t) - np.abs(b + height)) * w)
    skin *= 1 - np.minimum(p.brow_dark, 0.9) * brow * _ramp(t * 6) * _ramp((1 - t) * 4)

    wave = b * 5
    wave = np.abs(wave - np.floor(wave) - 0.5) * 2
    skin *= 1 - 0.35 * np.maximum(p.forehead, 0) * wave * _bump(a * 1.5, (b + 0.72) * 3.5)
    skin *= 1 - 0.4 * np.maximum(p.frown, 0) * _bump((side - 0.07) * 16, (b + 0.22) * 5)
    skin *= 1 - 0.4 * np.maximum(p.bunny, 0) * wave * _bump(a * 3.2, (b - 0.1) * 3.2)


def _mouth(skin: np.ndarray, p: np.recarray, a: np.ndarray, b: np.ndarray) -> None:
    """Nostrils, the folds from nose to mouth, lips and what shows between them."""
    w, side = p.width, np.abs(a)
    skin *= 1 - 0.55 * _bump((side - 0.095) * 11, (b - p.nose - 0.03) * 13)
    skin *= 1 - 0.2 * _bump(a * 3.5, (b - p.nose - 0.06) * 8)  # the nose's shadow
    fold = side - 0.25 - (b - 0.52) * (p.mouth_width - 0.1) * 0.8
    skin *= 1 - 0.4 * np.maximum(p.fold, 0) * _bump(fold * 9, (b - 0.78) * 3)

    x = a / p.mouth_width
    x2 = x * x
    bow = 1.0 - x2  # 1 mid-mouth, 0 at the corners
    y = b - p.mouth_y + p.corner * (np.minimum(x2, 1.6) - 0.35) + p.smirk * x
    rise, drop = np.maximum(p.lip_rise, 0), np.maximum(p.lip_drop, 0)
    under, above = y + rise * bow, drop * bow - y  # below the upper lip, above the lower one
    within = _ramp(bow * 4 + 0.3)
    outer = np.minimum(
        under + np.maximum(p.upper_lip, 0.02) * bow, above + np.maximum(p.lower_lip, 0.02) * bow
    )
    lips = p.skin * (1 - p.lip_dark - 0.12 * _ramp(y * -8))  # the upper lip looks down: darker
    _blend(skin, _ramp(outer * w) * within, lips)
    teeth = _ramp((p.teeth - under) * w) * _ramp(under * w) * _ramp((rise + drop) * 30 - 1)
    _blend(skin, _ramp(np.minimum(under, above) * w) * within, 0.1 + teeth * (p.white - 0.05))
    skin *= 1 - 0.3 * _bump((side - p.mouth_width - 0.01) * 11, y * 11)


def _glasses(image: np.ndarray, p: np.recarray, a: np.ndarray, b: np.ndarray) -> None:
    side = np.abs(a)
    x, y = (side - p.eye_gap - 0.02) * 3.3, (b - 0.04) * (3.8 + 1.2 * p.shade)
    rim = x * x * x * x + y * y * y * y - 1
    _blend(image, _ramp(rim * -2.5) * np.maximum(p.sunglasses, 0.08), 0.85 - 0.75 * p.sunglasses)
    bars = np.maximum(0.14 - side, np.minimum(side - 0.74, 1 - side))
    bars = _ramp(np.minimum(0.05 - np.abs(b + 0.06), bars) * p.width)
    frame = np.maximum(_ramp(0.8 + 0.6 * p.turn - 2 * np.abs(rim)), bars)
    _blend(image, frame * (0.5 + 0.5 * p.where), 0.05 + 0.3 * p.shade)


def _strand(image: np.ndarray, p: np.recarray, a: np.ndarray, b: np.ndarray) -> None:
    path = a - (p.where - 0.5) * 1.6 - (p.turn - 0.5 + 0.3 * b) * b
    _blend(image, _ramp((0.03 + 0.06 * p.shade - np.abs(path)) * p.width) * 0.85, p.hair)


def _hand(image: np.ndarray, p: np.recarray, a: np.ndarray, b: np.ndarray) -> None:
    """Four fingers from below, leaning to either side."""
    lean = (p.turn - 0.5) * 2
    x, y = a - (p.where - 0.5) * 1.4, b - 0.6 - 0.6 * p.shade
    norm = 1 / np.sqrt(1 + lean * lean)
    along, across = (y + lean * x) * norm, (x - lean * y) * norm * 4.4
    finger = (across - np.floor(across) - 0.5) * 2  # -1 to 1 over each
    tips = along - 0.3 * finger * finger - 0.06 * across * across
    mask = _ramp(tips * p.width * 0.6) * _ramp((2 - np.abs(across)) * 3)
    _blend(image, mask, p.skin * (1.05 - 0.4 * finger * finger))


def _thing(image: np.ndarray, p: np.recarray, a: np.ndarray, b: np.ndarray) -> None:
    """A cup, a telephone, a collar: something plain with a straight edge."""
    lean = (p.turn - 0.5) * 3
    norm = 1 / np.sqrt(1 + lean * lean)
    along, across = (b + lean * a) * norm, (a - lean * b) * norm
    inside = np.minimum(along - 0.75 - 0.3 * p.where, 0.3 + p.where - np.abs(across))
    _blend(image, _ramp(inside * p.width), p.shade)


def _text(image: np.ndarray, p: np.recarray, _a: np.ndarray, _b: np.ndarray) -> None:
    """A piece of the watermark across the picture, black or white, more or less faint."""
    strip, columns = _watermark(), np.arange(IMAGE_SIZE)
    start = (p.turn * (strip.shape[1] - IMAGE_SIZE)).astype(np.intp)
    rows = np.arange(5)[:, None]
    mask = strip[rows, start + columns] * (0.15 + 0.5 * p.column)
    place = (np.arange(len(p))[:, None, None], rows + (3 + p.where * 40).astype(np.intp), columns)
    image[place] += mask * ((p.shade > 0.4) - image[place])


@cache
def _watermark() -> np.ndarray:
    """The watermark's pixels (5, W), 1 where there is ink."""
    rows = np.array([[int(row) for row in LETTERS[letter]] for letter in WATERMARK])  # (letters, 5)
    dots = rows[:, :, None] >> np.array([2, 1, 0, 3]) & 1  # the fourth column is the gap
    return dots.transpose(1, 0, 2).reshape(5, -1).astype(np.float32)


def _camera(image: np.ndarray, p: np.recarray, rng: np.random.Generator) -> np.ndarray:
    """The pictures as lens, exposure and sensor leave them: (B, 48, 48) uint8."""
    i = np.flatnonzero(p.blurred)
    soft = image[i]
    for share in (p.where[i] * 0.6, p.turn[i] * 0.6):
        near = (soft[:, 2:] + soft[:, :-2]) * 0.5
        soft[:, 1:-1] += share * (near - soft[:, 1:-1])
        near = (soft[:, :, 2:] + soft[:, :, :-2]) * 0.5
        soft[:, :, 1:-1] += share * (near - soft[:, :, 1:-1])
    image[i] = soft
    image = 0.5 + (image - 0.5) * p.gain + p.offset
    image += np.maximum(p.noise, 0.003) * rng.standard_normal(image.shape, dtype=np.float32)
    return (np.clip(image, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
