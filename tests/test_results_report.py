"""The report: it says what there is, never breaks, and asks nothing of a network."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from conftest import CHROMIUM, needs_chromium
from plotly.offline import get_plotlyjs_version
from test_results_load import (
    CLASSES,
    FAIR,
    LABELS,
    PAPERS,
    SPLITS,
    epochs,
    folder,
    header,
    predictions,
    trial,
    whole,
)

from results import __main__
from results.artefacts.load import load
from results.facts import evaluation
from results.figures import charts, style
from results.report import blocks, files, page
from results.report.files import markdown, write
from results.report.report import report

__all__ = ["whole"]
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; refuses one whose elements don't close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.scripts, self.words = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.open[-1:] == ["script"] else self.words).append(data)


def page_of(*paths):
    found = report([load(path) for path in paths])
    return page.page(found.title, found.lead, found.notes, found.sections, "foot")


def words(text):
    return re.sub(r"\s+", " ", " ".join(Page(text).words))


def test_the_page_of_a_whole_study_parses_and_says_everything(whole):
    text = page_of(whole)
    parsed = Page(text)
    titles = [
        title
        for tag, attributes in parsed.elements
        if tag == "section"
        for title in [attributes["id"]]
    ]
    assert titles == [
        "result",
        "optimisation-history",
        "health",
        "confirmed-accuracy",
        "are-the-differences-real",
        "learning-curves",
        "confusion-matrices",
        "calibration",
        "accuracy-and-cost",
        "the-search",
        "the-networks",
        "the-paper-s-settings-theirs-and-ours",
        "what-doesn-t-add-up-in-the-paper",
        "the-study",
    ]
    assert text.index('class="plot"') < text.index('id="notes"') < text.index('id="confirmed-acc')
    told = words(text)
    assert "out of <b>memory" in told  # escaped, so it is read as text
    assert "nan" not in re.findall(r"\b\w+\b", told)


def test_the_page_refers_to_nothing_outside_itself(whole):
    text = page_of(whole)
    assert text.count(page.plotly_js()) == 1
    own = text.replace(page.plotly_js(), "")
    assert not re.search(r"https?://|//cdn|@import|url\(", own)
    for tag, attributes in Page(text).elements:
        assert tag not in {"link", "iframe", "img", "object", "base"}
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith("#")
    policy = next(a["content"] for _, a in Page(text).elements if "http-equiv" in a)
    assert policy.startswith("default-src 'none'")


def test_every_link_has_its_target(whole):
    elements = Page(page_of(whole)).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"][1:] for tag, attributes in elements if tag == "a"]
    assert links and set(links) <= set(ids)


def test_the_page_draws_with_the_part_of_plotly_js_that_plotly_py_goes_with():
    assert f"plotly.js (basic - minified) v{get_plotlyjs_version()}\n" in page.plotly_js()[:200]


def test_plotly_shares_nothing():
    assert style.CONFIG["showSendToCloud"] is False
    assert style.CONFIG["plotlyServerURL"] == ""
    assert style.CONFIG["displaylogo"] is False


def test_every_figure_has_a_sentence_a_label_and_its_table(whole):
    for section in report([load(whole)]).sections:
        for block in section.blocks:
            if isinstance(block, blocks.Figure):
                assert block.summary.endswith(".") and len(block.summary) > 20
                assert len(block.table.shown)
                assert "aria-label" in page.markup(block)
                for _, plot in block.plots:
                    assert json.loads(plot.to_json())["data"]


def test_script_ends_in_a_name_break_nothing(tmp_path):
    evil = "</script><script>alert(1)</script>"
    rows = [trial(f"{evil}-s0", stage="confirm", setting=evil, error=evil)]
    told = predictions(f"{evil}-s0", FAIR, LABELS, SPLITS)
    path = folder(
        tmp_path / "s",
        header(study={"name": evil}),
        rows,
        epochs(f"{evil}-s0", [0.1, 0.2]),
        [],
        told,
    )
    text = page_of(path)
    parsed = Page(text)
    assert "<script>alert" not in text.replace(page.plotly_js(), "")
    data = [json.loads(one) for one in parsed.scripts if one.startswith('{"data"')]
    assert any(trace.get("name") == evil for one in data for trace in one["data"])


def just_begun(path):
    return folder(path, header(status="running", reason="", ended_at=None))


def one_trial_running(path):
    head = header(status="running", reason="", study={"stages": ["search"]})
    return folder(path, head, [trial("a", status="running")], epochs("a", [0.2]), [])


def all_failed(path):
    return folder(path, None, [trial("a", status="failed", error="boom")], [], [])


def confirmed_without_test(path):
    rows = [trial("alexnet-s0", stage="confirm"), trial("alexnet-s1", stage="confirm")]
    head = header(status="interrupted", reason="SIGINT")
    return folder(path, head, rows, epochs("alexnet-s0", [0.2]) + epochs("alexnet-s1", [0.3]), [])


def one_seed(path):
    told = predictions("alexnet-s0", FAIR, LABELS, SPLITS)
    return folder(
        path, None, [trial("alexnet-s0", stage="confirm")], epochs("alexnet-s0", [0.2]), [], told
    )


def diverged(path):
    nan = float("nan")
    told = predictions("alexnet-s0", FAIR, LABELS, SPLITS, sure=nan)
    return folder(
        path,
        None,
        [trial("alexnet-s0", stage="confirm")],
        epochs("alexnet-s0", [0.2], [nan]),
        [],
        told,
    )


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (just_begun, "No trial has started yet."),
        (
            one_trial_running,
            "has been evaluated on test. The highest val accuracy",
        ),
        (all_failed, "1 trial failed: a; the table of trials says why."),
        (confirmed_without_test, "The study isn't complete (interrupted: SIGINT)"),
        (one_seed, "Every setting has one seed: no interval"),
        (diverged, "The loss of 1 trial is no number: alexnet-s0."),
    ],
)
def test_a_study_of_which_little_is_known_gives_a_report_that_says_so(tmp_path, build, sentence):
    text = page_of(build(tmp_path / "s"))
    assert sentence in words(text)


def test_one_seed_never_shows_a_spread_over_seeds(tmp_path):
    found = report([load(one_seed(tmp_path / "s"))])
    (confirmed,) = (one for one in found.sections if one.title == "Confirmed accuracy")
    shown = confirmed.blocks[0].table.shown
    assert shown["sd"].tolist() == ["one seed"]
    chosen = json.dumps({"event": "chosen", "setting": "alexnet", "from_trial": "t0"})
    (tmp_path / "s" / "events.jsonl").write_text(chosen + "\n")
    text = words(page_of(tmp_path / "s"))
    assert "With one seed nothing is known" in text and "the intervals don't hold" not in text


def test_two_seeds_without_clean_test_images_are_not_called_one(tmp_path):
    """Where all test images are copies of ones trained on, the first figure isn't there."""
    told, rows, curves = [], [], []
    for seed, name in enumerate(("alexnet-s0", "alexnet-s1")):
        told += predictions(name, FAIR, LABELS, SPLITS, duplicate=range(14, 28))
        rows.append(trial(name, stage="confirm", hp_seed=seed))
        curves += epochs(name, [0.2])
    found = report([load(folder(tmp_path / "s", None, rows, curves, [], told))])
    (confirmed,) = (one for one in found.sections if one.title == "Confirmed accuracy")
    assert confirmed.blocks[0].table.shown["sd"].tolist() == ["–"]


