"""Nothing that a person gives is ignored: it does something in the study, or it is refused. Driver.

A flag, or a key of a person's own file, also where a flag leaves it nothing to do. What a preset of
ours brings for a stage that a flag leaves out is no input of anybody's.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from fer_models.preset_file import ACTS_WITH
from fer_record.tables import Tables
from study import Mistake
from study.config.flags import OPTIONS, flag, searched
from study.config.hyperparameters import FIELDS, MODELS, Hyperparameters, applies
from study.config.study import (
    Range,
    Setting,
    Study,
    configuration,
    confirmed_names,
    domains,
    pairs_of,
)
from study.record import outcome
from study.search.earlier import holds
from study.search.proposals import grid

SEARCHING = ("trials", "sampler", "scheduler", "grace_epochs", "reduction_factor")
STOPPING = ("grace_epochs", "reduction_factor")
CONFIRMING = ("seeds", "baseline_seeds", "runners_up", "pairs", "margin", "attention_images")


def refuse_idle(
    study: Study, names: Iterable[str], said: Callable[[str], str] = flag, device: str = ""
) -> None:
    """Mistake if one of the options or hyperparameters that were given does nothing in the study.

    `device` is what its trials train on, once that is known.
    """
    for name in names:
        why = ""
        if name in OPTIONS:
            why = idle_option(study, name) or idle_on(study, name, device or study.device)
        elif name in FIELDS:
            why = idle_hyperparameter(study, name)
        if why:
            raise Mistake(f"{said(name)} does nothing here, since {why}: leave it out")


def idle_option(study: Study, name: str) -> str:
    """Why an option that was given does nothing; empty if it does something."""
    searches, confirms = ("search" in study.stages, "confirm" in study.stages)
    if name == "trials" and study.sampler == "grid" and study.trials > len(grid(study)):
        return f"a grid has no more than {len(grid(study))} points"
    if name in SEARCHING and not searches and getattr(study, name) != "none":
        return "nothing is searched (stages is confirm)"
    if name in STOPPING and study.scheduler == "none":
        return "scheduler is none, which stops no trial"
    if name in STOPPING and study.grace_epochs >= study.epochs:
        return f"no trial may be stopped before epoch {study.grace_epochs}, and {has(study)}"
    if name in CONFIRMING and not confirms:
        return "nothing is confirmed (stages is search)"
    if name in ("baseline_seeds", "runners_up") and not searches:
        return "nothing is searched (stages is confirm)"
    if name == "runners_up" and study.runners_up and not study.baseline_seeds:
        return "baseline_seeds is 0"
    if name == "pairs":
        there = confirmed_names(study)
        absent = [one for pair in pairs_of(study) for one in pair if one not in there]
        if absent:
            return f"{absent[0]} isn't confirmed (only {', '.join(there)})"
    if name == "attention_images" and study.attention_images:
        from study.training import attention

        if not any(attention.there(Hyperparameters(model=model)) for model, _ in in_play(study)):
            return "none of the networks has attention to look at"
    if name == "settings" and searches and study.sampler == "grid":
        return "a grid tries its own points"
    if name == "settings":
        absent = [s.name for s in study.settings if s.values["model"] not in study.models]
        if absent:
            return f"{', '.join(absent)} is of a network that models leaves out"
    return ""


def whole_grid(study: Study, names: Iterable[str]) -> Study:
    """The study with as many trials as its grid has points, if it has one and nobody gave fewer."""
    if study.sampler != "grid" or "trials" in names:
        return study
    return replace(study, trials=len(grid(study)))


def has(study: Study) -> str:
    return f"a trial has {study.epochs} epoch{'s' * (study.epochs > 1)}"


def idle_on(study: Study, name: str, device: str) -> str:
    """Why an option does nothing on a device."""
    if device == "cpu" and name == "gpus_per_trial" and study.gpus_per_trial:
        return "the trials train on a CPU"
    if device == "cpu" and name == "execution" and study.execution == "graphs":
        return "graphs are recorded on CUDA, and the trials train on a CPU"
    return ""


def in_play(study: Study) -> list[tuple[str, dict[str, Any]]]:
    """The networks that are searched, or else the settings' networks with what the setting says."""
    if "search" in study.stages:
        return [(model, {}) for model in study.models]
    return [(setting.values["model"], setting.values) for setting in outcome.wanted(study)]


