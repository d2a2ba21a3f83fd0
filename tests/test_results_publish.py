"""A study made fit to be committed: nothing of the machine, and the same report."""

import json
import zlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_results_load import CLASSES, epochs, event, folder, header, trial, whole

from results import Mistake, publish
from results.artefacts.load import answers, folders, load
from results.facts import elsewhere, evaluation

__all__ = ["whole"]
MACHINE = {
    "host": "workstation7",
    "system": "Linux-6.1.2-generic-x86_64",
    "processor": "p",
    "cores": 2,
    "gpus": [],
}


def signed(**row) -> bytes:
    """A line of the journal with the checksum of its bytes."""
    body = event(**row).removesuffix(b"}\n")
    return body + b', "crc": %d}\n' % zlib.crc32(body)


def published(run, tmp_path, **more):
    return publish.publish(run, root=tmp_path / "published", **more)


def test_the_report_of_what_is_published_is_that_of_the_run(whole, tmp_path):
    before, after = load(whole), load(published(whole, tmp_path))
    assert after.chosen.equals(before.chosen)
    for name in ("epochs", "decisions"):
        pd.testing.assert_frame_equal(getattr(after, name), getattr(before, name))
    same = [
        evaluation.confirmed(evaluation.evaluated(answers(one))).drop(columns="study")
        for one in (before, after)
    ]
    pd.testing.assert_frame_equal(*same)


def test_a_study_is_replaced_where_it_lies_and_nothing_else_ever_is(whole, tmp_path):
    """`--name figures` took the place of the documents' figures, whatever lay there."""
    first = published(whole, tmp_path, name="x")
    (first.parent / "paper").mkdir()
    kept = first.rename(first.parent / "paper" / "x")
    assert published(whole, tmp_path, name="x") == kept and not first.exists()
    for name in ("paper", "figures"):
        (first.parent / name).mkdir(exist_ok=True)
        with pytest.raises(Mistake, match="is no study's: give another --name"):
            published(whole, tmp_path, name=name)
    assert (kept / "study.json").exists()


def test_nothing_of_the_machine_is_left(tmp_path):
    head = header(hardware=MACHINE, study={"data": "/home/jo/data/fer2013.csv.xz", "out": "/big/r"})
    rows = [
        trial(
            "a",
            node="workstation7",
            status="failed",
            error="FileNotFoundError: /home/jo/data/fer2013.csv.xz",
        )
    ]
    driver = {"host": "workstation7", "pid": 1, "study": {"data": "/home/jo"}}
    driver |= {"git": {"code": "aaaa"}, "hardware": MACHINE}
    journal = [signed(event="driver_started", **driver), signed(event="chosen")]
    run = folder(tmp_path / "mine", head, rows, epochs("a", [0.2]), [], events=journal)
    (run / "checkpoints").mkdir()
    made = published(run, tmp_path)
    names = {path.name for path in made.iterdir()}
    assert names == {
        "study.json",
        "events.jsonl",
        "trials.parquet",
        "epochs.parquet",
        "decisions.parquet",
    }
    told = json.loads((made / "study.json").read_text())
    assert told["study"]["data"] == "fer2013.csv.xz" and told["study"]["out"] == "runs"
    assert told["hardware"] == {"system": "Linux", "processor": "p", "cores": 2, "gpus": []}
    table = pq.read_table(made / "trials.parquet")
    assert table["node"].to_pylist() == [""]
    assert table["error"].to_pylist() == ["FileNotFoundError: fer2013.csv.xz"]
    assert b"workstation7" not in b"".join(path.read_bytes() for path in made.iterdir())
    first, second = map(json.loads, (made / "events.jsonl").read_text().splitlines())
    assert first.keys() == {"event", "time", "git", "hardware"}
    assert first["git"] == {"code": "aaaa"} and first["hardware"] == told["hardware"]
    assert second.keys() == {"event", "time"}, "and no checksum of a line that was another"


def test_why_something_ended_names_no_machine(tmp_path):
    """A study that a driver once gave up for an unfit node couldn't be published: its host stood in
    the journal, where nobody but the driver writes."""
    why = "unfit node: laptop-3 has the code aaaa (the driver has bbbb)"
    journal = [
        event(event="driver_started", host="laptop-3", pid=1),
        event(event="study_ended", status="interrupted", reason=why),
    ]
    head = header(hardware=MACHINE, reason=why)
    rows = [trial("a", status="failed", error="OSError: laptop-3 is gone", node="laptop-3")]
    made = published(folder(tmp_path / "mine", head, rows, [], [], events=journal), tmp_path)
    plain = "unfit node: a machine has the code aaaa (the driver has bbbb)"
    assert json.loads((made / "events.jsonl").read_text().splitlines()[1])["reason"] == plain
    assert json.loads((made / "study.json").read_text())["reason"] == plain
    assert pq.read_table(made / "trials.parquet")["error"].to_pylist() == [
        "OSError: a machine is gone"
    ]


