"""The explorer in a real headless Chromium: one selection in every view, in app and file."""

import base64
import gc
import gzip
import json
import re
import threading
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import CHROMIUM, needs_chromium
from test_results_halving import judged_study
from test_results_load import (
    CLASSES,
    FAIR,
    LABELS,
    SPLITS,
    epochs,
    folder,
    header,
    predictions,
    trial,
    whole,
)
from werkzeug.exceptions import NotFound
from werkzeug.middleware.http_proxy import ProxyMiddleware
from werkzeug.serving import make_server

from fer_stats.share import wilson
from results.artefacts.load import answers, load
from results.explorer import app as live_app
from results.explorer import gallery, written
from results.explorer.app import app
from results.explorer.export import export
from results.facts import evaluation, halving, search
from results.facts import statistics as st
from results.facts.votes import votes_digest
from results.report import page as report_page
from results.report.contents import sections
from results.report.inputs import Inputs
from study.record import schemas

__all__ = ["whole"]
api = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
served = pytest.importorskip("benchmarks.explorer").served  # it needs playwright too
PATIENCE = 120  # seconds until a page on a busy machine is given up
pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser():
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@contextmanager
def opened(browser, url, offline=False, before=None, **more):
    """A page with everything drawn that asked nothing beyond loopback and said no error, or, with
    `before`, which is called with the page before it opens, no error of its own."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, offline=offline, accept_downloads=True, **more
    )
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else 0)
    page.on("pageerror", lambda error: said.append(str(error)))
    if before:
        before(page)
    page.goto(url)
    page.wait_for_selector("body[data-whole]", state="attached")
    until(page, "explorer.answers && document.getElementById('written-paper').dataset.html")
    yield page
    unanswered = ("Failed to load resource", "Error: Callback failed: the server did not respond")
    said = [one for one in said if not (before and one.startswith(unanswered))]
    own = re.compile(r"(http://127\.0\.0\.1:|file:|data:|blob:)")
    strange = [one for one in asked if not own.match(one)]
    context.close()
    assert strange == [] and said == []


def until(page, condition, seconds=PATIENCE):
    """Playwright's own wait needs eval, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(f"Boolean({condition})"):
        assert time.monotonic() < end, f"never: {condition}"
        time.sleep(0.03)


def rows_of_table(figure):
    """The rows below a figure's *Table*, which is filled after it opened (`toggle` is queued)."""
    figure.locator("summary", has_text="Table").click()
    rows = figure.locator("table tbody tr")
    rows.first.wait_for(timeout=1000 * PATIENCE)
    return rows


def brush(page, axis, low, high):
    """Drag along an axis between two fractions of its height."""
    page.evaluate("document.getElementById('trials').scrollIntoView({behavior: 'instant'})")
    page.locator(f".strip[data-axis='{axis}']").scroll_into_view_if_needed()
    box = page.locator(f".strip[data-axis='{axis}'] .rule").bounding_box()
    x, y = box["x"], box["y"] + box["height"]
    page.mouse.move(x, y - box["height"] * low)
    page.mouse.down()
    page.mouse.move(x, y - box["height"] * high, steps=4)
    page.mouse.up()


def ids(page):
    return sorted(page.evaluate("explorer.ids()"))


def file_of(tmp_path, *paths, **more):
    studies = [load(path) for path in paths]
    path = tmp_path / "export.html"
    path.write_text(export(studies, written.evaluated(studies), **more), encoding="utf-8")
    return path


def test_a_brush_is_one_selection_in_every_view_and_in_the_address(browser, whole):
    with served(whole) as url, opened(browser, url) as page:
        assert page.locator("#count").inner_text().startswith("12 of 12")
        brush(page, "lr", 0.25, 1.05)
        trials = load(whole).trials
        low, high = page.evaluate("(b => [b.low, b.high])(explorer.state.brushes.get('lr'))")
        inside = trials[(trials["hp_lr"] >= low) & (trials["hp_lr"] <= high)]
        assert 0 < len(inside) < 12
        assert ids(page) == sorted("0:" + inside["trial_id"])
        many = len(inside)
        assert page.locator("#count b").inner_text() == str(many)
        assert page.locator("#figure-table tbody tr[data-key]").count() == many
        for figure in ("coordinates", "curves"):
            assert f"{many} of 12" in page.locator(f"#figure-{figure} .summary").inner_text()
        for figure in ("lr-batch", "cost", "influence"):
            summary = page.locator(f"#figure-{figure} .summary").inner_text()
            assert f"of the {many} selected" in summary
        faces = page.locator("#faces-summary")
        assert faces.inner_text() == (  # chosen from a0
            "2 models of the selection: alexnet. alexnet (1 of 2 seeds) has not learned: no better "
            "than one class answered always."
        )
        page.locator("#figure-table tbody tr[data-key]").first.click()
        page.locator("dialog").get_by_label("Tags").fill("baseline, to repeat")
        page.locator("dialog").get_by_label("Note").fill("the <b>best</b> so far")
        page.get_by_role("button", name="Save note").click()
        until(page, "document.querySelector('.notes-of span').textContent.startsWith('Saved')")
        page.keyboard.press("Escape")
        page.reload()
        page.wait_for_selector("body[data-ready]", state="attached")
        assert ids(page) == sorted("0:" + inside["trial_id"])
        page.locator("#find").fill("tags=baseline")
        until(page, "explorer.count_selected === 1")
        assert "the <b>best</b> so far" in page.locator("#figure-table").inner_text()
        page.locator("#find").fill("")
        page.go_back()  # all that was typed is one step
        page.go_back()
        until(page, "explorer.count_selected === 12")


def test_the_app_and_the_file_give_the_same_trials_for_the_same_brush(browser, whole, tmp_path):
    strokes = [("lr", 0.2, 1.05), ("val_accuracy", 0.1, 0.8), ("model", 0.9, 1.05)]
    found = []
    with served(whole) as url:
        for address, offline in ((url, False), (file_of(tmp_path, whole).as_uri(), True)):
            with opened(browser, address, offline) as page:
                told = []
                for stroke in strokes:
                    brush(page, *stroke)
                    told.append(ids(page))
                found.append(told)
                assert page.locator("text=Share chart").count() == 0
    assert found[0] == found[1]
    assert len({len(one) for one in found[0]}) == 3  # each stroke narrowed it


def test_what_the_whole_search_says_stands_in_app_and_file(browser, whole, tmp_path):
    with served(whole) as url:
        for address in (url, file_of(tmp_path, whole).as_uri()):
            with opened(browser, address) as page:
                until(page, "document.querySelector('#written-searches h3')")
                told = page.locator("#written-searches").inner_text()
                assert "The winner's curse" in told
                assert "not computed from fewer than 30 trials at one epoch (alexnet 3 and" in told


def test_the_selection_is_saved_as_one_file_that_works_alone(browser, whole, tmp_path):
    with served(whole) as url, opened(browser, url) as page:
        page.locator("#find").fill("alexnet status=completed")
        chosen = ids(page)
        assert 0 < len(chosen) < 12
        page.locator("#export").click()
        with page.expect_download() as download:
            page.locator("dialog button.main").click()
        file = tmp_path / "saved.html"
        download.value.save_as(file)
    with opened(browser, file.as_uri(), offline=True) as page:
        assert ids(page) == chosen
        assert page.locator("#count").inner_text().startswith(f"{len(chosen)} of {len(chosen)}")
        assert f"{len(chosen)} of the 12 trials" in page.locator("header").inner_text()
        brush(page, "val_accuracy", 0.5, 1.05)
        assert 0 < len(ids(page)) < len(chosen)
        assert page.locator("#export").is_hidden()
    packed = file.read_text(encoding="utf-8").split('id="later">')[1].split("</script>")[0]
    kept = json.loads(gzip.decompress(base64.b64decode(packed)))
    assert kept["answers"]["networks"] and "data:image/png" not in json.dumps(kept)


