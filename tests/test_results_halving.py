"""ASHA on trial: what more aggressive settings would have done, held to the study's own rule."""

from datetime import timedelta

import numpy as np
import pytest
from test_results_load import START, epochs, folder, header, trial

from results.artefacts.load import load
from results.facts import halving, search
from results.report.report import report
from results.report.sections.early_stopping import early_stopping
from study.search.asha import Halving


def judged_study(path, factor=3, grace=1, together=1, pooled=False, ties=False, many=24, last=9):
    """A search as study.search.asha would have judged it, `together` trials at once."""
    rng = np.random.default_rng(factor + grace + together)
    names = ["alexnet", "resnet34"]
    halvings = {name: Halving(last, grace, factor) for name in names}
    if pooled:
        halvings["resnet34"] = halvings["alexnet"]
    waiting, running = list(range(many)), []
    rows, curves, decisions, values, clock = {}, [], [], {}, 0
    while waiting or running:
        while waiting and len(running) < together:
            number = waiting.pop(0)
            name, model = f"t{number}", names[number % 2]
            values[name] = np.round(rng.random(last), 1 if ties else 6)
            rows[name] = trial(name, model, epochs=last, started_at=START, hp_lr=rng.random())
            running.append([name, model, 0])
        one = running[int(rng.integers(len(running)))]
        name, model, _ = one
        one[2] += 1
        clock += not ties
        value = float(values[name][one[2] - 1])
        row = epochs(name, [0.0] * (one[2] - 1) + [value])[-1]
        curves.append(row | {"finished_at": START + timedelta(seconds=clock)})
        told = halvings[model].judge(name, one[2], value)
        if told:
            decisions.append(vars(told))
        if told and told.decision == "stop":
            rows[name] |= {"status": "stopped", "reason": "asha"}
        if one[2] == last or (told and told.decision == "stop"):
            running.remove(one)
    head = header(study={"reduction_factor": factor, "grace_epochs": grace, "epochs": last})
    return load(folder(path, head, list(rows.values()), curves, decisions))


def replayed(found):
    """The replays that start at the study's own grace epochs."""
    frame = halving.table(halving.replays(found, search.searched(found)))
    own = frame[frame["grace_epochs"] == frame["grace_epochs"].max()]
    return own.set_index("reduction_factor")


@pytest.mark.parametrize("factor", [2, 3, 5])
@pytest.mark.parametrize("together", [1, 4])
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_a_replay_with_the_studys_own_factor_saves_nothing(
    tmp_path, factor, together, pooled, ties
):
    found = judged_study(tmp_path / "s", factor, 1, together, pooled, ties)
    assert (found.decisions["decision"] == "stop").any()
    frame = replayed(found)
    assert frame.loc[factor, ["saved", "lost", "stopped"]].tolist() == [0, 0, 0]
    assert frame.loc[factor, "epochs_run"] == len(found.epochs)
    assert frame["saved"].iloc[-1] > 0 and frame.index[0] == factor


def test_the_report_shows_the_same_replays(tmp_path):
    found = judged_study(tmp_path / "s", 4, together=3)
    blocks = [block for section in report([found]).sections for block in section.blocks]
    (frame,) = [block.frame for block in blocks if getattr(block, "name", "") == "replay"]
    assert frame["reduction_factor"].tolist() == [4, 6, 8, 12]
    assert frame["epochs_run"].tolist() == replayed(found)["epochs_run"].tolist()
    assert frame["saved"].iloc[0] == 0


def test_the_pools_are_read_from_the_decisions(tmp_path):
    for pooled in (False, True):
        found = judged_study(tmp_path / str(pooled), pooled=pooled)
        assert halving.in_one_pool(found, search.searched(found)) is pooled
    empty = load(folder(tmp_path / "none"))
    assert not halving.in_one_pool(empty, search.searched(empty))


