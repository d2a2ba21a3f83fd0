import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fer_data import fer2013
from fer_record.tables import Tables
from fer_stats import crossed
from fer_stats.share import wilson
from study.config.flags import with_flags
from study.config.study import from_dict, read_preset, to_dict
from study.driver.summary import closing, confirmed, how_long, report, searched, table, too_few

VAL = np.repeat([0, 1], [10, 90])  # labels: always sad has 90 % of val
DATA = {"classes": ["happy", "sad"]}


def tables() -> Tables:
    """Two networks searched, one of them with a failed trial; A confirmed with two seeds."""
    found = Tables()
    for name, model, status, epoch, val_accuracy in [
        ("t0000", "alexnet", "completed", 4, 0.5),
        ("t0001", "resnet34", "stopped", 2, 0.25),
        ("t0002", "alexnet", "failed", 4, 0.75),
    ]:
        found.trials[name] = {
            "stage": "search",
            "status": status,
            "setting": "",
            "hp_model": model,
            "hp_batch_size": 64,
            "hp_lr": 0.0123456,
        }
        found.last[name] = {"epoch": epoch, "val_accuracy": val_accuracy}
    for number in (0, 1):
        found.trials[f"A-s{number}"] = {"stage": "confirm", "status": "completed", "setting": "A"}
    found.chosen = {"A": {"setting": "A"}, "B": {"setting": "B"}}
    return found


def predictions(*hits: str) -> pd.DataFrame:
    """Of each seed: two images of val and four of test, of which the last is a duplicate."""
    rows = []
    for number, seed in enumerate(hits):
        for place, hit in enumerate(seed):
            rows.append(
                {
                    "trial_id": f"A-s{number}",
                    "split": "val" if place < 2 else "test",
                    "image": place,
                    "label": "sad",
                    "duplicate": place == 5,
                    "p_happy": 0.25 if hit == "+" else 0.75,
                    "p_sad": 0.75 if hit == "+" else 0.25,
                }
            )
    return pd.DataFrame(rows)


def test_interval_is_wilsons():
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    for hits, images, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson(hits, images) == pytest.approx((low, high), abs=5e-5)


def test_interval_stays_within_0_and_1_for_any_number_of_images():
    for images in range(1, 300):
        assert f"{wilson(0, images)[0]:.6f}" == "0.000000"  # and not -0.000000
        assert f"{wilson(images, images)[1]:.6f}" == "1.000000"


def test_searched_has_the_best_of_each_network():
    assert searched(tables(), from_dict({"epochs": 4}), True).to_dict("records") == [
        {
            "network": "alexnet",
            "trial": "t0000",
            "batch": 64,
            "lr": "0.01235",
            "epochs": "4/4",
            "val, no duplicates": "50.0 %",
        },
        {
            "network": "resnet34",
            "trial": "t0001",
            "batch": 64,
            "lr": "0.01235",
            "epochs": "2/4",
            "val, no duplicates": "25.0 %",
        },
    ]


def test_searched_names_the_images_of_val_that_it_was_judged_on():
    """Below it "val" is all of val, on FER-2013 5 points easier than without copies."""
    found = tables()
    for row in found.last.values():
        row["val_macro_f1"] = 0.125
    *_, accuracy, macro = searched(found, from_dict({"metric": "macro_f1"}), True)
    assert (accuracy, macro) == ("val, no duplicates", "val, no duplicates macro-F1")
    *_, accuracy = searched(found, from_dict({}), False)
    assert accuracy == "val"


def test_where_all_of_val_are_copies_it_is_what_the_search_was_judged_on():
    """No other images are left, so that prepare.clean takes all of it."""
    data = DATA | {"counts": {"val": {"happy": 10, "sad": 90}}, "val_duplicates": 60}
    for near, copies in ((39, True), (40, False)):
        text = report(Path("none"), from_dict({}), tables(), data | {"val_near_copies": near}, VAL)
        assert ("val, no duplicates" in text) is copies


def test_confirmed_pools_the_seeds_of_a_setting():
    found = confirmed(tables(), from_dict({}), predictions("+-+++-", "--+---"), DATA)
    right = np.array([[1, 1, 1], [1, 0, 0]])  # the last of test is a duplicate
    low, high = np.clip(crossed.of_one(right).interval(), 0, 1)
    assert found.to_dict("records") == [
        {
            "setting": "A",
            "seeds": 2,
            "val": "25.0 %",
            "val, no duplicates": "25.0 %",
            "test, no duplicates": "66.7 %",
            "95 %": f"{100 * low:.1f} to {100 * high:.1f} %",
            "sd (seeds)": "47.14",
            "test": "50.0 %",
            "val+test": "41.7 %",
        }
    ]


