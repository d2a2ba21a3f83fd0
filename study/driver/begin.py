"""A study begun or gone on with, from its first trial to the opened test. Runs on the driver.

It imports what needs torch where that is needed: torch comes while Ray's processes start.
"""

import logging
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from fer_data.rows import SIDE_PX
from fer_record import remaining
from fer_record.journal import read
from fer_record.tables import Tables
from study import Mistake, counted, now, say
from study.cluster import connection, nodes, provenance, ray_log, resources
from study.config import flags
from study.config.study import (
    MEANS,
    PRESETS,
    Study,
    named_by_default,
    preset,
    read_preset,
    sized_by,
    to_dict,
    with_possible_pairs,
)
from study.data import datasets
from study.driver import networks, prepare, sizing, stages, summary, wider
from study.driver.display import Display
from study.driver.given import (
    each_once,
    refuse_idle,
    refuse_idle_file,
    refuse_less,
    refuse_other_networks,
    refuse_other_stages,
    refuse_outside,
    refuse_unnamed,
    refuse_unsearched,
    whole_grid,
)
from study.driver.header import read as read_header
from study.driver.header import write as write_header
from study.driver.notify import Notifier
from study.driver.session import Session
from study.driver.signals import Signals
from study.record import outcome
from study.record.journal import Journal
from study.search import proposals
from study.storage import errors, handover, places
from study.storage.lease import LEASE
from study.storage.mirror import Mirror

MAY_CHANGE = ("stages", "trials", "seeds", *MEANS, "out")  # on --resume


def start(given: dict[str, str], trainable: type | None, notifier: Notifier) -> int:
    """A new study from preset and flags; `trainable` may be put in the place of training."""
    source, earlier = given.pop("preset", "search"), given.pop("from", "")
    raw = preset(source)
    asked, address = sized_by(raw)
    address = given.get("address", address)
    joined = connected(address) if connection.wanted(address) else ""
    kind = resources.hardware_kind(given.get("device", asked))
    base, why = read_preset(source, kind)
    sized = raw.get("hardware", {}).get(kind, {})
    why = sizing.reasons(why, sized, given)
    of_file: list[str] = []
    if source not in PRESETS:  # a file of the person's own
        refuse_idle_file(base, raw, kind)
        of_file = [name for part in (raw, sized) for name in part if name not in given]
    said = {*given, *of_file}
    study = each_once(flags.with_flags(base, given), say)
    if "pairs" not in said:
        study = with_possible_pairs(study)
    device = "cuda" if kind == "gpu" else "cpu"
    refuse_idle(study, given, device=device)
    refuse_idle(study, of_file, lambda name: f"{name} of {source}", device)
    refuse_other_networks(study)
    if source in PRESETS:  # a person's own settings are what they say
        refuse_unnamed(base, study, given)
    if source not in PRESETS or "search" not in base.stages:  # ours leave it to the sampler
        refuse_outside(study)
    refuse_unsearched(study)
    study = whole_grid(study, said)
    study = from_any_folder(replace(study, name=study.name or named_by_default(study.preset)))
    folder = Path(study.out) / study.name
    if folder.exists():
        raise prepare.taken(folder)
    handover.prepare(study, folder, say)
    whole = read_images(study, study.classes, prepare.side_px(study))
    study = prepare.at_most(study, whole, said)
    dataset = prepare.parts(study, whole)
    prepare.check_networks(study, len(dataset.classes))
    prepare.check_batches(study, len(dataset.train.labels))
    joined = joined or connected(study.address)
    need = resources.per_trial(prepare.shared(study, dataset))
    check_budget(study, need)
    paces = sizing.begin(study, dataset, need)
    header = {
        "study": to_dict(study),
        "flags": given,
        "device": device_of(need),
        "why_this_size": why,
        "started_at": now(),
        "data": prepare.described(whole, dataset),
        "networks": networks.defaults(study, len(dataset.classes)),
        **prepare.earlier_trials(study, earlier, dataset.digest),
        **provenance.of_driver(),
    }
    measured = paces()
    slots = resources.slots(study, need)
    whole_search, study = study, sizing.cut(study, said, measured, slots, header["data"])
    why = "; ".join(filter(None, (why, sizing.left_out(whole_search, study))))
    header |= {"study": to_dict(study), "why_this_size": why}
    prepare.make_folder(folder, header)
    if why:
        say(f"Sized for {why}.")
    return drive(study, folder, header, whole, need, joined, trainable, notifier, measured)