def test_a_trial_that_was_stopped_at_a_rung_is_one_of_that_rung(tmp_path):
    """0.4 after 0.5 and 0.1 goes on (cutoff 0.3); without the 0.1 it would be below 0.5."""
    rows, curves, decisions = [], [], []
    for k, (value, cutoff) in enumerate([(0.5, None), (0.1, 0.5), (0.4, 0.3), (0.43, 0.4)]):
        name, on = f"t{k}", cutoff is None or value >= cutoff
        rows.append(trial(name, status="completed" if on else "stopped", epochs=2))
        curves += epochs(name, [value, value] if on else [value])
        decisions.append(
            {
                "trial_id": name,
                "epoch": 1,
                "rung": 1,
                "value": value,
                "cutoff": cutoff,
                "trials_at_rung": k,
                "decision": "continue" if on else "stop",
            }
        )
    head = header(study={"reduction_factor": 2, "grace_epochs": 1, "epochs": 2})
    frame = replayed(load(folder(tmp_path / "s", head, rows, curves, decisions)))
    assert frame.loc[2, ["epochs_run", "stopped"]].tolist() == [2 + 1 + 2 + 2, 0]
    # the last is below two thirds of the way from 0.4 to 0.5 of (0.1, 0.4, 0.5): 0.433
    assert frame.loc[3, ["epochs_run", "stopped"]].tolist() == [2 + 1 + 2 + 1, 1]


def test_the_last_bit_of_a_cutoff_is_that_of_the_study():
    rng = np.random.default_rng(0)
    for _ in range(3000):
        values = np.sort(rng.integers(0, 20, rng.integers(1, 40)) / rng.choice([7, 20, 1024]))
        share = 1 - 1 / int(rng.integers(2, 13))
        assert halving.quantile(values.tolist(), share) == np.percentile(values, 100 * share)


def test_best_is_what_the_study_would_have_chosen_and_no_early_peak(tmp_path):
    """A curve that falls after epoch 1 is worth its end; a stopped trial isn't chosen."""
    rows, curves = [], []
    for k, values in enumerate([[0.3, 0.3, 0.3, 0.35], [0.2, 0.6, 0.5, 0.4], [0.1, 0.1, 0.1, 0.5]]):
        rows.append(trial(f"t{k}", started_at=START + timedelta(seconds=k)))
        curves += epochs(f"t{k}", values)
    found = load(folder(tmp_path / "s", header(study={"scheduler": "none"}), rows, curves, []))
    frame = halving.table(halving.replays(found, search.searched(found)))
    own = frame[frame["grace_epochs"] == 1].set_index("reduction_factor")
    assert own.loc[2, "epochs_run"] == 4 + 1 + 1
    assert own.loc[2, "best"] == 0.35 and own.loc[2, "lost"] == pytest.approx(0.15)


def test_epochs_that_end_together_are_judged_in_the_order_of_their_trials(tmp_path):
    rows, curves = [], []
    for k, first in enumerate([0.5, 0.2, 0.6]):
        rows.append(trial(f"t{k}", started_at=START + timedelta(seconds=k)))
        curves += epochs(f"t{k}", [first, first, first, first + 0.1 * (k == 1) * 4])
    found = load(folder(tmp_path / "s", header(study={"scheduler": "none"}), rows, curves, []))
    frame = halving.table(halving.replays(found, search.searched(found)))
    own = frame[frame["grace_epochs"] == 1].set_index("reduction_factor")
    # t0 goes on, t1 (0.2 < 0.5) ends at epoch 1 and would have come to 0.6, t2 goes on
    assert own.loc[2, ["epochs_run", "of", "stopped"]].tolist() == [4 + 1 + 4, 12, 1]
    assert own.loc[2, ["best", "saved"]].tolist() == [0.6, pytest.approx(3 / 12)]
    assert own.loc[2, "lost"] == pytest.approx(0.0)


def test_what_a_spent_budget_ended_is_not_told_as_stopped_early(tmp_path):
    """Two were told to be, over a table with one."""
    rows = [trial("t0"), trial("t1", status="stopped", reason="asha")]
    rows += [trial("t2", status="stopped", reason="time budget of 60 s spent")]
    curves = [row for one in rows for row in epochs(one["trial_id"], [0.3, 0.4])]
    first = vars(Halving(4, 1, 2).judge("t0", 1, 0.3))
    second = first | {"trial_id": "t1", "cutoff": 0.3, "value": 0.1, "decision": "stop"}
    found = load(folder(tmp_path / "s", None, rows, curves, [first, second]))
    trials = search.searched(found)
    frame = halving.trial_curves(found, trials)
    assert frame.loc[frame["stopped"], "trial_id"].tolist() == ["t1"]
    figure = early_stopping(found, trials)[0]
    assert figure.summary.startswith("3 trials, 1 stopped early (crosses).")
