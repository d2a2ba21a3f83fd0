"""Pictures in proportion: what differs is told, and what is noise doesn't fill the page."""

import numpy as np
import pandas as pd
import pytest
from test_results_load import CLASSES, LABELS, SPLITS, epochs, folder, header, predictions, trial

from fer_record.tables import Tables
from results import readme
from results.artefacts.load import answers, load
from results.documents import pictures
from results.facts import evaluation
from results.figures import charts, style
from results.report.blocks import Figure
from results.report.report import report
from study.config.study import from_dict
from study.driver import summary

NETWORKS = {"alexnet": 73_500_000, "resnet34": 73_200_000, "cbam_resnet34": 73_800_000}


def confirmed(path, epochs_of=(4, 4, 4), images=100, right=(20, 15, 18), name="mine", seeds=1):
    """Each network confirmed; so many of its first seed's 28 answers are right, then one less."""
    rows, curves, told = [], [], []
    for (model, adds), last, hits in zip(NETWORKS.items(), epochs_of, right, strict=True):
        for seed in range(seeds):
            one, hits_of = f"{model}-s{seed}", hits - seed
            rows.append(trial(one, model, "confirm", epochs=last, multiply_adds=adds, hp_seed=seed))
            curves += epochs(one, [0.1 * (k + 1) for k in range(last)])
            guess = [(label + (k >= hits_of)) % 7 for k, label in enumerate(LABELS)]
            told += predictions(one, guess, LABELS, SPLITS)
    head = header(study={"name": name}, data={"images": {"train": images, "val": 14, "test": 14}})
    return folder(path, head, rows, curves, [], told)


def figure_of(name, *paths):
    made = report([load(path) for path in paths])
    (found,) = [
        block
        for section in made.sections
        for block in section.blocks
        if isinstance(block, Figure) and block.name == name
    ]
    return found


def marks(plot):
    """Label -> symbol of the marks with an interval."""
    return {
        y: symbol
        for trace in plot.data
        if trace.error_x.array is not None
        for y, symbol in zip(trace.y, trace.marker.symbol, strict=True)
    }


def test_who_trained_for_fewer_epochs_is_hollow_and_says_so_at_its_row(tmp_path):
    plot = figure_of("confirmed", confirmed(tmp_path / "s", (8, 3, 8))).plots[0][1]
    assert marks(plot) == {
        "alexnet<br>8 epochs": "circle",
        "resnet34<br>3 epochs": "square-open",
        "cbam_resnet34<br>8 epochs": "diamond",
    }
    order = list(plot.layout.yaxis.categoryarray)[::-1]
    assert [label.split("<br>")[0] for label in order] == ["alexnet", "cbam_resnet34", "resnet34"]
    assert any("hollow" in str(trace.name) for trace in plot.data)


def test_where_all_trained_alike_nothing_is_hollow_or_said(tmp_path):
    plot = figure_of("confirmed", confirmed(tmp_path / "s")).plots[0][1]
    assert set(marks(plot)) == set(NETWORKS)
    assert not any("open" in symbol for symbol in marks(plot).values())


def test_rows_of_other_training_images_are_told_apart(tmp_path):
    paths = [
        confirmed(tmp_path / name, images=many, name=name)
        for name, many in (("few", 3072), ("all", 28709))
    ]
    found = figure_of("confirmed", *paths)
    assert marks(found.plots[0][1])["alexnet (few)<br>3,072 images"] == "circle-open"
    assert marks(found.plots[0][1])["alexnet (all)<br>28,709 images"] == "circle"
    assert "others had fewer or more" in found.summary


def test_settings_on_other_images_are_never_on_one_axis(tmp_path):
    one, two = confirmed(tmp_path / "a", name="a"), confirmed(tmp_path / "b", name="b")
    head = (two / "study.json").read_text().replace('"digest": "abc"', '"digest": "xyz"')
    (two / "study.json").write_text(head)
    found = figure_of("confirmed", one, two)
    assert [title for title, _ in found.plots] == [
        "Accuracy on test, no duplicates, a",
        "Accuracy on test, no duplicates, b",
    ]
    assert found.summary.count("Highest") == 2