def go_on(
    name: str,
    given: dict[str, str],
    trainable: type | None,
    after_test: bool,
    notifier: Notifier,
) -> int:
    """An existing study, from what its journal says; `after_test`: seeds may be added although
    test was opened."""
    if "://" not in name and (Path(name) / LEASE).is_file():  # storage that is a folder
        name = Path(name).resolve().as_uri()
    if "://" in name:
        folder, root = handover.bring(name, Path(given.get("out", "runs")), say)
        given.setdefault("storage", root)
    else:
        folder = Path(name) if Path(name).is_dir() else Path(given.get("out", "runs")) / name
        if "out" in given and not same(folder.parent, Path(given["out"])):
            raise Mistake(f"--resume names the folder {folder}, which isn't in --out: leave it out")
    tables = Tables.of(read(folder / "events.jsonl"))
    header, study = read_header(folder, tables)
    for flag in given:
        if flag not in (*MAY_CHANGE, *wider.WIDENS):
            raise Mistake(
                f"{flags.flag(flag)} can't change in a study that exists (only "
                f"{', '.join(map(flags.flag, MAY_CHANGE))} can, and the space or --epochs get "
                "wider): start another with --name"
            )
    if "trials" in given and tables.chosen:
        raise Mistake(
            f"--trials can't change any more: what {folder} confirms has been chosen, and choosing "
            "again after test was opened would be choosing on test; start another with --name"
        )
    if study.address != "local":  # a folder may be a stranger's, and who joins a cluster obeys it
        study = replace(study, address="")
    before = from_any_folder(study)
    study = from_any_folder(flags.with_flags(before, given))
    if study.sampler == "grid" and before.trials == len(proposals.grid(before)):
        study = whole_grid(study, given)
    widened = wider.changes(before, study, given, tables)
    planned = header.pop("seeds_after_test", [before.seeds])[0]  # when test was opened
    if tables.opened and study.seeds > before.seeds and not after_test:
        raise Mistake(
            f"test was opened with {counted(planned, 'seed')}: to add some until a difference "
            "shows would find one where there is none; start another study, or say --after-test "
            "too: what is trained stays as it is, and terminal and report say what was added"
        )
    refuse_idle(study, given)
    refuse_other_stages(before, study, tables)
    refuse_less(before, study, given, tables, planned)
    names = prepare.class_names(study, header["data"])
    whole = read_images(study, names, header["data"].get("side_px", SIDE_PX))
    prepare.check_same(study, whole, header["data"])
    if {*wider.WIDENS} & {*given}:
        dataset = prepare.parts(study, whole)
        prepare.check_networks(study, len(dataset.classes))
        prepare.check_batches(study, len(dataset.train.labels))
    joined = connected(study.address)
    trained = outcome.with_search(study, tables)
    need = resources.per_trial(prepare.shared(trained, prepare.parts(study, whole)))
    check_budget(study, need)
    device = device_of(need)
    refuse_idle(study, given, device=device)
    begun = header.get("device", device)
    if begun != device and "device" not in given:
        raise Mistake(
            f"{folder} was begun on {begun}, but its trials would go on on {device}: give it a "
            f"{begun} again, or say --device {device} if the figures may come from both"
        )
    handover.prepare(study, folder, say, before.storage)
    changed: dict[str, Any] = {"study": to_dict(study), "device": device}
    if "flags" in header:
        changed["flags"] = with_more(header["flags"], given)
    if widened:
        changed["changed"] = [*header.get("changed", ()), *widened]
    if tables.opened and study.seeds > planned:
        changed["seeds_after_test"] = [planned, study.seeds]
    if "networks" not in header:  # which the journal doesn't hold
        dataset = prepare.parts(study, whole)
        changed |= {
            "data": prepare.described(whole, dataset) | {"levels": header["data"].get("levels")},
            "networks": networks.defaults(study, len(dataset.classes)),
        }
    return drive(study, folder, header | changed, whole, need, joined, trainable, notifier)