def in_play_names(study: Study) -> list[str]:
    return list(dict.fromkeys(model for model, _ in in_play(study)))


def idle_hyperparameter(study: Study, name: str) -> str:
    """Why a hyperparameter that was given does nothing; empty if it does something."""
    having = [(model, own) for model, own in in_play(study) if applies(name, model)]
    if not having:
        return "no network that is trained has it"
    if "search" not in study.stages:
        found = [domains(study, model).get(name, ("", None))[1] for model, _ in having]
        if any(isinstance(domain, Range | tuple) for domain in found):
            return "nothing is searched (stages is confirm), and it has more than one value"
    when = ACTS_WITH.get(name)
    if when and not any(set(possible(study, when[0], *one)) & set(when[1]) for one in having):
        return f"it acts with {when[0]} {' or '.join(when[1])} alone"
    return ""


def possible(study: Study, name: str, model: str, own: dict[str, Any]) -> tuple[Any, ...]:
    """The values that a hyperparameter may have for a network, by its choices or as it is fixed."""
    fixed = own.get(name, FIELDS[name].default)
    domain = own.get(name, domains(study, model).get(name, ("", fixed))[1])
    return domain if isinstance(domain, tuple) else (domain,)


def refuse_unsearched(study: Study) -> None:
    """Mistake if a study that searches nothing has choices left: it would train with defaults."""
    if "search" in study.stages:
        return
    names = {
        name
        for model, own in in_play(study)
        for name, (_, domain) in domains(study, model).items()
        if isinstance(domain, Range | tuple) and name not in own
    }
    if names:
        each = ", ".join(name for name in FIELDS if name in names)
        raise Mistake(
            f"stages is confirm, so that nothing is searched, but {each} has more than one value: "
            "give one each (--lr 0.01), or search as well"
        )


def refuse_unnamed(base: Study, study: Study, names: Iterable[str]) -> None:
    """Mistake if flags leave out a preset's search, and its first points would be confirmed."""
    left_out = {*base.stages} - {*study.stages}
    if "search" in left_out and study.settings and "settings" not in names:
        settings = ",".join(confirmed_names(study))
        raise Mistake(
            f"stages is confirm, so that nothing is searched, and the settings of {study.preset} "
            "are where its search begins: say which to confirm as they are (--settings "
            f"{settings}), confirm what a search found (--preset runs/NAME/best-NETWORK.toml, or "
            "--resume runs/NAME --stages confirm), or search as well"
        )


def refuse_outside(study: Study) -> None:
    """Mistake if a setting that a search is to try first has a value that the search never has."""
    asked = study.settings if "search" in study.stages and study.sampler != "grid" else ()
    for setting in (one for one in asked if one.values["model"] in study.models):
        model = setting.values["model"]
        plain, known = configuration(study, Setting("", {"model": model})), domains(study, model)
        for name, value in setting.values.items():
            domain = known.get(name, ("", getattr(plain, name)))[1]
            if not holds(domain, value):
                raise Mistake(
                    f"setting '{setting.name}' has {name} {value}, which the search never tries "
                    f"({name} is {searched(domain)}): widen it, or confirm the setting as it is "
                    "(stages is confirm)"
                )


def refuse_other_stages(before: Study, study: Study, tables: Tables) -> None:
    """Mistake if a study that goes on is to confirm where nothing was tried, or to search where
    what is confirmed has been chosen."""
    if {*before.stages} - {*study.stages} == {"search"} and not tables.of_stage("search"):
        raise Mistake(
            "--stages is confirm, but nothing has been tried that could be confirmed: leave it out"
        )
    if {*study.stages} - {*before.stages} == {"search"} and tables.chosen:
        raise Mistake(
            "--stages search does nothing any more, since what is confirmed has been chosen: start "
            "another study with --name"
        )


def refuse_other_networks(study: Study) -> None:
    """Mistake if settings are all that is trained, and none is of a network of the study."""
    if "search" not in study.stages and study.settings:
        if not any(setting.values["model"] in study.models for setting in study.settings):
            raise Mistake(
                f"none of the settings is of {' or '.join(study.models)}, and without a search "
                "nothing else is trained: give other models, or another preset"
            )