def test_a_cell_shows_the_faces_that_it_counts(browser, whole, tmp_path, monkeypatch):
    prepared(tmp_path, monkeypatch)
    votes = voters(tmp_path, monkeypatch)
    one = load(whole)
    with served(whole, votes=votes) as url, opened(browser, url) as page:
        page.locator("#figure-models button", has_text="resnet34").click()
        networks = [found for found in answers(one) if found.setting == "resnet34"]
        assert ids(page) == ["0:resnet34-s0", "0:resnet34-s1"]
        counts = evaluation.matrix(networks[0], "val+test", CLASSES)
        cells = page.locator("#figure-confusion td.cell button")
        shown = [cells.nth(k).get_attribute("aria-label") for k in range(49)]
        told = [float(re.search(r": ([\d.]+) images", label)[1]) for label in shown]
        assert told == counts.ravel().round(1).tolist()
        cells.nth(0 * 7 + 3).click()  # angry answered as happy
        wrong = (networks[0].label == 0) & (networks[0].guess == 3).any(0)
        assert page.locator(".card").count() == wrong.sum() > 0
        assert page.evaluate("explorer.state.cell") == [0, 3]
        until(page, "explorer.faces.there")
        assert "sheet/0.png" in page.locator(".card .face").first.get_attribute("style")
        assert "FER+: happy 10" in page.locator(".card").first.inner_text()
        page.locator(".card").first.click()
        assert page.locator("dialog table tbody tr").count() == 2
        page.locator("dialog button", has_text="resnet34-s0").click()
        told = page.locator("canvas.attention").get_attribute("aria-label")
        assert told == "attention of resnet34-s0, from 0.00 to 1.00"
        page.keyboard.press("Escape")
        page.locator("#figure-faces button", has_text="with an attention map").click()
        assert page.locator(".card canvas.attention").count() == len(SPLITS)
        assert "faces=seen" in page.url
        page.locator("#figure-models button", has_text="alexnet").click()  # it has none
        until(page, "!document.querySelector('.card canvas.attention')")


def a_second_matrix_is_a_difference(page, settings):
    """What one setting has more of than another, cell by cell; the arrows walk it."""
    counts = {one.setting: evaluation.matrix(one, "val+test", CLASSES) for one in settings}
    for field, setting in (("Model", "resnet34"), ("minus", "alexnet")):
        page.locator("#figure-confusion").get_by_label(field).select_option(f"s {setting}")
    apart = (counts["resnet34"] - counts["alexnet"]).ravel()
    cells = page.locator("#figure-confusion td.cell")
    said = [
        re.search(r": (.*) images", cell.get_attribute("aria-label"))[1] for cell in buttons(cells)
    ]
    assert [float(word.replace("−", "-")) for word in said] == pytest.approx(
        apart.round(1).tolist()
    )
    assert any("−" in word for word in said) and any(word.startswith("+") for word in said)
    worse = [int(np.sign(one)) == (-1 if k % 8 == 0 else 1) for k, one in enumerate(apart)]
    assert ["worse" in cell.get_attribute("class") for cell in cells.all()] == worse
    assert "of.matrix=s" in page.url and "of.less=s" in page.url
    cells.first.locator("button").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith(f"{CLASSES[1]} answered as {CLASSES[1]}")
    assert page.locator("#figure-confusion td.cell button[tabindex='0']").count() == 1
    page.locator("#figure-confusion").get_by_label("minus").select_option("none")


def buttons(cells):
    return cells.locator("button").all()


def test_a_class_without_an_image_has_no_recall_and_no_difference(browser, whole, tmp_path):
    """Where near copies take all of a class from test: its difference was +NaN."""
    frame = pd.read_parquet(whole / "predictions.parquet")
    frame.loc[frame["label"] == "surprise", "duplicate"] = True
    frame.to_parquet(whole / "predictions.parquet")
    with opened(browser, file_of(tmp_path, whole).as_uri() + "#scope=unseen", offline=True) as page:
        rows = "['s0', 's1'].map(s => explorer.data.place.get('0:alexnet-' + s))"
        page.evaluate(f"explorer.side_by_side(...{rows})")
        told = page.locator("dialog tr", has_text="surprise").locator("td").all_inner_texts()
        assert told == ["surprise", "–", "–", "–"]


def test_faces_that_all_get_wrong_and_that_one_alone_gets_right(browser, whole, tmp_path):
    both = np.concatenate([found.guess == found.label for found in answers(load(whole))])
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        a_second_matrix_is_a_difference(page, answers(load(whole)))
        for words, wanted in (("all get wrong", 0), ("one alone gets right", 1)):
            page.locator("#figure-faces button", has_text=words).click()
            many = int((both.sum(0) == wanted).sum())
            assert page.locator("#figure-faces .summary").inner_text().startswith(f"{many} face")
        assert "licence forbids" in page.locator("#figure-faces .note").inner_text()
        assert "Choose a cell" not in page.locator("#figure-faces").inner_text()


def test_what_is_new_appears_and_neither_selection_nor_zoom_is_lost(browser, tmp_path):
    rows = [trial("a", status="running"), trial("b", status="running", hp_lr=0.05)]
    curves = epochs("a", [0.2, 0.3]) + epochs("b", [0.1])
    path = folder(tmp_path / "live", header(status="running"), rows, curves, [])
    with served(path) as url, opened(browser, url) as page:
        assert page.locator("#live").is_visible()
        page.locator("#find").fill("lr>0.02")
        assert ids(page) == ["0:b"]
        axes = "document.querySelector('#figure-curves .axes')"
        page.evaluate(f"Plotly.relayout({axes}, {{'xaxis.range': [1, 1.5]}})")
        rows.append(trial("c", status="running", hp_lr=0.09))
        curves += epochs("c", [0.4])
        later = curves[2]["finished_at"] + pd.Timedelta(days=1)  # an epoch repeated after a crash
        curves[2] |= {"val_accuracy": 0.15, "finished_at": later}
        schemas.write_table(path / "epochs.parquet", curves, schemas.EPOCHS)
        schemas.write_table(path / "trials.parquet", rows, schemas.TRIALS)
        until(page, "explorer.data.n === 3 && explorer.data.epochs.epoch.length === 4")
        assert ids(page) == ["0:b", "0:c"]
        values = page.evaluate("Array.from(explorer.data.epochs.val_accuracy)")
        assert values == pytest.approx([0.2, 0.3, 0.15, 0.4])
        assert page.evaluate(f"{axes}._fullLayout.xaxis.range") == [1, 1.5]
        for place in ("health", "curves", "searches"):  # they stood as they were when it was opened
            box = f"document.getElementById('written-{place}')"
            until(page, f"{box}.textContent.includes('As of 3 trials and 4 epochs.')")
        (path / "epochs.parquet").write_bytes(b"PAR1")  # half-written
        until(page, "!document.getElementById('trouble').hidden")
        assert "epochs.parquet can't be read" in page.locator("#trouble").inner_text()
        schemas.write_table(path / "epochs.parquet", curves, schemas.EPOCHS)
        until(page, "document.getElementById('trouble').hidden")


def test_the_keyboard_reaches_the_table_the_filters_and_a_trial(browser, whole, tmp_path):
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        page.locator("#figure-table table").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        assert page.evaluate("explorer.count_selected") == 11
        page.keyboard.press("Enter")
        dialog = page.locator("dialog")
        assert dialog.is_visible() and "No tags and no note" in dialog.inner_text()
        page.locator("dialog select").select_option(index=1)
        first, second = dialog.locator("h3").first.inner_text().split(" and ")
        trials = load(whole).trials.set_index("trial_id")
        apart = dialog.locator("tr", has_text="lr").first.inner_text().split()
        said = [float(value) for value in apart[-2:]]
        rates = trials.loc[[first, second], "hp_lr"].tolist()
        assert said == pytest.approx(rates, rel=1e-3) and rates[0] != rates[1]
        until(page, "document.querySelector('#figure-sides .axes')._fullLayout")
        page.keyboard.press("Escape")
        page.locator("#clear").click()
        page.locator("#figure-coordinates summary", has_text="Filter").focus()
        page.keyboard.press("Enter")
        page.get_by_label("lr from").fill("0.03")
        page.keyboard.press("Tab")
        trials = load(whole).trials
        assert ids(page) == sorted("0:" + trials[trials["hp_lr"] >= 0.03]["trial_id"])
        span = page.locator(".strip[data-axis='lr'] .brushed span")
        assert span.bounding_box()["height"] > 20  # a range without an upper end, on a log axis
        head = page.locator("#figure-table th button", has_text="trial")
        head.focus()
        page.keyboard.press("Enter")
        assert page.locator("th[aria-sort=ascending]").inner_text().startswith("trial")
        assert page.get_by_label("lr from").input_value() == "0.03"
        page.evaluate("explorer.change({})")
        assert page.get_by_label("lr to").input_value() == ""
        page.keyboard.press("Enter")
        assert page.locator("th[aria-sort=descending]").inner_text().startswith("trial")


