"""The command line of study.run: a flag for every option of a study and every hyperparameter."""

import argparse
import re
from dataclasses import fields, replace
from typing import Any, NoReturn

from study import Mistake, complain, listing
from study.config.hyperparameters import FIELDS, MODELS, applies, default, expected, having, kind
from study.config.study import FIXED, Domain, Range, Setting, Study, domain, domains

HYPER = [name for name in FIELDS if name not in FIXED]
OPTIONS = {f.name: f for f in fields(Study) if f.metadata}


class Once(argparse.Action):
    """A flag that is given twice must say the same both times."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        before = getattr(namespace, self.dest)
        if before not in (None, values):
            parser.error(f"argument {option}: given twice, as {before} and as {values}")
        setattr(namespace, self.dest, values)


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one sentence."""

    def error(self, message: str) -> NoReturn:
        raise Mistake(f"{message}; --help lists what there is")


def parser(study: Study | None = None) -> Parser:
    """The command line; its help tells what `study`, a preset, has where no flag says otherwise."""
    base = study or Study()
    made = Parser(
        prog="python -m study.run",
        usage="%(prog)s [--resume RUN] [--preset PRESET] [flags of the study] [hyperparameters]",
        description="Compare facial-expression networks: search with Optuna and ASHA on Ray Tune, "
        "then confirm the best of each network with fresh seeds on test images never used before.",
        epilog="A hyperparameter's flag takes a value (0.01), choices (0.01,0.1), or a range "
        "(0.001:0.1, or 0.001:0.1:log). Exit code: 0 it came to its end or that of its budget; 1 "
        "it did and nothing could be confirmed; 2 a mistake, a node that differs, or the storage "
        "failed; 128 + signal, interrupted.",
        allow_abbrev=False,
    )
    made.add_argument(
        "--resume",
        metavar="RUN",
        action=Once,
        help="go on with a study: its folder, its name under --out, or its place in --storage "
        "(s3://BUCKET/NAME)",
    )
    made.add_argument(
        "--repeats",
        metavar="N",
        action=Once,
        help="search N times, with N seeds of the study, in folders NAME-1 to NAME-N: intervals "
        "then hold for new searches too; a budget is of all together",
    )
    made.add_argument(
        "--after-test",
        action="store_const",
        const="yes",
        help="with --resume and --seeds: add seeds although test was opened; terminal and report "
        "say so",
    )
    made.add_argument(
        "--from",
        metavar="RUN,RUN",
        action=Once,
        help="the sampler of this new study knows the trials of earlier ones, as far as they fit",
    )
    made.add_argument(
        "--notify",
        metavar="CMD|URL",
        action=Once,
        help="tell the first result, the first failed trial, a budget nearly spent, a standstill "
        "and the end to a command (JSON on its standard input) or a URL (POST)",
    )
    of_preset = f"in [] what the preset {base.preset} has on this machine"
    group = made.add_argument_group("the study", of_preset)
    for name, f in OPTIONS.items():
        value = by_setting(base, name, base.models) or written(getattr(base, name))
        group.add_argument(
            flag(name),
            dest=name,
            metavar=metavar(f),
            action=Once,
            help=(f.metadata["help"] + (f" [{value}]" if value else "")).replace("%", "%%"),
        )
    hyper = made.add_argument_group("hyperparameters, fixed or searched", of_preset)
    for name in HYPER:
        models = having(name)
        only = f"; {' and '.join(models)} only" if models != tuple(MODELS) else ""
        hyper.add_argument(
            flag(name),
            dest=name,
            metavar="DOMAIN",
            action=Once,
            help=f"{FIELDS[name].metadata['help']}: {expected(name)}{only} "
            f"[{in_force(base, name)}]".replace("%", "%%"),
        )
    return made


def in_force(study: Study, name: str) -> str:
    """What a study has for a hyperparameter: for all networks, or network by network."""
    by_model: dict[str, str] = {}
    for one in study.models:
        if applies(name, one):
            known = domains(study, one)
            found = known[name][1] if name in known else default(name)
            by_model[one] = by_setting(study, name, (one,)) or searched(found)
    if len(set(by_model.values())) < 2:
        return "".join(set(by_model.values()))
    return "; ".join(f"{one}: {text}" for one, text in by_model.items())


def by_setting(study: Study, name: str, models: tuple[str, ...]) -> str:
    """What the settings of these networks have for a name, in a study that only confirms them."""
    values = [s.values for s in study.settings if model(s) in models]
    own = {written(value[name]) for value in values if name in value}
    if not own or "search" in study.stages:
        return ""
    return f"{', '.join(sorted(own, key=natural))} by setting"


def natural(text: str) -> tuple[float, str]:
    """Numbers by their size, words after them by the alphabet."""
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text


def searched(found: Domain) -> str:
    """A domain in words."""
    if isinstance(found, Range):
        return f"searched from {found.low:g} to {found.high:g}" + (", log" if found.log else "")
    if isinstance(found, tuple):
        return "searched: " + written(found)
    return written(found)


