"""`python -m study.predict`: faces in photographs, and what can't be judged."""

import csv
import io
import json
import shutil
from pathlib import Path

import confirmed_study
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from study import predict
from study.data import datasets
from study.model import faces, photographs, picture, whole
from study.model.confirmed import answers, chosen, opened

PLACES = ((60, 80, 160), (340, 260, 200), (640, 90, 180))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return confirmed_study.made(tmp_path_factory.mktemp("runs") / "one")


@pytest.fixture(scope="module")
def drawn():
    return datasets.load(confirmed_study.DATA).train.images


def ground() -> Image.Image:
    y, x = np.mgrid[:600, :900]
    levels = [128 + 30 * np.sin(x / 90), 140 + 20 * np.cos(x / 60), 120 + 30 * np.sin(y / 80)]
    return Image.fromarray(np.stack(levels, -1).astype(np.uint8))


@pytest.fixture
def scene(drawn, tmp_path):
    """A scene with three drawn faces pasted into it."""
    image = ground()
    for crop, (left, top, side) in zip(drawn[[1, 5, 8]], PLACES, strict=True):
        image.paste(Image.fromarray(crop).resize((side, side)), (left, top))
    image.save(tmp_path / "scene.png")
    return tmp_path / "scene.png"


def test_faces_are_found_where_they_are_and_each_has_an_answer(study, scene, capsys):
    out = scene.with_name("answer.png")
    assert predict.main([str(study), str(scene), "--json", "--out", str(out)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert 2 <= len(rows) <= 3  # the detector finds nine in ten of these
    for row in rows:
        near = [abs(row["left"] - x) + abs(row["top"] - y) < 0.3 * s for x, y, s in PLACES]
        assert sum(near) == 1 and 0.7 < row["side"] / PLACES[near.index(True)][2] < 1.3
        shares = {name[2:]: value for name, value in row.items() if name.startswith("p_")}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
        assert row["answer"] == max(shares, key=shares.get) == row["set"][0]
    with Image.open(out) as picture:
        assert picture.width > 900 and picture.height >= 600


def test_the_sets_are_calibrated_and_tried_on_images_that_were_not_trained_on(
    study, scene, tmp_path, capsys
):
    """FER-2013 has 280 of 3,589 val images in train, too: sure answers, and so smaller sets."""
    folder = tmp_path / "copy"
    shutil.copytree(study, folder)
    path = folder / "predictions.parquet"
    table = pq.read_table(path)
    frame = table.to_pandas()
    images = int((frame["split"] == "val").sum() / 2), int((frame["split"] == "test").sum() / 2)
    frame["duplicate"] = frame["image"] % 2 == 0
    own = frame[~frame["duplicate"] & (frame["trial_id"] == "one-s0")]
    left = own["split"].value_counts()
    assert 0 < left["val"] < images[0] and 0 < left["test"] < images[1]
    pq.write_table(pa.Table.from_pandas(frame, table.schema, preserve_index=False), path)
    run = opened(folder)
    assert photographs.calibrated(run, chosen(run)).images == left["val"]
    assert predict.main([str(folder), str(scene)]) == 0
    assert f" right of {left['test']} test images without copies" in capsys.readouterr().out


def test_a_crop_is_taken_whole_and_answered_as_the_study_did(study, tmp_path, capsys):
    """Its own test images, as files: the mean of the seeds' kept answers."""
    test, folder = datasets.load(confirmed_study.DATA).test.images, tmp_path / "crops"
    folder.mkdir()
    for number, crop in enumerate(test):
        Image.fromarray(crop).save(folder / f"{number:03d}.png")
    assert predict.main([str(study), str(folder), "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    run = opened(study)
    kept, _ = answers(run, chosen(run), "test")
    found = [[float(row[f"p_{name}"]) for name in run.classes] for row in rows]
    assert np.allclose(found, kept, atol=1e-4) and len(rows) == len(test)
    assert {name for row in rows for name in row["set"].split(", ")} <= {*run.classes}
    assert any(", " in row["set"] for row in rows)  # a class's name may have blanks


def test_a_larger_crop_is_taken_whole(drawn):
    side = faces.found(Image.fromarray(drawn[1]).resize((300, 300)).convert("RGB"))
    assert [face.side for face in side] in ([300], [])  # whole, or not found; never a part of it


def test_the_table_says_how_far_the_sets_can_be_trusted(study, drawn, tmp_path, capsys):
    Image.fromarray(drawn[0]).save(tmp_path / "one.png")
    assert predict.main([str(study), str(tmp_path / "one.png")]) == 0
    told = capsys.readouterr().out
    assert "90 % set:" in told and "held the right answer for" in told and "one-s0" in told
    assert "What isn't marked may still be unlike these images" in told


def test_what_is_unlike_the_training_images_is_marked(study, drawn, tmp_path, capsys, monkeypatch):
    """A crop in which the detector sees no face; asked of few photographs, or if it is said."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 48)).astype(np.uint8)
    crops = {"noise": noise, "flat": np.full((48, 48), 90, np.uint8), "drawn": drawn[0]}
    for name, crop in crops.items():
        Image.fromarray(crop).save(tmp_path / f"{name}.png")

    def marks(*words: str) -> dict[str, bool | None]:
        assert predict.main([str(study), str(tmp_path), "--json", *words]) == 0
        rows = map(json.loads, capsys.readouterr().out.splitlines())
        return {Path(row["photo"]).stem: row["unlike"] for row in rows}

    assert marks() == {"noise": True, "flat": True, "drawn": False}
    assert set(marks("--no-unlike").values()) == {None}
    monkeypatch.setattr(predict, "FEW", 2)
    assert set(marks().values()) == {None} and marks("--unlike")["noise"]
    out = tmp_path / "answer.png"
    noisy = str(tmp_path / "noise.png")
    assert predict.main([str(study), noisy, "--unlike", "--out", str(out)]) == 0
    assert "unlike the training images: no face is seen in it" in capsys.readouterr().out
    predict.main([str(study), noisy, "--no-unlike", "--out", str(tmp_path / "unasked.png")])
    assert "wasn't asked: --unlike" in capsys.readouterr().out
    assert out.read_bytes() != (tmp_path / "unasked.png").read_bytes()


def test_of_drawn_faces_nearly_all_are_seen(drawn):
    assert np.mean([faces.shows_face(one) for one in drawn[:60]]) > 0.85


def test_a_face_is_seen_by_what_it_fills_of_a_crop_of_any_size(drawn):
    """A study of 96 px: a face of half the crop's side isn't like its training images."""
    seen = next(one for one in drawn if faces.shows_face(one))
    part = np.full((96, 96), 128, np.uint8)
    part[24:72, 24:72] = seen
    assert not faces.shows_face(part)
    assert faces.shows_face(np.asarray(Image.fromarray(seen).resize((96, 96))))


def test_a_crop_is_as_wide_as_the_studys_faces_were_cut(monkeypatch):
    """A box of 100: 100 / .97 as FER-2013's, and 1.4 and 2 times that with a fifth and a half."""
    monkeypatch.setattr(faces, "detected", lambda image: [(150, 100, 100)])
    scene = Image.new("RGB", (400, 300))
    found = [faces.found(scene, 48, margin)[0] for margin in (0.0, 0.2, 0.5)]
    assert [face.side for face in found] == [103, 144, 206]
    assert [(face.left, face.top) for face in found] == [(149, 99), (128, 78), (97, 47)]


def test_a_study_with_a_margin_is_asked_about_faces_with_it(study, scene, tmp_path, capsys):
    folder = tmp_path / "wide"
    shutil.copytree(study, folder)
    header = json.loads((folder / "study.json").read_text())
    header["study"]["crop"] = 0.25
    (folder / "study.json").write_text(json.dumps(header))
    sides = []
    for one in (study, folder):
        assert predict.main([str(one), str(scene), "--json"]) == 0
        sides.append([json.loads(row)["side"] for row in capsys.readouterr().out.splitlines()])
    assert sides[1] == pytest.approx([1.5 * side for side in sides[0]], abs=1.5)


def test_a_face_within_its_margin_is_like_the_training_images(drawn):
    """With a margin of a half a face fills half of the crop, which without one was too little."""
    seen = next(one for one in drawn if faces.shows_face(one))
    part = np.full((96, 96), 128, np.uint8)
    part[24:72, 24:72] = seen
    assert faces.shows_face(part, 0.5) and not faces.shows_face(part)


def test_a_crop_never_leaves_the_photograph(monkeypatch):
    """The margin around a box of nearly all of a panorama's height: what is outside was black."""
    white = Image.new("RGB", (900, 300), "white")
    for box in ((300, 0, 298), (0, 5, 295), (604, -4, 304)):
        monkeypatch.setattr(faces, "detected", lambda image, box=box: [box])
        (face,) = faces.found(white)
        assert 0 <= face.left <= 900 - face.side and 0 <= face.top <= 300 - face.side
        assert face.crop.min() == 255


def test_what_cannot_be_judged_is_a_sentence_each_and_the_rest_goes_on(
    study, drawn, tmp_path, capsys, monkeypatch
):
    tmp_path = tmp_path / "photos"
    tmp_path.mkdir()
    noise = np.random.default_rng(0).integers(0, 65536, (64, 64)).astype(np.uint16)
    Image.fromarray(drawn[0]).save(tmp_path / "a.png")
    (tmp_path / "text.jpg").write_text("no photograph")
    ground().save(tmp_path / "empty.png")
    ground().convert("CMYK").save(tmp_path / "print.jpg")
    Image.fromarray(noise).save(tmp_path / "deep.png")
    frames = [Image.fromarray(one) for one in drawn[:3]]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("1", (11_000, 10_000)).save(tmp_path / "huge.png")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{tmp_path / 'a.png'}\n{tmp_path / 'no'}\n"))
    assert predict.main([str(study), str(tmp_path), "-", "--csv"]) == 2
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1 + 2
    wanted = {
        "text.jpg": "text.jpg is no picture of a kind that can be read",
        "empty.png": "no face",
        "print.jpg": "CMYK",
        "deep.png": "I;16",
        "moving.gif": "several frames",
        "huge.png": "110 megapixels",
        "no": "there is no file",
    }
    lines = told.err.splitlines()
    assert len(lines) == len(wanted) + 1 and "7 of 9 photographs left out" in lines[-1]
    for name, why in wanted.items():
        assert any(name in line and why in line for line in lines), name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--json", "--csv"], "--csv"),
        (["--network", "resnet34"], "no confirmed network resnet34"),
        (["two.png", "--out", "x.png"], "2 were given"),
        (["--out", "answer"], "--out is answer: expected a name that ends in one of .png, .jpg"),
        (["--out", "answer.xyz"], "--out is answer.xyz: expected a name"),
    ],
)
def test_a_mistake_is_a_sentence(words, said, study, capsys):
    assert predict.main([str(study), "one.png", *words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and said in error


def test_a_picture_that_cannot_be_written_is_a_sentence(study, scene, tmp_path, capsys):
    (tmp_path / "there.PNG").mkdir()
    assert predict.main([str(study), str(scene), "--out", str(tmp_path / "there.PNG")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "there.PNG can't be used (Is a directory)" in error


@pytest.mark.parametrize("ending", picture.ENDINGS)
def test_a_picture_is_written_by_every_ending(ending, tmp_path):
    image = Image.new("RGB", (64, 64))
    page = picture.drawn(
        image, [(faces.Face(0, 0, 48, None), [0.5, 0.5], [True, False], False)], ["a", "b"]
    )
    page.save(tmp_path / f"answer{ending}")
    assert (tmp_path / f"answer{ending}").stat().st_size


def test_an_ensemble_is_the_mean_of_its_networks(study, drawn):
    run = opened(study)
    networks = chosen(run)
    together = whole.Ensemble(run, networks).probabilities(drawn[:4])
    each = [whole.probabilities(run, one, drawn[:4]) for one in networks]
    assert len(each) == 2 and np.allclose(together, np.mean(each, axis=0), atol=1e-6)


def test_networks_of_a_study_with_storage_are_those_that_it_keeps_there(
    study, drawn, tmp_path, capsys
):
    """They were told to be gone, beside the command that a study's end names. Of one that got its
    storage later, older states may lie in its folder: they answered elsewhere, in silence."""
    folder, shared = tmp_path / "fetched", tmp_path / "shared" / "one" / "checkpoints"
    shutil.copytree(study, folder)
    shutil.move(folder / "checkpoints", shared)
    header = json.loads((folder / "study.json").read_text())
    header["study"]["storage"] = str(tmp_path / "shared")
    (folder / "study.json").write_text(json.dumps(header))
    old = folder / "checkpoints" / "one-s0" / "epoch_00000.pt"
    old.parent.mkdir(parents=True)
    shutil.copy(shared / "one-s1" / "epoch_00001.pt", old)
    moved, kept = ({one.name: one for one in opened(at).networks} for at in (folder, study))
    for name, one in moved.items():
        assert one.checkpoints == shared / name
        ours, theirs = (whole.state(it)["model"] for it in (one, kept[name]))
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    Image.fromarray(drawn[0]).save(tmp_path / "face.png")
    assert predict.main([str(folder), str(tmp_path / "face.png")]) == 0
    shutil.rmtree(shared)
    assert predict.main([str(folder), str(tmp_path / "face.png")]) == 2
    assert f"is gone from {shared}/one-s" in capsys.readouterr().err


def test_a_folder_means_its_photographs_and_not_what_systems_leave_there(tmp_path):
    for name in ("a.jpg", "._a.jpg", ".DS_Store", "Thumbs.db", "b/.hidden/c.jpg", "b/d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = faces.photographs([str(tmp_path)], iter(()))
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.jpg", "b/d.png"]


def test_a_published_copy_has_no_networks_and_says_so(capsys):
    published = Path(__file__).parents[1] / "results" / "published" / "search"
    assert predict.main([str(published), "photo.jpg", "--csv"]) == 2
    assert "is a published copy, which has no networks" in capsys.readouterr().err