def test_the_table_of_the_best_setting_holds_its_values_exactly(tmp_path):
    rows, curves = [trial("t0", hp_lr=0.00123456789)], epochs("t0", [0.2])
    found = report([load(folder(tmp_path / "s", None, rows, curves, []))])
    every = [block for section in found.sections for block in files.flat(section.blocks)]
    (best,) = (one for one in every if isinstance(one, blocks.Table) and one.name == "best-mine")
    values = best.frame.set_index("hyperparameter")["value"]
    assert values["lr"] == 0.00123456789
    assert "0.001235\nsearched" in best.shown["value"].tolist()


OTHERS = {
    "drawn": ({"synthetic": True}, "its faces are drawn"),
    "another set": (
        {"counts": {"val": {"1": 42}, "test": {"1": 42}}},
        "its val and test hold 84 images, and the paper's test folder 7,178",
    ),
    "val cut from train": (
        {"counts": {"val": {"happy": 3186}, "test": {"happy": 7178}}},
        "its val and test hold 10,364 images, and the paper's test folder 7,178",
    ),
    "FER+": (
        {"counts": {"val": {"happy": 3589}, "test": {"happy": 3589}}},
        "its val and test hold 0 images of angry, and the paper's test folder 958",
    ),
}


def with_a_setting_of_the_paper(path, head):
    rows = [trial("A-alexnet-s0", stage="confirm", setting="A-alexnet")]
    told = predictions("A-alexnet-s0", FAIR, LABELS, SPLITS)
    return folder(path, head, rows, epochs("A-alexnet-s0", [0.2]), [], told)


