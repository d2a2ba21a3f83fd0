"""A network of one's own is its file and one line: everything else follows from them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from results.explorer.payload import look
from results.figures.style import OTHERS, STYLES, on_black, style
from study.cluster.environment import OURS

ROOT = Path(__file__).parents[1]
NETWORK = '''
"""A network of one convolution."""

from torch import Tensor, nn

from fer_models.layers import check_faces


class Tiny(nn.Module):
    def __init__(self, *, classes: int, stem: str) -> None:
        super().__init__()
        stride = 4 if stem == "imagenet" else 2
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3, stride=stride), nn.ReLU())
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, classes))

    def forward(self, x: Tensor) -> Tensor:
        check_faces(x)
        return self.head(self.features(x))
'''
USE = """
import torch
from study.config.flags import parser, with_flags
from study.config.hyperparameters import Hyperparameters, present
from study.config.study import PRESETS, Setting, configuration, domains, read_preset
from study.data import datasets
from study.driver import networks
from study.record import schemas
from study.training import loop

hp = Hyperparameters(model="tiny", batch_size=32, epochs=1, lr=0.01, image_px=32)
assert hp.options == {"stem": "small"} and "dropout" not in present(hp), hp.options
assert "small (3x3 stride 1): one of small, imagenet; resnet34 and cbam_resnet34 and tiny only" in (
    " ".join(parser().format_help().split()))
for name in PRESETS:
    for hardware in ("cpu", "gpu"):
        study = read_preset(name, hardware)[0]
        fixed = configuration(study, Setting("", {"model": "tiny"}))
        assert "dropout" not in domains(study, "tiny") and fixed.model == "tiny"
smoke = with_flags(read_preset("smoke", "cpu")[0], {"models": "tiny,alexnet"})
assert smoke.models == ("tiny", "alexnet")
assert configuration(smoke, Setting("", {"model": "tiny"})).stem == "imagenet"
assert "Conv2d" in str(networks.defaults(smoke, 7)["tiny"])

data = datasets.load("faces:140")
cpu = torch.device("cpu")
(record, state), = loop.fit(hp, loop.resident(data.train, data.val, 32, cpu), 7, cpu)
assert loop.predict(hp, data.test.images, 7, cpu, state).shape == (len(data.test.labels), 7)
"""


def test_a_file_and_a_line_make_a_network_of_every_study(tmp_path):
    for package in OURS:
        shutil.copytree(ROOT / package, tmp_path / package)
    (tmp_path / "fer_models" / "tiny.py").write_text(NETWORK)
    names = tmp_path / "fer_models" / "__init__.py"
    line = '    "tiny": network("tiny:Tiny", "stem"),\n}'
    names.write_text(names.read_text().replace("\n}\n", f"\n{line}\n"))
    subprocess.run(
        [sys.executable, "-c", USE],
        cwd=tmp_path,
        check=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "FER_STUDY_CACHE": str(tmp_path / "c")},
    )


def test_networks_that_are_not_named_in_the_style_differ_and_keep_their_look():
    names = [f"network {k}" for k in range(len(OTHERS))]
    looks = [style(name) for name in names]
    assert len({*looks, *STYLES.values()}) == len(OTHERS) + len(STYLES)
    assert [style(name) for name in reversed(names)] == looks[::-1]
    assert look(names[0]) == [*looks[0], on_black(looks[0][0])]


@pytest.mark.parametrize("colour", [look[0] for look in (*STYLES.values(), *OTHERS)])
def test_a_colour_stands_out_on_white_and_its_lighter_twin_on_black(colour):
    """By the contrast of WCAG 2.2 (1.4.11): 3 for graphics, but 2.9 for Okabe and Ito's pink."""
    assert contrast(colour, "#FFFFFF") >= 2.8
    assert contrast(on_black(colour), "#16181B") >= 4.5


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
