"""Confirmed networks on another data set, without Ray."""

import errno
import json
import shutil
from types import SimpleNamespace

import layouts
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from test_fer_data_sources import encoded, folder

from fer_data import dataset, sources
from fer_models import MODELS, own
from fer_stats import crossed
from results.facts import elsewhere
from results.report.sections import elsewhere as section
from study import Mistake, evaluate
from study.config.hyperparameters import Hyperparameters, present
from study.config.study import from_dict, to_dict
from study.model import other_data
from study.training import checkpoint
from study.training.network import network

CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
CPU = torch.device("cpu")


@pytest.fixture
def run(tmp_path, tiny, monkeypatch):
    """A study of two seeds of one network, whose states are kept."""
    folder = tmp_path / "runs" / "one"
    trials = {}
    for seed in range(2):
        hp = Hyperparameters(model="alexnet", seed=seed, image_px=32)
        name = f"alexnet-s{seed}"
        trials[name] = {f"hp_{k}": v for k, v in present(hp).items()}
        model = network(hp, len(CLASSES), CPU)
        state = {"model": model.state_dict(), "mean": 0.5, "std": 0.25}
        trials[name] |= {"state": state}
    folder.mkdir(parents=True)
    data = {"classes": list(CLASSES), "digest": "d", "name": "faces"}
    (folder / "study.json").write_text(
        json.dumps({"study": to_dict(from_dict({})), "data": data, "started_at": ""})
    )
    last = {name: {"epoch": 1} for name in trials}
    tables = SimpleNamespace(trials=trials, last=last)
    monkeypatch.setattr(other_data, "opened", lambda run: ({"data": data}, from_dict({}), tables))
    monkeypatch.setattr(other_data, "finished", lambda tables, run: list(trials))
    monkeypatch.setattr(other_data.confirmed, "images", absent)
    monkeypatch.setattr(
        other_data, "settings_of", lambda row: {k[3:]: v for k, v in row.items() if k[:3] == "hp_"}
    )
    monkeypatch.setattr(checkpoint, "load", lambda place: trials[place.name]["state"])
    monkeypatch.setattr(other_data.loop, "predict", answers)
    return folder


def absent(run):
    raise Mistake("there is no fer2013.csv")


def answers(hp, images, classes, device, state):
    """Seed 0 says angry, seed 1 happy, always."""
    found = np.zeros((len(images), classes), np.float32)
    found[:, 0 if hp.seed == 0 else 3] = 1
    return found