def test_a_scope_that_one_study_lacks_is_a_dash_in_its_row(tmp_path):
    one, older = confirmed(tmp_path / "a", name="a"), confirmed(tmp_path / "b", name="b")
    predicted = pd.read_parquet(one / "predictions.parquet")
    predicted["duplicate"] |= (predicted["split"] == "val") & (predicted["image"] == 0)
    predicted.to_parquet(one / "predictions.parquet")  # an older study marked none of val
    shown = figure_of("confirmed", one, older).table.shown["val, no duplicates"]
    assert [value == "–" for value in shown] == [False] * 3 + [True] * 3


def test_the_readmes_first_picture_says_how_many_of_the_papers_epochs_were_run():
    studies = readme.published()
    whole = ("paper-cbam-50-epochs", "paper-resnets-and-cbam")
    begun = [study for study in studies if study.name not in whole]
    picture, earlier = (next(pictures.pictures(each)) for each in (studies, begun))
    at, before = (
        {label.split("<br>")[0]: (label, symbol) for label, symbol in marks(one.plots[0]).items()}
        for one in (picture, earlier)
    )
    assert at["E-cbam50"] == ("E-cbam50<br>50 epochs", "diamond")
    assert at["D-cbam64"] == ("D-cbam64<br>20 epochs", "diamond")  # the paper doesn't say how many
    assert at["A-alexnet"] == ("A-alexnet<br>50 epochs", "circle")
    assert len(at) == 9 and "Hollow" not in picture.words
    assert before["E-cbam50"] == ("E-cbam50<br>8 of 50 epochs", "diamond-open")
    assert "8 of 50 epochs" in earlier.words and "Hollow" in earlier.words


def test_costs_begin_at_nothing(tmp_path):
    plots = dict(figure_of("cost", confirmed(tmp_path / "s")).plots)
    plot = plots["Against multiply-adds of one image, forward"]
    low, high = plot.layout.xaxis.range
    assert low == 0 and high > 73_800_000
    assert style.from_zero(pd.Series([1.0, 30.0]))["type"] == "log"
    axis = style.from_zero(pd.Series([2e6, 3e7, 0.0]))
    assert axis["ticktext"] == ["0", "2 M", "5 M", "10 M", "20 M"]
    columns = ["model", "setting", "mean", "low", "high", "undominated", "multiply_adds"]
    rows = [
        ["alexnet", name, 0.5, 0.4, 0.6, True, size]
        for name, size in zip("abc", [3e7, 2e6, 0], strict=True)
    ]
    (marks, *_) = charts.cost(pd.DataFrame(rows, columns=columns), "multiply_adds", "x").data
    assert list(marks.x) == [3e7, 2e6, axis["tickvals"][0]]


def test_a_logarithmic_axis_of_values_close_together_has_ticks():
    assert style.log_axis(pd.Series([0.003, 0.0031]))["ticktext"] == ["0.003", "0.0031"]
    assert style.log_axis(pd.Series([0.002, 0.004]))["ticktext"] == ["0.002", "0.005"]


def test_a_mark_without_an_interval_is_within_the_frame():
    """One seed of another study has none, and stands apart from those that have."""
    columns = ["model", "setting", "mean", "low", "high", "undominated", "seconds"]
    rows = [
        ["alexnet", "a", 0.5, 0.49, 0.51, True, 1.0],
        ["resnet34", "b", 0.7, None, None, True, 2],
    ]
    frame = pd.DataFrame(rows, columns=columns).astype({"low": float, "high": float})
    axis = charts.cost(frame, "seconds", "seconds").layout.yaxis.range
    assert axis is None or axis[0] < 0.5 < 0.7 < axis[1]
    frame = frame.rename(columns={"mean": "plain", "low": "plain_low", "high": "plain_high"})
    axis = charts.sureness(frame.assign(voters=["all", "most"]), "plain").layout.yaxis.range
    assert axis is None or axis[0] < 0.5 < 0.7 < axis[1]


def test_bins_of_few_images_are_not_drawn_and_the_others_by_their_size(tmp_path):
    """2 images at .95, 100 at .75, 25 at .55."""
    sure = np.repeat([0.95, 0.75, 0.55], [2, 100, 25])
    rows = [trial("alexnet-s0", stage="confirm")]
    told = []
    for image, share in enumerate(sure):
        p = {f"p_{name}": (1 - share) / 6 for name in CLASSES} | {"p_angry": share}
        label = "angry" if image % 4 else "sad"
        told.append(
            {
                "trial_id": "alexnet-s0",
                "split": "test",
                "image": image,
                "label": label,
                "duplicate": False,
                **p,
            }
        )
    path = folder(tmp_path / "s", None, rows, epochs("alexnet-s0", [0.2]), [], told)
    found = figure_of("reliability", path)
    (line,) = [trace for trace in found.plots[0][1].data if trace.name == "alexnet"]
    assert list(line.customdata) == [25, 100] and list(line.x) == pytest.approx([0.55, 0.75])
    few, many = line.marker.size
    assert (many - 3) / (few - 3) == pytest.approx(2)  # areas as 4 to 1
    assert line.error_y.array is not None
    assert "1 of 3 bins has fewer than 20 images and isn't drawn" in found.summary


