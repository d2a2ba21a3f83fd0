"""What a study is: a frozen, checked value; presets by name; TOML as its written form.

Runs on the driver.
"""

import secrets
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from fer_data.catalogue import margin
from fer_models import own as own_models
from fer_stats.metric import WORDS
from study import Mistake
from study.config.hyperparameters import FIELDS, MODELS, Hyperparameters, applies, checked, kind
from study.config.seeds import FRESH, LAST_STUDY

STAGES = ("search", "confirm")
FIXED = ("model", "epochs", "seed")  # never in a space: chosen by models, epochs, seed and seeds
BUDGETS = ("time_budget", "gpu_hours")
MEANS = (  # what a study may use, not what it is
    "data",
    *BUDGETS,
    "max_concurrent",
    "cpus_per_trial",
    "gpus_per_trial",
    "retries",
    "hang_seconds",
    "device",  # asked for, since a study never changes it by itself
    "address",
    "storage",
)
PRESETS = ("smoke", "search", "fair", "paper", "ingredients")


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both possible; evenly on a logarithmic axis if log."""

    low: float
    high: float
    log: bool = False


Domain = Range | tuple | int | float | str | bool  # a range, choices, or one fixed value


@dataclass(frozen=True)
class Setting:
    """A named, fixed configuration; what it doesn't say comes from the space's fixed values."""

    name: str
    values: dict[str, Any]
    published: float | None = None  # accuracy claimed elsewhere, on val and test together; fraction
    replaced: dict[str, Any] = field(default_factory=dict)  # its values where a flag gave others


def option(
    default: Any,
    help: str,
    low: float | None = None,
    choices: Collection[Any] = (),
    high: int = 2**63 - 1,  # of a column of whole numbers
) -> Any:
    rule = {"help": help, "low": low, "choices": choices, "high": high}
    return field(default=default, metadata=rule)


@dataclass(frozen=True)
class Study:
    """All that decides a study's outcome, and what it may use. A wrong value raises Mistake."""

    preset: str = option("search", "smoke, search, fair, paper, ingredients, or a TOML file")
    name: str = option(
        "", "name of the study's folder; by default preset, date, time and six random characters"
    )
    out: str = option("runs", "folder for studies")
    storage: str = option(
        "", "s3://BUCKET/FOLDER or gs://..., shared by all machines; empty keeps all under --out"
    )
    data: str = option(
        "faces",
        "path of FER-2013, RAF-DB, AffectNet, one's own faces, or KIND:PATH (docs/data.md); faces "
        "or faces:N draws N faces",
    )
    classes: tuple[str, ...] = option(
        (),
        "names of the classes in the order of their numbers, where the data have numbers alone; "
        "FER-2013's own order is angry,disgust,fear,happy,sad,surprise,neutral",
    )
    without: tuple[str, ...] = option(
        (), "classes of the data to leave out, as contempt of AffectNet or FER+"
    )
    crop: float = option(
        0.0,
        "of faces with a box (AffectNet of 2017, ExpW): margin on each side of the square "
        "around it, as a share of its side",
        0,
    )
    train_images: int = option(0, "train on a stratified part of so many images; 0 is all", 0)
    val_images: int = option(0, "validate on a stratified part of so many images; 0 is all", 0)
    val_copies: str = option(
        "without",
        "judge epochs, and so choose, on val without exact and near copies of training images, or "
        "with them",
        choices=("without", "with"),
    )
    models: tuple[str, ...] = option(
        tuple(MODELS),
        "networks to compare, of one's own as FILE.py:NAME or timm:NAME",
        choices=MODELS,
    )
    stages: tuple[str, ...] = option(STAGES, "stages to run", choices=STAGES)
    settings: tuple[Setting, ...] = option(
        (), "named settings: tried first in a search, confirmed as they are without one"
    )
    trials: int = option(24, "configurations that the search tries", 1, high=FRESH)
    epochs: int = option(30, "full budget of a trial, passes over the training images", 1)
    seed: int = option(
        0, "of the study: proposals, part of the images, every trial's own seed", 0, high=LAST_STUDY
    )
    seeds: int = option(
        12, "fresh seeds with which each confirmed configuration is trained", 1, high=FRESH
    )
    baseline_seeds: int = option(
        0,
        "fresh seeds with which each network's default configuration, and --runners-up, are "
        "confirmed beside the search's best: what did the search gain? 0 confirms the best alone",
        0,
        high=FRESH,
    )
    runners_up: int = option(
        0, "of each network, confirm so many of the search's next best beside its best", 0
    )
    pairs: tuple[str, ...] = option(
        (),
        "what the study is to decide, fixed before it trains: A:B,C:D of settings or networks; "
        "empty is every two",
    )
    margin: float = option(0.5, "points of accuracy within which two settings are called equal", 0)
    attention_images: int = option(
        64, "images of val, and as many of test, of which a confirmed CBAM keeps where it looks", 0
    )
    sampler: str = option(
        "tpe", "sampler that proposes configurations", choices=("tpe", "random", "qmc", "grid")
    )
    scheduler: str = option("asha", "who stops unpromising trials early", choices=("asha", "none"))
    metric: str = option(
        "accuracy",
        "what is maximised on val, by sampler, scheduler and the choice of the best: accuracy; "
        "balanced_accuracy, the mean recall of the classes; macro_f1, the mean of their F1",
        choices=WORDS,
    )
    grace_epochs: int = option(1, "asha: epochs before a trial may be stopped (grace period)", 1)
    reduction_factor: int = option(3, "asha: reduction factor; the top 1/N of a rung continue", 2)
    device: str = option(
        "auto", "auto takes a GPU where there is one", choices=("auto", "cpu", "cuda")
    )
    gpus_per_trial: float = option(
        0.0, "share of a GPU for each trial, 0.25 packs four; 0 is by the memory they need", 0
    )
    cpus_per_trial: int = option(1, "cores, and threads of torch, for each trial", 1)
    execution: str = option(
        "auto",
        "how a step runs: as written, compiled, or as a recorded CUDA graph; auto measures on CUDA",
        choices=("auto", "eager", "compile", "graphs"),
    )
    max_concurrent: int = option(0, "trials at once; 0 is as many as fit", 0)
    time_budget: float = option(
        0.0, "end the study after so many seconds of wall clock; 0 never", 0
    )
    minutes: float = option(
        0.0,
        "leave out trials of the search where, by a few steps of each network at the start, the "
        "study would take longer here, or longer than time_budget; 0 measures nothing",
        0,
    )
    gpu_hours: float = option(0.0, "end the study after so many GPU-hours; 0 never", 0)
    retries: int = option(
        2,
        "times that a trial whose worker died or raised is started again; a machine that is taken "
        "away counts only if the trial has not done an epoch since the last one was",
        0,
    )
    hang_seconds: float = option(
        -1.0,
        "a trial that reports nothing for so long is killed and started again; 0 never, -1 is 20 "
        "times the longest epoch so far, 600 s at least",
        -1,
    )
    address: str = option("", "Ray cluster to join, or local; empty is RAY_ADDRESS, else local")
    space: dict[str, Domain] = field(default_factory=dict)  # for all networks
    own: dict[str, dict[str, Domain]] = field(default_factory=dict)  # network -> its part
    own_networks: tuple[own_models.Record, ...] = ()  # of `models`, those that are a person's own

    @property
    def objective(self) -> str:
        """The column of epochs.parquet by which trials are judged."""
        return f"val_{self.metric}"

    def __post_init__(self) -> None:
        for f in fields(self):
            if f.metadata:
                object.__setattr__(self, f.name, checked_option(f, getattr(self, f.name)))
        records = tuple(own_models.KNOWN[m] for m in self.models if m in own_models.KNOWN)
        object.__setattr__(self, "own_networks", records)
        if self.gpus_per_trial > 1 and self.gpus_per_trial % 1:
            raise Mistake(f"gpus_per_trial is {self.gpus_per_trial}: above 1 only whole GPUs")
        if -1 < self.hang_seconds < 0:
            raise Mistake(f"hang_seconds is {self.hang_seconds:g}: expected -1, 0 or more")
        if self.name and not plain(self.name):
            raise Mistake(f"name is {self.name!r}: expected a plain folder name, without slashes")
        for model in self.models:
            configuration(self, Setting("", {"model": model}))
        for setting in self.settings:
            configuration(self, setting)
            if not plain(setting.name):  # it becomes part of the names of trials and folders
                raise Mistake(f"a setting has the name {setting.name!r}: expected a plain word")
            share = setting.published
            if share is not None and not (type(share) is float and 0 < share <= 1):
                raise Mistake(
                    f"setting '{setting.name}' has published {share!r}: expected an accuracy "
                    "as a fraction above 0"
                )
            before = setting.replaced
            if not isinstance(before, dict) or not {*before} <= {*setting.values}:
                raise Mistake(
                    f"setting '{setting.name}' has replaced {before!r}, which only a study's own "
                    "record has: leave it out"
                )
        names = [setting.name for setting in self.settings]
        for name in names:
            if names.count(name) > 1:
                raise Mistake(f"two settings have the name '{name}': expected each its own")


