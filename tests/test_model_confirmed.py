"""Which confirmed setting is best, and on which images of val."""

import json
from types import SimpleNamespace

import pytest
from test_record_tables import HP, at, done, ended, started

from fer_record.tables import Tables
from results.artefacts.load import answers, load
from results.facts import setting
from results.facts.evaluation import evaluated
from study.config.study import Study, to_dict
from study.driver import presets
from study.model import as_file, card
from study.model.confirmed import chosen, opened
from study.record import schemas
from study.record.journal import Journal

LABELS = "hhhhhhss"  # of val: six happy, two sad
NAMES = {"h": "happy", "s": "sad"}


def study(folder, answered, last, copies=(), near=(), **asked):
    """Two settings of a seed each: what they answer, h or s, to the images of val, and what they
    had after their last epoch on four of these."""
    one = Study(name="x", models=("alexnet",), stages=("confirm",), val_images=4, **asked)
    data = {"name": "x", "digest": "d", "classes": ["happy", "sad"]} | {
        "images": {"train": 9, "val": 4, "test": 1},
        "counts": {"train": {"happy": 9}, "val": {"happy": 6, "sad": 2}, "test": {"sad": 1}},
        "val_duplicates": len(copies),
        "val_near_copies": len(near),
    }
    told = {"study": to_dict(one), "status": "complete", "data": data, "started_at": "2026-11-30"}
    (folder / "study.json").write_text(json.dumps(told))
    hp = {name: value for name, value in HP.items() if name != "seed"}
    events = [at(0, "driver_started", host="elsewhere", pid=1, resumed=False)]
    rows = []
    for name, said in answered.items():
        trial = f"{name}-s0"
        events += [
            at(1, "chosen", setting=name, from_trial="", hp=hp),
            started(2, trial, HP, "confirm") | {"setting": name},
            done(3, trial, 1, last[name]) | {"val_macro_f1": last[name]},
            ended(4, trial, "completed"),
        ]
        for image, (label, guess) in enumerate(zip(LABELS + "s", said + "s", strict=True)):
            row = {"trial_id": trial, "split": "val" if image < 8 else "test", "image": image}
            row |= {"label": NAMES[label], "duplicate": image in copies}
            rows.append(row | {"p_happy": float(guess == "h"), "p_sad": float(guess == "s")})
    events.append(at(6, "study_ended", status="complete", reason="all stages done"))
    with Journal(folder / "events.jsonl") as journal:
        journal.append(*events)
    schemas.write_tables(Tables.of(events), folder)
    columns = schemas.predictions_columns(["happy", "sad"])
    schemas.write_table(folder / "predictions.parquet", rows, columns)
    kept = [
        {name: row[name] for name in ("split", "image")}
        | {"pixels": f"{row['image']}", "near": row["image"] in near}
        for row in rows[:9]
    ]
    schemas.write_table(folder / "images.parquet", kept, schemas.IMAGES)
    return folder, Tables.of(events), one, told


A_FEW, B_MORE = {"a": 0.75, "b": 0.25}, {"a": 0.25, "b": 0.75}  # on the part of val
DISAGREEING = [
    # a has three of eight right, b the other five
    ("hhhssshh", "ssshhhss", A_FEW, {"val_copies": "with"}, (), (), "b", 5 / 8, "val", 8),
    # of the first five, no copies, a has three right and b two
    ("hhhssshh", "ssshhhss", B_MORE, {}, (5, 6), (7,), "a", 3 / 5, "val without duplicates", 5),
    # where all are copies, all are judged on
    ("hhhssshh", "ssshhhss", A_FEW, {}, range(8), (), "b", 5 / 8, "val", 8),
    # a: F1 2 * 3 / (6 + 3) and 2 * 2 / (2 + 5); b: 2 * 6 / (6 + 8) and 0, with more right
    ("hhhsssss", "hhhhhhhh", B_MORE, {"val_copies": "with", "metric": "macro_f1"}, (), ())
    + ("a", 13 / 21, "val", 8),
]


@pytest.mark.parametrize(
    ("a", "b", "last", "asked", "copies", "near", "best", "value", "val", "many"), DISAGREEING
)
def test_report_export_and_preset_have_one_best_setting(
    a, b, last, asked, copies, near, best, value, val, many, tmp_path
):
    """Of a study that judged its epochs on a part of val the report named one, by all of val, and
    study.export and study.predict had another, by that part."""
    folder, tables, asks, told = study(tmp_path, {"a": a, "b": b}, last, copies, near, **asked)
    one = load(folder)
    shown = setting.best(one, evaluated(answers(one)))
    assert (shown.name, shown.judged) == (best, pytest.approx(value))
    assert (shown.val, shown.val_images) == (val, many)
    run = opened(folder)
    (first,) = chosen(run)
    assert (first.setting, first.judged) == (best, shown.judged)
    right = sum(x == y for k, (x, y) in enumerate(zip({"a": a, "b": b}[best], LABELS, strict=True))
                if many == 8 or k < 5)  # fmt: skip
    assert first.val_accuracy == pytest.approx(right / many)
    words = f"{100 * right / many:.1f} % on {val} ({many} images)"
    assert card.on_val(run, first) == words and f"- accuracy: {words}" in card.card(
        run, first, [], []
    )
    about = as_file.facts(run, first)
    assert (about["val_accuracy"], about["val_images"]) == (f"{right / many:.4f}", f"{many}")
    assert about["val_copies"] == ("without" if many == 5 else "with")
    session = SimpleNamespace(study=asks, folder=folder, header=told, clean=many == 5)
    metric = "" if asks.metric == "accuracy" else " macro-F1"
    wanted = f"{best} of x: {100 * value:.1f} %{metric} on {val}, mean of 1 seed, confirmed"
    assert presets.best(tables, session)["alexnet"][0] == wanted


def test_a_preset_of_what_has_not_answered_is_by_the_last_epochs(tmp_path):
    """A study that was ended after its confirmation, before test was opened."""
    folder, tables, asks, told = study(tmp_path, {"a": "h" * 8, "b": "s" * 8}, B_MORE)
    (folder / "predictions.parquet").unlink()
    session = SimpleNamespace(study=asks, folder=folder, header=told, clean=False)
    assert presets.best(tables, session)["alexnet"][0].startswith("b of x: 75.0 % on val, mean")