def each_once(study: Study, say: Callable[[str], None]) -> Study:
    """The study without settings that train the very same networks as one before: with the paper's
    at the same number of epochs, two differ in nothing else."""
    kept: dict[Hyperparameters, str] = {}
    again = set()
    for setting in study.settings if "search" not in study.stages else ():
        if setting.values["model"] in study.models:
            first = kept.setdefault(configuration(study, setting), setting.name)
            if first != setting.name:
                again.add(setting.name)
                say(f"{setting.name} is left out: here it trains the same networks as {first}.")
    return replace(study, settings=tuple(one for one in study.settings if one.name not in again))


def refuse_idle_file(study: Study, raw: dict[str, Any], hardware: str) -> None:
    """The same of what a person's own file says, before any flag; `raw` is its content."""
    sized = raw.get("hardware", {}).get(hardware, {})
    spaces = [part.get("space", {}) for part in (raw, sized)]
    top = [name for part in (raw, sized) for name in part if name in OPTIONS and name != "settings"]
    idle = [n for n in raw.get("space", {}) if n in FIELDS and everywhere_else(study, n)]
    if idle or ("epochs" in top and everywhere_else(study, "epochs")):
        raise Mistake(
            f"{(idle or ['epochs'])[0]} does nothing here, since every network or setting says its "
            "own: leave it out"
        )
    own = [name for space in spaces for model in MODELS for name in space.get(model, {})]
    refuse_idle(study, [*top, *(n for space in spaces for n in space if n in FIELDS), *own], str)
    for model in in_play_names(study):
        for name in (name for space in spaces for name in space.get(model, {})):
            when = ACTS_WITH.get(name)
            if when and not set(possible(study, when[0], model, {})) & set(when[1]):
                raise Mistake(
                    f"space.{model} has {name}, which acts with {when[0]} {' or '.join(when[1])} "
                    "alone: leave it out"
                )
    if "models" in raw:
        for model in raw.get("space", {}):
            if model in MODELS and model not in study.models:
                raise Mistake(f"space.{model} does nothing here, since models leaves it out")
    for setting in study.settings:
        trained = configuration(study, setting)
        if "seed" in setting.values:
            raise Mistake(
                f"setting '{setting.name}' has a seed, but the study's seed and seeds decide each "
                "trial's: leave it out"
            )
        for name in setting.values:
            when = ACTS_WITH.get(name)
            if when and getattr(trained, when[0]) not in when[1]:
                raise Mistake(
                    f"setting '{setting.name}' has {name}, which acts with {when[0]} "
                    f"{' or '.join(when[1])} alone: leave it out"
                )


def everywhere_else(study: Study, name: str) -> bool:
    """Whether nothing that is trained takes a value from the space that all share."""
    having = [(model, own) for model, own in in_play(study) if applies(name, model)]
    return bool(having) and all(
        name in own or name in study.own.get(model, {}) for model, own in having
    )


def refuse_less(
    before: Study, study: Study, names: Iterable[str], tables: Tables, planned: int
) -> None:
    """Mistake if a study that goes on is asked for less than has been begun, which can't be, or for
    fewer seeds than it was to have once answers to test are known.

    The seeds that were `planned` when test was opened hold again as long as none that was added has
    begun.
    """
    begun = {"trials": len(tables.of_stage("search")), "seeds": 0}
    for name in tables.of_stage("confirm"):
        setting, _, number = name.rpartition("-s")
        if not tables.chosen.get(setting, {}).get("beside"):  # which has a number of its own
            begun["seeds"] = max(begun["seeds"], 1 + int(number))
    for name in ("trials", "seeds"):
        if name in names and getattr(study, name) < begun[name]:
            raise Mistake(
                f"{flag(name)} is {getattr(study, name)}, but {begun[name]} have been begun: give "
                "as many or more"
            )
    if tables.opened and study.seeds < before.seeds and study.seeds != planned:
        instead = "" if planned == before.seeds else f", or give {planned} as when it was opened"
        raise Mistake(
            f"--seeds is {study.seeds}, but {before.seeds} are planned and test was opened: to end "
            f"sooner once its answers are known would choose by them; leave it out{instead}"
        )