def named_by_default(source: str) -> str:
    """The name of a study of this preset that nobody named. Two may begin in one second, also on
    two machines that share a storage, so that it ends in random characters."""
    return f"{Path(source).stem}-{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def plain(name: str) -> bool:
    """Whether it can name a folder."""
    return Path(name).name == name and not name.startswith((".", "-")) and name != ""


def pair(text: str) -> str:
    """A:B, if it is two different names."""
    first, colon, second = text.partition(":")
    if not (first and second and colon) or first == second or ":" in second:
        raise Mistake(f"pairs has {text!r}: expected two names, as alexnet:resnet34")
    return text


def asked_once(pairs: Iterable[str]) -> tuple[str, ...]:
    """The pairs, if none is there twice: it would be judged as if it were two questions."""
    found = tuple(map(pair, pairs))
    for one in found:
        alike = [other for other in found if {*other.split(":")} == {*one.split(":")}]
        if len(alike) > 1:
            raise Mistake(f"pairs has {alike[0]} and {alike[1]}: expected each pair once")
    return found


def pairs_of(study: "Study") -> list[tuple[str, str]]:
    """The pairs that the study is to decide."""
    return [(first, second) for first, _, second in (one.partition(":") for one in study.pairs)]


def confirmed_names(study: "Study") -> list[str]:
    """The names under which the study confirms: its networks' after a search, its settings'."""
    settings = [s.name for s in study.settings if s.values["model"] in study.models]
    return settings if settings and "search" not in study.stages else list(study.models)