def test_what_is_drawn_anew_keeps_the_focus_and_the_active_row(browser, whole, tmp_path):
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        page.locator("td.cell button").nth(1).focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.dataset.focus") == "0 1"
        page.locator("#axes summary").click()
        button = page.locator("#axes button[aria-label^='move left']").nth(2)
        label = button.get_attribute("aria-label")
        button.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.ariaLabel") == label
        page.keyboard.press("Enter")  # now it is the first, and can't be moved on
        first = page.locator("#axes fieldset").first
        assert first.locator(f"button[aria-label='{label}']").is_disabled()
        assert first.locator(":focus").count() == 1
        page.locator("#figure-table table").focus()
        for key in ("ArrowDown", "ArrowDown"):
            page.keyboard.press(key)
        active = page.locator("#figure-table tr.active")
        key = active.get_attribute("data-key")
        told = page.locator("#figure-table table").get_attribute("aria-activedescendant")
        assert told == active.get_attribute("id")
        page.locator("#figure-table th button", has_text="trial").click()
        assert active.get_attribute("data-key") == key
        kept = page.evaluate("""() => {
          const of = text => `<p>${text}</p><details><summary>more</summary></details>
              <button>less</button>`,
            box = document.getElementById('written-study');
          explorer.take_written({study: of('zero')});
          return ['summary', 'button'].map(what => {
            box.querySelector(what).focus();
            explorer.take_written({study: of(what)});
            const same = document.activeElement === box.querySelector(what);
            return same && box.innerText.includes(what);
          });
        }""")
        assert kept == [True, True]


def test_back_undoes_what_was_typed_and_the_skip_link_keeps_it(browser, whole, tmp_path):
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        find = page.locator("#find")
        find.press_sequentially("alexnet")
        few = page.evaluate("explorer.count_selected")
        page.locator(".skip").focus()
        page.keyboard.press("Enter")
        assert "find=alexnet" in page.url and "view=trials" in page.url
        assert page.evaluate("document.activeElement.id") == "trials"
        assert 0 < few == page.evaluate("explorer.count_selected") < 12
        page.go_back()
        find.focus()
        page.go_back()
        until(page, "explorer.count_selected === 12")
        assert find.input_value() == ""
        page.go_forward()
        until(page, f"explorer.count_selected === {few}")
        assert find.input_value() == "alexnet"


def test_tables_and_figures_are_handed_over_as_csv_svg_and_png(browser, whole, tmp_path):
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:

        def saved(selector, words):
            with page.expect_download() as download:
                page.locator(f"{selector} button", has_text=words).first.click()
            path = tmp_path / download.value.suggested_filename
            download.value.save_as(path)
            return path

        frame = pd.read_csv(saved("#figure-table .controls", "CSV"))
        assert sorted(frame["trial_id"]) == sorted(load(whole).trials["trial_id"])
        page.locator("#find").fill("alexnet")
        page.get_by_label("selected only").uncheck()
        page.locator("#figure-table th button", has_text="trial").click()
        rows = page.locator("#figure-table tbody tr[data-key] td:nth-child(2)").all_inner_texts()
        shown = pd.read_csv(saved("#figure-table .controls", "CSV"))["trial_id"]
        assert shown.tolist() == rows and len(rows) == 12
        page.locator("#find").fill("")
        budget = pd.read_csv(saved("#written-study .block:has(h3:text-is('Budget'))", "CSV"))
        assert budget["spent"].dtype == float
        svg = saved("#figure-curves", "SVG").read_text()
        assert svg.startswith("<svg") and svg.count("<path") > 5 and "<image" not in svg
        assert "<image" not in saved("#figure-coordinates", "SVG").read_text()
        assert saved("#figure-cost", "PNG").read_bytes().startswith(b"\x89PNG")


EVIL = "</script><img src=x onerror=alert(1)>\"'\n& “q”"


def test_names_that_look_like_markup_break_nothing(browser, tmp_path):
    rows = [
        trial("a\n</script>", hp_model=EVIL, reason=EVIL),
        trial("b", status="failed", error=EVIL),
        trial(f"{EVIL}-s0", EVIL, "confirm", setting=EVIL),
    ]
    curves = epochs("a\n</script>", [0.2, 0.3]) + epochs(f"{EVIL}-s0", [0.3])
    told = predictions(f"{EVIL}-s0", FAIR, LABELS, SPLITS)
    head = header(study={"name": EVIL, "models": [EVIL]})
    path = folder(tmp_path / "evil", head, rows, curves, [], told)
    with served(path) as url:
        for address in (url, file_of(tmp_path, path).as_uri()):
            with opened(browser, address) as page:
                assert EVIL.split("\n")[0] in page.locator("h1").inner_text()
                page.locator("#find").fill('"</script>"')
                assert page.evaluate("explorer.count_selected") == 3
                page.locator("#figure-table tbody tr[data-key]").first.click()
                assert page.locator("dialog img").count() == 0
                page.keyboard.press("Escape")
                page.evaluate("explorer.toggle(0)")
                kept = ids(page)
                page.evaluate("location.reload()")
                page.wait_for_selector("body[data-ready]", state="attached")
                assert ids(page) == kept and len(kept) == 2


@pytest.mark.parametrize("kind", ["empty", "one", "failed", "nan"])
def test_odd_studies_are_told_in_sentences(browser, tmp_path, kind):
    rows, curves = [trial("a")], epochs("a", [0.2, 0.3])
    if kind == "empty":
        path = folder(tmp_path / kind, header(status="running"))
    elif kind == "one":
        path = folder(tmp_path / kind, None, rows, curves, [])
    elif kind == "failed":
        bad = [trial(f"f{k}", status="failed", error="out of memory") for k in range(3)]
        path = folder(tmp_path / kind, None, bad, [], [])
    else:
        curves = epochs("a", [0.2, float("nan")], [float("nan"), float("inf")])
        path = folder(tmp_path / kind, None, rows, curves, [])
    with opened(browser, file_of(tmp_path, path).as_uri(), offline=True) as page:
        text = page.locator("body").inner_text()
        sentence = {
            "empty": "No trial has started yet",
            "one": "1 of 1 trials",
            "failed": "out of memory",
            "nan": "is no number",
        }
        assert sentence[kind] in text
        assert not re.search(r"\bNaN\b|undefined|Infinity", text)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (720, "light")])  # 720: 1440 at 200 %
def test_nothing_is_wider_than_the_page(browser, whole, tmp_path, width, scheme):
    with opened(browser, file_of(tmp_path, whole).as_uri(), True, color_scheme=scheme) as page:
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        until(page, f"document.documentElement.scrollWidth <= {width}")  # pictures follow in time
        stage = "document.querySelector('.stage')"  # the lines stand at their axes in the new width
        ratio = "document.querySelector('.stage canvas').width / devicePixelRatio"
        until(page, f"Math.abs({ratio} - {stage}.clientWidth) < 1")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")  # all of it is on paper
        until(page, "!document.querySelector('.written .plot > script')")
        for element in page.locator("figure:visible .drawing").all():
            inner = element.locator("[role=img]")
            labelled = inner.first if inner.count() else element
            assert labelled.get_attribute("aria-label")


def test_the_pages_arithmetic_is_that_of_the_results(browser, whole, tmp_path):
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 9, 40).astype(float), rng.normal(size=40)
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        told = page.evaluate("([a, b]) => explorer.spearman(a, b)", [a.tolist(), b.tolist()])
        assert told == pytest.approx(st.spearman(a, b))
        told = page.evaluate("values => explorer.expected_best(values)", b.tolist())
        np.testing.assert_allclose(told, st.expected_best(b))
        assert page.evaluate("explorer.wilson(7, 20)") == pytest.approx(wilson(7, 20))


def replay_rows(page):
    """The table of replays as it is read."""
    script = """Array.from(document.querySelectorAll('#figure-replay tbody tr'),
        row => Array.from(row.cells, cell => cell.textContent))"""
    return page.evaluate(script)


