"""The search's facts: exact small tables, and a search of which little is known."""

from base64 import b64decode

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from test_results_load import START, epochs, folder, header, trial, whole

from results.artefacts.load import load
from results.explorer.payload import payload
from results.facts import halving, search
from results.facts.progress import budget
from results.report.report import report
from study.record import schemas

__all__ = ["whole"]


def test_a_trial_without_an_epoch_gave_nothing(whole):
    frame = search.searched(load(whole)).set_index("trial_id")
    assert len(frame) == 8
    assert frame.loc["a2", ["epochs_run", "val_accuracy", "ran"]].tolist() == [0, 0, False]
    assert frame.loc["a0", "val_accuracy"] == 0.5
    assert frame.loc["a0", "seconds"] == 8.0


def test_a_share_of_a_gpu_costs_that_share(tmp_path):
    rows = [trial("a", gpus=0.25, device="cuda:0"), trial("b", gpus=0.25, device="cuda:0")]
    found = load(folder(tmp_path / "s", None, rows, epochs("a", [0.1, 0.2]), []))
    frame = search.searched(found)
    assert frame["seconds"].tolist() == [1.0, 0.0] and search.on_gpus(frame)
    assert not search.on_gpus(search.searched(found).assign(gpus=[0.0, 1.0]))


def test_an_epoch_costs_the_share_of_a_gpu_that_its_driver_gave(tmp_path):
    """Two of a quarter, the first of an older driver, and two of a whole GPU."""
    rows, told = [trial("a", gpus=0.25, device="cuda:0")], epochs("a", [0.1, 0.2, 0.3, 0.4])
    for row, gpus in zip(told, (None, 0.25, 1.0, 1.0), strict=True):
        row["gpus"] = gpus
    found = load(folder(tmp_path / "s", None, rows, told, []))
    assert search.searched(found)["seconds"].tolist() == [5.0]
    spent = budget(found).set_index("budget")["spent"]
    assert spent["GPU hours"] == pytest.approx(5 / 3600)


def test_progress_keeps_the_best_so_far(whole):
    frame = search.progress(search.searched(load(whole)))
    own = frame[frame["model"] == "alexnet"]
    assert own["best"].tolist() == [0.5, 0.5, 0.5, 0.5]
    assert own["epochs"].tolist() == [4, 5, 5, 7]
    assert frame["order"].tolist() == list(range(1, len(frame) + 1))


def test_the_report_draws_the_search_as_it_went_after_its_answer(whole):
    """The line is the best so far; what was stopped is a cross, what failed isn't drawn."""
    found = report([load(whole)])
    assert [section.title for section in found.sections[:2]] == ["Result", "Optimisation history"]
    (figure,) = found.sections[1].blocks
    frame = figure.table.frame
    drawn = frame[(frame["status"] != "failed") & (frame["judged"] > 0)]
    (_, plot), top = figure.plots[0], drawn["judged"].max()
    assert f"{100 * top:.1f} %" in figure.summary
    for trace in plot.data:
        if trace.mode == "lines":
            own = drawn[drawn["model"] == trace.name.split(",")[0]]
            assert list(trace.y) == own["judged"].cummax().tolist()
    crosses = [
        name
        for trace in plot.data
        if trace.customdata is not None
        for name, symbol in zip(trace.customdata, trace.marker.symbol, strict=True)
        if symbol == "x-thin-open"
    ]
    assert sorted(crosses) == sorted(drawn.loc[drawn["status"] == "stopped", "trial_id"])


def test_expected_best_of_all_is_the_best(whole):
    one = load(whole)
    frame = search.expected(one, search.searched(one))
    own = frame[frame["model"] == "alexnet"]
    assert own["expected"].tolist()[0] == pytest.approx((0.5 + 0.1 + 0.0 + 0.1) / 4)
    assert own["expected"].tolist()[-1] == pytest.approx(0.5)
    assert own["epochs"].tolist() == [1.75, 3.5, 5.25, 7.0]
    # 1,000 an image forward, thrice that in a step; 100 images are one batch of 64, and none of 128
    each = (4 * 64 + 1 * 64) / 4 * 3 * 1000
    assert own["multiply_adds"].tolist()[:2] == [each, 2 * each]


def test_an_epoch_trains_on_whole_batches(tmp_path):
    """Of 242 images 224 in batches of 32, and 192 in batches of 64."""
    head = header(
        data={"images": {"train": 300, "val": 14, "test": 14}}, study={"train_images": 242}
    )
    rows = [trial("a", hp_batch_size=32), trial("b", hp_batch_size=64)]
    one = load(folder(tmp_path / "s", head, rows, [], []))
    assert search.trained_images(one, one.trials).tolist() == [224, 192]
    columns = payload([one, one])["trials"]
    assert np.frombuffer(b64decode(columns["images"]["base64"])).tolist() == [224, 192] * 2