def test_a_network_that_gave_no_answers_is_right_on_no_image():
    """NaN was taken for the first class, which its images are then answered with."""
    given = predictions("------").assign(p_happy=np.nan, p_sad=np.nan, label="happy")
    row = confirmed(tables(), from_dict({"metric": "macro_f1"}), given, DATA).iloc[0]
    assert row["test"] == row["val"] == row["test macro-F1"] == "0.0 %"


def test_the_interval_keeps_each_seeds_answers_together():
    """As many images as a sort no longer keeps in their order."""
    rng = np.random.default_rng(0)
    right = np.stack([rng.random(300) < share for share in (0.4, 0.5, 0.6)])
    rows = [
        {
            "trial_id": f"A-s{seed}",
            "split": "test",
            "image": image,
            "label": "sad",
            "duplicate": False,
            "p_happy": float(not hit),
            "p_sad": float(hit),
        }
        for seed, answers in enumerate(right)
        for image, hit in enumerate(answers)
    ]
    known = tables()
    known.trials["A-s2"] = {"stage": "confirm", "status": "completed", "setting": "A"}
    low, high = np.clip(crossed.of_one(right).interval(), 0, 1)
    (found,) = confirmed(known, from_dict({}), pd.DataFrame(rows), DATA).to_dict("records")
    assert found["95 %"] == f"{100 * low:.1f} to {100 * high:.1f} %"
    assert found["sd (seeds)"] == f"{100 * right.mean(1).std(ddof=1):.2f}"


def test_where_all_images_are_duplicates_no_figure_stands_for_those_without_them():
    copied = predictions("+-+++-", "--+---").assign(duplicate=True)
    (found,) = confirmed(tables(), from_dict({}), copied, DATA).to_dict("records")
    assert found["test"] == "50.0 %"
    for name in ("val, no duplicates", "test, no duplicates", "95 %", "sd (seeds)"):
        assert found[name] == "no image"


def test_the_table_fits_a_terminal_of_80_columns():
    frame = confirmed(tables(), from_dict({}), predictions("+-+++-", "--+---"), DATA)
    frame = frame.assign(setting="cbam_resnet34", paper="66.5 %")
    text = table(frame)
    assert (
        max(map(len, text.splitlines())) <= 80 < len(frame.to_string(index=False).splitlines()[0])
    )
    first, second = (block.splitlines() for block in text.split("\n\n"))
    assert first[1].split()[0] == second[1].split()[0] == "cbam_resnet34"
    assert sum(block.count("no duplicates") for block in (first[0], second[0])) == 2
    long = frame.assign(setting="x" * 90)
    assert table(long).count("x" * 90) == len(frame.columns) - 1, "a name is never cut"


def test_confirmed_with_one_seed_has_no_spread():
    (row,) = confirmed(tables(), from_dict({}), predictions("++++++"), DATA).to_dict("records")
    assert (row["seeds"], row["sd (seeds)"], row["test"]) == (1, "one seed", "100.0 %")
    assert row["95 %"] == "one seed"  # and not that of the images, which would pretend to one


def test_the_papers_figure_stands_beside_ours_where_there_is_one():
    settings = [
        {"name": "A", "model": "alexnet", "published": 0.5836},
        {"name": "B", "model": "alexnet"},
    ]
    both = tables()
    both.trials["B-s0"] = {"stage": "confirm", "status": "completed", "setting": "B"}
    rows = predictions("++++++")
    rows = pd.concat([rows, rows.assign(trial_id="B-s0")])
    study, papers = from_dict({"settings": settings}), DATA | {"digest": fer2013.PUBLISHED[0]}
    found = confirmed(both, study, rows, papers)
    assert found[["setting", "paper"]].values.tolist() == [["A", "58.4 %"], ["B", ""]]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"synthetic": True}, "its faces are drawn"),
        (
            {"counts": {"val": {"sad": 3}, "test": {"sad": 81}}},
            "its val and test hold 84 images, and the paper's test folder 7,178",
        ),
        (
            {"images": {"train": 9}, "counts": {"train": {"sad": 12}}},
            "its networks were trained on 9 of 12 images",
        ),
    ],
)
def test_the_papers_figure_stands_beside_no_other_images_and_the_end_says_why(tmp_path, data, why):
    predictions("++++++").to_parquet(tmp_path / "predictions.parquet")
    study = from_dict({"settings": [{"name": "A", "model": "alexnet", "published": 0.5836}]})
    text = report(tmp_path, study, tables(), DATA | data, VAL)
    assert "58.4" not in text and not re.search(r" paper *$", text, re.MULTILINE)
    assert f"The paper's accuracies aren't set beside these: {why}." in text


