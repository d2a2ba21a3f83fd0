"""What the documents say was found is what the published studies say."""

import tomllib
from copy import deepcopy
from dataclasses import replace

import pandas as pd
import pytest
from conftest import needs_chromium
from test_results_load import PAPERS, STATED, epochs, folder, header, predictions, trial, whole

from results import Mistake, readme
from results.artefacts.load import answers, load
from results.documents import pictures, text
from results.documents.text import ROOT
from results.facts import paper
from results.facts.evaluation import evaluated
from results.report.report import report

__all__ = ["whole"]


def test_what_was_found_in_the_documents_is_what_the_published_studies_say():
    studies = readme.published()
    shown = list(pictures.pictures(studies))
    for path, words in (
        (readme.README, text.answer(studies)),
        (readme.PAGE, text.section(studies, shown)),
    ):
        assert readme.placed(path, words) == path.read_text(), "run python -m results.readme"
    drawn = {path.name for path in readme.FOLDER.glob("*.svg")}
    assert drawn == {file for picture in shown for file in pictures.files(picture)}
    for path in readme.FOLDER.glob("*.svg"):
        assert readme.DARK in path.read_text()
        assert path.stat().st_size < 200_000


def paper_study(path, many=4, head=None, setting="A-alexnet"):
    trained = f"{setting}-s0"
    right = [0] * 5 + [1] * 2 + [6] * 3
    told = predictions(trained, right, [0] * 5 + [1] * 5, ["val"] * 5 + ["test"] * 5)
    told = told if many > 2 else [row | {"label": "happy"} for row in told]
    model = STATED[setting]["model"]
    rows = [trial(trained, model, stage="confirm", setting=setting, epochs=many)]
    curves = epochs(trained, [0.4, 0.5, 0.4, 0.5][:many])
    return folder(path, head or PAPERS, rows, curves, [], told)


def test_pictures_say_n_and_interval(tmp_path):
    shown = {one.name: one for one in pictures.pictures([load(paper_study(tmp_path / "s"))])}
    assert list(shown) == ["accuracy", "curves", "networks"]
    assert "(10 images, the paper's test folder)" in shown["accuracy"].words
    assert "A-alexnet 70.0 % (" in shown["accuracy"].words and "one seed" in shown["accuracy"].words
    assert "A-alexnet 50.0 % after 4" in shown["curves"].words


def test_a_study_on_other_images_is_not_set_beside_the_paper_and_the_page_says_why(tmp_path):
    other = header(study={"name": "raf"}, data={"counts": {"val": {"1": 42}, "test": {"1": 42}}})
    studies = [load(paper_study(tmp_path / "raf", head=other))]
    assert [one.name for one in pictures.pictures(studies)] == ["networks"]
    images = "its val and test hold 84 images, and the paper's test folder 7,178"
    why = f"`raf` isn't compared: {images}."
    assert text.beside(studies).strip() == why
    assert "No setting of the paper has been published" in text.answer(studies)
    both = [*studies, load(paper_study(tmp_path / "s"))]
    shown = {one.name: one for one in pictures.pictures(readme.named_apart(both))}
    assert shown["accuracy"].words.count("A-alexnet") == 1
    assert why in text.beside(both) and text.beside(both).count("| A-alexnet |") == 1


def test_a_setting_still_in_training_stands_in_the_tables_with_its_epochs_alone(tmp_path):
    rows = [trial("B-alexnet-s0", "alexnet", "confirm", "stopped", 50, setting="B-alexnet")]
    begun = folder(tmp_path / "begun", PAPERS, rows, epochs("B-alexnet-s0", [0.4] * 12), [])
    studies = [load(paper_study(tmp_path / "s")), load(begun)]
    told = [text.answer(studies), text.beside(studies)]
    for table in told:
        (row,) = [line for line in table.splitlines() if "| B-alexnet |" in line]
        assert "12 of 50 epochs so far" in row and "59.3" in row, "the paper's own figure stands"
        assert row.count("%") == 1, "and none of ours"


