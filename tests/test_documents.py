"""The documents say what the code does: links, commands with their values, files, tables."""

import argparse
import ast
import importlib
import re
import shlex
import sys
import tomllib
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
import test_house
import yaml

from study import Mistake
from study.config import flags
from study.config.study import Study, read_preset
from study.driver import notify, repeats
from study.driver.begin import MAY_CHANGE
from study.driver.given import refuse_idle
from study.driver.wider import WIDENS
from study.record import events, schemas

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path for folder in (".", "docs", "findings") for path in (ROOT / folder).glob("*.md")
)
# Also read for commands: what people copy from.
SCRIPTS = [ROOT / "cluster.yaml", *sorted((ROOT / "clusters").glob("*.[sy]*"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN_PRESET = "my_study.toml"
ROOMS = tuple("fer_data fer_models fer_record fer_stats study results clusters benchmarks".split())


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=name)


def between(path: str, mark: str) -> str:
    return (ROOT / path).read_text().split(f"<!-- {mark} -->\n")[1].split("<!-- end -->")[0]


# Links


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a Markdown text."""
    found, times = set(), Counter()
    for heading in re.findall(r"^#+ +(.+?) *$", without_code(text), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.add(f"{slug}-{times[slug]}" if times[slug] else slug)
        times[slug] += 1
    return found


def without_code(text: str) -> str:
    """A Markdown text without fenced and indented blocks."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^    .*$", "", text, flags=re.MULTILINE)


def links(text: str) -> list[str]:
    """Where a Markdown text points: links and images, also those written as HTML."""
    plain = re.sub(r"`[^`\n]*`", "", without_code(text))
    return re.findall(r"\]\(([^)\s]+)\)", plain) + re.findall(
        r'(?:src|srcset|href)="([^"]+)"', plain
    )


def broken(path: Path) -> list[str]:
    """The links of a document that lead nowhere; addresses on the web are not asked."""
    found = []
    for link in links(path.read_text()):
        target, _, anchor = link.partition("#")
        there = (path.parent / target).resolve() if target else path
        if re.match(r"https?://|mailto:", link):
            continue
        if not there.exists() or (anchor and anchor not in anchors(there.read_text())):
            found.append(link)
    return found


@each(DOCUMENTS)
def test_every_link_and_anchor_exists(path):
    assert not broken(path)


def test_a_broken_link_and_a_broken_anchor_are_found(tmp_path):
    document = tmp_path / "one.md"
    (tmp_path / "two.md").write_text("# The `two`: it's 3.5 %\n\n## Again\n\n## Again\n")
    document.write_text(
        "[a](two.md) [b](two.md#the-two-its-35-) [c](two.md#again-1) [d](two.md#again-2)\n"
        '[e](three.md) `[f](four.md)` <img src="five.png"> [g](#none) [h](https://example.org)\n'
    )
    assert broken(document) == ["two.md#again-2", "three.md", "#none", "five.png"]


def test_documents_are_linked_from_the_readme():
    """A page that nothing leads to isn't read."""
    seen, new = set(), {ROOT / "README.md"}
    while new:
        path = new.pop()
        seen.add(path)
        found = {
            (path.parent / link.partition("#")[0]).resolve() for link in links(path.read_text())
        }
        new |= {there for there in found if there.suffix == ".md"} - seen
    assert {*DOCUMENTS} == seen and len(seen) > 5


def test_the_readme_is_an_entrance():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_log_has_an_index_of_all_its_notes():
    text = (ROOT / "LOG.md").read_text()
    index, mark, _ = text.partition("\n## 20")
    linked = {link.removeprefix("#") for link in links(index)}
    assert mark and {anchor for anchor in anchors(text) if anchor.startswith("20")} <= linked


# Commands


def code(text: str) -> list[str]:
    """Each line of a code block, and each code span, of a Markdown text or a script."""
    fenced = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in fenced for line in block.splitlines()]
    lines += re.findall(r"^    +(.*)$", text, re.MULTILINE)
    return lines + re.findall(r"`([^`\n]+)`", text)


def commands(text: str) -> list[tuple[str, list[str]]]:
    """(module, words) of each command of this project; `benchmarks.NAME` stands for one too."""
    scripts = {script: target.partition(":")[0] for script, target in PROJECT["scripts"].items()}
    found = []
    for line in code(text):
        for part in [*re.findall(r"'([^']*)'", line), re.sub(r"'[^']*'", "", line)]:
            match = re.search(r"python3? -m ([a-z0-9_.]+)(?![\w.])(.*)", part)
            match = match or re.match(r"(benchmarks\.(?:chaos\.)?\w+)( .*|)$", part)
            match = match or re.match(rf"({'|'.join(scripts)})( .*|)$", part)
            if match and match[1] not in ("venv", "pytest", "pip"):
                module = scripts.get(match[1], match[1])
                words = re.split(r" #| \|| && | > ", match[2])[0].replace("...", "")
                found.append((module.removesuffix(".__main__"), shlex.split(words)))
    return found


