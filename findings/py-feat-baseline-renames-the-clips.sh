#!/usr/bin/env bash
# py-feat's Fex.baseline() puts the clips in alphabetical order and leaves their names where they were.
#
# Guess: baseline() subtracts from the frames of each session (clip, person) their own baseline; each row stays in its place,
#   or at least keeps the session that it belongs to.
# Seen, py-feat 2.1.5, torch 2.14.1, pandas 3.1.1, numpy 2.4.6, scipy 1.17.1, Python 3.11; clip1 to clip12, every second one
# (clip1, clip3, ...) a smile that comes up in its first second:
#   sessions as before: True
#   highest above its first frame, clip:    1    2    3    4    5    6    7    8    9   10   11   12
#     by hand                            0.32 0.00 0.33 0.04 0.31 0.02 0.33 0.01 0.32 0.01 0.32 0.02
#     baseline("begin").extract_max()    0.32 0.01 0.32 0.02 0.00 0.33 0.04 0.31 0.02 0.33 0.01 0.32
#   clips with the value of another: 11 of 12
#   t of smile against neutral: by hand 43.6, of baseline() -8.1
#   with the names sorted: 43.6
#   extract_wavelet: 1 of 12 clips have the power that they have alone
# So the faces that smile are found to smile less. With clip01 to clip12 all is well.
# Since: the same lines in 0.6.2 and 2.0.0 (read); 2.1.5 run. The docstring: "method will be applied separately to each unique
#   session". No issue told it when we looked (November 2026).
# Source: feat/data.py: Fex.baseline and extract_wavelet go through itersessions(), which takes np.unique(self.sessions), and
#   append the parts with ignore_index=True; the end, __finalize__(self) or sessions=self.sessions, puts the old list over
#   the new rows. clean() fills a mask and is right. A sorted or shuffled Fex keeps the old list too, as it is no column.
# Bitten: who compares clips, persons or conditions by what py-feat detects; clip10 sorts before clip2, session 10 before 2.
#   Set sessions=np.sort(fex.sessions, kind="stable") afterwards, or subtract by groupby(fex.sessions).
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile py-feat==2.1.5 torch==2.14.1 torchvision==0.29.1 torchcodec==0.17.0 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
import pandas as pd
from feat import Fex

CLIPS, FRAMES = 12, 60
rng = np.random.default_rng(0)
names = [f"clip{number}" for number in range(1, CLIPS + 1)]
condition = {name: "neutral" if number % 2 else "smile" for number, name in enumerate(names)}
rise = np.clip(np.arange(FRAMES) / 30, 0, 1)  # a smile comes up within a second and stays


def clip(name: str) -> np.ndarray:
    """Happiness frame by frame: each face has a level of its own, a smile lies .3 above it."""
    height = 0.3 if condition[name] == "smile" else 0
    return rng.uniform(0.05, 0.4) + height * rise + rng.normal(0, 0.01, FRAMES)


happiness = np.concatenate([clip(name) for name in names])
sessions = np.repeat(names, FRAMES)
frames = pd.DataFrame({"happiness": happiness, "neutral": 1 - happiness})
fex = Fex(frames, emotion_columns=list(frames), sampling_freq=30, sessions=sessions)


def t_of(fex: Fex) -> float:
    return float(fex.update_sessions(condition).ttest_ind("happiness", ["smile", "neutral"]).statistic)


above = fex.baseline("begin")
by_hand = frames - frames.groupby(sessions).transform("first")
right = by_hand.groupby(sessions)["happiness"].max()
by_hand = Fex(by_hand, emotion_columns=list(frames), sampling_freq=30, sessions=sessions)
found = above.extract_max()["max_happiness"]
print("  sessions as before:", list(above.sessions) == list(sessions))
print("  highest above its first frame, clip:", *(f"{name[4:]:>4}" for name in names))
print("    by hand                           ", *(f"{right[name]:4.2f}" for name in names))
print('    baseline("begin").extract_max()   ', *(f"{found[name]:4.2f}" for name in names))
wrong = sum(not np.isclose(found[name], right[name]) for name in names)
print(f"  clips with the value of another: {wrong} of {CLIPS}")
ts = t_of(by_hand), t_of(above)
print("  t of smile against neutral: by hand {:.1f}, of baseline() {:.1f}".format(*ts))
alphabet = np.sort(sessions, kind="stable")
mended = above.copy()
mended.sessions = alphabet
print(f"  with the names sorted: {t_of(mended):.1f}")


def power(fex: Fex) -> np.ndarray:
    return fex.extract_wavelet(0.5, mode="power").to_numpy()[:, 0].real


def alone(name: str) -> Fex:
    rows = frames[sessions == name].reset_index(drop=True)
    return Fex(rows, emotion_columns=list(rows), sampling_freq=30, sessions=[name] * FRAMES)


together = power(fex)
same = sum(np.allclose(together[sessions == name], power(alone(name))) for name in names)
print(f"  extract_wavelet: {same} of {CLIPS} clips have the power that they have alone")
assert list(above.sessions) == list(sessions) and np.isclose(t_of(mended), ts[0]), "these were right"
assert wrong == 11 and ts[1] < 0 < ts[0] and same == 1, "the behaviour has changed"
EOF
