"""The explorer in a real headless Chromium: one selection in every view, in app and file."""

import json
import re
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import CHROMIUM, needs_chromium
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

from results import Mistake
from results.artefacts.load import answers, load
from results.explorer import gallery, written
from results.explorer.export import export
from results.facts import evaluation, halving, search
from results.facts import statistics as st
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
def opened(browser, url, offline=False, **more):
    """A page with everything drawn that asked nothing beyond loopback and said no error."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, offline=offline, accept_downloads=True, **more
    )
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else 0)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(url)
    page.wait_for_selector("body[data-whole]", state="attached")
    until(page, "explorer.answers && document.getElementById('written-paper').dataset.html")
    yield page
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
    path.write_text(export(studies, written.evaluated(studies, 50), **more), encoding="utf-8")
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
        assert faces.inner_text() == "2 networks of the selection: alexnet."  # chosen from a0
        page.reload()
        page.wait_for_selector("body[data-ready]", state="attached")
        assert ids(page) == sorted("0:" + inside["trial_id"])
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
                assert "Importance is not computed from at most 3 trials of alexnet and" in told


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
    kept = file.read_text(encoding="utf-8").split('id="later">')[1].split("</script>")[0]
    assert "data:image/png" not in kept


def test_a_cell_shows_the_faces_that_it_counts(browser, whole, tmp_path, monkeypatch):
    prepared(tmp_path, monkeypatch)
    votes = voters(tmp_path)
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


def test_faces_that_all_get_wrong_and_that_one_alone_gets_right(browser, whole, tmp_path):
    both = np.concatenate([found.guess == found.label for found in answers(load(whole))])
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
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
        began = time.monotonic()
        until(page, "explorer.data.n === 3 && explorer.data.epochs.epoch.length === 4")
        assert time.monotonic() - began < PATIENCE
        assert ids(page) == ["0:b", "0:c"]
        values = page.evaluate("Array.from(explorer.data.epochs.val_accuracy)")
        assert values == pytest.approx([0.2, 0.3, 0.15, 0.4])
        assert page.evaluate(f"{axes}._fullLayout.xaxis.range") == [1, 1.5]
        (path / "epochs.parquet").write_bytes(b"PAR1")  # half-written
        until(page, "!document.getElementById('trouble').hidden")
        assert "epochs.parquet can't be read" in page.locator("#trouble").inner_text()
        schemas.write_table(path / "epochs.parquet", curves, schemas.EPOCHS)
        until(page, "document.getElementById('trouble').hidden")


def test_the_keyboard_reaches_the_table_the_filters_and_a_trial(browser, whole, tmp_path):
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        page.locator("#figure-table .grid").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        assert page.evaluate("explorer.count_selected") == 11
        page.keyboard.press("Enter")
        assert page.locator("dialog").is_visible()
        page.keyboard.press("Escape")
        page.locator("#clear").click()
        page.locator("#figure-coordinates summary").focus()
        page.keyboard.press("Enter")
        page.get_by_label("lr from").fill("0.03")
        page.keyboard.press("Tab")
        trials = load(whole).trials
        assert ids(page) == sorted("0:" + trials[trials["hp_lr"] >= 0.03]["trial_id"])
        page.locator("#figure-table th button", has_text="trial").click()
        assert page.locator("th[aria-sort=ascending]").inner_text().startswith("trial")


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
        budget = pd.read_csv(saved("#written-overview .block:has(h3:text-is('Budget'))", "CSV"))
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
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for element in page.locator("figure:visible .drawing").all():
            assert element.get_attribute("aria-label")


def test_the_pages_arithmetic_is_that_of_the_results(browser, whole, tmp_path):
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 9, 40).astype(float), rng.normal(size=40)
    with opened(browser, file_of(tmp_path, whole).as_uri(), offline=True) as page:
        told = page.evaluate("([a, b]) => explorer.spearman(a, b)", [a.tolist(), b.tolist()])
        assert told == pytest.approx(st.spearman(a, b))
        told = page.evaluate("values => explorer.expected_best(values)", b.tolist())
        np.testing.assert_allclose(told, st.expected_best(b))
        assert page.evaluate("explorer.wilson(7, 20)") == pytest.approx(st.wilson(7, 20))
        one = load(whole)
        trials = search.searched(one)
        replayed = halving.replay(one, trials)
        script = """factors => {
            const d = explorer.data, ended = i => d.trials.status[i] !== 'running';
            const rows = [...d.key.keys()].filter(i => d.trials.stage[i] === 'search' && ended(i));
            return factors.map(f => explorer.replay(d, rows, f, 1)).map(r => [r.run, r.best]);
        }"""
        told = page.evaluate(script, replayed["reduction_factor"].tolist())
        np.testing.assert_allclose(told, replayed[["epochs_run", "best"]], rtol=1e-6)


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


def voters(tmp_path):
    """A table of votes in which everyone is happy."""
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


def test_faces_of_other_data_are_refused(whole, tmp_path, monkeypatch):
    path = prepared(tmp_path, monkeypatch)
    assert gallery.prepared("abc") == path and gallery.prepared("other") is None
    shown = pd.DataFrame({"image": [0, 1], "label": [0, 0]})
    with pytest.raises(Mistake, match="image 1 is disgust in it and angry in predictions"):
        gallery.read(Path(path), shown, CLASSES)