def test_a_host_in_the_studys_own_words_is_refused(tmp_path):
    head = header(hardware=MACHINE, why_this_size="sized for workstation7")
    run = folder(tmp_path / "mine", head, [trial("a")], [], [])
    with pytest.raises(Mistake, match="workstation7 would be published"):
        published(run, tmp_path)
    assert not list((tmp_path / "published").iterdir())


def test_words_that_look_like_paths_once_they_are_escaped_are_published_as_they_are(tmp_path):
    """JSON writes é as \\u00e9, and a new line as \\n: both were taken for folders."""
    notes = ["files that are no images as SPLIT/CLASS/NAME were left out", "à é\nb\nc", "C: d"]
    head = header(hardware=MACHINE)
    head["data"] |= {"notes": notes, "name": "表情数据"}
    head["study"] |= {"data": "raf-db:/home/jo/My Faces/RAF", "own_networks": [NETWORK, TIMMS]}
    head["study"] |= {"address": "workstation7:6379", "storage": "s3://jo/studies"}
    run = folder(tmp_path / "mine", head, [trial("a", reason="at epoch 3\nof 5")], [], [])
    told = json.loads((published(run, tmp_path) / "study.json").read_text())
    assert told["data"]["notes"] == notes and told["data"]["name"] == "表情数据"
    assert told["study"]["data"] == "raf-db:RAF", "not raf-dRAF, as if b: were a drive"
    assert told["study"]["address"] == "" == told["study"]["storage"]
    plain = NETWORK | {"source": "nets.py:Net"}, TIMMS | {"source": "timm:resnet18@w.safetensors"}
    assert told["study"]["own_networks"] == [*plain]


NETWORK = {
    "name": "Net",
    "source": "/home/jo/my nets/nets.py:Net",
    "code": "x = y //2 //3\n",
    "digest": "",
}
TIMMS = {
    "name": "timm-resnet18",
    "source": "timm:resnet18@/home/jo/w.safetensors",
    "code": "",
    "digest": "",
}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/jo/fer.csv", "fer.csv"),
        (r"in C:\Users\jo\fer.csv.", "in fer.csv."),
        ("D:/faces", "faces"),
        ("file:///home/jo/x and s3://jo/y", "x and y"),
        (r"\\server\jo\x", "x"),
        ("~/faces", "faces"),
        ("alexnet,timm:resnet18@/home/jo/w.safetensors", "alexnet,timm:resnet18@w.safetensors"),
        ("/home/jo/My Data/x.csv is gone", "x.csv is gone"),
        (r"C:\Users\Jo Smith (2)\x", "x"),
        ("/data/x has no images in train/CLASS/", "x has no images in train/CLASS/"),
        ("https://arxiv.org/abs/1512.03385", "https://arxiv.org/abs/1512.03385"),
        ("C: is a setting, C:", "C: is a setting, C:"),
        ("val/test/all, 1/2/3", "val/test/all, 1/2/3"),
    ],
)
def test_what_is_a_path_and_what_is_none(text, left):
    assert publish.without_paths({"a": [text]}) == {"a": [left]}


def test_another_drivers_host_and_a_trials_node_are_refused_in_words(tmp_path):
    journal = [event(event="driver_started", host="laptop-3", pid=1)]
    for word in ("laptop-3", "node42"):
        head = header(hardware=MACHINE, why_this_size=f"sized for {word}, and node423")
        rows = [trial("a", node="node42")]
        run = folder(tmp_path / word, head, rows, [], [], events=journal)
        with pytest.raises(Mistake, match=f"{word} would be published"):
            published(run, tmp_path)


def test_a_line_of_the_journal_that_is_damaged_is_not_published_as_if_it_were_whole(tmp_path):
    lost = event(event="chosen", setting="a", crc=7)
    run = folder(tmp_path / "mine", header(), [trial("a")], [], [], events=[lost])
    assert (published(run, tmp_path) / "events.jsonl").read_text() == ""


def test_a_running_study_is_refused(tmp_path):
    run = folder(tmp_path / "mine", header(status="running"), [trial("a")], [], [])
    with pytest.raises(Mistake, match="still running"):
        published(run, tmp_path)


def test_a_study_that_is_too_large_leaves_nothing_behind(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "LIMIT", 10)
    with pytest.raises(Mistake, match="expected at most 10 of a study"):
        published(whole, tmp_path)
    assert not [*(tmp_path / "published").iterdir()]


