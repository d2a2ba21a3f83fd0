#!/usr/bin/env bash
# After an evaluation between steps, pytorch-accelerated trains the rest of the epoch in evaluation mode.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: StepBasedEvaluationCallback evaluates every n steps, prints "Resuming training..." and trains on as before; how
#   often one looks does not change what is learned.
# Seen, pytorch-accelerated 0.1.61, accelerate 1.15.0, torch 2.14.1 (CPU), numpy 2.4.6, Python 3.11; a small network with
# batch normalisation and dropout, 1,000 noisy images of seven classes of which 40 % have a label by chance, 15 epochs of 40
# steps, the same seeds in each row; of 3 networks:
#   evaluated           steps in training mode    loss of the validation set    right of 5,000
#   each epoch                       100.0 %                      0.77                  67.6 %
#   every 20 steps                    52.5 %                      1.09                  63.8 %
#   every 5 steps                     15.0 %                      1.33                  62.1 %
#   the same, mended                 100.0 %                      0.82                  68.4 %
# The evaluation puts the network into evaluation mode, as that at the end of an epoch does; training mode is set at the
# beginning of an epoch only. Until then nothing is dropped and batch normalisation takes running statistics that stand
# still. The more often one looks, the more of the training is so. No warning; the curve shows overfitting.
# Since: 0.1.50, the first with the callback (pull request 65 of January 2025; 0.1.49 has none, 0.1.51 the same lines: read).
#   No issue found (November 2026).
# Source: pytorch_accelerated/callbacks.py, StepBasedEvaluationCallback; trainer.py, Trainer._run_eval_epoch and
#   _run_train_epoch.
# Bitten: who evaluates within epochs, as one does with long epochs, and compares dropout rates or networks so. A callback
#   behind it that calls trainer.model.train() in on_train_step_start mends it.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile pytorch-accelerated==0.1.61 accelerate==1.15.0 torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import contextlib
import io

import torch
from pytorch_accelerated import Trainer
from pytorch_accelerated.callbacks import StepBasedEvaluationCallback, TrainerCallback
from torch import nn
from torch.utils.data import TensorDataset

torch.set_num_threads(1)
torch.manual_seed(0)
FACES = torch.rand(7, 256)  # one for each expression


def faces(count, by_chance=0.0):
    label = torch.randint(7, (count,))
    image = 0.5 + (FACES[label] - 0.5) * 0.5 + 0.6 * torch.randn(count, 256)
    return TensorDataset(image, torch.where(torch.rand(count) < by_chance, torch.randint(7, (count,)), label))


TRAIN, VALID, TEST = faces(1000, 0.4), faces(200), faces(5000)


class Mended(TrainerCallback):
    def on_train_step_start(self, trainer, **kwargs):
        trainer.model.train()


class Watched(Trainer):
    def calculate_train_batch_loss(self, batch):
        self.modes.append(self.model.training)
        return super().calculate_train_batch_loss(batch)


def layer(inputs, outputs):
    return nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(0.6)


def trained(seed, callbacks):
    torch.manual_seed(seed)
    net = nn.Sequential(*layer(256, 256), *layer(256, 128), nn.Linear(128, 7))
    optimiser = torch.optim.Adam(net.parameters(), 0.003)
    trainer = Watched(net, nn.CrossEntropyLoss(), optimiser, callbacks=callbacks)
    trainer.modes = []
    loaders = {"num_workers": 0, "pin_memory": False}
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.train(
            TRAIN, 15, VALID, per_device_batch_size=25,
            train_dataloader_kwargs=loaders, eval_dataloader_kwargs={"batch_size": 200, **loaders},
        )  # fmt: skip
    loss = trainer.run_history.get_latest_metric("eval_loss_epoch")
    image, label = TEST.tensors
    with torch.no_grad():
        right = (net.eval()(image).argmax(1) == label).float().mean().item()
    return sum(trainer.modes) / len(trainer.modes), loss, right


print("  evaluated           steps in training mode    loss of the validation set    right of 5,000")
found = {}
for name, callbacks in {
    "each epoch": [],
    "every 20 steps": [StepBasedEvaluationCallback(20)],
    "every 5 steps": [StepBasedEvaluationCallback(5)],
    "the same, mended": [StepBasedEvaluationCallback(5), Mended()],
}.items():
    mode, loss, right = torch.tensor([trained(seed, callbacks) for seed in range(3)]).mean(0).tolist()
    found[name] = mode, loss, right
    print(f"  {name:20}{100 * mode:18.1f} %{loss:26.2f}{100 * right:22.1f} %", flush=True)
whole, half, few, mended = found.values()
assert whole[0] == mended[0] == 1 and abs(whole[2] - mended[2]) < 0.02, "this was right"
assert half[0] < 0.6 and few[0] < 0.2, "the behaviour has changed"
assert few[1] > whole[1] + 0.3 and few[2] < whole[2] - 0.02 and half[2] < whole[2], "the effect has changed"
EOF
