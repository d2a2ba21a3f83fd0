"""`python -m benchmarks.chaos.nodes_differ`: nodes that are not what the driver thinks.

Two hosts (nodes_hosts.py). One has other code, or joins with it when the study runs already, or
does not see the folder that results go to. Prints a line a case: what the study said, and that no
epoch was trained where it should not have been.
"""

import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.chaos.nodes_hosts import ROOT, Host, network
from fer_record.journal import read
from study.cluster.environment import OURS

STUDY = (
    "python -m study.run --preset smoke --models alexnet --data faces:600 --stages search "
    "--scheduler none --epochs 12 --trials 3 --device cpu"
).split()


def main() -> None:
    print("| case | exit code | seconds | what it said |\n|---|--:|--:|---|")
    with network() as work:
        other = work / "other"
        for package in OURS:
            shutil.copytree(ROOT / package, other / package)
        with (other / "study" / "train.py").open("a") as file:
            file.write("\n# one line more\n")
        shared = work / "shared" / "runs"
        case(work, "a node has other code", shared, other, late=False)
        case(work, "a node joins later with other code", shared, other, late=True)
        case(work, "a folder that one node sees alone", Path("/tmp/runs"), ROOT, late=False)


def case(work: Path, name: str, out: Path, code: Path, late: bool) -> None:
    head, second = Host(1, work), Host(2, work)
    log, folder = work / "study.log", out if out.is_relative_to(work) else work / "h1" / "runs"
    events = folder / "differs" / "events.jsonl"
    shutil.rmtree(folder, ignore_errors=True)
    log.unlink(missing_ok=True)

    def epochs(host: str) -> int:
        found = read(events) if events.exists() else []
        return sum(e["event"] == "epoch_done" and e["node"] == host for e in found)

    try:
        head.up().ray(1)
        if not late:
            second.given["PYTHONPATH"] = str(code)
        second.up().ray(1, head)
        began, before = time.monotonic(), 0
        driver = head.start(log, *STUDY, "--out", str(out), "--name", "differs")
        if late:
            while not epochs("h2"):
                if driver.poll() is not None or time.monotonic() - began > 200:
                    raise SystemExit(log.read_text())
                time.sleep(0.2)
            second.off()
            before, second.given["PYTHONPATH"] = epochs("h2"), str(code)
            second.up().ray(1, head)
        try:
            ended = driver.wait(timeout=300)
        except subprocess.TimeoutExpired:
            raise SystemExit(f"{name}: not refused in 300 s\n{log.read_text()}") from None
        took, text = time.monotonic() - began, log.read_text()
        said = [x for x in text.splitlines() if x.startswith(("study.run:", "Stopped:"))]
        assert ended == 2 and said, f"{name}: exit code {ended}\n{text}"
        assert epochs("h2") <= before + 1, "it trained on a node that differs"
        assert late or not epochs("h1"), "it began"
        print(f"| {name} | {ended} | {took:.0f} | {said[-1].replace(str(work), '')} |", flush=True)
    finally:
        head.off()
        second.off()


if __name__ == "__main__":
    main()
