import json
import math
import time
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray

from fer_record.tables import Tables
from study.config import seeds
from study.config.hyperparameters import Hyperparameters, present
from study.config.study import from_dict
from study.data.datasets import Dataset, Split
from study.driver import confirm, networks
from study.driver.confirm import (
    attention_rows,
    choose,
    configs,
    image_rows,
    look,
    part,
    prediction_rows,
    with_rows,
)
from study.driver.display import Display
from study.driver.session import Session
from study.record.journal import Journal
from study.record.outcome import answered, best, due, passed_over, wanted
from study.search.proposals import config
from study.storage import handover, mirror, places

SETTINGS = [
    {"name": "A", "model": "alexnet", "lr": 0.01},
    {"name": "B", "model": "resnet34", "epochs": 3},
]


def trials(*rows: tuple[str, str, str, int, float], stage: str = "search") -> Tables:
    """Tables of trials: name, network, status, epochs done, val_accuracy then."""
    tables = Tables()
    for name, model, status, epoch, val_accuracy in rows:
        hp = present(Hyperparameters(model=model, seed=7, epochs=9, lr=0.02))
        tables.trials[name] = {"stage": stage, "status": status}
        tables.trials[name] |= {f"hp_{key}": value for key, value in hp.items()}
        if epoch:
            tables.last[name] = {"epoch": epoch, "val_accuracy": val_accuracy}
    return tables


def chosen(tables: Tables, **given) -> list[dict]:
    """The events that choosing writes down."""
    events = []
    session = SimpleNamespace(
        tables=tables, study=from_dict(given), log=lambda *new: events.extend(new)
    )
    choose(session)
    return events


def test_best_is_the_highest_of_those_that_came_furthest_for_each_network():
    tables = trials(
        ("t0000", "alexnet", "stopped", 3, 0.9),
        ("t0001", "alexnet", "completed", 9, 0.5),
        ("t0002", "alexnet", "completed", 9, 0.6),
        ("t0003", "resnet34", "stopped", 1, 0.2),
        ("t0004", "resnet34", "running", 1, 0.3),
    )
    found = best(tables, from_dict({}))
    assert found == {
        "alexnet": {"trial_id": "t0002", "epoch": 9, "val_accuracy": 0.6},
        "resnet34": {"trial_id": "t0004", "epoch": 1, "val_accuracy": 0.3},
    }
    only = from_dict({"models": ["resnet34", "alexnet"]})
    assert list(best(tables, only)) == ["resnet34", "alexnet"]


def test_best_passes_over_the_failed_the_unfinished_and_the_confirmed():
    tables = trials(
        ("t0000", "alexnet", "failed", 9, 0.9),
        ("t0001", "alexnet", "running", 0, 0.0),
    )
    tables.trials |= trials(("A-s0", "alexnet", "completed", 9, 0.8), stage="confirm").trials
    tables.last["A-s0"] = {"epoch": 9, "val_accuracy": 0.8}
    assert best(tables, from_dict({})) == {}


def test_of_equals_the_first_is_the_best():
    tables = trials(
        ("t0000", "alexnet", "completed", 9, 0.5), ("t0001", "alexnet", "stopped", 9, 0.5)
    )
    assert best(tables, from_dict({}))["alexnet"]["trial_id"] == "t0000"


def test_a_search_confirms_the_best_of_each_network_at_the_full_budget():
    tables = trials(
        ("t0000", "alexnet", "completed", 9, 0.5), ("t0001", "resnet34", "stopped", 3, 0.4)
    )
    first, second = chosen(tables, epochs=12, settings=SETTINGS)
    hp = present(Hyperparameters(model="alexnet", epochs=12, lr=0.02))
    del hp["seed"]
    assert first == {
        "event": "chosen",
        "setting": "alexnet",
        "from_trial": "t0000",
        "val_accuracy": 0.5,
        "epoch": 9,
        "hp": hp,
    }
    assert (second["setting"], second["from_trial"]) == ("resnet34", "t0001")
    assert (second["hp"]["model"], second["hp"]["epochs"]) == ("resnet34", 12)