@pytest.mark.parametrize("pooled", [False, True])
def test_the_page_replays_as_the_report_does_and_says_who_was_judged_with_whom(
    browser, tmp_path, pooled
):
    found = judged_study(tmp_path / "s", 3, together=3, pooled=pooled, ties=True)
    frame = halving.table(halving.replays(found, search.searched(found)))
    page_of = file_of(tmp_path, tmp_path / "s")
    with opened(browser, page_of.as_uri(), offline=True) as page:
        rows = replay_rows(page)
        assert [int(row[0]) for row in rows] == frame["reduction_factor"].tolist()
        assert [int(row[1]) for row in rows] == frame["epochs_run"].tolist()
        assert rows[0][2] == "0.0 %" and rows[0][4:] == ["0.00", "0"]
        told = page.locator("#figure-judgements .summary").inner_text()
        assert ("in one pool" in told) == pooled
        assert ("among those of its own network" in told) == (not pooled)


def test_a_saved_selection_still_tells_the_whole_searchs_replay(browser, tmp_path):
    found = judged_study(tmp_path / "s", 3, pooled=True)
    keys = ["0:t1", "0:t3", "0:t5"]  # of one network: alone it would look judged by itself
    page_of = file_of(tmp_path, tmp_path / "s", keys=keys)
    with opened(browser, page_of.as_uri(), offline=True) as page:
        rows = replay_rows(page)
        assert int(rows[0][1]) == len(found.epochs) and rows[0][5] == "0"
        assert "in one pool" in page.locator("#figure-judgements .summary").inner_text()


def test_of_two_searches_each_is_replayed_with_its_own_factor(browser, tmp_path):
    studies = [judged_study(tmp_path / name, factor) for name, factor in (("a", 3), ("b", 4))]
    page_of = file_of(tmp_path, tmp_path / "a", tmp_path / "b")
    with opened(browser, page_of.as_uri(), offline=True) as page:
        for number, found in enumerate(studies):
            page.get_by_role("combobox", name="Search").select_option(f"s{number}")
            rows = replay_rows(page)
            assert int(rows[0][0]) == 3 + number and int(rows[0][1]) == len(found.epochs)


def test_of_two_searches_each_is_told_by_its_own_metric_and_images(browser, tmp_path):
    """What is drawn is the accuracy that both have; ASHA judged the second by macro-F1."""
    for name in "ab":
        judged_study(tmp_path / name, 3)
        trials = pd.read_parquet(tmp_path / name / "trials.parquet")
        trials.assign(hp_batch_size=50).to_parquet(tmp_path / name / "trials.parquet")
    told = json.loads((tmp_path / "b" / "study.json").read_text())
    told["study"] |= {"metric": "macro_f1", "train_images": 50, "name": "b"}
    (tmp_path / "b" / "study.json").write_text(json.dumps(told))
    frame = pd.read_parquet(tmp_path / "b" / "epochs.parquet")
    frame.assign(val_macro_f1=frame["val_accuracy"]).to_parquet(tmp_path / "b" / "epochs.parquet")
    page_of = file_of(tmp_path, tmp_path / "a", tmp_path / "b")
    with opened(browser, page_of.as_uri(), offline=True) as page:
        for number, words in enumerate(("val accuracy", "val macro-F1")):
            page.get_by_role("combobox", name="Search").select_option(f"s{number}")
            heads = page.locator("#figure-replay th").all_inner_texts()
            assert f"best {words}" in heads and f"{words} lost (points)" in heads
            assert f"points of {words} lost" in page.locator("#figure-replay .summary").inner_text()
        axis = "document.querySelector('#figure-judgements .axes')._fullLayout?.yaxis.title.text"
        until(page, f"{axis} === 'val accuracy and val macro-F1 at epoch 1'")
        page.locator("#figure-curves").get_by_label("against").select_option("images")
        shapes = "document.querySelector('#figure-curves .axes')._fullLayout?.shapes"
        until(page, f"{shapes}?.some(shape => shape.x0 > 9)")
        drawn = page.evaluate(f"{shapes}.map(shape => shape.x0)")
        assert sorted(drawn) == [50, 100, 150, 300]  # epochs 1 and 3, of 50 and of 100 images


def a_search(path, name="s", decay=1e-4, images=14, digest="abc"):
    """Six trials of each network: accuracy falls with lr for alexnet and rises for resnet34, which
    is better; the best of each is confirmed with two seeds that do worse."""
    rows, curves = [], []
    for model, base, way in (("alexnet", 0.3, -1), ("resnet34", 0.5, 1)):
        for k in range(6):
            one, lr = f"{model[0]}{k}", 0.002 * (k + 1) + 0.02 * (model == "resnet34")
            rows.append(
                trial(
                    one,
                    model,
                    hp_lr=lr,
                    hp_batch_size=[32, 64][k % 2],
                    hp_weight_decay=decay,
                    multiply_adds=1000 + k,
                )
            )
            curves += epochs(one, [base + way * 0.01 * k] * 2)
        for seed in (0, 1):
            one = f"{model}-s{seed}"
            rows.append(
                trial(
                    one,
                    model,
                    "confirm",
                    hp_lr=0.002,
                    hp_batch_size=32,
                    hp_weight_decay=decay,
                    hp_seed=seed,
                )
            )
            curves += epochs(one, [0.1, 0.1])
    head = header(
        study={"name": name},
        data={"digest": digest, "images": {"train": 100, "val": images, "test": 14}},
    )
    return folder(path, head, rows, curves, [])


def test_confirmed_copies_and_other_networks_are_in_no_correlation(browser, tmp_path):
    with opened(browser, file_of(tmp_path, a_search(tmp_path / "s")).as_uri(), True) as page:
        found = page.evaluate("explorer.influences().filter(row => row.name === 'lr')")
        assert [(row["model"], row["trials"]) for row in found] == [("alexnet", 6), ("resnet34", 6)]
        assert [row["worth"] for row in found] == pytest.approx([-1, 1])
        told = page.locator("#figure-slice-lr .summary").inner_text()
        assert told.endswith(": alexnet −1.00, 6 trials; resnet34 +1.00, 6 trials.")
        for figure in ("influence", "cost", "lr-batch"):
            words = page.locator(f"#figure-{figure} .summary").inner_text()
            assert "12 of the 12 compared reached" in words
            assert "Left out: 4 confirmed trials" in words
        cells = page.locator("#figure-cells td button").all_inner_texts()
        many = [int(re.search(r"of (\d+)", one)[1]) for one in cells]
        assert sum(many) == 12 and "alexnet" in cells[0]


def test_studies_are_never_pooled(browser, tmp_path):
    """Weight decay differs between them only; one was judged on more images of val."""
    one = a_search(tmp_path / "a", "a")
    two = a_search(tmp_path / "b", "b", decay=1e-2, images=28, digest="xyz")
    with opened(browser, file_of(tmp_path, one, two).as_uri(), True) as page:
        found = page.evaluate("explorer.influences().map(row => [row.name, row.group, row.trials])")
        assert not [row for row in found if row[0] == "weight_decay"]
        assert ["lr", "alexnet in b", 6] in found and max(row[2] for row in found) == 6
        told = page.locator("#figure-cost .summary").inner_text()
        assert "evaluated on different val images (a 14 and b 28)" in told
        assert "Pareto front: a r5; b r5 (filled)." in told
        assert page.locator("#figure-cells td button").count() == 0
        page.locator("#figure-cells button", has_text="b").click()
        assert page.locator("#figure-cells td button").count() > 0
        assert "judged on other" not in page.locator("#figure-cost .summary").inner_text()


def test_a_plateau_is_no_correlation(browser, tmp_path):
    rows = [trial(f"t{k}", hp_lr=0.01 * (k + 1)) for k in range(6)]
    curves = [row for k in range(6) for row in epochs(f"t{k}", [0.25 if k < 5 else 0.4])]
    path = folder(tmp_path / "s", None, rows, curves, [])
    with opened(browser, file_of(tmp_path, path).as_uri(), True) as page:
        assert page.evaluate("explorer.influences()") == []
        assert "No correlation" in page.locator("#figure-slice-lr .summary").inner_text()


