"""Figures as image files: a browser that doesn't answer is given up, and nothing of it is left."""

import os
import shutil
import time

import plotly.graph_objects as go
import pytest

from results import Mistake
from results.figures import images

pytest.importorskip("choreographer", reason="choreographer isn't installed")
CHROMIUM = shutil.which("chromium")
PLOT = go.Figure(go.Scatter(y=[1, 2, 3]), layout={"height": 200})


def browser(folder, monkeypatch, script):
    """A browser of this script, which writes its process's number."""
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\necho $$ > {folder}/pid\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(path))
    return folder / "pid"


def gone(file):
    number = int(file.read_text())
    for _ in range(100):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_a_browser_that_never_answers_is_given_up_and_ended(tmp_path, monkeypatch):
    number = browser(tmp_path, monkeypatch, "sleep 600")
    with pytest.raises(images.NoBrowser, match="didn't answer within 2 s"):
        images.write({tmp_path / "a.svg": PLOT}, patience=2)
    assert gone(number) and not (tmp_path / "a.svg").exists()


@pytest.mark.skipif(not CHROMIUM, reason="no chromium on this machine")
def test_a_browser_that_falls_silent_is_given_up_too(tmp_path, monkeypatch):
    """It stops itself once the first picture is there."""
    waits = f"while [ ! -s {tmp_path}/0.svg ]; do sleep .1; done; kill -STOP 0"
    number = browser(tmp_path, monkeypatch, f'({waits}) &\nexec {CHROMIUM} "$@"')
    plots = {tmp_path / f"{k}.svg": go.Figure(PLOT) for k in range(100)}
    with pytest.raises(images.NoBrowser, match="didn't answer"):
        images.write(plots, patience=20)
    assert (tmp_path / "0.svg").exists() and gone(number)


def test_where_there_is_no_browser_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nowhere"))
    with pytest.raises(images.NoBrowser, match="Browser not found"):
        images.write({tmp_path / "a.svg": PLOT})


@pytest.mark.skipif(not CHROMIUM, reason="no chromium on this machine")
def test_a_picture_that_cannot_be_written_is_no_silent_gap(tmp_path):
    with pytest.raises(Mistake, match=r"can't write .*a\.svg \(No such file or directory\)"):
        images.write({tmp_path / "missing" / "a.svg": PLOT})


@pytest.mark.skipif(not CHROMIUM, reason="no chromium on this machine")
def test_many_long_names_have_room_in_a_picture_as_on_the_page(tmp_path):
    """The last of them were cut off, behind a scrollbar that nobody can move."""
    names = [f"a-network-of-ones-own-with-a-name-of-fifty-letters-{k}" for k in range(12)]
    figure = go.Figure([go.Scatter(y=[1, 2], name=name) for name in names])
    figure.update_layout(height=320, width=720, legend={"orientation": "h", "y": 1.02})
    images.write({tmp_path / "a.svg": figure})
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert all(name in text for name in names)
    assert f'width="720" height="{320 + 20 * (len(names) - 3)}"' in text


@pytest.mark.skipif(not CHROMIUM, reason="no chromium on this machine")
def test_a_figure_is_drawn_once_for_both_of_its_files(tmp_path):
    """The PNG is the SVG in twice as many pixels; letters beyond ASCII come through."""
    image = pytest.importorskip("PIL.Image")
    figure = go.Figure(go.Scatter(y=[1, 2], name="η − 1"), layout={"height": 200, "width": 300})
    figure.update_layout(showlegend=True)
    svg, png = tmp_path / "a.svg", tmp_path / "a.png"
    assert len(images.files({svg: figure, png: figure})) == 1
    images.write({svg: figure, png: figure})
    text = svg.read_text(encoding="utf-8")
    assert text.startswith("<svg") and "η − 1" in text and 'width="300" height="200"' in text
    with image.open(png) as drawn:
        assert drawn.size == (600, 400)
