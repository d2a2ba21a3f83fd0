"""Networks of one's own beside those of MODELS: a file's function or class, or one of timm's.

    my_nets.py:MyNet        takes `classes` by keyword (and, if it likes, `dropout` and the like)
                            and gives a module for (B, 1 or 3, H, W)
    timm:resnet18           timm's, its stem converted to one channel by timm itself
    timm:resnet18@w.safetensors    the same, begun with the weights of a local file

What a network is travels as a plain dict, so that study.json keeps it and a worker on another
machine makes the same: its name, source, code and their digest.
"""

import ast
import functools
import hashlib
import importlib.abc
import importlib.metadata
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fer_models import MODELS

Record = dict[str, str]  # name, source, code ("" for timm's), digest
KNOWN: dict[str, Record] = {}  # by name; all of them are in MODELS too
EVERYWHERE = ("fer_data", "fer_models", "fer_record", "fer_stats", "study")  # ours, on each node


class Refused(ValueError):
    """Why something isn't a network for a study, in a sentence."""


class OfText(importlib.abc.SourceLoader):
    """Imports a module from text that was read before; its file may be on another machine."""

    def __init__(self, path: str, code: str) -> None:
        self.path, self.code = path, code

    def get_filename(self, fullname: str) -> str:
        return self.path

    def get_data(self, path: str) -> bytes:
        return self.code.encode()


def named(text: str) -> str:
    """The name under which a study has FILE.py:NAME or timm:NAME from now on."""
    before, _, after = text.rpartition(":")
    if before == "timm":
        name, at, weights = after.partition("@")
        weights = weights and absolute(weights)
        return register(
            {
                "name": f"timm-{name.replace('.', '-')}",
                "source": f"timm:{name}{at}{weights}",
                "code": "",
                "digest": timms_digest(name, weights),
            }
        )
    path = Path(absolute(before))
    if path.suffix != ".py" or not path.is_file():
        raise Refused(
            f"there is no network {text!r}: expected one of {', '.join(MODELS)}, FILE.py:NAME of a "
            "file that is there, or timm:NAME"
        )
    code = text_of(path)
    source = f"{path}:{after}"
    made = register({"name": after, "source": source, "code": code, "digest": digest(code)})
    if near := beside(path, code):
        raise Refused(
            f"{path} imports {', '.join(near)} from its own folder, which would be on no other "
            "node and in no digest: expected one file that stands alone"
        )
    return made


def absolute(path: str) -> str:
    """A file's name that holds from any folder, and for Ray's workers in theirs."""
    return os.path.abspath(os.path.expanduser(path))


def text_of(path: Path) -> str:
    """A file's text, without the mark before it that some editors set."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{path} isn't text in UTF-8: save it as that") from None


def digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def beside(path: Path, code: str) -> list[str]:
    """The modules that a file's text imports and that lie in its folder."""
    tops = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            tops |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            tops.add((node.module or "").partition(".")[0])
    places = {name: (path.with_name(f"{name}.py"), path.parent / name) for name in tops - {""}}
    return sorted(
        name
        for name, (file, folder) in places.items()
        if name not in EVERYWHERE and (file.is_file() or any(folder.glob("*.py")))
    )


def changed(record: Record) -> str:
    """What to say of a network whose file, where it is there, no longer has the text of before."""
    path = Path(record["source"].rpartition(":")[0]).expanduser()
    if not record["code"] or not path.is_file():
        return ""
    now = digest(path.read_text("utf-8-sig", errors="replace"))
    if now == record["digest"]:
        return ""
    return (
        f"{path} has changed since the study began (its digest is {now}, was {record['digest']}): "
        f"{record['name']} stays as it was then; for the new one start another study"
    )


def register(record: Record) -> str:
    """Put a network into MODELS; its name. The same one may come again."""
    name = record["name"]
    if KNOWN.get(name) == record:
        return name
    if name in MODELS and name not in KNOWN:
        raise Refused(f"{record['source']} has the name of the study's own {name}: rename it")
    build = of_code(record) if record["code"] else of_timm(record)
    KNOWN[name] = record
    MODELS[name] = build
    return name


def of_code(record: Record) -> Callable[..., Any]:
    """The constructor that a file's text defines."""
    path, _, name = record["source"].rpartition(":")
    loader = OfText(path, record["code"])
    spec = importlib.util.spec_from_loader(f"own_network_{record['digest']}", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        loader.exec_module(module)
    except Exception as error:
        raise Refused(f"{path} can't be imported ({type(error).__name__}: {error})") from error
    made = getattr(module, name, None)
    if not callable(made) or "classes" not in inspect.signature(made).parameters:
        raise Refused(
            f"{record['source']} is no network: expected a function or class {name} that takes "
            "`classes` by keyword"
        )

    @functools.wraps(made, updated=())
    def build(**options: Any) -> Any:
        from fer_models.three_channels import for_grey  # torch, where it is needed

        return for_grey(made(**options))

    return build


def of_timm(record: Record) -> Callable[..., Any]:
    name, _, weights = record["source"].removeprefix("timm:").partition("@")
    if record["digest"] != timms_digest(name, weights):
        raise Refused(
            f"{record['source']} isn't the same here: it is {timms_digest(name, weights)}, and the "
            f"study has {record['digest']}: install that timm, give those weights"
        )

    def build(*, classes: int, dropout: float) -> Any:
        import timm
        import torch

        given: dict[str, Any] = {"num_classes": classes, "in_chans": 1, "drop_rate": dropout}
        meta = torch.empty(0).device.type == "meta"
        if weights and not meta:
            given |= {"pretrained": True, "pretrained_cfg_overlay": {"file": weights}}
        return timm.create_model(name, **given)

    return build


def timms_digest(name: str, weights: str) -> str:
    """timm's version and the digest of the weights' file; Refused where there are none."""
    try:
        version = importlib.metadata.version("timm")
        import timm
    except ImportError:
        raise Refused(f"timm:{name} needs timm: pip install 'fer-study[timm]'") from None
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name[:6]}*")[:5])
        raise Refused(f"timm {version} has no {name!r}" + (f"; it has {near}, ..." if near else ""))
    if not weights:
        return f"timm {version}"
    path = Path(weights)
    if path.suffix != ".safetensors" or not path.is_file():
        raise Refused(
            f"{weights} is no file of weights here: expected a .safetensors on this machine (other "
            "formats can run code)"
        )
    with path.open("rb") as file:
        return f"timm {version}, weights {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