def default_of(model: str) -> str:
    """The name under which a network's default configuration is confirmed beside its best."""
    return f"{model}-default"


def with_possible_pairs(study: "Study") -> "Study":
    """The study with those of its preset's pairs that flags have left."""
    there = set(confirmed_names(study))
    left = [":".join(pair) for pair in pairs_of(study) if there >= set(pair)]
    return replace(study, pairs=tuple(left))


def table(name: str, value: Any) -> dict[str, Any]:
    """The value, if it is a table."""
    if not isinstance(value, dict):
        raise Mistake(f"{name} is {value!r}: expected a table")
    return value


def networks(texts: Iterable[Any]) -> list[Any]:
    """The networks' names. Mistake where two of a person's own have the same."""
    found: dict[Any, Any] = {}
    for text in texts:
        if isinstance(text, list | dict):
            raise Mistake(f"models has {text!r}: expected a network's name")
        name = network(text)
        if found.setdefault(name, text) != text:
            raise Mistake(f"{found[name]} and {text} have one name, {name}: rename one of them")
    return list(found)


def network(text: Any) -> Any:
    """A network's name; one of a person's own, FILE.py:NAME or timm:NAME, is known by it after."""
    try:
        return own_models.named(text) if isinstance(text, str) and ":" in text else text
    except own_models.Refused as refused:
        raise Mistake(str(refused)) from refused.__cause__


def checked_option(f: Any, value: Any) -> Any:
    """The value in the option's type; Mistake otherwise."""
    rule, wanted = f.metadata, type(f.default)
    if f.name == "settings":
        return tuple(value)
    if f.name in ("classes", "pairs", "without"):
        if not isinstance(value, list | tuple) or not all(
            type(one) is str and one for one in value
        ):
            raise Mistake(f"{f.name} is {value!r}: expected a list of names")
        return asked_once(value) if f.name == "pairs" else tuple(value)
    if wanted is tuple:
        if not isinstance(value, list | tuple):
            known = ", ".join(rule["choices"])
            raise Mistake(f"{f.name} is {value!r}: expected a list of {known}")
        if f.name == "models":
            value = networks(value)
        for item in value:
            if item not in rule["choices"]:
                known = ", ".join(rule["choices"])
                raise Mistake(f"unknown {f.name.rstrip('s')} {item!r}: known are {known}")
        if not value:
            raise Mistake(f"{f.name} is empty: expected some of {', '.join(rule['choices'])}")
        return tuple(dict.fromkeys(value))
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        what = {int: "a whole number", float: "a number", str: "text"}[wanted]
        raise Mistake(f"{f.name} is {value!r}: expected {what}")
    if rule["choices"] and value not in rule["choices"]:
        raise Mistake(f"unknown {f.name} {value!r}: known are {', '.join(rule['choices'])}")
    if rule["low"] is not None and not rule["low"] <= value < float("inf"):
        raise Mistake(f"{f.name} is {value}: expected a number from {rule['low']} on")
    if wanted is int and value > rule["high"]:
        raise Mistake(f"{f.name} is {value}: expected a number up to {rule['high']}")
    return value


