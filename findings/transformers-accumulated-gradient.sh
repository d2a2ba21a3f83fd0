#!/usr/bin/env bash
# With gradient accumulation the Trainer of transformers takes N times the gradient for ResNet, and for ViT with votes.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: four batches of 8 images with gradient_accumulation_steps=4 make the step of one batch of 32.
# Seen, transformers 5.24.0, accelerate 1.15.0, torch 2.14.1 (CPU), Python 3.11; faces of 48 x 48, the first step's training
# loss and norm of the gradient in the Trainer's log:
#                                  1 x 32 images    4 x 8 images     gradient
#   ViT, classes:                    1.95   1.01      1.95   1.01      x 1.0
#   ConvNeXt, classes:               1.94   1.55      1.94   1.55      x 1.0
#   ResNet, classes:                 1.96   0.65      7.84   2.64      x 4.0
#   ViT, votes:                      0.69   1.48      2.75   5.91      x 4.0
#   ViT, valence and arousal:        0.46   5.38      1.86  21.51      x 4.0
# The Trainer divides the loss by the number of batches, unless the network's forward has **kwargs: then it hands over how
# many labels the step has, and takes it that the network divides by them. ResNet's head doesn't hand it on to the loss, and
# the losses of votes (a sigmoid for each class) and of numbers don't use it. With SGD that is a learning rate N times as
# high; with AdamW, the default, the clipping of the gradient at 1 sets in sooner.
# Since: the heads of ResNet and EfficientNet have **kwargs in 5.0.0 and had none in 4.57.6; the losses of votes and numbers
#   and the question for **kwargs are in 4.57.6 too. In 5.24.0 the heads of Swin V2, BEiT, BiT, MobileNet V2, MobileViT and
#   RegNet are as ResNet's, those of Swin, DeiT and DINOv2 as ViT's (all read). Issue 47688 (July 2026, open) has the heads.
# Source: transformers/trainer.py, Trainer.training_step and model_accepts_loss_kwargs; models/resnet/modeling_resnet.py;
#   loss/loss_utils.py, ForSequenceClassificationLoss, where only fixed_cross_entropy is given the number.
# Bitten: who compares batch sizes or networks that are too large for one batch, or trains on FER+'s votes or on AffectNet's
#   valence. `trainer.model_accepts_loss_kwargs = False` before train() mends it.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile transformers==5.24.0 accelerate==1.15.0 torch==2.14.1 numpy==2.4.6
cd "$work"
export HF_HUB_OFFLINE=1
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import torch
import transformers
from transformers import AutoModelForImageClassification, Trainer, TrainerCallback, TrainingArguments
from transformers import ConvNextConfig, ResNetConfig, ViTConfig

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.manual_seed(0)
FACES = torch.randn(7, 1, 48, 48)  # one for each expression
CLASSES = torch.arange(320) % 7
IMAGES = FACES[CLASSES] + 2 * torch.randn(320, 1, 48, 48)
VOTES = torch.nn.functional.one_hot(CLASSES, 7) * 0.65 + 0.05
FEELING = torch.stack([CLASSES / 3 - 1, (CLASSES - 3).abs() / 3], 1)  # valence and arousal
TARGETS = {"classes": CLASSES, "votes": VOTES, "valence and arousal": FEELING}
small = {"hidden_sizes": [8, 16], "depths": [1, 1], "num_channels": 1}
CONFIGS = {
    "ResNet": ResNetConfig(embedding_size=8, **small),
    "ConvNeXt": ConvNextConfig(num_stages=2, **small),
    "ViT": ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=48, patch_size=8,
        num_channels=1,
    ),
}  # fmt: skip


class Faces(torch.utils.data.Dataset):
    def __init__(self, targets):
        self.targets = targets

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, index):
        return {"pixel_values": IMAGES[index], "labels": self.targets[index]}


class Log(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **other):
        self.first = getattr(self, "first", logs)


def first_step(network, target, batch, accumulate, mend=False):
    """The training loss and the norm of the gradient that the Trainer logs for its first step."""
    torch.manual_seed(1)
    config = CONFIGS[network]
    config.problem_type, config.num_labels = None, 7
    if target == "valence and arousal":
        config.problem_type, config.num_labels = "regression", 2
    given = TrainingArguments(
        "out", per_device_train_batch_size=batch, gradient_accumulation_steps=accumulate, max_steps=2, logging_steps=1,
        optim="sgd", max_grad_norm=1e9, report_to="none", save_strategy="no", use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    log = Log()
    model = AutoModelForImageClassification.from_config(config)
    trainer = Trainer(model, given, train_dataset=Faces(TARGETS[target]), callbacks=[log])
    trainer.remove_callback(transformers.PrinterCallback)
    if mend:
        trainer.model_accepts_loss_kwargs = False
    trainer.train()
    return float(log.first["loss"]), float(log.first["grad_norm"])


print(f"  {'':33}1 x 32 images    4 x 8 images    gradient")
ratios = {}
for network, target in (
    ("ViT", "classes"),
    ("ConvNeXt", "classes"),
    ("ResNet", "classes"),
    ("ViT", "votes"),
    ("ViT", "valence and arousal"),
):
    (loss, norm), (loss4, norm4) = first_step(network, target, 32, 1), first_step(network, target, 8, 4)
    ratios[network, target] = norm4 / norm
    print(f"  {network + ', ' + target + ':':31}{loss:6.2f}{norm:7.2f}    {loss4:6.2f}{norm4:7.2f}      x {norm4 / norm:.1f}")
right = ratios.pop(("ViT", "classes")), ratios.pop(("ConvNeXt", "classes"))
assert all(0.9 < ratio < 1.1 for ratio in right), "these were right"
mended = first_step("ResNet", "classes", 8, 4, mend=True)[1] / first_step("ResNet", "classes", 32, 1)[1]
assert 0.9 < mended < 1.1, "the mending does not help"
assert all(3.6 < ratio < 4.4 for ratio in ratios.values()), "the behaviour has changed"
EOF
