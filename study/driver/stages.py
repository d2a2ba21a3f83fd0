"""The two stages of a study, from wherever its journal is, and how it ends. Runs on the driver."""

import os
from collections.abc import Callable

from ray import tune

from fer_record import remaining
from fer_record.journal import Row
from fer_record.tables import Tables, settings_of
from study import now, output, say
from study.config.study import BUDGETS, to_dict
from study.driver import confirm, header, networks, presets, summary
from study.driver.display import Display
from study.driver.recorder import Recorder
from study.driver.scheduling import SCHEDULERS, NoEarlyStopping
from study.driver.session import Session
from study.driver.signals import Signals
from study.driver.tuner import Proposals, run_stage
from study.record import outcome
from study.search.asha import Decision
from study.search.proposals import Config, Optimiser


def run(
    session: Session, display: Display, finish: Callable[[Session], None], signals: Signals
) -> int:
    """Search, confirm, open test; then write how it ended and let `finish` tell it. Exit code."""
    stages = session.study.stages

    def give_up() -> None:
        code = 2
        try:
            code = close(session, finish)
            output.flushed()
        finally:
            os._exit(code)  # the main thread waits for a Ray that is no more

    signals.give_up = give_up
    session.log(
        {
            "event": "driver_started",
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "resumed": bool(session.tables.trials),
            **header.of_journal(session.header | session.origin),
        }
    )
    header.write(session)
    try:
        if "search" in stages and not session.ending:
            search_stage(session, display)
        if "confirm" in stages and not session.ending:
            confirm_stage(session, display)
        if "confirm" in stages and not session.interrupted:
            confirm.open_test(session, display)
    except (tune.TuneError, OSError) as error:  # Tune wraps some of what its callbacks raise
        if not session.lost(error):
            raise
    finally:
        display.end()
    with signals.closing():
        return close(session, finish)


def search_stage(session: Session, display: Display) -> None:
    """Optuna proposes, the scheduler stops; a spent budget ends trials, a signal leaves them.

    Optuna can't take back the end of a trial, so here a budget's end is for good: with more of it
    the search goes on with further trials.
    """
    study, tables = session.study, session.tables
    optimiser = optimiser_of(session)
    scheduler = SCHEDULERS[study.scheduler](study, tables)
    recorder = Recorder(session, "search", scheduler, optimiser)
    settle(session, recorder, optimiser)
    recorder.lengthen()
    unfinished = [config_of(name, row) for name, row in running(session, "search")]
    room = max(0, study.trials - len(tables.of_stage("search")))
    unfinished += optimiser.left_over(set(tables.trials))[:room]
    fresh = max(0, study.trials - optimiser.asked())
    display.begin(session, "search", study.trials)

    def ask() -> Config:
        recorder.commit()  # a proposal looks at all results so far
        return optimiser.ask()

    proposals = Proposals(unfinished, ask)
    run_stage(session, recorder, proposals, len(unfinished) + fresh, scheduler)
    stop_unfinished(session, recorder)


def optimiser_of(session: Session) -> Optimiser:
    """Optuna, as the journal has the search."""
    trials, known = session.tables.of_stage("search"), session.header.get("earlier", ())
    return Optimiser(session.study, session.folder, trials, known)


def leave_search(session: Session) -> None:
    """End the trials of a search that was interrupted and is left for the confirmation: nobody goes
    on with them."""
    if not running(session, "search"):
        return
    optimiser = optimiser_of(session)
    recorder = Recorder(session, "search", NoEarlyStopping(), optimiser)
    settle(session, recorder, optimiser)
    for name, _ in running(session, "search"):
        recorder.end(name, {"status": "stopped", "reason": "left for the confirmation"})


def stop_unfinished(session: Session, recorder: Recorder) -> None:
    """After a budget was spent: what still ran has ended, and its row says why."""
    if session.cause in BUDGETS:
        for name, _ in running(session, recorder.stage):
            recorder.end(name, {"status": "stopped", "reason": session.reason})


