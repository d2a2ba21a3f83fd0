"""What takes seconds to import is imported when it is needed, and not before."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "ray", "optuna", "pandas", "pyarrow", "scipy")
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
    ],
)
def test_help_and_a_wrong_flag_need_neither_ray_nor_torch(tmp_path, module, words, code):
    text = CALL.format(module=module, words=words, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [code, []]
