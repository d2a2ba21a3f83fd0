"""best-NETWORK.toml: the best configuration of each network, as a preset to train again. Driver."""

import shlex
import statistics
from pathlib import Path
from typing import Any

from fer_models import preset_file
from fer_stats.metric import on_val
from study import counted
from study.config.study import Study, to_dict
from study.driver.session import Session
from study.record import outcome
from study.record.journal import Row
from study.record.tables import Tables, settings_of
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
    settings the one with the highest mean accuracy on val, else the best trial of the search."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    study = session.study
    for model, row in outcome.best(tables, study).items():
        hp = settings_of(tables.trials[row["trial_id"]]) | {"epochs": study.epochs}
        value = f"{told(study, row[study.objective], session.clean)} after {row['epoch']} epochs"
        found[model] = (f"{row['trial_id']} of {study.name}: {value} of the search", hp)
    top: dict[str, float] = {}
    for setting, row in tables.chosen.items():
        model, values = row["hp"]["model"], confirmed(tables, setting, study.objective)
        if values and statistics.mean(values) > top.get(model, -1):
            top[model] = statistics.mean(values)
            text = f"{setting} of {study.name}: {told(study, top[model], session.clean)}"
            found[model] = (f"{text}, mean of {counted(len(values), 'seed')}, confirmed", row["hp"])
    return found


def told(study: Study, value: float, clean: bool) -> str:
    """A value of what the study is judged by, in words."""
    return f"{100 * value:.1f} % {on_val(study.metric, clean)}"


def confirmed(tables: Tables, setting: str, objective: str = "val_accuracy") -> list[float]:
    """What a setting's networks that were trained to their end have on val."""
    rows: dict[str, Row] = tables.of_stage("confirm")
    return [
        tables.last[name][objective]
        for name, row in rows.items()
        if row["setting"] == setting and row["status"] == "completed"
    ]