def settle(session: Session, recorder: Recorder, optimiser: Optimiser) -> None:
    """After a crash between two writes: bring Optuna and the tables to what the journal implies."""
    tables = session.tables
    for (name, epoch), row in tables.epochs.items():
        if tables.trials[name]["stage"] == "search":
            optimiser.report(name, epoch, row[session.study.objective])
    for name, row in tables.of_stage("search").items():
        if row["status"] != "running":
            optimiser.tell(name, row["status"])
    decisions = [Decision(**row) for row in tables.decisions.values()]
    stopped = {one.trial_id: one.reason for one in decisions if one.decision == "stop"}
    for name, _ in running(session, "search"):
        if name in stopped:
            recorder.end(name, {"status": "stopped", "reason": stopped[name]})


def confirm_stage(session: Session, display: Display) -> None:
    """Each chosen configuration, with fresh seeds, at the full budget, without early stopping.

    Only a budget stops a trial here, and with more of it the trial goes on from its last epoch.
    """
    leave_search(session)
    confirm.choose(session)
    classes = len(session.dataset.classes)
    session.header["confirmed_networks"] = networks.confirmed(session.tables.chosen, classes)
    header.write(session)
    every = list(confirm.configs(session.tables, session.study))
    config = {one["trial_id"]: one for one, _ in every}
    speed = remaining.pace(session.header, session.tables)
    left = remaining.in_order(to_dict(session.study), session.tables, speed)
    due = [config[name] for name, _, _ in left if name in config]
    display.begin(session, "confirm", len(every))
    settings = {config["trial_id"]: setting for config, setting in every}
    scheduler = NoEarlyStopping()
    recorder = Recorder(session, "confirm", scheduler, settings=settings)
    proposals = Proposals(due, lambda: None)
    run_stage(session, recorder, proposals, len(due), scheduler)
    stop_unfinished(session, recorder)


def running(session: Session, stage: str) -> list[tuple[str, Row]]:
    rows = session.tables.of_stage(stage).items()
    return [(name, row) for name, row in rows if row["status"] == "running"]


def config_of(name: str, row: Row) -> Config:
    """A trial's configuration from its row."""
    return {"trial_id": name, **settings_of(row)}


def close(session: Session, finish: Callable[[Session], None]) -> int:
    """Write how it ended; the exit code.

    0: it came to its end; 1: it did, or its budget did, and nothing could be confirmed (without a
    confirmation: no trial finished an epoch); 2: the storage failed, or a node differs; 128 +
    signal: interrupted.
    """
    if session.cause in BUDGETS and finished(session):
        session.ending = None  # the budget was spent by the last of the work
    status, reason = "interrupted" if session.ending else "complete", session.reason
    ended = {"event": "study_ended", "status": status, "reason": reason or "all stages done"}
    for write in (
        lambda: session.log(ended),
        session.write,
        lambda: presets.write(session),
        lambda: header.write(session, status, ended["reason"], now()),
    ):
        try:  # one that fails leaves the others
            write()
        except OSError as error:
            if not session.lost(error):
                raise
    lacking = session.mirror if session.mirror and not session.mirror.flush() else None
    finish(session)
    if lacking:
        say(summary.not_mirrored(session, lacking))
    code = 2 if lacking else exit_code(session)
    about = {"status": status, "reason": ended["reason"], "exit_code": code}
    session.notifier.tell("ended", f"{session.study.name}: {status} ({ended['reason']})", **about)
    session.notifier.close()
    return code


def exit_code(session: Session) -> int:
    """Of a study whose books are closed, as `close` says."""
    if session.cause in ("node", "storage"):
        return 2
    if session.ending and session.ending.signal:
        return 128 + session.ending.signal
    if "confirm" in session.study.stages:
        return 0 if outcome.answered(session.folder) else 1
    return 0 if outcome.best(session.tables, session.study) else 1


def finished(session: Session) -> bool:
    """Whether all that the study was to do is done."""
    study, tables = session.study, session.tables
    searched = [row["status"] for row in tables.of_stage("search").values()]
    searching = "search" in study.stages and not tables.chosen
    if searching and (len(searched) < study.trials or "running" in searched):
        return False
    if "confirm" not in study.stages:
        return not any(row["reason"] == session.reason for row in tables.trials.values())
    return bool(tables.chosen) and set(outcome.due(tables, study)) <= ended_for_good(tables)


def ended_for_good(tables: Tables) -> set[str]:
    """The confirmation's trials that need no more work; one stopped by a budget may go on."""
    rows = tables.of_stage("confirm").items()
    return {name for name, row in rows if row["status"] in ("completed", "failed")}