def test_an_axis_of_accuracies_spans_five_points_at_least():
    low, high = style.spread([0.401, 0.402])["range"]
    assert high - low == pytest.approx(0.055) and low < 0.401 < 0.402 < high
    assert style.spread([0.3, 0.4]) == {} and style.spread([]) == {}
    assert style.spread([0.999])["range"] == pytest.approx([0.945, 1.0])


@pytest.mark.parametrize("seeds", [1, 2])
def test_an_interval_is_the_same_in_terminal_report_and_explorer(tmp_path, seeds):
    """One seed has none."""
    path = confirmed(tmp_path / "s", seeds=seeds)
    found = load(path)
    tables = Tables()
    tables.trials = {
        name: {"setting": name.rpartition("-")[0]} for name in found.trials["trial_id"]
    }
    tables.chosen = {name: {} for name in NETWORKS}
    told = summary.confirmed(
        tables, from_dict({}), found.predictions, {"classes": CLASSES}
    ).set_index("setting")
    settings = evaluation.evaluated(answers(found))
    frame = evaluation.confirmed(settings)
    at = frame[(frame["scope"] == evaluation.PRIMARY) & (frame["measure"] == "accuracy")]
    at = at.set_index("setting")
    for name in NETWORKS:
        row = at.loc[name]
        words = f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %"
        words = "one seed" if seeds == 1 and np.isnan(row["low"]) else words
        assert words == told.loc[name, "95 %"], name


def test_a_zero_has_its_place_at_the_foot_of_a_logarithmic_axis():
    """One network searched weight_decay by its logarithm, another had 0: the report broke."""
    trials = pd.DataFrame(
        {
            "trial_id": ["t0", "t1", "t2"],
            "model": ["alexnet", "alexnet", "resnet34"],
            "hp_weight_decay": [3e-5, 1e-3, 0.0],
            "judged": [0.4, 0.5, 0.3],
            "status": "completed",
        }
    )
    figure = charts.slice_of(trials, "weight_decay", log=True)
    assert [*figure.data[1].x] == pytest.approx([1e-5]) and figure.data[1].text == ("0",)
    axis = figure.layout.xaxis
    assert dict(zip(axis.ticktext, axis.tickvals, strict=True))["0"] == pytest.approx(1e-5)
    trials["hp_weight_decay"] = 0.0
    assert charts.slice_of(trials, "weight_decay", log=True).layout.xaxis.type == "category"


@pytest.mark.parametrize(
    ("most", "step"), [(1, 1), (10, 1), (11, 2), (500_000, 50_000), (3e6, 500_000), (np.nan, 1)]
)
def test_an_axis_of_whole_steps_has_at_most_ten_ticks(most, step):
    """Above 500,000 epochs or trials, and of none, there was no step: the report ended in a
    StopIteration."""
    axis = style.whole_steps(style.canvas("", ""), most).layout.xaxis
    assert axis.dtick == step and axis.range[1] > (most if most == most else 1)


def test_a_mark_tells_its_share_as_tables_and_sentences_do():
    """plotly rounds halves up: 9 of 16 were 56.3% at the mark, and 56.2 % in the lead."""
    rows = pd.DataFrame({"epoch": [1, 2], "judged": [0.5625, np.nan], "model": "alexnet"})
    plot = charts.trial_lines(
        rows.assign(trial_id="t0000", stopped=False), pd.DataFrame({"rung": []})
    )
    (line,) = plot.data
    assert line.hovertext == ("56.2 %", "") and line.y[0] == 0.5625
    assert line.hovertemplate == "%{customdata}<br>epoch %{x}: %{hovertext}<extra></extra>"
    bare = style.percent(style.canvas("x", "y").add_scatter(x=[0.5635], y=["a"]), "xaxis").data[0]
    assert (bare.hovertext, bare.hovertemplate) == (("56.4 %",), "%{hovertext}, %{y}")
