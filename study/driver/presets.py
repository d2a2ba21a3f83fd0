"""best-NETWORK.toml: the best configuration of each network, as a preset to train again. Driver."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np

from fer_models import preset_file
from fer_record.tables import Tables, settings_of
from fer_stats.metric import on_val
from fer_stats.words import percent
from study import counted
from study.config.study import Study, to_dict
from study.driver.session import Session
from study.record import outcome
from study.storage import atomic


def write(session: Session) -> None:
    """A file for each network of which something was found; before, those of an earlier end."""
    study = session.study
    for model, (text, hp) in best(session.tables, session).items():
        path = session.folder / f"best-{model}.toml"
        head = {
            **preset_file.asked(to_dict(study)),
            "models": [source(study, model)],
            "stages": ["confirm"],
            "seeds": study.seeds,
        }
        said = [text, f"python -m study.run --preset {shlex.quote(str(path))}"]
        write_text(path, preset_file.text(said, head, {"name": model, **preset_file.acting(hp)}))


def source(study: Study, model: str) -> str:
    """A network as --models takes it: where one of a person's own is from, else its name."""
    own = {one["name"]: one["source"] for one in study.own_networks}
    return own.get(model, model)


def write_text(path: Path, text: str) -> None:
    atomic.replace(path, lambda file: file.write(text.encode()))


def best(tables: Tables, session: Session) -> dict[str, tuple[str, dict[str, Any]]]:
    """Network -> what is said of its best configuration, and its hyperparameters: of the confirmed
    settings the best on val, as `outcome.on_val` has it of those that have answered, else the best
    trial of the search."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    study = session.study
    for model, row in outcome.best(tables, study).items():
        hp = settings_of(tables.trials[row["trial_id"]]) | {"epochs": study.epochs}
        value = f"{told(study, row[study.objective], session.clean)} after {row['epoch']} epochs"
        found[model] = (f"{row['trial_id']} of {study.name}: {value} of the search", hp)
    top: dict[str, float] = {}
    each = judged(tables, session)
    for setting, row in tables.chosen.items():
        model = row["hp"]["model"]
        values = [v for name, v in each.items() if tables.trials[name]["setting"] == setting]
        if values and (mean := float(np.mean(values))) > top.get(model, -1):
            top[model] = mean
            text = f"{setting} of {study.name}: {told(study, top[model], session.clean)}"
            found[model] = (f"{text}, mean of {counted(len(values), 'seed')}, confirmed", row["hp"])
    return found


def told(study: Study, value: float, clean: bool) -> str:
    """A value of what the study is judged by, in words."""
    return f"{percent(value)} {on_val(study.metric, clean)}"


def judged(tables: Tables, session: Session) -> dict[str, float]:
    """What the confirmed networks have on val by their answers; where none has answered, after the
    last epoch of those that were trained to their end."""
    study, done = session.study, outcome.completed(tables)
    each = outcome.on_val(session.folder, study, session.header["data"])
    if not each:
        return {name: tables.last[name][study.objective] for name in done}
    return {name: float(each[name][study.metric]) for name in done if name in each}