def test_of_one_setting_in_two_studies_the_longer_is_shown(tmp_path):
    both = [load(paper_study(tmp_path / "short", 2)), load(paper_study(tmp_path / "long"))]
    shown = {one.name: one for one in pictures.pictures(readme.named_apart(both))}
    assert shown["accuracy"].words.count("A-alexnet") == 1
    assert "A-alexnet 70.0 % (" in shown["accuracy"].words
    told = "Accuracy on {} images of val, by epoch: A-alexnet 50.0 % after 4."
    assert shown["curves"].words == told.format(PAPERS["data"]["images"]["val"])


def test_a_setting_trained_longer_than_the_papers_does_not_stand_for_it(tmp_path):
    """C-alexnet of 50 epochs was held against the paper's matrix of 20."""
    ran = {"as": 20, "short": 4, "long": 50}
    paths = [paper_study(tmp_path / name, ran[name], None, "C-alexnet") for name in ran]
    studies = readme.named_apart([load(path) for path in paths])
    settings = evaluated([one for study in studies for one in answers(study)])
    there = paper.by_setting(studies, settings)["C-alexnet"]
    assert [one.answers.epochs for one in there] == [50, 4, 20]  # the last one counts


def test_of_one_setting_in_two_studies_it_is_said_whose_stands_and_what_the_other_has(tmp_path):
    """The newer stood for the setting without a word of the other. Both are 70 % of 10 images: two
    marks were drawn, and the curves were the newest study's whose-ever figure stood."""
    studies = []
    for name, began, second in (("old", "2026-01-01", True), ("new", "2026-02-02", False)):
        head = deepcopy(PAPERS) | {"started_at": f"{began}T00:00:00Z"}
        head["study"]["name"] = name
        path = paper_study(tmp_path / name, head=head)
        if second:
            table = pd.read_parquet(path / "predictions.parquet")
            again = table.assign(trial_id="A-alexnet-s1")
            pd.concat([table, again]).to_parquet(path / "predictions.parquet")
            rows = pd.read_parquet(path / "trials.parquet")
            other = rows.assign(trial_id="A-alexnet-s1", hp_seed=1)
            pd.concat([rows, other]).to_parquet(path / "trials.parquet")
        else:
            curve = pd.read_parquet(path / "epochs.parquet")
            curve.assign(val_accuracy=0.9).to_parquet(path / "epochs.parquet")
        studies.append(load(path))
    words = (
        "Where several studies confirmed a setting, seeds aren't pooled: the longest trained, up "
        "to the paper's epochs, stands here, then that with most seeds, then the newest. A-alexnet "
        "is from old (new: 70.00 %, 4 epochs, one seed)."
    )
    assert words in text.beside(studies)
    shown = {one.name: one for one in pictures.pictures(studies)}
    assert shown["accuracy"].words.count("A-alexnet") == 1
    assert "A-alexnet 50.0 % after 4" in shown["curves"].words
    assert text.answer(studies).count("| A-alexnet | 2 |") == 1
    made = report(studies)
    (section,) = [one for one in made.sections if one.title.startswith("The paper's settings")]
    assert words in section.blocks[0].words
    assert "Where several" not in text.beside(studies[:1])
    (section,) = [one for one in made.sections if one.title == "Confirmed accuracy"]
    ((_, plot),) = section.blocks[0].plots
    (stars,) = [trace for trace in plot.data if trace.name == "the paper's printed matrix"]
    assert sorted(stars.y) == [f"A-alexnet ({name})<br>4 of 50 epochs" for name in ("new", "old")]
    assert [*stars.x] == [4189 / 7178] * 2


def test_epochs_that_were_judged_on_val_without_copies_have_a_picture_of_their_own(tmp_path):
    """D-cbam128 at 47.5 % of 3,059 images stood beside C-resnet34 at 52.6 % of 3,589."""
    head = deepcopy(PAPERS)
    head["study"]["val_copies"], head["data"]["images"]["val"] = "without", 9
    other = paper_study(tmp_path / "new", head=head, setting="D-cbam64")
    both = [load(paper_study(tmp_path / "old")), load(other)]
    shown = {one.name: one for one in pictures.pictures(readme.named_apart(both))}
    assert list(shown) == ["accuracy", "curves-1", "curves-2", "networks"]
    assert "images of val, by epoch: A-alexnet 50.0 %" in shown["curves-1"].words
    words = "9 images of val, none of them a copy of a training image, by epoch: D-cbam64 50.0 %"
    assert words in shown["curves-2"].words


