"""What takes seconds to import is imported when it is needed, and not before."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "ray", "optuna", "pandas", "pyarrow", "scipy", "plotly")
CALL = """
import json, sys
from {module} import main
try:
    code = main({words})
except SystemExit as end:
    code = end.code
print()
print(json.dumps([code, [name for name in {heavy} if name in sys.modules]]))
"""


@pytest.mark.parametrize(
    ("module", "words", "code"),
    [
        ("study.run", ["--help"], 0),
        ("study.run", ["--sampler", "cma"], 2),
        ("study.run", ["--lr", "0"], 2),
        ("study.run", ["--epochs", "many"], 2),
        ("study.run", ["--trails", "3"], 2),
        ("study.status", ["--help"], 0),
        ("study.status", ["nowhere"], 2),
        ("study.predict", ["--help"], 0),
        ("study.predict", ["run", "a.png", "--json", "--csv"], 2),
        ("study.export", ["--help"], 0),
        ("study.export", ["run", "--out", "best.pt"], 2),
        ("study.evaluate", ["--help"], 0),
        ("study.evaluate", ["run", "--device", "tpu"], 2),
        ("results.__main__", ["--help"], 0),
        ("results.__main__", ["run", "--health", "--out", "page.html"], 2),
        ("results.explorer.__main__", ["--help"], 0),
        ("results.explorer.__main__", ["run", "--with-faces"], 2),
    ],
)
def test_help_and_a_wrong_flag_need_neither_ray_nor_torch(tmp_path, module, words, code):
    text = CALL.format(module=module, words=words, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [code, []]


def test_training_and_the_sizes_of_networks_need_no_compiler():
    """It takes 2 s and 150 MiB in every process (torch 2.14): with the first optimiser, the first
    layer on the meta device, or torchvision."""
    text = """
import sys
import torch
from study.config.hyperparameters import Hyperparameters
from study.data import datasets
from study.driver import networks
from study.training import attention, loop
faces = datasets.load("faces:140")
cpu = torch.device("cpu")
for model in ("alexnet", "cbam_resnet34"):
    for optimizer in ("sgd", "adamw"):
        hp = Hyperparameters(
            model=model, optimizer=optimizer, epochs=1, batch_size=16, image_px=32, stem="imagenet"
        )
        data = loop.resident(faces.train, faces.val, 32, cpu)
        ((_, state),) = loop.fit(hp, data, 7, cpu)
    loop.predict(hp, faces.val.images, 7, cpu, state)
    networks.size(hp, 7), attention.there(hp)
print([name for name in ("torch._dynamo", "torchvision", "sympy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_study_is_read_and_refused_before_torch_is_imported():
    """It is imported while Ray's processes start, and by the workers."""
    text = "import sys, study.driver.begin; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