def drive(
    study: Study,
    folder: Path,
    header: dict[str, Any],
    whole: datasets.Dataset,
    need: dict[str, float],
    joined: str,
    trainable: type | None,
    notifier: Notifier,
    paces: remaining.Paces | None = None,
) -> int:
    """Run what the journal says is left; the exit code. `paces` were measured for it."""
    with Journal(folder / "events.jsonl") as journal:  # by which others see that it runs
        from study.worker.trial import Trial

        for name in ("ray", "ray.tune", "ray.tune.execution.tune_controller", "ray.tune.tune"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # we tell of a failed trial
        slots = resources.slots(study, need)
        header |= {"trials_at_once": slots, "seconds_per_epoch": paces or {}}
        display = Display(study, whole.notes)
        session = Session(
            study=study,
            folder=folder,
            header=header,
            dataset=prepare.parts(study, whole),
            whole_val=whole.val,
            device=header["device"],
            need=need,
            slots=slots,
            journal=journal,
            tables=Tables.of(read(folder / "events.jsonl")),
            show=display,
            say=display.print,
            trainable=trainable or Trial,
            origin=provenance.of_driver(),
            notifier=notifier,
        )
        notifier.begin(folder, display.print)
        if journal.cut:
            say(f"{journal.cut} bytes at the journal's end were no whole block: passed over.")
        try:
            if study.storage:
                place = places.at(study.storage) / folder.name
                session.mirror = Mirror(folder, place, say, lambda why: session.end("storage", why))
            with Signals(session) as signals, ray_log.kept(folder, display.print):
                session.expected = nodes.check(session.place)
                say(summary.opening(session, resources.inventory(joined)))
                return stages.run(session, display, finish, signals)
        except KeyboardInterrupt as stopped:  # from wherever it came
            why, number = "stopped at once", stopped.args[1] if stopped.args else signal.SIGINT
            unbegun(session, why)
            notifier.once("ended", why, status="interrupted", reason=why, exit_code=128 + number)
            raise KeyboardInterrupt(session.go_on, number) from None
        except Mistake as refusal:
            why = str(refusal)
            unbegun(session, why)
            notifier.once("ended", why, status="interrupted", reason=why, exit_code=2)
            raise
        except BaseException as error:
            why = f"{type(error).__name__}: {error}"
            code = 2 if isinstance(error, OSError) and errors.refused(error) else 1
            unbegun(session, why)
            text = f"the driver fails: {why}"
            notifier.once("ended", text, status="crashed", reason=why, exit_code=code)
            raise
        finally:
            with suppress(KeyboardInterrupt):  # how it ended is known, and stays so
                notifier.close()
                if session.mirror:  # what an error of ours leaves behind goes there too
                    session.mirror.flush()


def unbegun(session: Session, why: str) -> None:
    """Of a study that ends before its first event, study.json alone can say so."""
    if not session.tables.drivers:
        write_header(session, "interrupted", why, now())


def from_any_folder(study: Study) -> Study:
    """The study with names of its data and its storage that hold from any folder."""
    return replace(
        study, data=datasets.absolute(study.data), storage=places.absolute(study.storage)
    )


def connected(address: str) -> str:
    """Join or start Ray, and import torch meanwhile: both take seconds, Ray's mostly of waiting.

    Ray hears SIGTERM from then on, and would end the process with exit code 1 or 15; instead it is
    as Ctrl-C until a study hears both.
    """
    torch = threading.Thread(target=import_module, args=("torch",))
    torch.start()
    before = signal.getsignal(signal.SIGTERM)
    try:
        joined = connection.connect(address)
    except SystemExit:
        stop(signal.SIGTERM)
    if signal.getsignal(signal.SIGTERM) is not before:
        signal.signal(signal.SIGTERM, stop)
    torch.join()
    return joined


def stop(number: int, frame: object = None) -> NoReturn:
    raise KeyboardInterrupt("", number)


def read_images(study: Study, names: tuple[str, ...], px: int) -> datasets.Dataset:
    """The study's data set, whole; says so first, since a large one takes its time."""
    say(f"Reading {study.data or 'the drawn faces'} ...")
    return datasets.load(study.data, names=names, without=study.without, crop=study.crop, px=px)


def with_more(flags: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """The flags of a study that goes on. Stages that are given to it are the rest of its preset's:
    another study like it has all of them, and so neither."""
    found = flags | given
    return {name: found[name] for name in found if not (name == "stages" and name in given)}


def same(one: Path, other: Path) -> bool:
    """Whether two folders are one."""
    return one.resolve() == other.resolve()


def device_of(need: dict[str, float]) -> str:
    return "cuda" if need["gpu"] else "cpu"


def check_budget(study: Study, need: dict[str, float]) -> None:
    """Refuse a budget that nothing would ever spend."""
    if study.gpu_hours and not need["gpu"]:
        raise Mistake(
            f"gpu_hours is {study.gpu_hours:g}, but the trials train on a CPU and use none: give "
            "--gpu-hours 0, and --time-budget SECONDS instead"
        )


def finish(session: Session) -> None:
    say(summary.closing(session))