def test_a_filter_says_what_it_does_not_understand(browser, whole, tmp_path):
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        find, misread = page.locator("#find"), page.locator("#misread")
        every = page.evaluate("explorer.data.n")
        for text, words in (
            ("foo=3", "There is no column «foo»: "),
            ("network>3", "«network» holds words: compare it by =, not by >."),
            ("lr<", "«lr<» lacks its number."),
            ("lr>many", "«lr» holds numbers, and «many» is none."),
        ):
            find.fill(text)
            assert (
                words in misread.inner_text() and page.evaluate("explorer.count_selected") == every
            )
        for text in (
            "batch size=64",
            "batch_size = 64",
            "Batch Size=64 network=alexnet",
            "LR<0.03",
            "lr > 0.03",
            "status=Stopped",
            "accuracy>25",
            "val_accuracy>0.25",
            "epochs>3",
            "epochs_run<=1",
            "error=",
            'setting="alexnet"',
            "stage=confirm",
        ):
            find.fill(text)
            many = page.evaluate("explorer.count_selected")
            assert 0 < many < every and misread.is_hidden(), text
        find.fill("")
        page.evaluate("explorer.change({epoch: 2})")
        for heading in page.locator("#figure-table th button").all_inner_texts():
            find.fill(f"{heading.strip(' ↓↑')}=")
            assert "There is no column" not in misread.inner_text(), heading
        page.evaluate("explorer.change({epoch: null})")
        trials = search.searched(load(whole))
        find.fill("stage=search accuracy>25 epochs=4")
        here = trials[(trials["val_accuracy"] > 0.25) & (trials["last_epoch"] == 4)]
        page.evaluate("explorer.change({epoch: 0})")
        assert ids(page) == sorted("0:" + here["trial_id"])


def test_while_faces_are_read_nothing_is_said_to_be_missing(browser, whole, tmp_path, monkeypatch):
    data, votes = prepared(tmp_path, monkeypatch), voters(tmp_path, monkeypatch)
    held = []

    def before(page):
        page.route("**/faces", lambda route: held.append(route))

    with served(whole, votes=votes) as url, opened(browser, url, before=before) as page:
        page.evaluate("explorer.change({cell: [0, 3]})")
        card = page.locator("#figure-faces .card").first
        assert card.locator(".face").inner_text() == "being read"
        card.click()
        assert "The votes are being read." in page.locator("dialog").inner_text()
        page.keyboard.press("Escape")
        until(page, "true")
        held[0].continue_()
        until(page, "explorer.faces.there")
        assert "FER+: happy 10" in card.inner_text() and data.exists()


def test_drawn_faces_have_no_licence_and_no_voters(browser, tmp_path):
    told = predictions("alexnet-s0", FAIR, LABELS, SPLITS)
    head = header(data={"synthetic": True, "name": "faces"})
    path = folder(
        tmp_path / "s",
        head,
        [trial("alexnet-s0", stage="confirm")],
        epochs("alexnet-s0", [0.2]),
        [],
        told,
    )
    for page_of in (file_of(tmp_path, path),):
        with opened(browser, page_of.as_uri(), offline=True) as page:
            page.evaluate("explorer.change({cell: [0, 3]})")
            page.locator("#figure-faces .card").first.click()
            text = page.locator("body").inner_text()
            assert "licence" not in text and "nobody voted on them" in text


WAITED = """new MutationObserver(() => {
  window.waited ??= document.querySelector('#written-comparison .quiet')?.textContent;
}).observe(document, {childList: true, subtree: true});"""


def test_a_failed_fetch_is_said_and_asked_again(browser, whole):
    failed = []

    def before(page):
        def once(route):
            if route.request.url in failed:
                return route.continue_()
            failed.append(route.request.url)
            return route.abort()

        for path in ("answers", "faces", "written", "searches"):
            page.route(f"**/{path}", once)
        page.add_init_script(WAITED)

    with served(whole) as url, opened(browser, url, before=before) as page:
        assert page.evaluate("window.waited") == "Comparing the models …"  # what loads says so
        until(page, "document.querySelector('#written-searches h3')")
        until(page, "!explorer.faces.looking")
        assert len(failed) == 4
        until(page, "document.getElementById('silence').hidden")


def test_news_that_take_longer_than_a_poll_are_shown(browser, tmp_path, monkeypatch):
    def slowly(*given, told=live_app.state, **more):
        time.sleep(2 * live_app.POLL_MS / 1000)
        return told(*given, **more)

    rows = [trial("a", status="running")]
    path = folder(tmp_path / "live", header(status="running"), rows, epochs("a", [0.2]), [])
    with served(path) as url, opened(browser, url) as page:
        monkeypatch.setattr(live_app, "state", slowly)
        rows.append(trial("b", status="running"))
        schemas.write_table(path / "trials.parquet", rows, schemas.TRIALS)
        until(page, "explorer.data.n === 2", seconds=40)


def test_a_server_that_falls_silent_is_said(browser, whole):
    with served(whole) as url, opened(browser, url, before=lambda page: None) as page:
        silence = page.locator("#silence")
        assert silence.is_hidden()
        page.route("**/_dash-update-component*", lambda route: route.abort())
        until(page, "!document.getElementById('silence').hidden")
        assert "hasn’t been heard since" in silence.inner_text()
        page.unroute("**/_dash-update-component*")
        until(page, "document.getElementById('silence').hidden")


@contextmanager
def proxied(target, root, host, remove):
    """Another server that hands on what lies below `root`, under a name of its own."""
    rule = {"target": target, "remove_prefix": remove, "host": host}
    proxy = ProxyMiddleware(NotFound(), {f"{root}/": rule}, timeout=PATIENCE)
    server = make_server("127.0.0.1", 0, proxy, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}{root}/"
    server.shutdown()
    thread.join()
    server.server_close()
    gc.collect()


# werkzeug 3.1's proxy, the test's own, leaves a connection open whose page has gone
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("remove", [True, False])
def test_behind_a_proxys_path_and_name_the_page_is_whole_and_live(browser, tmp_path, remove):
    rows, curves = [trial("a", status="running")], epochs("a", [0.2])
    path = folder(tmp_path / "live", header(status="running"), rows, curves, [])
    root, hosts = "/user/me/proxy/8050", ("hub.example",)
    more = {} if remove else {"prefix": root}
    with (
        served(path, hosts=hosts, **more) as inner,
        proxied(inner, root, "hub.example", remove) as url,
    ):
        with opened(browser, url) as page:
            schemas.write_table(path / "epochs.parquet", epochs("a", [0.2, 0.3]), schemas.EPOCHS)
            until(page, "explorer.data.epochs.epoch.length === 2")


def test_a_name_that_was_not_allowed_is_refused_in_a_sentence(whole):
    client = app((whole,)).server.test_client()
    refused = client.get("/", headers={"Host": "hub.example"})
    assert refused.status_code == 403 and "--allow-host hub.example" in refused.text
    client = app((whole,), hosts=("hub.example",), prefix="user/me").server.test_client()
    own = {"Host": "hub.example"}
    assert client.get("/user/me/payload", headers=own).status_code == 200
    assert client.get("/payload", headers=own).status_code == 200
    assert client.get("/user/me", headers=own).headers["Location"] == "/user/me/"
    assert client.get("/user/me/payload", headers={"Host": "evil.example"}).status_code == 403