def written(value: Any) -> str:
    """A value as its flag would take it; a setting by its name."""
    if isinstance(value, tuple):
        return ",".join(getattr(one, "name", written(one)) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def given(parsed: argparse.Namespace) -> dict[str, str]:
    """What a person has given, by name; an empty text, as of a variable that isn't set, is none."""
    found = {name: text for name, text in vars(parsed).items() if text is not None}
    for name, text in found.items():
        if name in ("name", "out") and text != text.encode("utf-8", "replace").decode():
            raise Mistake(f"{flag(name)} is {text!r}: expected text in UTF-8")
        may_be_empty = name in ("name", "storage", "address")
        if not text.replace(",", "").strip() and not may_be_empty:
            raise Mistake(f"{flag(name)} is empty: give it a value, or leave it out")
    return found


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def metavar(f: Any) -> str:
    if f.metadata["choices"] and not isinstance(f.default, tuple):
        return "|".join(f.metadata["choices"])
    return {int: "N", float: "X", tuple: "A,B"}.get(type(f.default), "TEXT")


def with_flags(study: Study, given: dict[str, str]) -> Study:
    """The study as the flags change it: a flag beats the preset, also in its settings."""
    changes: dict[str, Any] = {}
    space, own, settings = dict(study.space), dict(study.own), study.settings
    for name, text in given.items():
        if name == "settings":
            settings = named(settings, listing(text))
        elif name in OPTIONS:
            changes[name] = option(name, text)
        else:
            space[name] = domain(name, raw(name, text))
            own = {m: {k: v for k, v in part.items() if k != name} for m, part in own.items()}
    fixed = {n: space[n] for n in given if n in HYPER and not isinstance(space[n], Range | tuple)}
    if "epochs" in changes:
        fixed["epochs"] = changes["epochs"]
    settings = tuple(fixed_in(setting, fixed) for setting in settings)
    changed = replace(study, space=space, own=own, settings=settings, **changes)
    for name in given:
        if name in HYPER and not any(applies(name, m) for m in changed.models):
            networks = " and ".join(having(name))
            raise Mistake(
                f"{flag(name)} is a hyperparameter of {networks}, but --models is "
                f"{','.join(changed.models)}: leave it out or compare other networks"
            )
    return changed


def fixed_in(setting: Setting, fixed: dict[str, Any]) -> Setting:
    """The setting with these values; of those that it gave itself it keeps what was replaced."""
    own = {name: value for name, value in fixed.items() if applies(name, model(setting))}
    values, named = setting.values | own, setting.values | setting.replaced
    replaced = {name: value for name, value in named.items() if values[name] != value}
    return replace(setting, values=values, replaced=replaced)


def model(setting: Setting) -> str:
    return setting.values["model"]


def named(settings: tuple[Setting, ...], names: tuple[str, ...]) -> tuple[Setting, ...]:
    known = {s.name: s for s in settings}
    for name in names:
        if name not in known:
            raise Mistake(f"unknown setting '{name}': known are {', '.join(known) or 'none'}")
        if names.count(name) > 1:
            raise Mistake(f"--settings names '{name}' twice: name it once (--seeds for more seeds)")
    return tuple(known[name] for name in names)


def option(name: str, text: str) -> Any:
    """A flag's text in the type of the study's option."""
    default = OPTIONS[name].default
    if isinstance(default, tuple):
        return listing(text)
    return text if isinstance(default, str) else number(name, text, type(default))


def raw(name: str, text: str) -> Any:
    """A hyperparameter's flag as TOML would give it: 0.1 | 0.1,0.2 | 0.1:0.2 | 0.1:0.2:log."""
    if ":" in text:
        low, high, *rest = map(str.strip, text.split(":"))
        if rest not in ([], ["log"]):
            raise Mistake(f"{flag(name)} is {text}: a range is low:high or low:high:log")
        low, high = scalar(name, low), scalar(name, high)
        return {"low": low, "high": high, "log": rest == ["log"]}
    values = text.split(",")
    if kind(name) in (int, float) and len(values) > 1:
        refuse_decimal_commas(name, text, values)
    found = [scalar(name, part) for part in values]
    return found if len(found) > 1 else found[0]


def refuse_decimal_commas(name: str, text: str, values: list[str]) -> None:
    """Where 0,0005 is written for 0.0005, or 1,024 for 1024, it would be two values."""
    odd = any(re.fullmatch(r"\s*[+-]?0\d.*", part) for part in values)
    if kind(name) is int and odd:
        raise Mistake(f"{flag(name)} is {text}: is that one number? Then leave out the comma")
    if odd or (kind(name) is float and re.fullmatch(r"\s*[+-]?0,\d+\s*", text)):
        raise Mistake(
            f"{flag(name)} is {text}: a decimal has a point, as {text.replace(',', '.', 1)}; if "
            "two values are meant, give each its point (0.0,5.0)"
        )


def scalar(name: str, text: str) -> Any:
    wanted, text = kind(name), text.strip()
    if wanted is bool:
        if text.lower() not in ("true", "false"):
            raise Mistake(f"{flag(name)} is {text}: expected true or false")
        return text.lower() == "true"
    return text if wanted is str else number(name, text, wanted)


def number(name: str, text: str, wanted: type) -> int | float:
    try:
        return wanted(text)
    except ValueError:
        what = "a whole number" if wanted is int else "a number"
        point = ", and decimals have a point" if "," in text else ""
        raise Mistake(f"{flag(name)} is '{text}': expected {what}{point}") from None


def fail(error: Exception) -> int:
    complain(f"study.run: {error}")
    return 2
