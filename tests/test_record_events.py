"""The journal's grammar: what is written is what is documented, and by whom."""

import ast
from pathlib import Path

import pytest

import study
from fer_record.tables import FOLDS
from study import now
from study.record.events import EVENTS, check
from study.record.schemas import DECISIONS, EPOCHS

ROOT = Path(study.__file__).parents[1]
OPENED = {"event": "test_opened", "time": now(), "trial_id": "a-s0", "images": 3589}


def test_every_event_is_written_by_the_file_that_the_grammar_names():
    written = set()
    for path in (ROOT / "study" / "driver").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            first = isinstance(node, ast.Dict) and node.keys and node.keys[0]
            if isinstance(first, ast.Constant) and first.value == "event":
                written.add((node.values[0].value, path.relative_to(ROOT).as_posix()))
    assert written == {(name, kind.writer) for name, kind in EVENTS.items()}


def test_every_event_changes_the_tables_but_those_that_only_tell():
    assert EVENTS.keys() - FOLDS.keys() == {"fell_back", "study_ended"}
    assert not FOLDS.keys() - EVENTS.keys()


def test_epochs_and_decisions_have_the_fields_of_their_tables():
    of_driver = {"finished_at", "cores"}
    assert EPOCHS.keys() - of_driver <= EVENTS["epoch_done"].fields.keys()
    assert DECISIONS.keys() == EVENTS["rung_judged"].fields.keys()


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (OPENED, None),
        (OPENED | {"block": 2, "crc": 7}, None),
        ({"event": "trial_ended", "trial_id": "a", "status": "stopped", "reason": "x"}, None),
        ({"event": "trial_ended", "trial_id": "a", "status": "failed", "reason": "x", "error": "y",
          "traceback": "z"}, None),
        (OPENED | {"event": "opened"}, "no event is named 'opened'"),
        (OPENED | {"event": "trial_continued"}, "trial_continued has no images"),
        (OPENED | {"event": "prediction_failed"}, "prediction_failed lacks error"),
        (OPENED | {"seed": 1}, "test_opened has no seed"),
    ],
)  # fmt: skip
def test_what_the_grammar_does_not_have_is_not_written(event, sentence):
    if sentence is None:
        check(event)
    else:
        with pytest.raises(ValueError, match=f"^{sentence}$"):
            check(event)