# Every text that is seen against what lies behind it, by WCAG 2's contrast; of a ground of two
# colours the worse counts.
CONTRASTS = """() => {
  const parse = text => {
    const part = text.match(/[\\d.]+/g).map(Number);
    const srgb = text.startsWith('color(') ? part.slice(0, 3).map(v => 255 * v) : part.slice(0, 3);
    return [...srgb, part[3] ?? 1];
  };
  const over = (top, ground) =>
    [0, 1, 2].map(k => top[k] * top[3] + ground[k] * (1 - top[3])).concat(1);
  const light = ([r, g, b]) => [r, g, b]
    .map(v => v / 255)
    .map(v => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const grounds = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      const stops = style.backgroundImage.match(/(rgba?|color)\\([^)]*\\)/g);
      if (stops && style.backgroundImage.startsWith('linear')) layers.push(stops.map(parse));
      layers.push([parse(style.backgroundColor)]);
      if (parse(style.backgroundColor)[3] === 1) break;
    }
    const root = parse(getComputedStyle(document.body).backgroundColor);
    let found = [root];
    for (const layer of layers.reverse())
      found = layer.flatMap(colour => found.map(ground => over(colour, ground)));
    return found;
  };
  const seen = element =>
    element.checkVisibility({opacityProperty: true, visibilityProperty: true});
  const bad = new Map();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement,
      text = walk.currentNode.textContent.trim();
    if (!text || !seen(element) || element.closest('script, style, .hidden, :disabled')) continue;
    const style = getComputedStyle(element), svg = element.closest('svg');
    let colour = parse(svg && style.fill !== 'none' ? style.fill : style.color);
    for (let at = element; at; at = at.parentElement)
      colour[3] *= Number(getComputedStyle(at).opacity);
    const ratio = Math.min(...grounds(svg ? svg.parentElement : element).map(ground => {
      const [a, b] = [light(over(colour, ground)), light(ground)].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05);
    }));
    const named = one => `${one.tagName}.${one.getAttribute('class') || ''}`;
    const key = `${named(element)} in ${named(element.parentElement)}`;
    if (ratio < 4.5 && !(bad.get(key)?.ratio < ratio))
      bad.set(key, {ratio, key, text: text.slice(0, 30)});
  }
  return [...bad.values()].map(one => `${one.ratio.toFixed(2)} ${one.key}: ${one.text}`);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(browser, whole, tmp_path, scheme):
    rows = [
        trial(f"x{k}", hp_batch_size=[32, 64, 128][k % 3], hp_lr=0.001 * 1.3**k) for k in range(18)
    ]
    curves = [row for k in range(18) for row in epochs(f"x{k}", [0.2 + 0.03 * k])]
    many = folder(tmp_path / "many", header(study={"name": "many"}), rows, curves, [])
    with served(whole) as url, opened(browser, url, color_scheme=scheme) as page:
        until(page, "document.querySelector('#written-searches h3')")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.evaluate("explorer.change({cell: [0, 3]})")
        assert page.evaluate(CONTRASTS) == []
        page.locator("#export").click()
        assert page.evaluate(CONTRASTS) == []
        page.locator("button.main").hover()
        assert page.evaluate(CONTRASTS) == []
        page.keyboard.press("Escape")
        page.locator("#figure-table tbody tr[data-key]").first.click()
        assert page.evaluate(CONTRASTS) == []
        page.keyboard.press("Escape")
        page.locator("#figure-faces .card").first.click()
        assert page.evaluate(CONTRASTS) == []
    with opened(browser, file_of(tmp_path, many).as_uri(), True, color_scheme=scheme) as page:
        assert page.locator("table.cells button").count() > 5
        page.locator("#find").fill("foo=3")
        assert page.evaluate(CONTRASTS) == []


def prepared(tmp_path, monkeypatch):
    """The faces as a study keeps them, under the digest of the study."""
    cache = tmp_path / "cache"
    cache.mkdir(exist_ok=True)
    monkeypatch.setenv("FER_STUDY_CACHE", str(cache))
    arrays = {"about": np.array(json.dumps({"digest": "abc", "classes": CLASSES}))}
    for split in ("val", "test"):
        number = [k for k, own in enumerate(SPLITS) if own == split]
        arrays |= {
            f"{split}_ids": np.array(number),
            f"{split}_labels": np.array(LABELS)[number],
            f"{split}_images": np.full((len(number), 48, 48), 99, np.uint8),
        }
    np.savez(cache / "abc-v1.npz", **arrays)
    return cache / "abc-v1.npz"


def voters(tmp_path, monkeypatch):
    """A table of votes in which everyone is happy, taken for FER+'s, of the study's own images."""
    words = [
        "neutral",
        "happiness",
        "surprise",
        "sadness",
        "anger",
        "disgust",
        "fear",
        "contempt",
        "unknown",
        "NF",
    ]
    frame = pd.DataFrame(0, index=range(28), columns=words).assign(happiness=10)
    frame.insert(0, "Usage", ["PublicTest" if one == "val" else "PrivateTest" for one in SPLITS])
    path = tmp_path / "fer2013new.csv"
    frame.to_csv(path, index=False)
    monkeypatch.setattr("results.facts.votes.PUBLISHED", votes_digest(frame[words]))
    monkeypatch.setattr("fer_data.fer2013.PUBLISHED", ("abc",))
    return path


@pytest.fixture(autouse=True)
def looked(whole):
    """Where the attention of one network lay, as the confirmation stores it."""
    map_ = np.linspace(0, 1, 36, dtype="<f2").tobytes()
    rows = [
        {"trial_id": "resnet34-s0", "split": split, "image": image, "side": 6, "weights": map_}
        for image, split in enumerate(SPLITS)
    ]
    pd.DataFrame(rows).to_parquet(whole / "attention.parquet")


def test_prepared_faces_are_found_by_the_digest_of_their_data(tmp_path, monkeypatch):
    path = prepared(tmp_path, monkeypatch)
    assert gallery.prepared("abc") == path and gallery.prepared("other") is None


def test_the_first_screen_is_the_answer_and_the_best_setting_can_be_taken_away(
    browser, whole, tmp_path
):
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        found = page.locator("#written-answer")
        assert " leads " in found.locator("p.answer").inner_text()
        first = found.locator(".plot .main-svg").first
        first.wait_for(state="attached")
        box = found.locator(".plot").first.bounding_box()
        assert box["y"] < 700  # of a window of 900
        assert found.locator(".code pre").first.inner_text().startswith("python -m study.run ")
        page.locator("#written-answer summary", has_text="best.toml").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save best.toml").click()
        file = tmp_path / "best.toml"
        download.value.save_as(file)
        assert tomllib.loads(file.read_text())["stages"] == ["confirm"]
        copy = found.get_by_role("button", name="Copy command")
        copy.click()
        found.get_by_text(re.compile("^(Copied|Selected)$")).wait_for()  # the clipboard may be slow


def test_history_timeline_and_usage_are_those_of_the_tables(browser, whole, tmp_path):
    one = load(whole)
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        for name in ("history", "timeline", "usage"):
            page.locator(f"#figure-{name}").scroll_into_view_if_needed()
        until(page, "document.querySelector('#figure-history .summary').textContent")
        ran = search.searched(one)
        ran = ran[ran["ran"] & ran["ended_at"].notna()]
        top = ran["val_accuracy"].max()
        assert f"{100 * top:.1f} %" in page.locator("#figure-history .summary").inner_text()
        page.locator("#figure-curves").scroll_into_view_if_needed()
        told = page.locator("#figure-curves .summary")
        best = one.trials["trial_id"][one.trials["trial_id"].isin(one.epochs["trial_id"])]
        finals = one.epochs.sort_values("epoch").groupby("trial_id")["val_accuracy"].last()
        assert f"Thick: {finals[best].idxmax()}" in told.inner_text()
        for number, value in ((2, "setting"), (3, "3"), (4, "xy")):
            page.locator("#figure-curves select").nth(number).select_option(value)
        said = told.inner_text()
        assert "with several seeds" in said and "Smoothed: each point is the mean of 3" in said
        assert all(
            part in page.url for part in ("of.curves=setting", "of.smoothing=3", "of.log=xy")
        )
        page.locator("#figure-curves select").nth(3).select_option("best")
        assert "Drawn is the best so far" in told.inner_text()
        axis = "document.querySelector('#figure-curves .axes')._fullLayout.yaxis"
        until(page, f"{axis}.type === 'log'")
        many = int(one.trials["started_at"].notna().sum())
        assert rows_of_table(page.locator("#figure-timeline")).count() == many


def test_axes_are_coloured_turned_moved_hidden_and_the_accuracy_stays_in_sight(
    browser, whole, tmp_path
):
    def names(page):
        return page.evaluate("[...document.querySelectorAll('.strip')].map(x => x.dataset.axis)")

    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        assert names(page)[-1] == "val_accuracy"
        page.locator("#axes summary").click()
        page.get_by_role("button", name="move right network").click()
        assert names(page)[1] == "model"
        page.get_by_role("button", name="invert lr").click()
        assert "lr ↓" in page.locator(".strip[data-axis='lr'] .name").inner_text()
        brush(page, "lr", 0.75, 1.05)  # the upper end, where the low ones stand now
        low, high = page.evaluate("(b => [b.low, b.high])(explorer.state.brushes.get('lr'))")
        rates = load(whole).trials["hp_lr"]
        assert low <= rates.min() and high < rates.max()
        page.locator("#clear").click()
        page.get_by_label("show lr", exact=True).uncheck()
        assert "lr" not in names(page)
        assert "of.axes" in page.url
        page.locator("#figure-coordinates select").select_option("model")
        assert "alexnet" in page.locator("#coordinates-key").inner_text()
        page.set_viewport_size({"width": 390, "height": 844})
        rule = "document.querySelector(\".strip[data-axis='val_accuracy'] .rule\")"
        place = f"{rule}.getBoundingClientRect().x"
        until(page, f"0 < {place} && {place} < 390")


def test_an_epoch_that_no_trial_reached_is_the_one_that_the_bar_names(browser, whole, tmp_path):
    """The tables were of it, and the bar said final accuracy."""
    with opened(browser, file_of(tmp_path, whole).as_uri() + "#epoch=30", offline=True) as page:
        shown = "document.getElementById('epoch').selectedOptions[0].textContent"
        assert page.evaluate(shown) == "epoch 30 (0 trials)"


def test_a_link_says_where_one_was_and_the_menu_is_in_the_history(browser, whole, tmp_path):
    address = file_of(tmp_path, whole).as_uri()
    with opened(browser, address, offline=True) as page:
        page.locator("nav a", has_text="Curves").click()
        assert "view=curves" in page.url
        page.locator("#figure-table th button", has_text="trial").click()
        assert "of.sort=trial_id" in page.url
        link = page.url
        page.go_back()
        assert "view=curves" not in page.url
    with opened(browser, link, offline=True) as page:
        until(page, "Math.abs(document.getElementById('curves').getBoundingClientRect().top) < 300")
        assert page.locator("th[aria-sort=ascending]").inner_text().startswith("trial")


def middles(page, figure, x, y):
    """Where marks at these values stand on the screen."""
    return page.evaluate(
        """([figure, x, y]) => {
          const plot = document.querySelector(`#figure-${figure} .axes`),
            box = plot.getBoundingClientRect(),
            {xaxis, yaxis} = plot._fullLayout;
          const at = (axis, value) => axis._offset + axis.c2p(value);
          return x.map((value, k) => [box.left + at(xaxis, value), box.top + at(yaxis, y[k])]);
        }""",
        [figure, x, y],
    )


def test_a_lassos_trials_are_the_selection_and_its_copied_link_has_them(browser, whole, tmp_path):
    """A loop around the two best of a slice, drawn with the mouse; the address holds two names."""
    with served(whole) as url:
        with opened(browser, url) as page:
            page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            page.evaluate("explorer.change({epoch: 1})")
            until(page, "document.querySelector('#figure-slice-lr .axes')._fullLayout?.dragmode")
            page.evaluate(
                "document.getElementById('figure-slice-lr')"
                ".scrollIntoView({behavior: 'instant', block: 'center'})"
            )
            one = load(whole)
            first = one.epochs[one.epochs["epoch"] == 1].set_index("trial_id")["val_accuracy"]
            ran = search.searched(one)
            ran = ran[ran["trial_id"].isin(first.index)]
            there = list(ran["trial_id"])
            lr = ran["hp_lr"].tolist()
            spots = middles(page, "slice-lr", lr, first[there].tolist())
            wanted = [k for k, name in enumerate(there) if name in ("r0", "r3")]
            xs, ys = zip(*(spots[k] for k in wanted), strict=True)
            left, right, top, low = min(xs) - 8, max(xs) + 8, min(ys) - 8, max(ys) + 8
            inside = {
                there[k] for k, (x, y) in enumerate(spots) if left < x < right and top < y < low
            }
            assert {"r0", "r3"} <= inside and len(inside) < len(there)
            page.mouse.move(left, low)
            page.mouse.down()
            for x, y in ((left, top), (right, top), (right, low), (left, low)):
                page.mouse.move(x, y, steps=6)
            page.mouse.up()
            until(page, f"explorer.count_selected === {len(inside)}")
            assert ids(page) == sorted(f"0:{name}" for name in inside)
            page.locator("#link").click()
            until(page, "document.getElementById('link').textContent === 'Copied'")
            link = page.evaluate("navigator.clipboard.readText()")
            assert link == page.url and len(link.split("#")[1]) < 80
        with opened(browser, link) as page:
            assert ids(page) == sorted(f"0:{name}" for name in inside)
            page.locator("#clear").click()
            assert page.evaluate("explorer.count_selected") == 12
            page.go_back()
            until(page, f"explorer.count_selected === {len(inside)}")


def test_any_two_hyperparameters_are_a_map_with_its_colour_bar(browser, tmp_path):
    with opened(browser, file_of(tmp_path, a_search(tmp_path / "s")).as_uri(), True) as page:
        figure = page.locator("#figure-lr-batch")
        figure.scroll_into_view_if_needed()
        offered = figure.locator("select").first.locator("option").all_inner_texts()
        assert offered == ["batch size", "lr"]
        axes = "document.querySelector('#figure-lr-batch .axes')._fullLayout"
        figure.get_by_label("Across").select_option("batch_size")
        figure.get_by_label("down").select_option("lr")
        until(page, f"{axes}?.yaxis.title.text === 'lr'")
        assert page.evaluate(f"{axes}.xaxis.title.text") == "batch size"
        assert "of.across=batch_size" in page.url and "of.down=lr" in page.url
        assert page.locator("#figure-cells").is_hidden()  # it is of lr by batch size
        bar = figure.locator("p.key")
        assert bar.locator(".gradient").is_visible()
        said = [float(each) for each in re.findall(r"([\d.]+) %", bar.inner_text())]
        values = page.evaluate("[...explorer.compared_accuracy()].filter(v => !Number.isNaN(v))")
        assert said == pytest.approx([100 * min(values), 100 * max(values)])
        cells = rows_of_table(figure).first.locator("td").all_inner_texts()
        row = load(tmp_path / "s").trials.set_index("trial_id").loc[cells[0]]
        assert [float(cells[2]), float(cells[3])] == [row["hp_batch_size"], row["hp_lr"]]
        figure.get_by_label("Across").select_option("lr")
        figure.get_by_label("down").select_option("batch_size")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 718, "height": 1040})  # A4 within its margins
        table = page.locator("table.cells").bounding_box()
        assert table["x"] >= 0 and table["x"] + table["width"] <= 718  # no band is cut on paper


def test_a_cell_of_listed_learning_rates_selects_them_as_steps(browser, tmp_path):
    """It brushed a range, which an axis of steps drew as its first step."""
    rates, sizes = [0.001, 0.01, 0.1], [32, 64]
    rows = [trial(f"t{k}", hp_lr=rates[k % 3], hp_batch_size=sizes[k % 2]) for k in range(12)]
    curves = [row for one in rows for row in epochs(one["trial_id"], [0.2, 0.3])]
    head = header(study={"space": {"lr": rates, "batch_size": sizes}})
    path = folder(tmp_path / "s", head, rows, curves, [])
    with opened(browser, file_of(tmp_path, path).as_uri(), offline=True) as page:
        page.locator("#figure-cells tbody tr").first.locator("button").last.click()
        assert ids(page) == ["0:t2", "0:t8"]
        assert page.evaluate("explorer.state.brushes.get('lr')") == {"values": ["0.1"]}


def test_a_zero_of_a_log_axis_stands_at_its_foot(browser, tmp_path):
    """One study searched weight decay from 1e-5 on, another had none: the page drew for ever."""
    domain = {"low": 1e-5, "high": 1e-2, "log": True}
    given = {"fair": [1e-5, 1e-4, 1e-3, 1e-2], "paper": [0.0, 0.0]}
    for name, decays in given.items():
        rows = [trial(f"{name}{k}", hp_weight_decay=v) for k, v in enumerate(decays)]
        curves = [row for one in rows for row in epochs(one["trial_id"], [0.2, 0.3])]
        space = {"weight_decay": domain} if name == "fair" else {}
        folder(tmp_path / name, header(study={"name": name, "space": space}), rows, curves, [])
    page_of = file_of(tmp_path, tmp_path / "fair", tmp_path / "paper")
    with opened(browser, page_of.as_uri(), offline=True) as page:
        ticks = page.locator(".strip[data-axis='weight_decay'] .tick").all_inner_texts()
        assert ticks[0] == "0" and len(ticks) == 5
        brush(page, "weight_decay", -0.02, 0.05)
        assert ids(page) == ["1:paper0", "1:paper1"]
        brush(page, "weight_decay", -0.02, 0.3)
        assert ids(page) == ["0:fair0", "1:paper0", "1:paper1"]
        assert "by.weight_decay=%220..0.0000" in page.url
        axis = "document.querySelector('#figure-slice-weight_decay .axes')._fullLayout?.xaxis"
        until(page, f"{axis}?.type === 'log'")
        assert page.evaluate(f"{axis}.ticktext[0]") == "0"
        assert page.evaluate(f"10 ** {axis}.range[0] < {axis}.tickvals[0]")
        rows = rows_of_table(page.locator("#figure-slice-weight_decay"))
        assert "Not applicable" not in page.locator("#slice-weight_decay-summary").inner_text()
        assert rows.count() == 3


def test_hyperparameters_without_a_plot_are_named_and_offered(browser, tmp_path):
    names = "momentum dropout label_smoothing shift scale erasing brightness".split()
    rows = [
        trial(f"t{k}", hp_lr=0.01 * (k + 1), **{f"hp_{name}": k % 2 / 10 for name in names})
        for k in range(4)
    ]
    curves = [row for one in rows for row in epochs(one["trial_id"], [0.2, 0.3])]
    path = folder(tmp_path / "s", header(), rows, curves, [])
    with opened(browser, file_of(tmp_path, path).as_uri(), offline=True) as page:
        figures = page.locator("[id^='figure-slice-']")
        assert figures.count() == 6
        page.get_by_role("button", name="2 more: ").click()
        assert figures.count() == 8 and "of.slices=all" in page.url
        page.get_by_role("button", name="Only the 6 with the most values").click()
        assert figures.count() == 6


def test_an_exported_picture_has_its_legend_its_title_and_its_hollow_marks(
    browser, whole, tmp_path
):
    for scheme, ink in (("light", "rgb(213, 94, 0)"), ("dark", "rgb(232, 130, 58)")):
        address = file_of(tmp_path, whole).as_uri()
        with opened(browser, address, offline=True, color_scheme=scheme) as page:
            page.locator("#figure-lr-batch").scroll_into_view_if_needed()
            said = {}
            for name in ("cost", "lr-batch", "history"):
                with page.expect_download() as download:
                    page.locator(f"#figure-{name} button", has_text="SVG").click()
                download.value.save_as(tmp_path / f"{name}.svg")
                said[name] = (tmp_path / f"{name}.svg").read_text()
            assert "alexnet" in said["cost"] and "Accuracy and its cost" in said["cost"]
            assert ink in said["cost"] and "hollow: not on the Pareto front" in said["cost"]
            assert "best so far" in said["history"] and "stopped early" in said["history"]
            for picture in said.values():  # the title has its row, however many the legend has
                place = re.search(r'class="legend"[^>]*translate\([\d.]+, ?([\d.]+)\)', picture)
                assert float(place[1]) > 25
            page.locator("#find").fill("a0")  # one trial: nothing can be said of correlations
            assert page.locator("#figure-influence button", has_text="PNG").is_hidden()
            assert "colorbar" in said["lr-batch"] and "val accuracy at epoch" in said["lr-batch"]


def test_a_dark_page_is_printed_as_a_light_one_and_dark_again_afterwards(browser, whole, tmp_path):
    seen = """() => ({
      ink: explorer.colours().ink,
      best: explorer.good(1),
      network: explorer.look('resnet34').colour,
      written: JSON.stringify(document.querySelector('#written-curves .js-plotly-plot').data)
        .match(/#(E8823A|D55E00|56B4E9|0072B2)/)?.[0],
      tip: getComputedStyle(document.querySelector('#figure-curves .tip')).color,
    })"""
    dark = {
        "ink": "#e4e6e9",
        "best": "rgb(253,231,55)",
        "network": "#56B4E9",
        "written": "#E8823A",
        "tip": "rgb(20, 22, 26)",
    }
    light = {"ink": "#1c1e21", "best": "rgb(8,48,107)", "network": "#0072B2", "written": "#D55E00"}
    file = file_of(tmp_path, whole).as_uri()
    with opened(browser, file, offline=True, color_scheme="dark") as page:
        page.locator("#written-curves").scroll_into_view_if_needed()
        until(page, "document.querySelector('#written-curves .js-plotly-plot')")
        assert page.evaluate(seen) == dark
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        until(page, f"({seen})().written === '{light['written']}'")
        on_paper = page.evaluate(seen)
        assert {name: on_paper[name] for name in light} == light
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        until(page, f"({seen})().written === '{dark['written']}'")
        assert page.evaluate(seen) == dark


@pytest.mark.parametrize("settled", [False, True])
def test_nothing_of_the_reports_diagrams_is_cut_on_paper(browser, tmp_path, settled):
    """Nor once the window has changed, of which plotly's layout keeps neither width nor height."""
    one = load(Path(__file__).parent.parent / "results" / "published" / "search")
    shown = sections(Inputs([one], []), "networks")
    file = tmp_path / "report.html"
    file.write_text(report_page.page("Networks", "", [], shown, ""), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(file.as_uri())
    heights = "[...document.querySelectorAll('.plot')].map(box => box._fullLayout.height)"
    before = page.evaluate(heights)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1040})  # A4 within its margins
    if settled:
        until(page, "[...document.querySelectorAll('.plot')].every(box => !box.layout.height)")
    cut = page.evaluate(
        """() => {
          dispatchEvent(new Event('beforeprint'));
          return [...document.querySelectorAll('.plot')].flatMap(box =>
            [...box.querySelectorAll('svg text')]
              .filter(text => text.getBoundingClientRect().right >
                box.querySelector('.main-svg').getBoundingClientRect().right + 1)
              .map(text => text.textContent));
        }"""
    )
    assert cut == [] and page.locator(".plot .main-svg").count() > 0
    assert page.evaluate(heights) == before
    page.close()


