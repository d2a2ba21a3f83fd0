"""`python -m benchmarks.chaos.nodes`: machines that go, come back, are cut off; and the head's own.

Three hosts on this machine (nodes_hosts.py) with a shared folder run one study. At random moments
a worker is shut down (SIGTERM to all of it, as a spot machine) or removed and comes back, another
is cut off, and the machine of the head goes for good; a fourth host resumes the study. Prints a
line a fault: when, how long until its trials went on, what held.
"""

import argparse
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.chaos.nodes_hosts import Host, network
from fer_record.journal import read
from fer_record.tables import Tables

STUDY = (
    "--preset smoke --models alexnet --data faces:600 --stages search --scheduler none "
    "--trials 16 --epochs 8 --retries 0 --name chaos --device cpu"
).split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1, help="studies, one after the other")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and hosts")
    given = parser.parse_args()
    print("| study | fault | at (s) | on again after (s) | what held |\n|---|---|--:|--:|---|")
    for number in range(given.times):
        with network() as work:
            for row in one_study(work, random.Random(given.seed + number)):
                print("|", number, "|", " | ".join(row), "|", flush=True)


class Watch:
    """A study from outside: its journal, and time since its start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.began = folder, time.monotonic()
        self.driver: subprocess.Popen | None = None

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        path = self.folder / "events.jsonl"
        return list(read(path))[since:] if path.exists() else []

    def now(self) -> float:
        return time.monotonic() - self.began

    def until(self, what: str, holds: Callable[[], Any], seconds: float = 600) -> float:
        """Seconds until it holds."""
        began = time.monotonic()
        while not holds():
            if self.driver and self.driver.poll() is not None and not holds():
                raise SystemExit(f"the driver has ended before there was {what}")
            if time.monotonic() - began > seconds:
                raise SystemExit(f"after {seconds:g} s still not: {what}")
            time.sleep(0.2)
        return time.monotonic() - began

    def running_on(self, host: str) -> dict[str, int]:
        """Trials whose last epoch was trained on the host and that go on, with that epoch."""
        tables = Tables.of(self.events())
        return {
            name: tables.last[name]["epoch"]
            for name, row in tables.trials.items()
            if row["status"] == "running" and row.get("node") == host
        }

    def epochs(self, since: int, **like: str) -> list[dict[str, Any]]:
        return [
            e
            for e in self.events(since)
            if e["event"] == "epoch_done" and all(e.get(k) == v for k, v in like.items())
        ]


def one_study(work: Path, chance: random.Random) -> Iterator[tuple[str, ...]]:
    """A row for each fault, as it has been seen through."""
    hosts = {n: Host(n, work) for n in (1, 2, 3, 4)}
    log = work / "study.log"
    watch = Watch(work / "shared" / "runs" / "chaos")
    try:
        for n in (1, 2, 3):
            hosts[n].up()
            hosts[n].ray(0 if n == 1 else 1, None if n == 1 else hosts[1])
        run = ("python", "-m", "study.run")
        words = (*run, *STUDY, "--out", str(work / "shared" / "runs"))
        watch.driver = hosts[1].start(log, *words)
        watch.until(
            "an epoch on each worker", lambda: all(watch.running_on(f"h{n}") for n in (2, 3))
        )

        first, second = chance.sample((2, 3), 2)
        ways = {"a node shut down": hosts[first].shut_down, "a node removed": hosts[first].off}
        for fault in chance.sample([*ways], 2):
            time.sleep(chance.uniform(0, 5))
            yield lose(fault, watch, hosts[first], ways[fault])
            yield come_back("a node that comes back", watch, hosts[first], hosts[1])
        watch.until("work on the other", lambda: watch.running_on(hosts[second].name))
        time.sleep(chance.uniform(0, 5))
        yield lose("a host cut off", watch, hosts[second], lambda: hosts[second].cut(True))
        hosts[second].cut(False)
        yield rejoin("its link is up again", watch, hosts[second], hosts[1])

        time.sleep(chance.uniform(0, 5))
        yield head_gone(watch, hosts, log, run)
        yield ("the study in the end", f"{watch.now():.0f}", "", whole(watch))
    except BaseException:
        print(log.read_text() if log.exists() else "", flush=True)
        raise


def lose(fault: str, watch: Watch, host: Host, how: Callable[[], None]) -> tuple[str, ...]:
    """Take the host away; its trials must go on elsewhere from their last epoch."""
    watch.until(f"work on {host.name}", lambda: watch.running_on(host.name))
    had, seen, at = watch.running_on(host.name), len(watch.events()), watch.now()
    how()

    def again(name: str) -> list[int]:
        news = watch.epochs(seen, trial_id=name)
        return [e["epoch"] for e in news if e["node"] != host.name]

    took = watch.until(f"{', '.join(had)} on another host", lambda: all(map(again, had)))
    late = {  # an epoch may have been reported between our look and the fault
        name: max([epoch, *(e["epoch"] for e in watch.epochs(seen, trial_id=name, node=host.name))])
        for name, epoch in had.items()
    }
    told = {e["trial_id"]: e["error"] for e in watch.events(seen) if e["event"] == "trial_retried"}
    lost = {name: max(0, late[name] + 1 - again(name)[0] - 1) for name in had}
    assert not any(lost.values()), f"reported epochs were trained again from earlier: {lost}"
    assert set(had) <= set(told), f"retries not told: {set(had) - set(told)}"
    held = [
        f"{name} had {late[name]} epochs, first heard of again at {again(name)[0]}"
        for name in sorted(had)
    ]
    return f"{fault} ({host.name})", f"{at:.0f}", f"{took:.0f}", "; ".join(held) + "; retry told"


def come_back(fault: str, watch: Watch, host: Host, head: Host) -> tuple[str, ...]:
    at, seen = watch.now(), len(watch.events())
    host.up().ray(1, head)
    took = watch.until(f"an epoch on {host.name}", lambda: watch.epochs(seen, node=host.name))
    return f"{fault} ({host.name})", f"{at:.0f}", f"{took:.0f}", "trains again"


def rejoin(fault: str, watch: Watch, host: Host, head: Host) -> tuple[str, ...]:
    """A host that was given up ends its own Ray when it hears of it; then it can join anew."""
    at, seen = watch.now(), len(watch.events())
    gone = watch.until(f"{host.name} ends its Ray", lambda: not raylets(host))
    host.ray(1, head)
    watch.until(f"an epoch on {host.name}", lambda: watch.epochs(seen, node=host.name))
    took = watch.now() - at
    return (f"{fault} ({host.name})", f"{at:.0f}", f"{took:.0f}",
            f"its old Ray ended after {gone:.0f} s, it joined anew and trains")  # fmt: skip


def raylets(host: Host) -> list[str]:
    done = subprocess.run(host.inside("pgrep", "-x", "raylet"), capture_output=True, text=True)
    return done.stdout.split()


def head_gone(
    watch: Watch, hosts: dict[int, Host], log: Path, run: tuple[str, ...]
) -> tuple[str, ...]:
    before, seen, at = Tables.of(watch.events()), len(watch.events()), watch.now()
    hosts[1].off()
    watch.driver.wait(timeout=30)
    watch.driver = None
    watch.until("the workers end their Ray", lambda: not any(raylets(hosts[n]) for n in (2, 3)))
    ended = watch.now() - at
    hosts[4].up().ray(0)
    for n in (2, 3):
        hosts[n].ray(1, hosts[4])
    watch.driver = other = hosts[4].start(log, *run, "--resume", str(watch.folder))
    took = watch.until("an epoch", lambda: watch.epochs(seen)) and watch.now() - at
    code = other.wait(timeout=1800)
    assert code == 0, f"the resumed study ended with {code}"
    return ("the head's machine gone (h1), h4 resumes", f"{at:.0f}", f"{took:.0f}",
            f"workers let go after {ended:.0f} s; {kept(before, Tables.of(watch.events()))}, "
            "exit code 0")  # fmt: skip


def kept(before: Tables, after: Tables) -> str:
    """What was known when a head was lost is still so, and at most an epoch of a trial was trained
    again; in words."""
    ended = {name for name, row in before.trials.items() if row["status"] != "running"}
    for name in ended:
        assert after.trials[name] == before.trials[name], f"{name} had ended and changed"
    for key, row in before.epochs.items():
        assert after.epochs[key]["val_accuracy"] == row["val_accuracy"], f"{key} has changed"
    return (f"all {len(before.epochs)} epochs and {len(ended)} ended trials kept, "
            f"{trained_again(before, after)} epochs trained again")  # fmt: skip


def trained_again(before: Tables, after: Tables) -> int:
    """Epochs known before that took another time after; at most one of a trial."""
    again = [
        key[0]
        for key, row in before.epochs.items()
        if after.epochs[key]["epoch_seconds"] != row["epoch_seconds"]
    ]
    assert len(again) == len(set(again)), f"more than an epoch of a trial again: {again}"
    return len(again)


def whole(watch: Watch) -> str:
    """Every trial came to its end, every epoch is there once, Optuna has no zombie."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    tables = Tables.of(watch.events())
    for name, row in tables.trials.items():
        numbers = sorted(epoch for trial, epoch in tables.epochs if trial == name)
        assert numbers == list(range(1, row["hp_epochs"] + 1)), f"{name}: epochs {numbers}"
        assert row["status"] == "completed", f"{name}: {row['status']} {row['error']}"
    storage = JournalStorage(JournalFileBackend(str(watch.folder / "optuna.log")))
    study = optuna.load_study(study_name=None, storage=storage)
    states = {trial.state.name for trial in study.trials}
    assert states == {"COMPLETE"}, f"Optuna's states: {states}"
    retries = sum(row["retries"] for row in tables.trials.values())
    return (f"{len(tables.trials)} trials completed with all their epochs, {retries} retries in "
            "their rows, none left running in Optuna")  # fmt: skip


if __name__ == "__main__":
    main()