def test_the_paper_is_compared_on_the_images_that_it_judged_on(tmp_path):
    text = words(page_of(with_a_setting_of_the_paper(tmp_path / "s", PAPERS)))
    assert "1 of the paper's 9 settings was confirmed here on the images that it was judged" in text
    assert (
        "The paper's Fig. 5" in text
        and "val+test, duplicates included, with the paper's figure" in text
    )
    assert "−1.22 points; with one seed of ours it can't be said" in text


@pytest.mark.parametrize("kind", OTHERS)
def test_no_other_images_are_set_beside_the_papers_and_the_report_says_why(tmp_path, kind):
    data, why = OTHERS[kind]
    path = with_a_setting_of_the_paper(tmp_path / "s", header(data=data))
    text = words(page_of(path))
    none = "0 of the paper's 9 settings were confirmed here on the images that it was judged on."
    assert f"{none} mine isn't compared: {why}." in text
    for claim in ("The paper's Fig. 5", "the same images", "paper within?", "−1.22 points"):
        assert claim not in text
    both = words(page_of(with_a_setting_of_the_paper(tmp_path / "t", PAPERS), path))
    assert f"mine 2 isn't compared: {why}." in both and "1 of the paper's 9 settings was" in both


def test_two_studies_stand_side_by_side(tmp_path, whole):
    other = one_seed(tmp_path / "other")
    text = words(page_of(whole, other))
    assert "Results: mine and mine 2" in text
    assert "alexnet (mine)" in text and "alexnet (mine 2)" in text


def test_studies_on_other_data_are_told_apart(tmp_path, whole):
    head = header(study={"name": "b"}, data={"digest": "xyz"})
    other = folder(tmp_path / "b", head, [trial("x", status="failed")], [], [])
    found = report([load(whole), load(other)])
    assert found.notes[-1].startswith("The studies aren't on the same data")
    shown = found.sections[-1].blocks[0].shown
    assert shown.columns.tolist()[1:] == ["mine", "b"]
    assert shown.iloc[0].tolist() == ["Preset", "smoke", "smoke"]


