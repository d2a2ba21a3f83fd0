"""The best setting of a study, whole: its hyperparameters, its curve, how it is trained again."""

import shlex
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fer_data.catalogue import margin
from fer_models import preset_file
from fer_stats.metric import of_val
from results.artefacts.load import Findings
from results.facts import search, status
from results.facts.evaluation import Evaluated, chosen, judged_on, without_copies

FRESH = 3  # seeds: the fewest whose scatter says something
CONFIRMED = "what was confirmed"


@dataclass(frozen=True)
class Best:
    """What was best on val; test chose nothing."""

    study: str
    name: str  # the confirmed setting, else the network
    model: str
    trial: str  # whose hyperparameters they are
    hyperparameters: dict[str, Any]  # all that the network has, the searched ones first
    searched: tuple[str, ...]
    epoch: int
    among: str  # which it is the best of
    judged: float  # on val, by the study's metric
    metric: str  # which that is
    val_images: int
    val: str  # which images of it: with copies of training images, or without
    curve: pd.DataFrame  # as status.curves
    data: dict[str, Any]  # what of the configuration names the images, and judges
    source: str = ""  # of a network of one's own, as --models takes it

    @property
    def epochs(self) -> int:
        return int(self.hyperparameters["epochs"])


def best(one: Findings, settings: list[Evaluated]) -> Best | None:
    """The confirmed setting that is best on val by the study's metric, else the search's best
    trial; None where no epoch has ended."""
    own = [found for found in settings if found.answers.study == one.name and "val" in found.scopes]
    if own:
        top = max(own, key=lambda found: found.scopes[judged_on(one, found)][one.metric].mean)
        scope = judged_on(one, top)
        trials = one.trials[one.trials["setting"] == top.answers.setting]
        curves = status.curves(one)
        value = top.scopes[scope][one.metric].mean
        images = int(chosen(top.answers, scope).sum())
        curve = curves[curves["setting"] == top.answers.setting]
        return made(one, trials.iloc[0], top.answers.setting, value, images, curve)
    found = search.best(search.searched(one))
    if found.empty:
        return None
    row = found.loc[found["judged"].idxmax()]
    trial = one.trials[one.trials["trial_id"] == row["trial_id"]].iloc[0]
    return made(
        one, trial, row["model"], row["judged"], search.val_images(one), of_trial(one, trial)
    )


def made(
    one: Findings, trial: pd.Series, name: str, value: float, images: int, curve: pd.DataFrame
) -> Best:
    given = {key[3:]: plain(trial[key]) for key in trial.index if key.startswith("hp_")}
    hp = {key: kept for key, kept in given.items() if kept is not None and key != "seed"}
    domains = search.space(one, hp["model"])
    varied = tuple(key for key in hp if isinstance(domains.get(key), list | dict))
    order = ["model", *varied, *[key for key in hp if key not in (*varied, "model")]]
    config = one.study["study"]
    last = one.epochs.loc[one.epochs["trial_id"] == trial["trial_id"], "epoch"].max()
    return Best(
        study=one.name,
        name=str(name),
        model=hp["model"],
        trial=from_trial(one, str(name)) or str(trial["trial_id"]),
        hyperparameters={key: hp[key] for key in order},
        searched=varied,
        epoch=int(hp["epochs"] if pd.isna(last) else last),
        among=CONFIRMED
        if trial["stage"] == "confirm"
        else "the trials of the search that came furthest",
        judged=float(value),
        metric=one.metric,
        val_images=images,
        val=of_val(without_copies(one.study)),
        curve=curve,
        data=preset_file.asked(  # as older studies had it
            {"val_copies": "with", **config, "crop": margin(config, one.study["data"])}
        ),
        source=sources(config).get(hp["model"], ""),
    )


def sources(config: dict[str, Any]) -> dict[str, str]:
    """Network of one's own -> where it is from, FILE.py:NAME or timm:NAME."""
    return {one["name"]: one["source"] for one in config.get("own_networks", ())}


def from_trial(one: Findings, setting: str) -> str:
    found = one.chosen.loc[one.chosen["setting"] == setting, "from_trial"]
    return str(found.iloc[0] or "") if len(found) else ""


def of_trial(one: Findings, trial: pd.Series) -> pd.DataFrame:
    """A single trial's curve in the form of status.curves."""
    rows = one.epochs[one.epochs["trial_id"] == trial["trial_id"]]
    each = []
    for measure in status.measures(one):
        value = pd.to_numeric(rows[measure]).to_numpy(float)
        frame = pd.DataFrame({"epoch": rows["epoch"], "mean": value, "low": value, "high": value})
        each.append(frame.assign(measure=measure, seeds=1))
    name = trial["trial_id"]
    return pd.concat(each).assign(setting=name, model=trial["hp_model"], epochs=trial["hp_epochs"])


def plain(value: Any) -> Any:
    """A cell as Python has it; None where the network has no such hyperparameter. A table whose
    column lacks some values holds whole numbers as floats."""
    if value is None or pd.isna(value):
        return None
    value = value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def command(best: Best) -> str:
    """What trains it again: every value is given, so the preset has no say. The seed of the study,
    which draws its part of the images, is given too, and with it come the seeds of `seeds_of`."""
    flags = {"stages": "confirm", "models": best.source or best.model, "seeds": FRESH, **best.data}
    values = preset_file.acting(best.hyperparameters)
    flags |= {key: value for key, value in values.items() if key != "model"}
    words = [f"--{name.replace('_', '-')} {shlex.quote(flag(v))}" for name, v in flags.items()]
    return " ".join(["python -m study.run --preset smoke", *words])


def seeds_of(best: Best) -> str:
    """Those of its `command`: of a setting that was confirmed they are its own."""
    return "with its own seeds first" if best.among == CONFIRMED else "with fresh seeds"


def flag(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def toml(best: Best) -> str:
    """The same as a file for --preset."""
    head = {
        "stages": ["confirm"],
        "models": [best.source or best.model],
        "seeds": FRESH,
        **best.data,
    }
    said = [f"The best on {best.val} of {best.study}: {best.trial}"]
    return preset_file.text(
        said, head, {"name": best.name, **preset_file.acting(best.hyperparameters)}
    )
