"""Two data sets side by side."""

import re

import layouts
import numpy as np
import pytest
from PIL import Image

from results import datasets
from results.figures import charts


def test_classes_meet_by_name_and_shares_are_of_each_set(tmp_path, capsys, monkeypatch):
    raf, ck = layouts.raf_db(tmp_path / "raf"), layouts.ck48(tmp_path / "ck")
    named = [f"raf-db:{raf}", f"ckplus:{ck}"]
    found = datasets.read(named)
    frame = datasets.counted(named, found)
    assert frame["set"].unique().tolist() == ["RAF-DB (basic)", "CK+"]
    assert datasets.counted([str(raf), str(ck)], found).equals(frame), "they are recognised"
    rows = frame.set_index(["set", "class"])
    assert rows.loc[("CK+", "neutral"), "images"] == 0 < rows.loc[("CK+", "contempt"), "images"]
    assert "anger" not in set(frame["class"]), "anger is angry in both"
    assert frame.groupby("set")["share"].sum().tolist() == pytest.approx([1, 1])
    figure = charts.class_shares(frame)
    assert [bar.name.rpartition(", ")[2] for bar in figure.data] == ["42 images", "252 images"]
    drawn = []
    monkeypatch.setattr(datasets.images, "write", drawn.append)
    faces = tmp_path / "faces.png"
    assert datasets.main([*named, "--out", "x.svg", "--faces", str(faces)]) == 0
    page = np.asarray(Image.open(faces))
    row = 1 + frame["class"].unique().tolist().index("neutral")
    high, first, second = 54 * row, 90, 90 + 8 * 50 + 24
    assert page[high : high + 48, first : first + 48].std() > 10, "RAF-DB has neutral faces"
    assert page[high : high + 48, second : second + 400].min() == 255, "CK+48 has none"
    assert datasets.main([*named, "--faces", "x.jpg"]) == 2
    assert "expected a name that ends in .png" in capsys.readouterr().err
    assert datasets.main([*named, "--out", "x.svg"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^all +42 +252$", said, re.MULTILINE) and len(drawn) == 2
    assert datasets.main([str(raf), str(ck), "--out", "x.jpeg"]) == 2
    assert "expected a name that ends in .svg or .png" in capsys.readouterr().err
    for words in (["--out", "no/x.svg"], ["--faces", "no/x.png"]):
        assert datasets.main([*named, *words]) == 2
        assert "there is no folder no for x." in capsys.readouterr().err
    (tmp_path / "there.png").mkdir()
    assert datasets.main([*named, "--faces", str(tmp_path / "there.png")]) == 2
    assert "there.png can't be used (Is a directory)" in capsys.readouterr().err


def test_class_numbers_without_names_are_no_class_of_another_set(tmp_path, capsys, monkeypatch):
    """Both have a class 0, which is angry in one and neutral in the other."""
    one, other = layouts.numbers(tmp_path / "one", 3), layouts.numbers(tmp_path / "other", 2)
    words = [str(one), str(other), "--out", str(tmp_path / "x.svg")]
    assert datasets.main(words) == 2
    error = capsys.readouterr().err
    assert f"{one} has class numbers without names (class 0, class 1, class 2)" in error
    assert "by --classes A,B,..." in error and error.count("\n") == 1
    assert datasets.main([*words, "--classes", "angry,happy,neutral"]) == 2
    assert f"{other} has class numbers without names" in capsys.readouterr().err
    monkeypatch.setattr(datasets.images, "write", lambda plots: None)
    both = ["--classes", "angry,happy,neutral", "--classes", "neutral,angry"]
    assert datasets.main([*words, *both]) == 0
    assert "class 0" not in capsys.readouterr().out
    read, real = [], datasets.sources.read
    monkeypatch.setattr(datasets.sources, "read", lambda *a, **k: read.append(a) or real(*a, **k))
    found = datasets.read(words[:2], [("angry", "happy", "neutral"), ("neutral", "angry")])
    assert len(read) == 2, "each source was read twice"
    given = real(one, ("angry", "happy", "neutral"), trained=False)
    assert found[0].names.tolist() == given.names.tolist() and found[0].notes == given.notes
    there = datasets.counted(["a", "b"], found).set_index(["set", "class"])["images"]
    assert there["b"].to_dict() == {"angry": 3, "happy": 0, "neutral": 3}
    assert datasets.main([*words, *both, "--classes", "a,b"]) == 2
    assert "--classes is given 3 times, but 2 of the sources" in capsys.readouterr().err