def test_the_command_writes_page_and_tables(whole, tmp_path, capsys):
    out = tmp_path / "made" / "report.html"
    assert __main__.main([str(whole), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert f"Page: {out}" in told
    assert out.read_text().startswith("<!doctype html>")
    made = out.parent / "report-tables"
    names = {path.stem for path in made.glob("*.csv")}
    assert names == {path.stem for path in made.glob("*.md")}
    assert {"overview", "confirmed", "paper", "pairs", "rungs", "confusion-alexnet"} <= names
    if importlib.util.find_spec("choreographer") and CHROMIUM:
        drawn = {path.stem for path in made.glob("*.svg")}
        assert drawn == {path.stem for path in made.glob("*.png")}
        assert {"confirmed-1", "networks-1", "confusion-alexnet", "confusion-resnet34"} <= drawn
    frame = pd.read_csv(made / "confusion-resnet34.csv")
    assert frame.columns.tolist() == ["truth", *CLASSES]
    assert frame[CLASSES].to_numpy().sum() == 14


def test_of_several_studies_every_figure_has_a_file_of_its_own(whole, tmp_path, monkeypatch):
    """Figures of one name overwrote each other: of all studies but the last there was none."""
    drawn = []
    monkeypatch.setattr(files.images, "write", lambda plots: drawn.extend(plots))
    told = write(found := report([load(whole), load(whole)]), tmp_path / "r.html")
    every = [block for section in found.sections for block in files.flat(section.blocks)]
    plots = sum(len(one.plots) for one in every if isinstance(one, blocks.Figure))
    plots += sum(isinstance(one, blocks.Matrix) for one in every)
    assert told[-1] == f"Figures: {plots} in {tmp_path / 'r-tables'}, as SVG and PNG"
    assert {"trials-1", "trials-1-2", "slices-2", "slices-2-2"} <= {path.stem for path in drawn}


def test_beside_a_report_lies_nothing_of_an_earlier_one(whole, tmp_path, monkeypatch):
    """Tables and figures of two studies stayed beside the page of one."""
    monkeypatch.setattr(files.images, "write", lambda plots: [path.touch() for path in plots])
    small = report([load(whole)])
    folder = tmp_path / "r-tables"
    folder.mkdir()
    for name in ("trials-gone.csv", "trials-gone.md", "slices-9.svg", "slices-9.png", "own.csv"):
        (folder / name).touch()
    write(small, tmp_path / "r.html")
    there = {path.name for path in folder.iterdir()}
    assert "own.csv" in there and "trials-mine.csv" in there and "trials-1.svg" in there
    assert not {"trials-gone.csv", "trials-gone.md", "slices-9.svg", "slices-9.png"} & there


def test_long_names_leave_room_for_a_files_suffix(whole, tmp_path, monkeypatch, capsys):
    """Ten studies, or one of a long name: it was refused once all was worked out."""
    long = whole.rename(tmp_path / ("é" * 120))
    head = header(study={"name": long.name})
    (long / "study.json").write_text(json.dumps(head))
    monkeypatch.setattr(files, "draw", lambda *_: "")
    monkeypatch.chdir(tmp_path)
    assert __main__.main([str(long), str(long)]) == 0, capsys.readouterr().err
    used = set()
    assert [files.file_name(name, used) for name in ("a/b", "A b")] == ["a-b", "A-b-2"]


def test_the_artefact_folder_is_left_as_it_was(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "draw", lambda *_: "")  # a browser's start, once is enough
    before = {path.name: path.read_bytes() for path in whole.iterdir()}
    write(report([load(whole)]), tmp_path / "r.html")
    assert {path.name: path.read_bytes() for path in whole.iterdir()} == before


def test_a_mistake_is_one_sentence_and_code_2(tmp_path, capsys):
    assert __main__.main([str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told == (
        f"results: {tmp_path} holds no study.json, nor does a folder in it: give the artefact "
        "folder of a study, or a folder of such\n"
    )


def test_a_place_that_cannot_be_written_is_a_mistake(whole, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert __main__.main([str(whole), "--out", str(tmp_path / "file" / "r.html")]) == 2
    assert "give another --out" in capsys.readouterr().err


def test_importing_the_results_brings_neither_torch_nor_ray():
    code = (
        "import importlib, pkgutil, sys, results\n"
        "for m in pkgutil.walk_packages(results.__path__, 'results.'):\n"
        "    importlib.import_module(m.name)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "torchvision", "ray", "study"} & set(done.stdout.split())


def test_a_matrix_is_drawn_with_its_counts_shares_recall_and_precision():
    counts = np.array([[8.0, 2.0], [0.5, 4.5]])
    rows = evaluation.per_class(counts, ["a", "b"])
    texts = [note.text for note in charts.confusion(counts, ["a", "b"], rows).layout.annotations]
    assert texts[:4] == ["8<br>80%", "2<br>20%", "0.5<br>10%", "4.5<br>90%"]
    assert texts[4].startswith("80%<br>±") and texts[5].startswith("94%<br>±")


def test_markdown_cells_keep_to_their_cell():
    frame = pd.DataFrame({"a|b": ["x\ny", "1 | 2"]})
    assert markdown(frame) == "| a\\|b |\n| --- |\n| x y |\n| 1 \\| 2 |\n"


@pytest.mark.parametrize(
    ("value", "kind", "told"),
    [
        (0.58359, "percent", "58.36 %"),
        (-0.0109, "points", "−1.09"),
        (-0.00001, "points", "0.00"),
        (0.0004, "p", "<0.001"),
        (float("nan"), "percent", "–"),
        (None, "text", "–"),
        (pd.NA, "count", "–"),
        (73_451_264, "large", "73.5 M"),
        (999_700, "large", "1 M"),
        (1.29e16, "large", "12.9 P"),  # of forty ResNets' trainings
        (12_345.6, "number", "12,346"),  # seconds
        (0.03125, "number", "0.03125"),
        (31_250.5, "text", "31,250"),
        (True, "yes", "yes"),
    ],
)
def test_cells_in_words(value, kind, told):
    assert blocks.cell(value, kind) == told


def test_a_flag_is_not_broken_after_its_hyphens():
    told = page.markup(blocks.Text("more epochs: --train-images, --epochs (<3)"))
    flag = '<span class="flag">{}</span>'
    assert flag.format("--train-images") in told and flag.format("--epochs") in told
    assert "(&lt;3)" in told


def test_steps_of_a_hyperparameter_are_whole_numbers_where_some_trials_have_none():
    trials = pd.DataFrame(
        {
            "model": ["cbam_resnet34", "cbam_resnet34", "alexnet"],
            "trial_id": ["a", "b", "c"],
            "status": "completed",
            "hp_cbam_reduction": [16.0, 4.0, np.nan],
            "judged": [0.2, 0.3, 0.4],
        }
    )
    plot = charts.slice_of(trials, "cbam_reduction", log=False)
    assert plot.layout.xaxis.categoryarray == ("4", "16")
    assert list(plot.data[0].x) == ["16", "4"]


def test_a_dark_page_has_every_networks_colour_for_the_dark():
    text = page.css()
    for colour, on_black in style.ON_BLACK.items():
        red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
        for kind in ("stroke", "fill"):
            rule = rf"{kind}: rgb\({red}, {green}, {blue}\)'\] \{{\s+{kind}: {on_black} !important"
            assert re.search(rule, text, re.I), rule


def test_a_network_looks_alike_everywhere():
    assert len({look for look in style.STYLES.values()}) == 3
    for part in zip(*style.STYLES.values(), strict=True):
        assert len(set(part)) == 3  # told apart by colour, by marker and by dash alone
    own = [style.style(f"own-{number}") for number in range(16)]
    assert len({(colour, marker) for colour, marker, _ in own}) == 16
    assert style.style("own-7") == own[7]


@needs_chromium
def test_a_browser_draws_every_figure_and_offers_no_sharing(whole, tmp_path):
    (tmp_path / "r.html").write_text(page_of(whole))
    command = [
        CHROMIUM,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--dump-dom",
        "--virtual-time-budget=20000",
        f"file://{tmp_path}/r.html",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
    dom = done.stdout.replace(page.plotly_js(), "")
    assert dom.count('<div class="plot') > 5
    drawn = dom.count("js-plotly-plot")
    assert drawn == len(re.findall(r'role="img"', dom))
    titles = re.findall(r'data-title="([^"]+)"', dom)
    assert titles and not [title for title in titles if re.search("share|cloud|edit", title, re.I)]


def of_voters(settings: int) -> pd.DataFrame:
    rows = [
        {"setting": f"{name}-alexnet (paper-alexnet)", "model": "alexnet", "voters": voters}
        | {"label": 0.5, "label_low": 0.4, "label_high": 0.6}
        for name in "ABCDEFGHI"[:settings]
        for voters in ("at most half", "all")
    ]
    return pd.DataFrame(rows)


def test_settings_of_one_network_are_told_apart_in_every_figure_of_lines():
    for settings in (2, 3, 6, 9):
        lines = charts.sureness(of_voters(settings), "label").data
        looks = {(line.line.color, line.marker.symbol, line.line.dash) for line in lines}
        assert len(looks) == settings


def test_many_settings_of_several_networks_have_their_networks_colour_and_a_dash_each():
    """The eighth of the paper's settings, E-cbam50, was drawn as the first, A-alexnet."""
    models = {"alexnet": "ABC", "resnet34": "ABC", "cbam_resnet34": "DEFGHIJK"}
    rows = [
        {"setting": f"{name}-{model}", "model": model, "measure": "val_accuracy", "seeds": 1}
        | {"epoch": epoch, "mean": 0.5, "low": 0.5, "high": 0.5}
        for model, names in models.items()
        for name in names
        for epoch in range(1, 21)
    ]
    lines = charts.curve(pd.DataFrame(rows), "val_accuracy", "val accuracy").data
    looks = {(line.line.color, line.line.dash, line.line.width) for line in lines}
    assert len(looks) == len(lines) == 14
    for model in models:
        colours = {line.line.color for line in lines if line.name.endswith(f"-{model}")}
        assert colours == {style.style(model)[0]}


@needs_chromium
def test_the_names_of_many_settings_leave_a_figure_its_room(tmp_path):
    """On a phone nine names had a scrollbar, and the curves 40 px."""
    figure = charts.sureness(of_voters(9), "label").to_json()
    (tmp_path / "r.html").write_text(
        f"<div id=box style='width: 360px'></div><script>{page.plotly_js()}</script>"
        f"<script>{page.shared()}; const figure = fitted({figure}, 360);"
        "Plotly.newPlot(box, figure.data, figure.layout, {responsive: true}).then(() => {"
        "  document.body.dataset.curves = box._fullLayout._size.h;"
        "  const {_height, _effHeight} = box._fullLayout.legend;"
        "  document.body.dataset.hidden = _height - _effHeight;"
        "})</script>"
    )
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--virtual-time-budget=20000", f"file://{tmp_path}/r.html"]
    dom = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    assert float(re.search(r'data-curves="([\d.]+)"', dom)[1]) > 150
    assert re.search(r'data-hidden="([-\d.]+)"', dom)[1] == "0"


def test_a_reader_that_goes_away_leaves_the_report_whole(whole, tmp_path):
    """As `| head -0` does."""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "results", str(whole), "--out", str(tmp_path / "a.html")]
    done = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, text=True)
    os.close(writes)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "a.html").exists()
