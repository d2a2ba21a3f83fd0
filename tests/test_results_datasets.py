"""Two data sets side by side."""

import layouts
import pytest

from results import datasets
from results.figures import charts


def test_classes_meet_by_name_and_shares_are_of_each_set(tmp_path, capsys, monkeypatch):
    raf, ck = layouts.raf_db(tmp_path / "raf"), layouts.ck48(tmp_path / "ck")
    frame = datasets.counted([f"raf-db:{raf}", f"ckplus:{ck}"])
    assert frame["set"].unique().tolist() == ["RAF-DB (basic)", "CK+"]
    assert datasets.counted([str(raf), str(ck)]).equals(frame), "they are recognised"
    rows = frame.set_index(["set", "class"])
    assert rows.loc[("CK+", "neutral"), "images"] == 0 < rows.loc[("CK+", "contempt"), "images"]
    assert "anger" not in set(frame["class"]), "anger is angry in both"
    assert frame.groupby("set")["share"].sum().tolist() == pytest.approx([1, 1])
    figure = charts.class_shares(frame)
    assert [bar.name.rpartition(", ")[2] for bar in figure.data] == ["42 images", "252 images"]
    drawn = []
    monkeypatch.setattr(datasets.images, "write", drawn.append)
    assert datasets.main([f"raf-db:{raf}", f"ckplus:{ck}", "--out", "x.svg"]) == 0
    said = capsys.readouterr().out
    assert "all" in said and "42" in said and "252" in said and len(drawn) == 1
    assert datasets.main([str(raf), str(ck), "--out", "x.jpeg"]) == 2
    assert "expected a name that ends in .svg or .png" in capsys.readouterr().err