def asked_about_another_set(run):
    """Answers as study.evaluate keeps them, of two seeds to two faces."""
    (run / "elsewhere").mkdir()
    about = {"name": "raf-db", "source": "/home/jo/raf", "notes": ["read from /home/jo/raf"]}
    names = ["alexnet-s0", "alexnet-s1"]
    frame = pd.DataFrame({"trial_id": np.repeat(names, 2), "image": [0, 1] * 2})
    frame = frame.assign(label=["angry", "happy"] * 2, about='{"gender": "female"}')
    for name in CLASSES:
        frame[f"p_{name}"] = [0.1428571, 0.9] * 2 if name == "angry" else [0.1428572, 0.0166666] * 2
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({"elsewhere": json.dumps(about)})
    pq.write_table(table, run / "elsewhere" / "raf-db-1a2b.parquet")


def test_the_answers_to_other_data_sets_are_published_and_their_places_are_not(whole, tmp_path):
    """They were left out without a word, and the report had no "Trained on, tested on"."""
    asked_about_another_set(whole)
    told = []
    for one in (load(whole), load(published(whole, tmp_path))):
        settings = evaluation.evaluated(answers(one))
        told.append(elsewhere.tested(elsewhere.of([one], settings)))
    assert told[0]["tested on"].tolist() == ["raf-db"] and told[0].equals(told[1])
    (made,) = (tmp_path / "published" / "mine" / "elsewhere").iterdir()
    about = json.loads(pq.read_schema(made).metadata[b"elsewhere"])
    assert about == {"name": "raf-db", "notes": ["read from raf"]}


def test_answers_to_other_data_sets_that_have_no_room_are_left_out_in_words(
    whole, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(publish, "LIMIT", publish.size(published(whole, tmp_path)))
    asked_about_another_set(whole)
    assert not (published(whole, tmp_path) / "elsewhere").exists()
    assert "mine: without the answers to other data sets" in capsys.readouterr().out


def test_a_second_time_replaces_the_first(whole, tmp_path):
    first = published(whole, tmp_path)
    (first / "left.txt").write_text("x")
    assert published(whole, tmp_path) == first
    assert not (first / "left.txt").exists()


def test_a_study_is_known_by_the_name_that_it_is_published_under(whole, tmp_path):
    assert load(published(whole, tmp_path)).name == load(whole).name
    assert load(published(whole, tmp_path, name="another")).name == "another"


def test_rounding_keeps_the_answer(whole):
    table = pq.read_table(whole / "predictions.parquet")
    names = [name for name in table.column_names if name.startswith("p_")]
    near = np.tile([0.14281, 0.14284, 0.14287, 0.1429, 0.14286, 0.14286, 0.14286], (len(table), 1))
    for place, name in enumerate(names):
        at = table.column_names.index(name)
        field = table.schema.field(at)
        table = table.set_column(at, field, [near[:, place].astype("float32")])
    short = publish.rounded(table, 3)
    cells = np.stack([short[name].to_numpy() for name in names], 1)
    assert (cells.argmax(1) == 3).all() and np.abs(cells - near).max() < 2e-3


def test_the_command_says_where_and_how_much(whole, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(publish, "PUBLISHED", tmp_path / "p")
    monkeypatch.setattr(publish.publish, "__defaults__", ("", tmp_path / "p"))
    assert publish.main([str(whole), "--name", "x"]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'p' / 'x'}: ")
    assert publish.main([str(tmp_path)]) == 2
    assert "holds no study.json" in capsys.readouterr().err


def test_what_is_in_the_repository_names_no_machine():
    for made in folders(publish.PUBLISHED):
        head = json.loads((made / "study.json").read_text())
        assert publish.plain_header(head) == head, made
        assert head["study"]["name"] == made.name, "documents and pages find the folder by it"
        load(made)
        assert publish.size(made) <= publish.LIMIT
        assert set(pq.read_table(made / "trials.parquet")["node"].to_pylist()) <= {"", None}


@pytest.mark.parametrize("name", ["..", "../published", "/tmp/x", ".git", "a/b"])
def test_a_name_that_leads_elsewhere_removes_nothing(whole, tmp_path, name):
    (tmp_path / "published").mkdir()
    keep = tmp_path / "keep.txt"
    keep.write_text("mine")
    with pytest.raises(Mistake, match="can't name a published study"):
        published(whole, tmp_path, name=name)
    head = json.loads((whole / "study.json").read_text())
    head["study"]["name"] = name  # a stranger's folder
    (whole / "study.json").write_text(json.dumps(head))
    with pytest.raises(Mistake, match="can't name a published study"):
        published(whole, tmp_path)
    assert keep.read_text() == "mine"
