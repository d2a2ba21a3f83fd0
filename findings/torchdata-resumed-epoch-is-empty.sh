#!/usr/bin/env bash
# A StatefulDataLoader with a StatefulDistributedSampler, resumed from the end of an epoch, has no images in the next one.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: a state that is kept between two epochs begins the next one, whole, as it does with shuffle=True.
# Seen, torchdata 0.11.0, torch 2.14.1, numpy 2.4.6, Python 3.11; 700 images for two ranks, twelve epochs in one, three or
# twelve parts, each with a new loader that loads the state of the one before; images of rank 0 in each epoch:
#   in one                       350 350 350 350 350 350 350 350 350 350 350 350
#   in three                     350 350 350 350   0 350 350 350   0 350 350 350
#   in twelve                    350   0   0   0   0   0   0   0   0   0   0   0
#   in twelve, two workers       350 350 350 350 350 350 350 350 350 350 350 350
#   in twelve, shuffle=True      700 700 700 700 700 700 700 700 700 700 700 700
#   in twelve, no state loaded   350 350 350 350 350 350 350 350 350 350 350 350
# All ranks are without images alike, so nothing waits and nothing is said: the loop has no step, the epoch is counted, the
# rate is lowered, the same weights are validated and kept once more. The sampler keeps how many images it has given, and
# leaves out as many when it is next asked; the iterator that was made while loading, and would have used that up, is thrown
# away as finished before it gave anything. With workers it has been asked in advance, and all is right.
# Since: 0.9.0, which brought this sampler (run: 0.9.0, 0.10.0, 0.11.0). Issue 1437 (February 2025) told it of shuffle=True;
#   that is right in 0.11.0. Issue 1513 (November 2025, open) tells it of torchdata.nodes.SamplerWrapper.
# Source: torchdata/stateful_dataloader/sampler.py, StatefulDistributedSampler.__iter__ and load_state_dict (next_yielded);
#   stateful_dataloader.py, StatefulDataLoader.__iter__ (_finished).
# Bitten: who trains on several GPUs with images in memory (no workers), and resumes after epochs: spot machines, time limits.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torchdata==0.11.0 torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
from torchdata.stateful_dataloader import StatefulDataLoader
from torchdata.stateful_dataloader.sampler import StatefulDistributedSampler

EPOCHS = 12
IMAGES = list(range(700))


def loader(shuffle, workers):
    """What rank 0 of two trains with, or a single process that shuffles."""
    sampler = None if shuffle else StatefulDistributedSampler(IMAGES, num_replicas=2, rank=0, seed=0)
    options = {"shuffle": True} if shuffle else {"sampler": sampler}
    return StatefulDataLoader(IMAGES, batch_size=70, num_workers=workers, **options), sampler


def trained(name, parts, shuffle=False, workers=0, load=True):
    """Print and give back how many images each epoch has."""
    state, counts = None, []
    for part in range(parts):
        images, sampler = loader(shuffle, workers)
        if state and load:
            images.load_state_dict(state)
        for epoch in range(part * EPOCHS // parts, (part + 1) * EPOCHS // parts):
            if sampler:
                sampler.set_epoch(epoch)
            counts.append(sum(len(batch) for batch in images))  # a training step for each
        state = images.state_dict()
    print(f"  {name:27}" + "".join(f"{count:4}" for count in counts), flush=True)
    return counts


one = trained("in one", 1)
three = trained("in three", 3)
twelve = trained("in twelve", 12)
workers = trained("in twelve, two workers", 12, workers=2)
shuffled = trained("in twelve, shuffle=True", 12, shuffle=True)
fresh = trained("in twelve, no state loaded", 12, load=False)
assert one == workers == fresh == [350] * 12 and shuffled == [700] * 12, "these were right"
assert three == ([350] * 4 + [0] + [350] * 3 + [0] + [350] * 3), "the behaviour has changed"
assert twelve == [350] + [0] * 11, "the behaviour has changed"
EOF