def test_a_setting_whose_epochs_the_paper_does_not_say_is_not_short_of_them(tmp_path):
    studies = [
        load(paper_study(tmp_path / name, 4, None, name)) for name in ("D-cbam64", "B-alexnet")
    ]
    words = {one.name: one for one in pictures.pictures(studies)}["accuracy"].words
    assert "D-cbam64 70.0 % (4 epochs, one seed)" in words
    assert "B-alexnet 70.0 % (4 of 50 epochs, one seed)" in words


def test_a_search_and_several_studies_have_their_pictures(tmp_path, whole):
    studies = [load(paper_study(tmp_path / "s")), load(whole)]
    shown = list(pictures.pictures(studies))
    assert [one.name for one in shown] == ["accuracy", "curves", "search-mine", "networks"]
    words = text.section(studies, shown)
    assert "| A-alexnet | 4 and 50 | 1 | 70.00 % |" in words
    assert words.count("\n- `mine`: ") == 2
    assert 'src="../results/published/figures/search-mine.svg"' in words


def test_the_answer_says_what_keeps_it_from_being_one(tmp_path):
    words = text.answer([load(paper_study(tmp_path / "s"))])
    assert (
        "| test without duplicates (5 images), 95 % | test (5) | val and test (10), 95 % |" in words
    )
    assert "| A-alexnet | 1 | 4 of 50 | 40.0 % | 40.0 % | 70.0 % |" in words
    assert (
        "best is **not settled**: A-alexnet has one seed, which has no interval and "
        "settles nothing; A-alexnet has 4 of its 50 epochs." in words
    )
    assert 'src="results/published/figures/accuracy.svg"' in words


def test_the_answer_says_what_a_published_search_gained_over_the_default(tmp_path, whole):
    one = load(whole)
    rows = [("alexnet", "a0", None), ("resnet34", "", "alexnet")]  # as if the other were a default
    columns = ["setting", "from_trial", "beside"]
    searched = replace(one, name="searched", chosen=pd.DataFrame(rows, columns=columns))
    other = load(paper_study(tmp_path / "s"))
    assert "gained" not in text.answer([other])
    words = text.answer([other, searched])
    told = (
        "What the search gained over the default, new seeds, on test without duplicates (searched)"
    )
    assert f"{told}: alexnet: " in words and "2 seeds each" in words
    assert "`searched`: 6 trials of up to 4 epochs, tpe, asha; 100 train, 14 val, 14 test" in words
    assert "seeds | val (14), 95 % | test, no duplicates (13), 95 % | its default there |" in words
    shares = "| 35.7 % (0.0 to 100.0) | 38.5 % (0.0 to 100.0) | 69.2 % (0.0 to 100.0) |"
    assert f"| alexnet | 2 {shares}" in words
    rows += [("resnet34", "r0", "alexnet")]  # a runner-up is no default
    later = replace(one, name="searched", chosen=pd.DataFrame(rows[::2], columns=columns))
    assert "its default there" not in text.answer([other, later])
    rows[1] = ("alexnet-default", "", "alexnet")  # which failed with every seed
    later = replace(later, chosen=pd.DataFrame(rows, columns=columns))
    assert f"{shares.rpartition('| 69')[0]}| – |" in text.answer([other, later])
    assert "searched" not in text.answer([other, replace(one, chosen=searched.chosen[:0])])