def test_a_folder_that_cannot_be_written_is_told_before_a_network_is_asked(
    run, tmp_path, capsys, monkeypatch
):
    data = layouts.raf_db(tmp_path / "raf")
    words = [str(run), "--data", f"raf-db:{data}", "--device", "cpu"]

    def silent(place):
        raise OSError(errno.EIO, "no shared storage for 180 s (no route to host)")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "load", silent)
        assert evaluate.main(words) == 2
    assert "(no shared storage for 180 s (no route to host))" in capsys.readouterr().err
    (run / "elsewhere").rmdir()
    (run / "elsewhere").touch()
    monkeypatch.setattr(other_data.loop, "predict", pytest.fail)
    assert evaluate.main(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "elsewhere can't be used (File exists)" in error


def test_answers_are_kept_in_shared_storage_too_or_it_is_said_that_they_are_not(
    run, tmp_path, capsys, monkeypatch
):
    """After a study's end no driver brings them there, and the head's disk goes with `ray down`."""
    header, _, tables = other_data.opened(run)
    shared = tmp_path / "shared"
    study = from_dict({"storage": str(shared)})
    monkeypatch.setattr(other_data, "opened", lambda run: (header, study, tables))
    words = [str(run), "--data", f"raf-db:{layouts.raf_db(tmp_path / 'raf')}", "--device", "cpu"]
    assert evaluate.main(words) == 0
    assert f"aren't kept in {shared}/one (it has no study.json)" in capsys.readouterr().err
    assert not shared.exists()
    (shared / "one").mkdir(parents=True)
    (shared / "one" / "study.json").touch()
    assert evaluate.main(words) == 0
    (here,), (there,) = ((one / "elsewhere").iterdir() for one in (run, shared / "one"))
    assert here.name == there.name and here.read_bytes() == there.read_bytes()


def test_answers_are_kept_and_said(run, tmp_path, capsys):
    data = layouts.raf_db(tmp_path / "raf")
    assert evaluate.main([str(run), "--data", f"raf-db:{data}", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "asked about its test split, 21 faces" in said
    assert "Trained on faces, tested on raf-db (21 faces):" in said
    assert "alexnet: 14.3 %" in said and "2 seeds" in said
    assert "(-" not in said, "a share is never below 0"
    assert "copies of training images weren't looked for (there is no fer2013.csv)." in said
    (kept,) = (run / "elsewhere").glob("raf-db-*.parquet")
    mine = SimpleNamespace(
        study="one",
        setting="alexnet",
        classes=CLASSES,
        split=np.array(["test"] * 7),
        duplicate=np.zeros(7, bool),
        near=None,
        label=np.arange(7),
        guess=np.stack([np.arange(7), np.arange(7)]),
    )
    settings = [SimpleNamespace(name="alexnet", answers=mine)]
    one = SimpleNamespace(folder=run, name="one", study={"data": {"name": "faces"}})
    found = elsewhere.of([one], settings)
    whole = elsewhere.tested(found)
    assert whole["accuracy"].tolist() == pytest.approx([1 / 7]) and whole["drop"][0] > 0.8
    assert whole["drop low"][0] <= whole["drop"][0] <= whole["drop high"][0]
    carried = elsewhere.classes(found)["carries"].sum() + whole["by the mix"][0]
    assert carried == pytest.approx(whole["drop"][0]), "the classes and their mix are all of it"
    classes = elsewhere.classes(found).set_index("class")["recall"]
    assert classes["angry"] == 0.5 and classes["happy"] == 0.5 and classes["sad"] == 0
    groups = elsewhere.groups(found)
    assert set(groups["attribute"]) == {"gender"} and groups["faces"].tolist() == [10, 11]
    blocks = section.tested(SimpleNamespace(studies=[one], settings=settings)).blocks
    assert "On raf-db alexnet is right in 14.3 % of 21 faces" in blocks[0].words


def test_a_set_that_was_asked_about_twice_is_one_row_and_another_of_its_name_has_a_number(
    run, tmp_path
):
    """As a folder and as its archive: there were two rows of one name."""
    data = layouts.raf_db(tmp_path / "raf")
    assert evaluate.main([str(run), "--data", f"raf-db:{data}", "--device", "cpu"]) == 0
    (kept,) = (run / "elsewhere").glob("raf-db-*.parquet")
    table = pq.read_table(kept)
    other_way = table.take(np.arange(table.num_rows)[::-1])
    pq.write_table(other_way, kept.with_name("raf-db-zip.parquet"))
    part = table.take(np.flatnonzero(table["image"].to_numpy() < table["image"].to_numpy()[7]))
    pq.write_table(part, kept.with_name("raf-db-part.parquet"))
    mine = SimpleNamespace(study="one", setting="alexnet", classes=CLASSES)
    one = SimpleNamespace(folder=run, name="one", study={"data": {"name": "faces"}})
    found = elsewhere.of([one], [SimpleNamespace(name="alexnet", answers=mine)])
    assert [(each.tested, len(each.label)) for each in found] in (
        [("raf-db", 21), ("raf-db (2)", 7)],
        [("raf-db", 7), ("raf-db (2)", 21)],  # in the order of their digests
    )


def test_copies_of_training_images_are_left_out(run, tmp_path, monkeypatch, capsys):
    """Seven faces of the other set, darker and with less contrast, were trained on."""
    data = layouts.raf_db(tmp_path / "raf")
    there = sources.read(data).images[:7]
    part = SimpleNamespace(images=(there * 0.7 + 20).astype(np.uint8), labels=np.arange(7))
    own = SimpleNamespace(train=part, val=part, test=part, classes=CLASSES)
    monkeypatch.setattr(other_data.confirmed, "images", lambda run: own)
    assert evaluate.main([str(run), "--data", f"raf-db:{data}", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "7 that are copies or near copies of training images are left out" in said
    assert "tested on raf-db (14 faces)" in said
    (kept,) = (run / "elsewhere").glob("raf-db-*.parquet")
    assert pq.read_table(kept).num_rows == 2 * 14


def test_the_studys_own_data_are_refused(run, tmp_path, monkeypatch, capsys):
    """Without a split of their own all of them would be asked, and most were trained on."""
    data = layouts.jaffe(tmp_path / "jaffe")
    header = {"data": {"source": {"name": "jaffe", "digest": sources.digest(data)}}}
    found = ({"data": header["data"] | {"classes": list(CLASSES)}}, from_dict({}), None)
    monkeypatch.setattr(other_data, "opened", lambda run: found)
    assert evaluate.main([str(run), "--data", str(data), "--device", "cpu"]) == 2
    assert "was trained on: its test is in the report already" in capsys.readouterr().err


def test_the_studys_own_data_in_another_packing_are_refused(run, tmp_path, monkeypatch, capsys):
    """JAFFE's zip of a study on its folder: val, by which it chose, passed for another data set."""
    data = layouts.jaffe(tmp_path / "jaffe")
    own = dataset.read(data)
    monkeypatch.setattr(other_data.confirmed, "images", lambda run: own)
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", data)
    words = [str(run), "--data", packed, "--device", "cpu"]
    assert evaluate.main(words) == 2
    assert "own data in another packing: its test is in the report" in capsys.readouterr().err
    assert not [*run.glob("elsewhere/*.parquet")]
    for split in (own.train, own.val, own.test):  # as with the labels of other people
        split.labels[:] = (split.labels + (np.arange(len(split.labels)) % 4 == 0)) % 7
    assert evaluate.main(words) == 0
    assert "that are copies or near copies of training images" in capsys.readouterr().out


def test_of_two_classes_with_usual_names_of_one_emotion_each_meets_its_own(tmp_path):
    """What was happy was judged as joy, the later of the two."""
    rows, _ = other_data.faces(str(layouts.ck48(tmp_path / "c")), ("happy", "joy"))
    assert set(rows.names.tolist()) == {"happy"}


def test_classes_meet_by_name_and_others_are_said(tmp_path):
    rows, notes = other_data.faces(str(layouts.ck48(tmp_path / "c")), CLASSES)
    assert set(rows.names.tolist()) == {*CLASSES} - {"neutral"}  # anger is angry
    assert "36 faces of contempt are left out" in notes[1] and "no face of neutral" in notes[2]
    assert len(rows.names) == 216 and "asked about all of it, 252 faces" in notes[0]
    with pytest.raises(Mistake, match="has none of the study's classes"):
        other_data.faces(str(tmp_path / "c"), ("cat", "dog"))


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (("test/happy/1.png", "test/sad/2.png"), "asked about all of it, 2 faces"),
        (("test/sad/PublicTest_1.png", "test/sad/PrivateTest_2.png"), "its test split, 1 faces"),
        (("train/happy/1.png", "train/sad/2.png"), "asked about all of it, 2 faces"),
        (("val/happy/1.png", "test/sad/2.png"), "asked about its test split, 1 faces"),
    ],
)
def test_a_folder_of_one_split_alone_can_be_asked_about(tmp_path, names, asked):
    """A test set without its train was refused, as a study that would train on it has to be."""
    path = folder(tmp_path / "x", dict.fromkeys(names, encoded()))
    assert sources.digest(path)
    rows, notes = other_data.faces(str(path), CLASSES)
    assert not any("halves" in note for note in rows.notes)
    assert asked in notes[0] and f"{len(rows.names)} faces" in asked
    with pytest.raises(Mistake, match="x has no images in t"):
        dataset.read(path)


def test_class_numbers_without_names_match_no_class_of_the_studys(run, tmp_path, capsys):
    """A study on unnamed numbers, and other data with as many: their orders may differ."""
    data = str(layouts.numbers(tmp_path / "n", 7))
    for classes in (CLASSES, tuple(f"class {k}" for k in range(7))):
        with pytest.raises(Mistake, match="class numbers without names .class 0, class 1") as told:
            other_data.faces(data, classes)
        assert f"--classes which of {','.join(classes)} each" in str(told.value)
    given = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry")  # AffectNet's
    rows, _ = other_data.faces(data, CLASSES, given=given)
    assert dict(zip(rows.ids.tolist(), rows.names.tolist(), strict=True))[0] == "neutral"
    words = [str(run), "--data", data, "--device", "cpu"]
    assert evaluate.main(words) == 2 and not [*run.glob("elsewhere/*")]
    assert evaluate.main([*words, "--classes", ",".join(given)]) == 0
    said = capsys.readouterr().out
    assert "the classes have the names that --classes gives: 0 neutral, 1 happy" in said
    named = str(layouts.jaffe(tmp_path / "jaffe"))
    with pytest.raises(Mistake, match="names its classes itself"):
        other_data.faces(named, CLASSES, given=given)


def test_a_network_that_diverged_is_right_nowhere():
    """Of answers that are no numbers NumPy's largest is the first, which is angry."""
    rows = SimpleNamespace(names=np.array(["a", "b"]))
    broken = np.full((2, 2), np.nan, np.float32)
    told = other_data.lines({"net-s0": broken}, rows, ("a", "b"), "A", "B")
    assert told[1] == "  net: 0.0 %, 1 seed"
    frame = pd.DataFrame({"trial_id": "net-s0", "label": ["a", "b"], "about": "{}"})
    frame[["p_a", "p_b"]] = broken
    setting = SimpleNamespace(answers=SimpleNamespace(classes=("a", "b")))
    found = elsewhere.answers(setting, frame, "A", {"name": "B", "notes": []})
    assert found.right.tolist() == [[False, False]]


def test_what_falls_by_other_shares_of_the_classes_is_told_from_what_recall_loses():
    """At home 4 of class 0 (all right) and 4 of class 1 (none right); there 1 and 3, the same
    recalls: half is right at home, a quarter there, and no class carries anything."""

    def made(label: list[int]) -> tuple[np.ndarray, np.ndarray]:
        return np.array(label), np.zeros((3, len(label)), int)

    label, guess = made([0] * 4 + [1] * 4)
    mine = SimpleNamespace(
        classes=("a", "b"),
        label=label,
        guess=guess,
        split=np.array(["test"] * 8),
        duplicate=np.zeros(8, bool),
        near=None,
    )
    there, said = made([0, 1, 1, 1])
    one = elsewhere.Elsewhere(
        SimpleNamespace(name="net", answers=mine), "A", "B", (), there, said == there, None
    )
    whole, each = elsewhere.tested([one]), elsewhere.classes([one])
    assert whole["drop"][0] == pytest.approx(0.25) == whole["by the mix"][0]
    assert each["carries"].tolist() == [0, 0] == each["drop"].tolist()
    assert ": 25.0 points lower" in section.summary(whole, each)
    better = whole.assign(drop=-0.1, **{"drop low": -0.2, "drop high": 0.05})
    assert ": 10.0 points higher (−5.0 to 20.0)" in section.summary(better, each)
    gained = section.summary(better.assign(**{"by the mix": 0.02}), each.assign(carries=[-0.12, 0]))
    assert "of which a 12.0 (recall there is higher), and −2.0 for other shares" in gained


def test_a_drop_is_as_unsure_as_both_of_its_accuracies():
    rng = np.random.default_rng(0)
    own, there = (crossed.of_one(rng.random((3, many)) < 0.6) for many in (200, 50))
    drop = elsewhere.fall(own, there)
    assert drop.mean == pytest.approx(own.mean - there.mean)
    assert drop.error == pytest.approx(np.hypot(own.error, there.error))


@pytest.mark.parametrize("mark", ["duplicate", "near"])
def test_copies_of_training_images_that_are_right_at_home_are_no_drop_elsewhere(mark):
    """All four copies are right at home, of the other four faces two; there two of four."""
    right = np.array([[1, 1, 1, 1, 1, 1, 0, 0]] * 2)
    marks = {"duplicate": np.zeros(8, bool), "near": None} | {mark: np.arange(8) < 4}
    label = np.array([1] * 8)
    mine = SimpleNamespace(
        classes=("a", "b"), label=label, guess=right, split=np.array(["test"] * 8), **marks
    )
    there = np.array([[True, True, False, False]] * 2)
    setting = SimpleNamespace(name="net", answers=mine)
    one = elsewhere.Elsewhere(setting, "A", "B", (), label[:4], there, None)
    whole, each = elsewhere.tested([one]), elsewhere.classes([one])
    assert whole["own test"][0] == 0.5 and whole["drop"][0] == 0 == whole["by the mix"][0]
    assert each["drop"].tolist() == [0]


def test_a_published_copy_is_told_as_such_before_the_faces_are_read(request, capsys):
    """It was told to come to its end, which it had."""
    copy = request.config.rootpath / "results/published/search"
    assert evaluate.main([str(copy), "--data", "there/is/none"]) == 2
    assert "search is a published copy, which has no networks" in capsys.readouterr().err


def test_a_folder_without_a_study_is_refused(tmp_path, capsys):
    assert evaluate.main([str(tmp_path), "--data", "faces.csv"]) == 2
    assert "holds no study.json" in capsys.readouterr().err
    (tmp_path / "study.json").write_text("{")
    assert evaluate.main([str(tmp_path), "--data", "faces.csv"]) == 2
    assert "study.json is damaged" in capsys.readouterr().err
    assert MODELS.keys() >= {"alexnet"} and not own.KNOWN