def test_the_best_so_far_is_by_the_order_in_which_trials_ended(tmp_path):
    rows = [trial("a"), trial("b"), trial("c", status="running")]
    for row, second in zip(rows[:2], (9, 5), strict=True):
        row["ended_at"] = START + pd.Timedelta(seconds=second)
    curves = epochs("a", [0.5]) + epochs("b", [0.3]) + epochs("c", [0.9])
    trials = search.searched(load(folder(tmp_path / "s", None, rows, curves, [])))
    frame = search.progress(trials)
    assert frame["trial_id"].tolist() == ["b", "a"] and frame["best"].tolist() == [0.3, 0.5]


@pytest.mark.parametrize(("asked", "images"), [(0, 14), (5, 5), (99, 14)])
def test_an_epoch_is_judged_on_the_part_of_val_that_was_asked_for(tmp_path, asked, images):
    found = load(folder(tmp_path / "s", header(study={"val_images": asked})))
    assert search.val_images(found) == images


def test_a_best_value_on_the_edge_is_told_with_what_was_searched(whole):
    rows = pq.read_table(whole / "trials.parquet").to_pylist()
    rows = [row | ({"hp_lr": 0.098, "hp_batch_size": 32} if row["trial_id"] == "a0" else {})
            for row in rows]  # fmt: skip
    schemas.write_table(whole / "trials.parquet", rows, schemas.TRIALS)
    found = load(whole)
    frame = search.edges(found, search.searched(found))
    assert frame.to_dict("records") == [
        {"model": "alexnet", "hyperparameter": "lr", "best": 0.098,
         "searched": "0.001 to 0.1, log", "edge": "high"},
        {"model": "alexnet", "hyperparameter": "batch_size", "best": 32,
         "searched": "32, 64, 128", "edge": "low"},
    ]  # fmt: skip


def test_best_is_of_those_that_came_furthest_and_did_not_fail(whole):
    frame = search.best(search.searched(load(whole)))
    assert frame["trial_id"].tolist() == ["a0", "r0"]


def test_a_high_value_of_a_short_trial_is_not_the_best(tmp_path):
    rows = [trial("short", status="stopped"), trial("whole"), trial("other")]
    curves = epochs("short", [0.9]) + epochs("whole", [0.1, 0.4]) + epochs("other", [0.1, 0.3])
    trials = search.searched(load(folder(tmp_path / "s", None, rows, curves, [])))
    assert search.best(trials)["trial_id"].tolist() == ["whole"]


@pytest.mark.parametrize(
    ("asked", "value", "side"),
    [
        ({"low": 0.001, "high": 0.1, "log": True}, 0.0011, "low"),
        ({"low": 0.001, "high": 0.1, "log": True}, 0.01, ""),
        ({"low": 0.001, "high": 0.1, "log": True}, 0.1, "high"),
        ({"low": 0.0, "high": 1.0}, 0.97, "high"),
        ([32, 64, 128], 128, "high"),
        ([32, 64, 128], 64, ""),
        ([32, 64], 64, ""),
        (["small", "imagenet"], "small", ""),
        (0.01, 0.01, ""),
    ],
)
def test_edges_of_a_space(asked, value, side):
    assert search.edge(asked, value)[0] == side


def test_a_networks_own_space_goes_first(whole):
    found = load(whole)
    assert search.space(found, "resnet34")["lr"]["low"] == 0.01
    assert search.space(found, "alexnet")["lr"]["low"] == 0.001
    frame = search.edges(found, search.searched(found))
    assert frame.empty  # 0.02 lies within both


def test_the_winners_curse_compares_on_the_same_images_at_the_same_epoch(whole):
    """a0 had 0.5 at epoch 4, the two seeds 0.45 and 0.46 there; on all of val they have others."""
    frame = search.winners_curse(load(whole))
    row = frame.iloc[0]
    assert (row["setting"], row["searched"], row["seeds"], row["epoch"]) == ("alexnet", 0.5, 2, 4)
    assert row[["mean", "low", "high", "lost"]].tolist() == pytest.approx(
        [0.455, 0.45, 0.46, 0.045]
    )
    assert row["images"] == 14


def test_savings_count_epochs(whole):
    """What failed or diverged (a2, a3) is no saving."""
    found = load(whole)
    frame = halving.savings(found, search.searched(found)).set_index("model")
    assert frame.loc["alexnet", ["trials", "stopped", "failed"]].tolist() == [4, 1, 1]
    assert frame.loc["all", ["epochs_asked", "epochs_run"]].tolist() == [20, 14]
    assert frame.loc["all", "saved"] == pytest.approx(1 - 14 / 20)