def test_the_pairs_of_the_preset_are_judged_across_the_studies_that_ran_their_settings():
    """AlexNet against ResNet-34, which the preset fixed before training, was nobody's question
    where one study had trained the one and one the other: 4.7 points were "not settled"."""
    preset = tomllib.loads((ROOT / "study" / "presets" / "paper.toml").read_text())
    assert [":".join(pair) for pair in paper.PAIRS] == preset["pairs"]
    names = ("paper-alexnets", "paper-resnets-two-seeds")
    studies = [load(readme.PUBLISHED / "paper" / name) for name in names]
    settings = evaluated([one for study in studies for one in answers(study)])
    (one,) = paper.across(studies, settings)
    assert (one.first, one.second, one.seeds) == ("C-resnet34", "C-alexnet", (2, 2))
    assert one.images == 2987 and one.level == 0.95 and not one.paired
    assert one.words == "C-alexnet beats C-resnet34 by 4.7 points (+0.5 to +8.9; 2 seeds each)"
    assert f"{paper.ACROSS}\n\n- {one.words}.\n\n" in text.answer(studies)
    made = {each.title: each for each in report(studies).sections}
    told = [paper.ACROSS, f"{one.words}."]
    assert [block.words for block in made["Result"].blocks[:2]] == told
    theirs = made["The paper's settings, theirs and ours"].blocks
    assert [block.words for block in theirs[2:4]] == told
    heads = list(theirs[1].shown.columns)  # no column of its own for a number that is one
    assert heads[-1] == "test, no duplicates (2,987 images)" and "its images" not in heads
    for study in studies:
        alone = [each for each in settings if each.answers.study == study.name]
        assert paper.across([study], alone) == [], "one study has verdicts of its own"
    for many in (19, 21):
        other = [
            replace(each, answers=replace(each.answers, epochs=many))
            if each.answers.setting == "C-alexnet"
            else each
            for each in settings
        ]
        assert paper.across(studies, other) == [], f"{many} of 20 epochs stand for nothing"
    unasked = load(readme.PUBLISHED / "paper-alexnets-one-seed")  # before the preset had pairs
    before = [unasked, studies[1]]
    assert paper.across(before, evaluated([one for each in before for one in answers(each)])) == []


def test_core_hours_of_one_study_are_not_added_to_gpu_hours_of_another():
    """Across studies, of which one trained on a GPU, the sum was told as GPU-hours."""
    names = ("paper-alexnets", "paper-resnets-two-seeds")
    here, there = (load(readme.PUBLISHED / "paper" / name) for name in names)
    studies = [here, replace(there, epochs=there.epochs.assign(gpus=1.0))]
    lone = [
        replace(one, seeds=one.seeds[:1], probability=one.probability[:1])
        for study in studies
        for one in answers(study)
    ]
    (mixed,) = paper.across(studies, evaluated(lone))
    assert mixed.needed and mixed.cost_words == ""


def test_without_a_setting_of_the_papers_there_is_no_answer(whole):
    assert text.answer([load(whole)]) == "\nNo setting of the paper has been published.\n\n"


def test_full_lengths_and_several_seeds_leave_nothing_open():
    frame = pd.DataFrame({"setting": ["A"], "seeds": [3], "our_epochs": [50], "epochs": [50]})
    assert "not settled" not in text.open_questions(frame)
    assert "not settled" in text.open_questions(frame.assign(our_epochs=49))
    assert "not settled" in text.open_questions(frame.assign(seeds=1))


def test_marks_are_needed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("text")
    with pytest.raises(Mistake, match="page.md has no"):
        readme.placed(page, "words")
    page.write_text(f"a{readme.START}old{readme.END}b<!-- end -->")
    assert readme.placed(page, "new") == f"a{readme.START}new{readme.END}b<!-- end -->"


def test_nothing_published_is_a_mistake(tmp_path):
    with pytest.raises(Mistake, match="holds no study"):
        readme.published(tmp_path)


@needs_chromium
def test_drawing_replaces_what_is_no_longer_shown(tmp_path):
    pytest.importorskip("choreographer")
    (tmp_path / "old.svg").write_text("x")
    shown = [one for one in pictures.pictures([load(paper_study(tmp_path / "s"))])][:1]
    readme.draw(shown, tmp_path)
    assert [path.name for path in tmp_path.glob("*.svg")] == ["accuracy.svg"]
    drawn = (tmp_path / "accuracy.svg").read_text()
    assert readme.DARK in drawn and 'clip-path="url(#clip-accuracy-xyplot)' in drawn
    readme.draw(shown, tmp_path)
    assert (tmp_path / "accuracy.svg").read_text() == drawn, "as it was but for random numbers"


@pytest.mark.parametrize(("words", "code"), [("--help", 0), ("somewhere", 2), ("--out x", 2)])
def test_nothing_is_drawn_for_what_it_does_not_take(monkeypatch, words, code):
    monkeypatch.setattr(readme, "draw", lambda *given: pytest.fail("it draws"))
    with pytest.raises(SystemExit) as ended:
        readme.main(words.split())
    assert ended.value.code == code