def test_the_default_and_the_next_best_are_confirmed_beside_the_best():
    tables = trials(
        ("t0000", "alexnet", "completed", 9, 0.5),
        ("t0001", "alexnet", "completed", 9, 0.4),  # trains as the best does
        ("t0002", "alexnet", "stopped", 3, 0.6),
        ("t0003", "alexnet", "stopped", 1, 0.7),
    )
    tables.trials["t0002"]["hp_lr"] = 0.03
    tables.trials["t0003"]["hp_lr"] = 0.06
    given = {"baseline_seeds": 1, "runners_up": 1, "seeds": 2, "epochs": 9, "models": ["alexnet"]}
    found = chosen(tables, **given)
    told = [(e["setting"], e["from_trial"], e.get("beside")) for e in found]
    assert told == [
        ("alexnet", "t0000", None),
        ("alexnet-default", "", "alexnet"),
        ("alexnet-2", "t0002", "alexnet"),
    ]
    assert found[1]["hp"]["lr"] == Hyperparameters(model="alexnet").lr
    study = from_dict(given)
    assert len(due(tables, study)) == 4  # as far as one can say before
    tables.chosen = {event["setting"]: event for event in found}
    order = ["alexnet-s0", "alexnet-s1", "alexnet-default-s0", "alexnet-2-s0"]
    assert due(tables, study) == order == [c["trial_id"] for c, _ in configs(tables, study)]


def test_a_default_outside_the_space_is_what_the_study_tries_first():
    """AdamW with SGD's learning rate of .05 would make any search look like a gain."""
    tables = trials(("t0000", "alexnet", "completed", 9, 0.5))
    first = {"name": "first", "model": "alexnet", "lr": 0.001}
    space = {"lr": {"low": 0.0005, "high": 0.004, "log": True}, "optimizer": "adamw"}
    given = {"baseline_seeds": 1, "epochs": 9, "models": ["alexnet"], "space": space}
    _, default, *_ = chosen(tables, **given, settings=[first])
    assert (default["setting"], default["hp"]["lr"]) == ("alexnet-default", 0.001)
    _, default, *_ = chosen(tables, **given)
    assert default["hp"]["lr"] == pytest.approx((0.0005 * 0.004) ** 0.5)


def test_a_default_that_is_the_best_is_not_confirmed_twice():
    tables = trials(("t0000", "alexnet", "completed", 9, 0.5))
    lr = Hyperparameters(model="alexnet").lr
    tables.trials["t0000"]["hp_lr"] = lr
    found = chosen(tables, baseline_seeds=3, runners_up=2, epochs=9, models=["alexnet"])
    assert [event["setting"] for event in found] == ["alexnet"]


def test_without_a_search_the_settings_are_confirmed_as_they_are():
    first, second = chosen(Tables(), stages=["confirm"], epochs=12, settings=SETTINGS)
    assert [(e["setting"], e["from_trial"]) for e in (first, second)] == [("A", ""), ("B", "")]
    assert (first["hp"]["lr"], first["hp"]["epochs"], second["hp"]["epochs"]) == (0.01, 12, 3)
    assert "seed" not in first["hp"] and "stem" not in first["hp"]


def test_what_was_chosen_once_is_not_chosen_again():
    tables = trials(("t0000", "alexnet", "completed", 9, 0.5))
    tables.chosen = {"resnet34": {"setting": "resnet34"}}
    assert chosen(tables) == []


def test_wanted_are_the_settings_of_the_studys_networks_or_each_network():
    study = from_dict({"settings": SETTINGS, "models": ["resnet34"]})
    assert [s.name for s in wanted(study)] == ["B"]
    plain = from_dict({"models": ["resnet34", "alexnet"]})
    assert [(s.name, s.values) for s in wanted(plain)] == [
        ("resnet34", {"model": "resnet34"}),
        ("alexnet", {"model": "alexnet"}),
    ]