def test_the_papers_figure_stands_beside_no_other_hyperparameters_and_the_end_says_so(tmp_path):
    """--preset paper --lr .02 had the paper's accuracy, of lr .005, beside its own."""
    predictions("++++++").to_parquet(tmp_path / "predictions.parquet")
    named = {"name": "A", "model": "alexnet", "published": 0.5836, "lr": 0.005, "epochs": 50}
    asked = {"lr": "0.02", "epochs": "50", "dropout": "0.3"}
    study = from_dict(to_dict(with_flags(from_dict({"settings": [named]}), asked)))
    text = report(tmp_path, study, tables(), DATA | {"digest": fer2013.PUBLISHED[0]}, VAL)
    assert "58.4" not in text and not re.search(r" paper *$", text, re.MULTILINE)
    assert "The paper's accuracy of A isn't set beside ours: it is of the setting as search" in text
    assert "has it, with lr 0.005." in text
    assert "was first chosen by val and test together" in text
    again = with_flags(study, {"lr": "0.005"})
    assert again.settings[0].replaced == {}, "as it was published"


def test_of_settings_that_were_read_from_test_nobody_says_that_test_never_was(tmp_path):
    predictions("++++++").to_parquet(tmp_path / "predictions.parquet")
    study = from_dict({"settings": [{"name": "A", "model": "alexnet", "published": 0.5836}]})
    text = report(tmp_path, study, tables(), DATA | {"digest": fer2013.PUBLISHED[0]}, VAL)
    assert "test never was" not in text
    assert "was first chosen by val and test together" in text
    for others in ({"synthetic": True}, {"known": "raf-db", "counts": {"test": {"sad": 478}}}):
        said = report(tmp_path, study, tables(), DATA | others, VAL)
        assert "test never was" in said and "was first chosen" not in said


def test_identical_images_count_once_in_the_terminal_s_interval_too(tmp_path):
    right = np.random.default_rng(0).random((2, 60)) < 0.6
    rows = [
        {"trial_id": f"A-s{seed}", "split": "test", "image": image, "label": "sad"}
        | {"duplicate": False, "p_happy": float(not hit), "p_sad": float(hit)}
        for seed, hits in enumerate(right)
        for image, hit in enumerate(hits)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "predictions.parquet")
    groups = np.arange(60) // 20
    images = {"split": "test", "image": np.arange(60), "pixels": [f"{k}" for k in groups]}
    pd.DataFrame(images).to_parquet(tmp_path / "images.parquet")
    low, high = np.clip(crossed.of_one(right, groups).interval(), 0, 1)
    alone = np.clip(crossed.of_one(right).interval(), 0, 1)
    assert (low, high) != pytest.approx(alone, abs=1e-3)
    text = report(tmp_path, from_dict({}), tables(), DATA, VAL)
    assert f"{100 * low:.1f} to {100 * high:.1f} %" in text


def test_report_names_the_best_the_confirmed_and_the_failed(tmp_path):
    predictions("++++++").to_parquet(tmp_path / "predictions.parquet")
    text = report(tmp_path, from_dict({"epochs": 4}), tables(), DATA, VAL)
    assert "Best configuration of each network (search):" in text
    assert (
        "Confirmed with fresh seeds (val may have been used for choices, test never was):" in text
    )
    assert "1 failed: t0002 (trials.parquet says why)" in text
    assert [line.split()[0] for line in text.splitlines() if line.strip()] == [
        *("Best", "network", "alexnet", "resnet34", "No", "No"),
        *("Confirmed", *("setting", "A") * 2, "1"),
    ]


def test_report_of_a_study_without_a_trial_is_empty(tmp_path):
    assert report(tmp_path, from_dict({}), Tables(), DATA, VAL) == ""


def closed(tables: Tables, folder, cause: str = "", header: dict | None = None, **given) -> str:
    """What is said at the end of a study that stopped for `cause`."""
    session = SimpleNamespace(
        study=from_dict({"models": ["alexnet", "resnet34"], "seeds": 2, **given}),
        tables=tables,
        folder=folder,
        go_on=f"python -m study.run --resume {folder}",
        dataset=SimpleNamespace(
            classes=("happy", "sad"), notes=(), val=SimpleNamespace(labels=VAL)
        ),
        header=header or {"data": DATA},
        cause=cause,
        reason={"time_budget": "time budget of 9 s spent", "storage": "disk full at x"}.get(cause),
    )
    return closing(session)