def domain(name: str, raw: Any) -> Domain:
    """A hyperparameter's domain from TOML or JSON: a value, a list or {low, high, log}."""
    if name in FIXED:
        raise Mistake(
            f"{name} can't be searched: it is set by {name if name != 'model' else 'models'}"
        )
    if isinstance(raw, dict) and name in FIELDS:
        known = {"low", "high"} <= set(raw) <= {"low", "high", "log"}
        if not known or type(raw.get("log", False)) is not bool:
            raise Mistake(f"{name} is {raw}: expected low, high and perhaps log = true")
        if kind(name) not in (int, float):
            raise Mistake(f"{name} can't be a range: list its values")
        found = Range(checked(name, raw["low"]), checked(name, raw["high"]), raw.get("log", False))
        if not found.low < found.high or (found.log and found.low <= 0):
            raise Mistake(
                f"{name} from {found.low} to {found.high} is no range: expected low < high"
                + (", above 0 on a log axis" if found.log else "")
            )
        return found
    if isinstance(raw, list | tuple):
        values = tuple(dict.fromkeys(checked(name, value) for value in raw))
        if not values:
            raise Mistake(f"{name} is an empty list: expected at least one value")
        return values if len(values) > 1 else values[0]
    return checked(name, raw)


def from_dict(raw: dict[str, Any], base: Study | None = None) -> Study:
    """A study from its written form (TOML, or study.json); what it doesn't say comes from base."""
    base, raw = base or Study(), dict(raw)
    known = {f.name for f in fields(Study)}
    of_others(raw)
    for name in raw:
        if name not in known - {"own"}:
            where = "; a hyperparameter belongs below [space]" if name in FIELDS else ""
            raise Mistake(
                f"unknown key '{name}': known are {', '.join(sorted(known - {'own'}))}{where}"
            )
    space, own = dict(base.space), {model: dict(part) for model, part in base.own.items()}
    for name, value in table("space", raw.pop("space", {})).items():
        if name in MODELS:
            part = table(f"space.{name}", value)
            own.setdefault(name, {}).update({k: domain(k, v) for k, v in part.items()})
            for k in part:
                if not applies(k, name):
                    raise Mistake(f"{name} has no {k}")
        else:
            space[name] = domain(name, value)
    if "settings" in raw:
        tables = raw["settings"]
        if not isinstance(tables, list) or not all(isinstance(s, dict) for s in tables):
            raise Mistake(f"settings is {tables!r}: expected tables, each under [[settings]]")
        raw["settings"] = tuple(
            Setting(
                str(s.get("name", "")),
                {k: v for k, v in s.items() if k not in ("name", "published", "replaced")},
                s.get("published"),
                s.get("replaced", {}),
            )
            for s in tables
        )
    return replace(base, space=space, own=own, **raw)


def of_others(raw: dict[str, Any]) -> None:
    """Take in the networks of a person's own, of which the rest of a study speaks."""
    try:
        for record in raw.pop("own_networks", ()):
            own_models.register(record)
    except (own_models.Refused, KeyError, TypeError) as error:
        raise Mistake(f"own_networks can't be read: {error}") from error
    if isinstance(raw.get("models"), list | tuple):
        raw["models"] = networks(raw["models"])


def recorded(header: dict[str, Any]) -> Study:
    """The study of a study.json, or of its driver's event in a journal: older ones were judged on
    all of val, and had a margin around squares that have no room for one."""
    study = from_dict({"val_copies": "with", **header["study"]})
    return replace(study, crop=margin(header["study"], header.get("data") or {}))