def test_configs_go_seed_by_seed_and_all_settings_share_the_seeds():
    tables = Tables()
    for name, model in [("A", "alexnet"), ("B", "resnet34")]:
        hp = present(Hyperparameters(model=model, lr=0.02))
        del hp["seed"]
        tables.chosen[name] = {"setting": name, "hp": hp}
    found = list(configs(tables, from_dict({"seed": 2, "seeds": 2})))
    assert [(c["trial_id"], setting, c["model"], c["seed"]) for c, setting in found] == [
        ("A-s0", "A", "alexnet", 250_000),
        ("B-s0", "B", "resnet34", 250_000),
        ("A-s1", "A", "alexnet", 250_001),
        ("B-s1", "B", "resnet34", 250_001),
    ]
    first = dict(found[0][0])
    del first["trial_id"]
    assert first == present(Hyperparameters(model="alexnet", lr=0.02, seed=250_000))


def test_where_nothing_was_chosen_nothing_is_confirmed():
    assert list(configs(Tables(), from_dict({"models": ["alexnet"]}))) == []


def test_confirmations_seeds_are_none_of_the_searchs():
    """By the largest numbers that a study may have, and of the next study."""
    last = from_dict({"trials": seeds.FRESH, "seeds": seeds.FRESH, "seed": 4})
    assert (
        config(last, last.trials - 1, Hyperparameters())["seed"] < 4 * seeds.A_STUDYS + seeds.FRESH
    )
    tables = Tables()
    tables.chosen = {"A": {"setting": "A", "hp": {"model": "alexnet"}}}
    found = [one["seed"] for one, _ in configs(tables, last)]
    assert min(found) == 450_000 and max(found) < 5 * seeds.A_STUDYS


def test_due_are_all_seeds_of_what_was_chosen_or_can_be():
    tables, searching = Tables(), from_dict({"models": ["alexnet", "resnet34"], "seeds": 2})
    each = ["alexnet-s0", "resnet34-s0", "alexnet-s1", "resnet34-s1"]
    assert due(tables, searching) == each
    tables.chosen = {"resnet34": {"hp": {"model": "resnet34"}}}
    assert due(tables, searching) == ["resnet34-s0", "resnet34-s1"]
    fixed = from_dict({"stages": ["confirm"], "settings": SETTINGS, "seeds": 1})
    assert due(Tables(), fixed) == ["A-s0", "B-s0"]


def test_a_network_without_a_usable_trial_is_passed_over():
    study = from_dict({"models": ["alexnet", "resnet34"]})
    tables = trials(
        ("t0000", "alexnet", "failed", 9, 0.9), ("t0001", "resnet34", "stopped", 1, 0.2)
    )
    assert passed_over(tables, study) == ["alexnet"]
    assert passed_over(Tables(), study) == []


def test_before_an_answer_nobody_has_answered(tmp_path):
    assert answered(tmp_path) == set()
    splits, whole = dataset()
    rows = prediction_rows("A-s0", np.full((5, 2), 0.5, np.float32), splits, whole)
    pq.write_table(rows, tmp_path / "predictions.parquet")
    assert answered(tmp_path) == {"A-s0"}
    path = tmp_path / "predictions.parquet"
    content = path.read_bytes()
    for left in (0, 10, len(content) - 1):
        path.write_bytes(content[:left])
        assert answered(tmp_path) == set(), "a table cut short is asked for again"


def dataset() -> tuple[dict[str, Split], Dataset]:
    def split(labels: list[int], first: int) -> Split:
        images = np.zeros((len(labels), 48, 48), np.uint8)
        return Split(images, np.array(labels), np.arange(first, first + len(labels)))

    train, val, test = split([0, 1], 0), split([1, 0], 10), split([0, 0, 1], 20)
    whole = Dataset(
        "x",
        "d",
        ("happy", "sad"),
        train,
        val,
        test,
        np.array([False, True, False]),
        np.array([False, True]),
        np.array([True, False, False]),
        np.array([True, False]),
        (),
        True,
    )
    return {"val": val, "test": test}, whole