def test_a_trial_that_a_budget_ended_saved_nothing(tmp_path):
    rows = [trial("a"), trial("b", status="stopped", reason="the time budget is spent")]
    curves = epochs("a", [0.1, 0.2, 0.3, 0.4]) + epochs("b", [0.1])
    found = load(folder(tmp_path / "s", None, rows, curves, []))
    (row,) = halving.savings(found, search.searched(found)).to_dict("records")
    assert (row["stopped"], row["epochs_asked"], row["saved"]) == (0, 5, 0)


def test_rungs_say_who_was_judged_and_not_more(whole):
    found = load(whole)
    frame = halving.rungs(found, search.searched(found))
    told = frame.drop(columns="spearman").to_numpy().tolist()
    assert told == [["alexnet", 1, 2, 1, 1], ["resnet34", 1, 2, 1, 1]]
    assert frame["spearman"].isna().all()


def test_rungs_predict_the_end(tmp_path):
    rows, curves, judged = [], [], []
    for k in range(5):
        rows.append(trial(f"t{k}"))
        curves += epochs(f"t{k}", [0.1 * k, 0.2 * k])
        judged.append(
            {
                "trial_id": f"t{k}",
                "epoch": 1,
                "rung": 1,
                "value": 0.1 * k,
                "cutoff": None,
                "trials_at_rung": k,
                "decision": "continue",
            }
        )
    found = load(folder(tmp_path / "s", None, rows, curves, judged))
    assert halving.rungs(found, search.searched(found))["spearman"].tolist() == pytest.approx([1])


def test_trial_curves_have_a_gap_after_each_trial(whole):
    found = load(whole)
    frame = halving.trial_curves(found, search.searched(found))
    own = frame[frame["model"] == "alexnet"]
    assert own["trial_id"].tolist() == ["a0"] * 5 + ["a1"] * 2 + ["a3"] * 3
    assert own["epoch"].isna().tolist() == [k in (4, 6, 9) for k in range(10)]
    assert frame[frame["stopped"]]["trial_id"].tolist() == ["a1", "r1"]


def test_influence_is_judged_at_one_epoch_that_all_reached(tmp_path):
    rows, curves = [], []
    for k in range(5):
        rows.append(trial(f"t{k}", hp_lr=0.01 * (5 - k), hp_stem="small" if k < 2 else "imagenet"))
        curves += epochs(f"t{k}", [0.1 * k, 0.9][: 1 + (k > 2)])
    found = load(folder(tmp_path / "s", None, rows, curves, []))
    frame = search.influence(found, search.searched(found)).set_index("hyperparameter")
    assert set(frame["epoch"]) == {1} and set(frame["trials"]) == {5}
    assert frame.loc["lr", "spearman"] == pytest.approx(-1)
    # ranks 1 2 | 3 4 5: means 1.5 and 4 about 3: (2 * 2.25 + 3 * 1) / 10
    assert frame.loc["stem", "eta_squared"] == pytest.approx(0.75)


def test_on_a_plateau_no_influence_is_told(tmp_path):
    """One trial off it, at the highest lr: the ranks alone would say +0.65."""
    rows = [trial(f"t{k}", hp_lr=0.01 * (k + 1)) for k in range(6)]
    curves = [row for k in range(6) for row in epochs(f"t{k}", [0.25 if k < 5 else 0.4])]
    found = load(folder(tmp_path / "s", None, rows, curves, []))
    frame = search.influence(found, search.searched(found))
    assert frame["spearman"].isna().all() and frame["trials"].tolist() == [6]


def test_few_trials_say_nothing_of_hyperparameters(whole):
    found = load(whole)
    assert search.influence(found, search.searched(found)).empty


def test_a_study_without_a_search_has_no_rows(tmp_path):
    found = load(folder(tmp_path / "s", header(), [trial("x-s0", stage="confirm")], [], []))
    trials = search.searched(found)
    for frame in (
        trials,
        search.progress(trials),
        search.expected(found, trials),
        search.best(trials),
        halving.savings(found, trials),
        halving.rungs(found, trials),
    ):
        assert frame.empty


def test_a_failed_trial_counts_for_nothing_whatever_it_had(tmp_path):
    """One that had 90 % and diverged was the best to be expected, and the line rose to it."""
    rows = [trial("a"), trial("b", status="failed"), trial("c")]
    curves = epochs("a", [0.3]) + epochs("b", [0.2, 0.9]) + epochs("c", [0.4])
    one = load(folder(tmp_path / "s", None, rows, curves, []))
    trials = search.searched(one)
    assert search.progress(trials)["best"].tolist() == [0.3, 0.3, 0.4]
    assert search.expected(one, trials)["expected"].tolist()[-1] == pytest.approx(0.4)
    assert search.best(trials)["judged"].tolist() == [0.4]