def test_the_mouse_turns_and_drags_an_axis_names_a_line_and_a_phone_shows_accuracy(
    browser, whole, tmp_path
):
    def names(page):
        return page.evaluate("[...document.querySelectorAll('.strip')].map(x => x.dataset.axis)")

    def middle(page, axis):
        box = page.locator(f".strip[data-axis='{axis}'] .name").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    one = load(whole)
    finals = one.epochs.sort_values("epoch").groupby("trial_id")["val_accuracy"].last()
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        page.evaluate("document.getElementById('trials').scrollIntoView({behavior: 'instant'})")
        name = page.locator(".strip[data-axis='lr'] .name")
        name.dblclick()
        assert "lr ↓" in name.inner_text()
        place = names(page).index("lr")
        (x, y), (right, _) = middle(page, "lr"), middle(page, names(page)[place + 1])
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(right + 9, y, steps=5)
        page.mouse.up()
        assert names(page).index("lr") == place + 1
        rule = page.locator(".strip[data-axis='val_accuracy'] .rule").bounding_box()
        page.mouse.move(rule["x"] - 2, rule["y"] + 1)  # where the best one's line ends
        tip = page.locator("#figure-coordinates .tip")
        tip.wait_for(state="visible")
        assert tip.inner_text().startswith(f"{finals.idxmax()}, ")
        page.locator("#epoch").select_option("1")
        assert "epoch=1" in page.url
        assert "epoch 1" in page.locator("#figure-influence .summary").inner_text()
        page.set_viewport_size({"width": 390, "height": 844})
        until(page, "document.getElementById('top').getBoundingClientRect().height < 84")
        grid = page.locator("#figure-table .grid")
        grid.scroll_into_view_if_needed()
        accuracy = grid.locator("thead th").nth(3).bounding_box()
        assert accuracy["x"] + accuracy["width"] < 390
        page.evaluate("document.querySelector('#figure-table .grid').scrollLeft = 200")
        assert 0 < grid.locator("thead th").nth(1).bounding_box()["x"] < 60
        plot = page.locator("#written-comparison .plot").first
        plot.scroll_into_view_if_needed()
        until(page, "document.querySelector('#written-comparison .plot')._fullLayout")
        drawn = "document.querySelector('#written-comparison .plot')._fullLayout.xaxis._length"
        until(page, f"{drawn} > 250")  # names stand above the marks, not beside them