def test_prediction_rows_name_split_image_label_and_probabilities():
    splits, whole = dataset()
    p = np.array([[0.25, 0.75], [0.5, 0.5], [1, 0], [0.75, 0.25], [0, 1]], np.float32)
    found = prediction_rows("A-s0", p, splits, whole)
    assert found.to_pylist() == [
        {
            "trial_id": "A-s0",
            "split": split,
            "image": image,
            "label": label,
            "duplicate": duplicate,
            "p_happy": happy,
            "p_sad": 1 - happy,
        }
        for split, image, label, duplicate, happy in [
            ("val", 10, "sad", False, 0.25),
            ("val", 11, "happy", True, 0.5),
            ("test", 20, "happy", False, 1.0),
            ("test", 21, "happy", True, 0.75),
            ("test", 22, "sad", False, 0.0),
        ]
    ]


def test_image_rows_mark_the_near_copies_of_each_split_and_digest_its_pixels():
    splits, whole = dataset()
    splits["test"].images[2, 5, 7] = 1
    rows = image_rows(splits, whole).to_pylist()
    assert [(row["split"], row["image"], row["near"]) for row in rows] == [
        *(("val", 10, True), ("val", 11, False)),
        *(("test", 20, True), ("test", 21, False), ("test", 22, False)),
    ]
    assert [row["pixels"] == rows[0]["pixels"] for row in rows] == [True] * 4 + [False]


def test_probabilities_of_another_number_of_images_are_no_rows():
    splits, whole = dataset()
    with pytest.raises(ValueError, match="expected length 5"):
        prediction_rows("A-s0", np.zeros((4, 2), np.float32), splits, whole)


def test_which_study_opens_test_is_in_study_json_before_the_journal_has_an_opening(tmp_path):
    _, whole = dataset()
    made = {"study": from_dict({"name": "s"}), "folder": tmp_path, "dataset": whole}
    first = SimpleNamespace(**made, tables=Tables(), header={"started_at": "now"})
    assert look(first) == look(first) == 1
    assert json.loads((tmp_path / "study.json").read_text())["look_at_test"] == 1
    killed = SimpleNamespace(**made, tables=Tables(opened=["A-s0"]), header={"started_at": "now"})
    assert look(killed) == 1, "the ledger counts a study once"
    other = SimpleNamespace(**made, tables=Tables(), header={"started_at": "later"})
    assert look(other) == 2


def test_attention_rows_name_the_image_and_hold_the_map_row_by_row():
    splits, _ = dataset()
    weights = np.arange(20, dtype=np.float16).reshape(5, 2, 2) / 32
    rows = attention_rows("cbam-s0", weights, splits).to_pylist()
    assert [(r["split"], r["image"]) for r in rows] == [
        *(("val", 10), ("val", 11)),
        *(("test", 20), ("test", 21), ("test", 22)),
    ]
    assert {r["trial_id"] for r in rows} == {"cbam-s0"} and {r["side"] for r in rows} == {2}
    last = np.frombuffer(rows[-1]["weights"], "<f2").reshape(2, 2)
    assert last.tolist() == [[0.5, 0.53125], [0.5625, 0.59375]]


def test_rows_of_a_model_that_is_asked_again_replace_its_old_ones():
    splits, whole = dataset()
    half = np.full((5, 2), 0.5, np.float32)
    one, other = (prediction_rows(name, half, splits, whole) for name in ("A-s0", "B-s0"))
    both = with_rows(with_rows(None, one), other)
    assert both["trial_id"].to_pylist() == ["A-s0"] * 5 + ["B-s0"] * 5
    assert with_rows(both, one)["trial_id"].to_pylist() == ["B-s0"] * 5 + ["A-s0"] * 5


