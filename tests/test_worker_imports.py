"""What a worker process really imports: less than the driver, whatever a file's own lines say."""

import ast
import json
import subprocess
import sys
from pathlib import Path

from ray import cloudpickle

import study
from study.cluster import environment, resources
from study.worker.predict import predicted
from study.worker.speed import seconds
from study.worker.trial import Trial

# All that the driver hands to Ray, which a worker imports by name before it runs it.
SHIPPED = (Trial, predicted, seconds, resources.gpu_has, environment.facts, environment.uses,
           environment.sees)  # fmt: skip
WORKER = """
import json, sys
from ray import cloudpickle, tune
before = {*sys.modules}  # Tune brings rich
cloudpickle.loads(bytes.fromhex(sys.argv[1]))
print(json.dumps(sorted({*sys.modules} - before)))
"""


def test_a_worker_imports_neither_the_driver_nor_optuna_nor_the_live_table():
    command = [sys.executable, "-c", WORKER, cloudpickle.dumps(SHIPPED).hex()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = json.loads(done.stdout)
    assert "study.worker.trial" in imported and "study.worker.predict" in imported
    barred = ("study.driver", "study.search", "study.record", "study.run", "optuna", "rich")
    assert [name for name in imported if name.startswith(barred)] == []


def test_nothing_else_is_handed_to_ray():
    """A function that is given to `ray.remote` or asked of every node belongs into SHIPPED."""
    found = []
    for path in Path(study.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "ray.remote",
                "everywhere",
            ):
                found += [ast.unparse(given).rpartition(".")[2] for given in node.args[:1]]
    assert set(found) == {thing.__name__ for thing in SHIPPED if thing is not Trial}