def test_a_network_without_a_usable_trial_and_a_model_without_answers_are_told(tmp_path):
    found = tables()
    found.trials["t0001"]["status"] = "failed"
    found.chosen = {"A": {"setting": "A", "hp": {"model": "alexnet"}}}
    found.unanswered = {"A-s1": "Traceback\n  x\nMistake: no trained network in x"}
    text = closed(found, tmp_path)
    assert "Not confirmed: resnet34, since of its 1 trial none finished an epoch without" in text
    said = "Not confirmed: A-s1, since its network gave no answers (Mistake: no trained network in"
    assert said in text
    assert "Nothing could be confirmed: test stays closed." in text
    found.opened = ["A-s1"]
    assert "Nothing could be confirmed.\n" in f"{closed(found, tmp_path)}\n"
    del found.trials["t0001"]
    assert "Not confirmed: resnet34, since it had no trial" in closed(found, tmp_path)


def test_a_spent_budget_says_how_far_it_came_and_how_to_give_more(tmp_path):
    found = tables()
    found.chosen = {"A": {"setting": "A", "hp": {"model": "alexnet"}}}
    text = closed(found, tmp_path, "time_budget", time_budget=9)
    assert "Budget spent (time budget of 9 s spent); 0 of 2 confirmed." in text
    assert f"Go on with: python -m study.run --resume {tmp_path} --time-budget 18" in text
    found.wall_seconds = 4040.5  # more than the budget that was given last
    assert text.replace("--time-budget 18", "--time-budget 8082") == closed(
        found, tmp_path, "time_budget", time_budget=9
    )
    found.chosen = {}
    text = closed(found, tmp_path, "time_budget", time_budget=9)
    assert "0 of 4 confirmed" in text
    assert f"Or confirm the best so far: python -m study.run --resume {tmp_path} --stages" in text
    found.last = {}
    assert "Or confirm" not in closed(found, tmp_path, "time_budget", time_budget=9)


def test_a_search_that_its_budget_ended_with_its_last_trials_is_not_told_to_go_on_with_them(
    tmp_path,
):
    """The command trained nothing, and its end said: Complete."""
    found, given = tables(), {"stages": ["search"], "trials": 3, "time_budget": 9}
    found.trials = {name: row for name, row in found.trials.items() if row["stage"] == "search"}
    found.chosen, again = {}, f"python -m study.run --resume {tmp_path}"
    text = closed(found, tmp_path, "time_budget", **given)
    assert f"ended by now; others: {again} --trials 6 --time-budget 18\n" in text
    assert f"Or confirm the best so far: {again} --stages confirm --time-budget 18" in text
    assert "Go on with" not in text
    grid = {"sampler": "grid", "space": {"batch_size": [32, 64]}}
    assert "--trials" not in closed(found, tmp_path, "time_budget", **given, **grid)
    text = closed(found, tmp_path, "time_budget", **given | {"trials": 4})
    assert f"Go on with: {again} --time-budget 18" in text and "Or confirm" not in text


def test_seeds_that_were_added_after_test_are_told_beside_the_verdicts(tmp_path):
    """The terminal gave its verdicts as if they were at their level; the report alone said it."""
    added = {"data": DATA, "seeds_after_test": [1, 2]}
    told, found = "Test was opened with 1 seed, and 1 was added after it: ", tables()
    found.chosen = {"A": {"setting": "A", "hp": {"model": "alexnet"}}}
    assert told in closed(found, tmp_path, header=added)
    assert told not in closed(found, tmp_path)


def test_where_the_storage_failed_nothing_is_read_for_the_last_words(tmp_path):
    text = closed(tables(), tmp_path / "gone", "storage")
    assert "Stopped: disk full at x. What was written before is kept." in text


def test_that_some_network_has_no_trial_is_told_before_the_first():
    """The first points of the default on a GPU are of two networks; the third had nothing."""
    gpu, _ = read_preset("search", "gpu")
    said = "Note: of 6 trials not every network has one, of 7 it has."
    assert too_few(replace(gpu, trials=6)) == [said]
    assert too_few(replace(gpu, trials=7)) == too_few(from_dict({"trials": 3})) == []


def test_a_time_budget_that_is_too_short_is_told_before_the_first_trial():
    """It said that the study would take as long as its budget."""
    budget = from_dict({"time_budget": 60})
    assert how_long(budget, 240) == (
        "Time: about 4 min here, but the time budget of 60 s ends it before; --epochs, "
        "--train-images for less"
    )
    for study in (from_dict({}), from_dict({"time_budget": 300})):
        assert how_long(study, 240) == "Time: about 4 min here; --epochs, --train-images for more"