def test_attention_is_kept_for_the_studys_number_of_images_or_for_all_or_none():
    splits, _ = dataset()
    for asked_for, kept_of in [(2, 2), (64, 3), (0, 0)]:
        found = part(splits["test"], from_dict({"attention_images": asked_for}))
        assert len(found.labels) == len(found.images) == kept_of


@pytest.fixture
def opening(tmp_path, monkeypatch):
    """A study with two confirmed networks that is about to open test, mirrored to a folder."""
    monkeypatch.setattr(mirror, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(networks, "size", lambda hp, classes: {})
    folder, shared = tmp_path / "runs" / "s", tmp_path / "shared"
    folder.mkdir(parents=True)
    names = [("A-s0", "alexnet", "completed", 9, 0.8), ("B-s0", "alexnet", "completed", 9, 0.7)]
    _, whole = dataset()
    with Journal(folder / "events.jsonl") as journal:
        made = Session(
            study=from_dict({"name": "s", "storage": str(shared)}), folder=folder,
            header={"started_at": "now"}, dataset=whole, whole_val=whole.val, device="cpu",
            need={"cpu": 1, "gpu": 0}, slots=1, journal=journal,
            tables=trials(*names, stage="confirm"), trainable=object, say=print,
            show=lambda s: None, written=math.inf,
        )  # fmt: skip
        made.mirror = mirror.Mirror(
            folder, shared / "s", print, lambda why: made.end("storage", why)
        )
        yield made
        made.mirror.flush()


def worker(monkeypatch, answer, wait) -> None:
    """In the place of Ray: `answer` is asked for each network, and `wait` says what is there."""
    made = SimpleNamespace(options=lambda **need: SimpleNamespace(remote=answer))
    told = {"remote": lambda function: made, "put": lambda images: images, "wait": wait}
    half = np.full((5, 2), 0.5, np.float32), np.zeros((0, 1, 1), np.float16)
    monkeypatch.setattr(
        confirm, "ray", SimpleNamespace(**told, get=lambda _: half, exceptions=ray.exceptions)
    )


def test_shared_storage_knows_that_test_was_opened_before_anyone_looks_at_it(opening, monkeypatch):
    """And has each answer while the next is waited for: what a lost head knew isn't lost."""
    place, seen, deadline = opening.mirror.place, [], time.monotonic() + 60

    def answer(*asked):
        lines = handover.read_logs(place)["events.jsonl"].splitlines()
        seen.append([json.loads(line)["trial_id"] for line in lines])

    def wait(promises, timeout):
        if len(seen) == 2 and not answer_is_stored(place, "A-s0"):
            answered_here = (opening.folder / "predictions.parquet").exists()
            if answered_here and time.monotonic() < deadline:
                time.sleep(0.01)
                return [], promises  # the second one isn't there until the first one is stored
        return promises, []

    worker(monkeypatch, answer, wait)
    confirm.open_test(opening, Display(opening.study, ()))
    assert seen == [["A-s0", "B-s0"]] * 2
    assert time.monotonic() < deadline
    assert json.loads(places.read(place / "study.json"))["look_at_test"] == 1


def answer_is_stored(place: places.Place, name: str) -> bool:
    """Whether a model's answers are in shared storage."""
    if not places.exists(place / "predictions.parquet"):
        return False
    table = pq.read_table(pa.BufferReader(places.read(place / "predictions.parquet")))
    return name in table["trial_id"].to_pylist()


def test_test_is_not_looked_at_while_shared_storage_can_not_know_of_it(opening, monkeypatch):
    def silent(place, data):
        raise OSError("no answer")

    monkeypatch.setattr(places, "write", silent)
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(mirror, "FLUSH_SECONDS", 0.1)
    asked = []
    worker(
        monkeypatch, lambda *given: asked.append(given), lambda promises, timeout: (promises, [])
    )
    confirm.open_test(opening, Display(opening.study, ()))
    assert not asked and opening.cause == "storage" and "can't be reached" in opening.reason