@pytest.fixture
def kornia(monkeypatch):
    """A stand-in where it isn't installed: only benchmarks.augmentation is compared with it."""
    if not find_spec("kornia"):
        for absent in ("kornia", "kornia.augmentation"):
            monkeypatch.setitem(sys.modules, absent, ModuleType(absent))


class Parsed(Exception):
    """Raised in place of what a command would do."""


def parse_study(words: list[str]) -> None:
    """The flags of study.run with their values, on the preset that they name."""
    given = {k: v for k, v in vars(flags.parser().parse_args(words)).items() if v is not None}
    notify.receiver(given.pop("notify", "true"))
    repeats.number(given.pop("repeats", "2"))
    given.pop("from", None)
    if given.pop("resume", None):
        assert given.keys() <= {*MAY_CHANGE, *WIDENS}, f"--resume with {words}"
        return
    preset = given.pop("preset", "search")
    base = Study() if preset == OWN_PRESET else read_preset(preset, "cpu")[0]
    refuse_idle(flags.with_flags(base, given), given)


def parse(module: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a command's words to its own parser and stop there; raises what the parser raises."""
    if module == "study.run":
        return parse_study([word for word in words if word not in ("-h", "--help")])
    if module == "study.storage":
        assert words[0] == "get" and 2 <= len(words) <= 3
        return None
    package = find_spec(module).submodule_search_locations
    made = importlib.import_module(f"{module}.__main__" if package else module)
    if "parse_args" not in Path(made.__file__).read_text():
        assert not words, f"{module} takes no arguments"
        return None
    real = argparse.ArgumentParser.parse_args

    def stop(parser: argparse.ArgumentParser, argv: list[str] | None = None) -> None:
        real(parser, argv)
        raise Parsed

    monkeypatch.setattr(sys, "argv", [module, *words])
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    with pytest.raises(Parsed):
        made.main()
    return None


@each([*DOCUMENTS, *SCRIPTS])
def test_every_command_has_words_that_its_own_parser_takes(path, monkeypatch, kornia):
    for module, words in commands(path.read_text()):
        assert find_spec(module), f"{module} is no module"
        if not words:  # named, not given: what it needs is said elsewhere
            continue
        with monkeypatch.context() as patched:
            try:
                parse(module, words, patched)
            except (SystemExit, Mistake) as refusal:
                raise AssertionError(f"{module} {words}: {refusal}") from None


@pytest.mark.parametrize(
    "line",
    [
        "    python -m study.run --lr 0.1:0.01",
        "    python -m study.run --sampler best",
        "    python -m study.run --resume runs/NAME --preset smoke",
        "`benchmarks.chaos.driver --kils 20`",
        "`benchmarks.drivers`",
        "    fer-results runs/NAME --outt x",
        "    ray exec cluster.yaml 'python -m study.run --gpu-hours many'",
        "    python -m results.readme runs/NAME",
    ],
)
def test_a_wrong_command_is_found(line, tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text(f"# Page\n\n{line}\n")
    with pytest.raises(AssertionError):
        test_every_command_has_words_that_its_own_parser_takes(
            tmp_path / "page.md", monkeypatch, None
        )


def test_the_preset_that_the_documents_show_is_one(tmp_path):
    """docs/commands.md names a file of one's own and prints it."""
    text = (ROOT / "docs" / "commands.md").read_text()
    shown = re.search(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
    (tmp_path / OWN_PRESET).write_text(shown)
    read_preset(str(tmp_path / OWN_PRESET), "cpu")


def test_what_may_change_on_resume_is_what_the_documents_say():
    text = (ROOT / "docs" / "commands.md").read_text()
    told = re.search(r"What can be changed on `--resume` are [^(]*\((.*?)\)", text, re.DOTALL)[1]
    assert {*re.findall(r"`(--[\w-]+)`", told)} == {flags.flag(name) for name in MAY_CHANGE}


def test_no_document_names_a_registry_or_installs_without_the_pins():
    for path in DOCUMENTS:
        for line in code(path.read_text()):
            assert "index-url" not in line and "pypi.org" not in line, name(path)
            if "pip install" in line and "." in line.split("pip install")[1]:
                assert "--constraint constraints.txt" in line, f"{name(path)}: {line}"


# Files


def test_every_file_that_a_document_names_exists():
    """LOG.md tells of files that were; the others of files that are."""
    for path in DOCUMENTS:
        if path.name in ("LOG.md", "CHANGELOG.md"):
            continue
        for span in re.findall(
            r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|yaml|toml|txt))`", path.read_text()
        ):
            if span.split("/")[0] in (*ROOMS, "tests", "docs", ".ci", ".github", "findings"):
                assert (ROOT / span).exists(), f"{name(path)} names {span}"


def test_the_tree_is_the_tree():
    """Every source file stands in the tree of docs/code.md, and what stands there exists."""
    shown, folder = set(), ""
    for line in between("docs/code.md", "tree").splitlines():
        first = line.split()[0]
        if not line.startswith("      "):
            folder = first if first.endswith("/") else ""
        shown |= {folder + one.strip(",") for one in re.findall(r"^ +(\S+)", line)} - {folder * 2}
    files = {
        name(path)
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py")
    }
    assert {path for path in shown if path.endswith(".py")} == files
    assert all((ROOT / path).exists() for path in shown)


def test_the_rooms_are_those_of_the_test_that_holds_them():
    rows = re.findall(r"^\| `(\S+)` \| (.*) \| (.*) \|$", between("docs/code.md", "rooms"), re.M)
    told = {
        room: {*re.findall(r"`(\S+)`", ours), *re.findall(r"\w+", others)}
        for room, ours, others in rows
    }
    assert told == {room: set(line.split()) for room, line in test_house.ROOMS.items()}


@each(sorted((ROOT / "docs").glob("*.svg")))
def test_every_file_in_a_picture_exists(path):
    shown = re.findall(r"\b((?:fer_\w+|study|results)/[\w./]+)", path.read_text())
    assert shown and all((ROOT / one).exists() for one in shown)


def test_every_test_that_a_document_names_exists():
    for path in DOCUMENTS:
        if path.name not in ("LOG.md", "CHANGELOG.md"):
            for one in {*re.findall(r"\btest_\w+", path.read_text())} - {"test_opened"}:  # an event
                assert (ROOT / "tests" / f"{one}.py").exists(), f"{name(path)} names {one}"


def test_the_modules_that_pyproject_names_exist():
    text = (ROOT / "pyproject.toml").read_text()
    named = re.findall(rf"\b((?:{'|'.join(ROOMS)})\.[a-z_.]*[a-z])\b", re.sub(r'".*?"', "", text))
    assert len(named) > 20 and all(find_spec(one) for one in named)


# Tables and figures


@pytest.mark.parametrize(
    "table", ["trials", "epochs", "decisions", "predictions", "images", "attention"]
)
def test_the_columns_are_those_of_the_code(table):
    columns = between("docs/artefacts.md", "columns")
    section = columns.split(f"| `{table}.parquet` |")[1].split("\n\n")[0]
    told = re.findall(r"^\| `(\w+)` \| [\w ]+ \| (.+) \|$", section, re.MULTILINE)
    assert told == [(key, help) for key, (_, help) in getattr(schemas, table.upper()).items()]


def events_table() -> str:
    """The journal's grammar as docs/artefacts.md shows it."""
    lines = ["| event | field | meaning |", "|---|---|---|"]
    lines += [f"| every line | `{name}` | {meaning} |" for name, meaning in events.ALWAYS.items()]
    for name, kind in events.EVENTS.items():
        lines.append(f"| `{name}` | | {kind.meaning}; written by `{kind.writer}` |")
        lines += [f"| | `{key}` | {meaning} |" for key, meaning in kind.fields.items()]
        lines += [f"| | `{key}`, if known | {said} |" for key, said in kind.optional.items()]
    return "\n".join(lines) + "\n"


def test_the_journals_grammar_is_that_of_the_code():
    assert between("docs/artefacts.md", "events") == events_table()


# The project's own description


def test_every_dependency_is_pinned_and_says_who_needs_it():
    text = (ROOT / "pyproject.toml").read_text()
    pins = (ROOT / "constraints.txt").read_text()
    every = [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
    for wanted in every:
        package = re.match(r"[\w-]+", wanted)[0]
        if package == PROJECT["name"]:
            continue
        assert re.search(rf"^{package}==", pins, re.MULTILINE), f"{package} is not pinned"
        assert re.search(rf'"{re.escape(wanted)}", +# \S', text), f"who needs {package}?"


@pytest.mark.parametrize("script", sorted(PROJECT["scripts"]))
def test_a_console_script_tells_a_mistake_in_a_sentence(script, capsys):
    module, _, function = PROJECT["scripts"][script].partition(":")
    command = getattr(importlib.import_module(module), function)
    assert command([*(["--resume"] if script == "fer-study" else []), "nowhere"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "nowhere" in error


def test_the_citation_is_that_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= cited.keys()
    assert cited["version"] == PROJECT["version"] and cited["license"] == PROJECT["license"]
    assert cited["authors"] == PROJECT["authors"]
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert re.findall(r"^## (\d\S+)", changes, re.MULTILINE)[0] == PROJECT["version"]


def test_the_workflow_runs_the_check_on_every_python_that_is_supported():
    """And nothing else: what passes here passes there."""
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["ci"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    supported = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if ":: Python :: 3." in c]
    assert job["strategy"]["matrix"]["python"] == supported


# Figures


def files_of_the_report() -> set[str]:
    """The first words of the names under which sections write figures and tables."""
    found = {"curves", "confusion", "classes"}  # whose names are put together from a setting's
    for path in (ROOT / "results" / "report" / "sections").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            made = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args
            if made and call.func.id in ("table", "Table", "Figure"):
                named = call.args[0]
                named = named.values[0] if isinstance(named, ast.JoinedStr) else named
                found |= {named.value.rstrip("-")} if isinstance(named, ast.Constant) else set()
    return found


def test_statistics_says_of_every_figure_of_the_report_where_its_meaning_stands():
    page = (ROOT / "docs" / "statistics.md").read_text()
    table = page.split("## Every figure of the report")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = re.findall(r"`([^`]+)`", " ".join(rows))
    assert sorted(told) == sorted(files_of_the_report())