def to_dict(study: Study) -> dict[str, Any]:
    """The written form, from which from_dict makes the same study."""
    plain = {f.name: getattr(study, f.name) for f in fields(study) if f.metadata}
    plain["settings"] = [
        {"name": s.name, **s.values}
        | ({"published": s.published} if s.published else {})
        | ({"replaced": s.replaced} if s.replaced else {})
        for s in study.settings
    ]
    written = {name: asdict(d) if isinstance(d, Range) else d for name, d in study.space.items()}
    for model, part in study.own.items():
        written[model] = {k: asdict(d) if isinstance(d, Range) else d for k, d in part.items()}
    own = {"own_networks": list(study.own_networks)} if study.own_networks else {}
    return plain | {"space": written} | own


def preset(name: str) -> dict[str, Any]:
    """What a preset or a TOML file says, as it is written."""
    path = Path(name)
    if name in PRESETS:
        content = (files("study") / "presets" / f"{name}.toml").read_bytes()
    elif path.suffix == ".toml" and path.is_file():
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Mistake(
                f"{name} can't be read ({error.strerror}): check its permissions"
            ) from None
    elif path.suffix == ".toml":
        raise Mistake(f"there is no file {name}: give one, or a preset: {', '.join(PRESETS)}")
    else:
        raise Mistake(f"unknown preset '{name}': known are {', '.join(PRESETS)}, or a .toml file")
    try:
        raw = tomllib.loads(content.decode("utf-8-sig"))
    except ValueError as error:  # TOML or UTF-8
        raise Mistake(f"{name} is not TOML: {error}") from None
    if "preset" in raw:
        raise Mistake(f"{name} has the key preset, but it is one: take what you need from another")
    return raw


def sized_by(raw: dict[str, Any]) -> tuple[str, str]:
    """The device and the address that a preset asks for, on which its size depends."""
    known = {f.name: f for f in fields(Study)}
    device, address = (
        checked_option(known[name], raw.get(name, known[name].default))
        for name in ("device", "address")
    )
    return device, address


def read_preset(name: str, hardware: str) -> tuple[Study, str]:
    """A preset or a TOML file as a study for "cpu" or "gpu", and why it is sized so.

    A file may have [hardware.cpu] and [hardware.gpu], which hold on that kind of machine only.
    """
    raw = preset(name)
    kinds = table("hardware", raw.pop("hardware", {}))
    if not set(kinds) <= {"cpu", "gpu"}:
        raise Mistake(f"hardware has {', '.join(kinds)}: known are cpu and gpu")
    for kind_of, part in kinds.items():
        if chosen := {"device", "address"} & set(table(f"hardware.{kind_of}", part)):
            raise Mistake(
                f"hardware.{kind_of} has {' and '.join(sorted(chosen))}, by which it is chosen: "
                "put that above the tables"
            )
        if not isinstance(why := part.get("why", ""), str):
            raise Mistake(f"hardware.{kind_of} has why {why!r}: expected text")
    base = from_dict({"preset": name, **raw})
    studies = {kind_of: from_dict(without_why(part), base) for kind_of, part in kinds.items()}
    return studies.get(hardware, base), kinds.get(hardware, {}).get("why", "")


def without_why(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "why"}


def domains(study: Study, model: str) -> dict[str, tuple[str, Domain]]:
    """Each hyperparameter that the study says something of, for a network: (label, domain).

    The label is its name in Optuna: MODEL.NAME where a network has a domain of its own.
    """
    found = {n: (n, d) for n, d in study.space.items() if applies(n, model)}
    own = study.own.get(model, {})
    return found | {name: (f"{model}.{name}", d) for name, d in own.items()}


def configuration(study: Study, setting: Setting) -> Hyperparameters:
    """A setting with the space's fixed values under it; searched ones fall to the defaults."""
    model = setting.values.get("model")
    if not isinstance(model, str) or model not in MODELS:
        raise Mistake(
            f"setting '{setting.name}' has model {model!r}: known are {', '.join(MODELS)}"
        )
    fixed = {
        name: d
        for name, (_, d) in domains(study, model).items()
        if not isinstance(d, Range | tuple)
    }
    values = {"epochs": study.epochs} | fixed | setting.values
    for name in values:
        checked(name, values[name])
        if not applies(name, model):
            raise Mistake(f"setting '{setting.name}': {model} has no {name}")
    return Hyperparameters(**values)
