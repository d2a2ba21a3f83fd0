"""What the explorer sends to its page, and where a study stands: frames in, exact values out."""

import base64
import html
import json
import shutil
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime

import flask
import numpy as np
import pandas as pd
import pytest
from test_results_load import BEST, CLASSES, START, epochs, event, folder, header, trial, whole

from results import Mistake, publish
from results.artefacts.load import answers, load, named_apart
from results.explorer import document, live, notes, overview, written
from results.explorer.__main__ import main
from results.explorer.answers import answers_payload
from results.explorer.app import POLICY, app
from results.explorer.export import selected
from results.explorer.payload import array, payload
from results.explorer.serving import listening
from results.facts import evaluation, progress, search, setting
from results.figures import style
from study.record import progress as standing
from study.record import schemas

__all__ = ["whole"]
SEVENTY = (START + pd.Timedelta(seconds=70)).to_pydatetime()
CHOSEN = event(event="chosen", epoch=4, **BEST)


def numbers(told):
    kinds = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "u2": "<u2", "u1": "<u1"}
    return np.frombuffer(base64.b64decode(told["base64"]), kinds[told["kind"]])


def test_an_array_is_what_it_was():
    told = array([1.5, float("nan"), -2], "f8")
    np.testing.assert_array_equal(numbers(told), [1.5, np.nan, -2])


def test_the_fold_of_a_studys_notes_is_known_whatever_their_number(whole):
    """By its caption it was another one, and shut, as "3 notes" became "4 notes"."""
    one = load(whole)
    more = {**one.study, "data": {**one.study["data"], "notes": ["one more"]}}
    told = [overview.state(each) for each in (one, replace(one, study=more))]
    assert told[0] != told[1]
    assert all('<details data-fold="notes of mine">' in text for text in told)


def test_a_payload_holds_every_trial_epoch_and_judgement(whole):
    one = load(whole)
    told = payload([one])
    words, codes = told["trials"]["trial_id"].values()
    assert [words[code] for code in numbers(codes)] == one.trials["trial_id"].tolist()
    rows = numbers(told["epochs"]["trial"])
    assert one.trials["trial_id"].iloc[rows].tolist() == one.epochs["trial_id"].tolist()
    np.testing.assert_allclose(
        numbers(told["epochs"]["val_accuracy"]), one.epochs["val_accuracy"], rtol=1e-6
    )
    assert numbers(told["decisions"]["stopped"]).tolist() == [0, 1, 0, 1]
    columns = {column["name"]: column for column in told["columns"]}
    assert columns["lr"]["log"] and columns["lr"]["varies"] and not columns["seed"]["varies"]


def test_what_is_new_is_what_was_finished_since(whole):
    one = load(whole)
    first = payload([one])
    again = payload([one], first["newest"])
    assert first["whole"] and not again["whole"]
    assert first["total"] == again["total"] == len(one.epochs)
    assert len(numbers(payload([one], first["newest"])["epochs"]["epoch"])) == 0
    late = one.epochs["finished_at"].max()
    many = int((one.epochs["finished_at"] == late).sum())
    again = payload([one], first["newest"] - 1)
    assert len(numbers(again["epochs"]["epoch"])) == many


def test_two_studies_keep_their_own_trials(whole, tmp_path):
    path = folder(tmp_path / "x", header(), [trial("a0", hp_lr=0.5)], epochs("a0", [0.9]), [])
    told = payload(named_apart([load(path), load(whole)]))
    assert numbers(told["trials"]["study"]).tolist() == [0] + 12 * [1]
    assert numbers(told["epochs"]["trial"])[0] == 0
    assert [study["name"] for study in told["studies"]] == ["mine", "mine 2"]


def test_each_study_has_its_own_newest_epoch(whole, tmp_path):
    """Where the bars of its open trials end: another study's is of another day."""
    late = [row | {"finished_at": START + pd.Timedelta(days=1)} for row in epochs("a0", [0.9])]
    path = folder(tmp_path / "x", header(), [trial("a0", status="running")], late, [])
    told = payload(named_apart([load(path), load(whole)]))
    own, other = (study["newest"] for study in told["studies"])
    assert own == told["newest"] == START.timestamp() * 1000 + 86_400_000
    assert 0 < other < own - 80_000_000


def test_time_is_lost_to_retries_and_while_no_driver_ran(tmp_path):
    def finished(name, *seconds):  # each epoch takes 2 s
        rows = epochs(name, [0.2] * len(seconds))
        times = [START + pd.Timedelta(seconds=second) for second in seconds]
        return [row | {"finished_at": time} for row, time in zip(rows, times, strict=True)]

    rows = [
        trial("a", ended_at=START + pd.Timedelta(seconds=1008)),
        trial("b", retries=1, ended_at=START + pd.Timedelta(seconds=1020)),
        trial("c", ended_at=START + pd.Timedelta(seconds=4)),
        trial("d", status="running"),
    ]
    curves = [
        *finished("a", 2, 5, 1005, 1008),
        *finished("b", 2, 50, 1003, 1020),
        *finished("c", 2, 4),
        *finished("d", 4, 1002),
    ]
    begun = [START, START + pd.Timedelta(seconds=1000)]
    events = [event(event="driver_started", time=time.isoformat()) for time in begun]
    one = load(folder(tmp_path / "resumed", header(), rows, curves, [], events=events))
    told = payload([one, one])["lost"]
    times = [(numbers(told[name]) - 1000 * START.timestamp()) / 1000 for name in ("from", "to")]
    found = list(zip(numbers(told["trial"]), *times, strict=True))
    assert found[: len(found) // 2] == [(0, 5, 1003), (1, 50, 1001), (1, 2, 48), (3, 4, 1000)]
    assert [row - 4 for row, _, _ in found[len(found) // 2 :]] == [0, 1, 1, 3]


def test_seconds_of_computing_count_a_share_of_a_gpu_as_that_share(tmp_path):
    rows = [trial("a", gpus=0.25), trial("b"), trial("c", gpus=1.0)]
    curves = [
        *epochs("a", [0.2, 0.3]),
        *(
            row | {"gpus": share}
            for row, share in zip(epochs("c", [0.2, 0.3]), (1.0, 0.5), strict=True)
        ),
    ]
    one = load(folder(tmp_path / "shared", header(), rows, curves, []))
    told = payload([one])["trials"]["computing"]
    np.testing.assert_allclose(numbers(told), search.searched(one)["seconds"])
    np.testing.assert_allclose(numbers(told), [1.0, 0.0, 3.0])
    assert numbers(
        payload([one], one.epochs["finished_at"].max().timestamp() * 1000)["trials"]["computing"]
    ).tolist() == [1.0, 0.0, 3.0]


def test_a_trial_that_went_on_without_its_gpu_has_no_gpu_seconds(tmp_path):
    """Resumed on a CPU, its budget was told in GPU-seconds, and in the report in seconds."""
    first, second = epochs("a", [0.2, 0.3])
    rows = [first | {"gpus": 1.0}, second | {"gpus": 0.0}]
    one = load(folder(tmp_path / "s", header(), [trial("a", gpus=1.0)], rows, []))
    assert not search.on_gpus(search.searched(one))
    assert numbers(payload([one])["trials"]["gpus"]).tolist() == [0.0]


def test_answers_are_exact_and_probabilities_to_half_a_percent(whole):
    one = load(whole)
    told = answers_payload([one])
    found = answers(one)
    assert [network["trial"] for network in told["networks"]] == [
        "alexnet-s0",
        "alexnet-s1",
        "resnet34-s0",
        "resnet34-s1",
    ]
    assert numbers(told["networks"][3]["guess"]).tolist() == found[1].guess[1].tolist()
    p = numbers(told["networks"][0]["probability"]).reshape(-1, len(CLASSES)) / 255
    np.testing.assert_allclose(p, found[0].probability[0], atol=0.002)


def test_an_attention_map_that_is_cut_short_is_left_out(whole):
    weights = np.array([[0, 0.5], [1, 2]], "<f2").tobytes()
    rows = [
        {"trial_id": "resnet34-s0", "split": "val", "image": image, "side": 2, "weights": raw}
        for image, raw in ((0, weights), (1, weights[:3]))
    ]
    pd.DataFrame(rows).to_parquet(whole / "attention.parquet")
    (maps,) = answers_payload([load(whole)])["attention"]
    assert numbers(maps["weights"]).tolist() == [0, 128, 255, 255]


def test_only_the_selected_trials_are_kept(whole):
    (kept,) = selected([load(whole)], ["0:r0", "0:alexnet-s1", "1:a0"])
    assert kept.trials["trial_id"].tolist() == ["alexnet-s1", "r0"]
    assert set(kept.epochs["trial_id"]) == {"r0", "alexnet-s1"} >= set(kept.predictions["trial_id"])


def test_what_was_confirmed_because_of_a_kept_trial_is_kept_with_it(whole):
    """As the page shows them together; a saved best trial said that no model had answered."""
    (kept,) = selected([load(whole)], ["0:a0"])
    assert kept.trials["trial_id"].tolist() == ["a0", "alexnet-s0", "alexnet-s1"]
    told = answers_payload([kept])["networks"]
    assert [one["trial"] for one in told] == ["alexnet-s0", "alexnet-s1"]


def test_a_confirmation_is_of_the_settings_of_the_studys_own_networks(tmp_path):
    """Those that its preset has for networks left out by --models were counted."""
    settings = [{"name": name, "model": name} for name in ("alexnet", "resnet34")]
    study = {"stages": ["confirm"], "models": ["alexnet"], "settings": settings, "seeds": 3}
    one = load(folder(tmp_path / "s", header(study=study), [], [], []))
    limit = progress.budget(one).set_index("budget")["limit"]
    assert limit.to_dict() == {"models of the confirmation": 3, "epochs": 3 * 4}


def test_each_setting_still_to_be_confirmed_has_its_own_epochs(tmp_path):
    """Those of a setting of 10 epochs were counted with the study's 30."""
    own = [{"name": "A", "model": "alexnet", "epochs": 50}]
    own += [{"name": "C", "model": "alexnet", "epochs": 10}]
    asked = {"stages": ["confirm"], "models": ["alexnet"], "settings": own, "epochs": 30}
    head = header(study=asked, status="running", ended_at=None)
    rows = [trial("A-s0", stage="confirm", setting="A", status="running", epochs=50)]
    one = load(folder(tmp_path / "s", head, rows, epochs("A-s0", [0.1] * 40), []))
    limit = progress.budget(one).set_index("budget")["limit"]
    assert limit["epochs"] == 2 * 50 + 2 * 10 and limit["models of the confirmation"] == 4
    assert progress.epochs_left(one) == 10 + 10 + 50 + 10


def test_what_is_confirmed_beside_the_best_is_counted_before_a_search_has_ended(tmp_path):
    """Two seeds of each best, one each of its default and of two next bests: 4 of 10 were told."""
    asked = {"stages": ["search", "confirm"], "baseline_seeds": 1, "runners_up": 2}
    head = header(study=asked, status="running", ended_at=None)
    one = load(folder(tmp_path / "s", head, [trial("a0")], epochs("a0", [0.1] * 4), []))
    limit = progress.budget(one).set_index("budget")["limit"]
    assert limit["models of the confirmation"] == 10
    assert limit["epochs"] == 6 * 4 + 10 * 4
    over = load(
        folder(tmp_path / "t", head, [trial("a0")], epochs("a0", [0.1] * 4), [], None, [CHOSEN])
    )
    assert progress.epochs_left(over) == 2 * 4  # a search that has chosen tries no more


def test_the_best_of_a_search_is_to_be_confirmed_at_the_studys_epochs(tmp_path):
    """With --resume --epochs 8 those of the trial that found it, 4, were left for each seed."""
    head = header(study={"epochs": 8})
    rows, lines = [trial("a0", status="stopped")], [CHOSEN.replace(b'"epochs": 4', b'"epochs": 8')]
    one = load(folder(tmp_path / "s", head, rows, epochs("a0", [0.1] * 2), [], None, lines))
    assert progress.epochs_left(one) == 2 * 8


def test_trials_that_were_stopped_leave_no_epochs(tmp_path):
    """Of a search whose trials had ended after 2 of 8 epochs six were left."""
    rows = [trial("a", status="stopped"), trial("b", status="failed")]
    head = header(study={"stages": ["search"], "trials": 2})
    one = load(folder(tmp_path / "s", head, rows, epochs("a", [0.1]) + epochs("b", [0.1]), []))
    told = progress.budget(one).set_index("budget").loc["epochs"]
    assert told.tolist() == [2, 8, 0]


def at_work(path, **study):
    """A search that has 278 s before it ten seconds after its last event, of which there is a
    minute: three epochs of 40 s of the trial at work, which is silent for those ten seconds, and
    four epochs each of an AlexNet of 2 s and of another ResNet-34, one after the other."""
    asked = {"stages": ["search"], "trials": 4, "scheduler": "none", **study}
    head = header(status="running", ended_at=None, study=asked, trials_at_once=1)
    rows = [trial("a"), trial("r", "resnet34", status="running")]
    curves = epochs("a", [0.1] * 4)
    late = START + pd.Timedelta(seconds=60)
    curves += [row | {"epoch_seconds": 40.0, "finished_at": late} for row in epochs("r", [0.2])]
    lines = [event(event="driver_started", time=START.isoformat(), host="elsewhere", pid=1)]
    for row in rows:
        hp = {name[3:]: value for name, value in row.items() if name.startswith("hp_")}
        begun = {name: row[name] for name in ("trial_id", "stage", "setting", "gpus")}
        lines.append(event(event="trial_started", time=START.isoformat(), hp=hp, **begun))
    for row in curves:
        told = row | {"node": "n", "device": "cpu", "microbatches": 1}
        time = told.pop("finished_at").isoformat()
        lines.append(event(event="epoch_done", time=time, **told))
        if (row["trial_id"], row["epoch"]) == ("a", 4):
            ended = {"trial_id": "a", "status": "completed", "reason": ""}
            lines.append(event(event="trial_ended", time=time, **ended))
    return folder(path, head, rows, curves, [], None, lines)


@pytest.mark.parametrize(("given", "seconds"), [({}, 278), ({"time_budget": 200}, 130)])
def test_the_explorer_and_status_say_the_same_time_left(tmp_path, monkeypatch, given, seconds):
    """The explorer counted by a formula of its own, the mean pace of all epochs, from the last
    event: 2 min 12 s instead of 4 min 38 s."""

    class Now(datetime):
        @classmethod
        def now(cls, zone=None):
            return SEVENTY

    path = at_work(tmp_path / "s", **given)
    monkeypatch.setattr(standing, "datetime", Now)
    assert standing.of(path)["seconds_left"] == seconds
    assert progress.seconds_left(load(path), SEVENTY) == seconds


def test_what_is_left_is_told_with_the_moment_from_which_it_counts(tmp_path):
    assert progress.forecast(load(at_work(tmp_path / "s")), SEVENTY) == (
        "About 4 min 38 s left at 2026-01-02 03:05 UTC, at the pace so far: until about "
        "2026-01-02 03:09."
    )
    assert progress.forecast(load(folder(tmp_path / "ended", header())), SEVENTY) == ""


@pytest.mark.parametrize(("budget", "ends"), [(0, False), (200, True), (10**6, False)])
def test_a_budget_that_is_larger_than_what_is_left_ends_nothing(tmp_path, budget, ends):
    """Whatever it was, it was said to end the study by then."""
    words = progress.forecast(load(at_work(tmp_path / "s", time_budget=budget)), SEVENTY)
    assert ("Its budget ends it" in words) == ends


def test_the_wall_time_of_a_published_copy_is_that_of_its_study(tmp_path):
    """Its journal knows neither trials nor epochs."""
    run = at_work(tmp_path / "s")
    (run / "study.json").write_text(json.dumps(header(status="interrupted", ended_at=None)))
    copy = publish.publish(run, root=tmp_path / "published")
    known = [progress.record(load(path)) for path in (run, copy)]
    assert [tables.wall_seconds for tables in known] == [60, 60]
    assert [tables.last["r"]["epoch"] for tables in known] == [1, 1]


def test_a_journal_with_damage_tells_what_is_left_as_far_as_it_is_whole(tmp_path):
    """`python -m study.status` refuses it."""
    path = at_work(tmp_path / "s")
    lines = (path / "events.jsonl").read_bytes().splitlines(keepends=True)
    (path / "events.jsonl").write_bytes(b"".join([*lines[:4], b"x\n", *lines[5:]]))
    one = load(path)
    assert one.notes == ("line 5 of events.jsonl is not JSON and was passed over",)
    assert progress.seconds_left(one, SEVENTY) == 278


def test_the_budget_says_what_was_spent_and_what_is_left(whole):
    frame = progress.budget(load(whole)).set_index("budget")
    assert frame.loc["trials of the search"].tolist() == [8, 6, 0]
    assert frame.loc["models of the confirmation", "spent"] == 4
    assert frame.loc["epochs", "spent"] == len(load(whole).epochs)


def test_a_pause_before_a_study_was_resumed_is_no_time_of_its_budget(tmp_path):
    """Resumed the next day it had spent a day of its hour, and an epoch took half of that."""
    ran = {"started_at": "2026-01-02T03:04:05Z", "status": "running", "ended_at": None}
    lines = [
        event(event="driver_started", time=f"2026-01-{day}.000+00:00", host="h", pid=1)
        for day in ("02T03:04:05", "03T03:00:00")
    ]
    again = pd.Timestamp("2026-01-03T03:00:40Z")
    rows = epochs("a", [0.1] * 2) + [epochs("b", [0.2])[0] | {"finished_at": again}]
    tried = [trial("a"), trial("b", status="running", started_at=again)]
    head = header(**ran, study={"stages": ["search"], "trials": 2, "time_budget": 3600})
    one = load(folder(tmp_path / "s", head, tried, rows, [], None, lines))
    spent = progress.budget(one).set_index("budget").loc["seconds, wall-clock"]
    assert spent["spent"] == 60 + 40  # to where a ended, and to b's first epoch
    assert spent["left"] == 3500


def test_failures_are_grouped_by_their_error(tmp_path):
    rows = [trial(f"f{k}", status="failed", error="out of memory") for k in range(3)]
    rows.append(trial("r", retries=1, error="node lost", hp_model="resnet34"))
    frame = progress.failures(load(folder(tmp_path / "x", None, rows, [], [])))
    assert frame[["error", "trials", "failed"]].to_numpy().tolist() == [
        ["out of memory", 3, 3],
        ["node lost", 1, 0],
    ]


def test_the_app_answers_on_loopback_alone_and_lets_the_page_ask_nothing_else(whole):
    client = app((whole,)).server.test_client()
    own = client.get("/payload", headers={"Host": "127.0.0.1:8050"})
    assert own.status_code == 200 and own.headers["Content-Security-Policy"] == POLICY
    assert "http" not in POLICY and "unsafe-eval" not in POLICY
    assert client.get("/payload", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{}/nowhere"], "is not a folder"),
        (["{}/empty"], "holds no study.json"),
        (["{}/mine", "--votes", "{}/no.csv"], "no.csv can't be read"),
        (["{}/mine", "--data", "{}/no.csv"], "there is no"),
    ],
)
def test_a_mistake_is_one_sentence(whole, words, sentence):
    (whole.parent / "empty").mkdir(exist_ok=True)
    words = [word.format(whole.parent) for word in words]
    told = subprocess.run(
        [sys.executable, "-m", "results.explorer", *words], capture_output=True, text=True
    )
    assert told.returncode == 2 and sentence in told.stderr
    assert told.stderr.count("\n") == 1 and "Traceback" not in told.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--with-faces", "--with-faces does nothing here, since it is for --export"),
        ("--export p.html --port 5 --prefix /a", "--port and --prefix does nothing here, since a"),
        ("--export p.html --allow-host h", "--allow-host does nothing here, since a file is"),
        ("--export p.html --data f.csv", "--data does nothing here, since the file gets no faces"),
    ],
)
def test_a_flag_that_does_nothing_is_refused(capsys, words, sentence):
    assert main(["nowhere", *words.split()]) == 2
    assert sentence in capsys.readouterr().err


def test_a_taken_port_is_told_in_one_sentence_or_another_one_is_taken(capsys):
    application = flask.Flask("nothing")
    first = listening(application, [0])
    second = listening(application, [first.port, 0])  # as without --port
    assert second.port != first.port
    with pytest.raises(Mistake, match=f"port {first.port} is taken or not permitted: give"):
        listening(application, [first.port])
    with pytest.raises(Mistake, match="there is no port 99999: give one of 1 to 65535"):
        listening(application, [99999])
    for server in (first, second):
        server.server_close()
    assert capsys.readouterr().err == ""


def test_notes_are_kept_beside_the_study_and_wrong_ones_are_refused(whole):
    before = {path.name: path.read_bytes() for path in whole.iterdir() if path.is_file()}
    client = app((whole,)).server.test_client()
    one = load(whole)
    trial = one.trials["trial_id"].iloc[0]

    def post(**told):
        return client.post(
            "/notes", json={"study": 0, "trial": trial, "tags": [], "note": ""} | told
        )

    assert post(tags=["a", "a", "b"], note=" why ").json == {
        trial: {"tags": ["a", "b"], "note": "why"}
    }
    assert payload([one])["studies"][0]["notes"][trial]["note"] == "why"
    wrong = (
        {"trial": "no-such"},
        {"study": 1},
        {"study": -1},
        {"tags": "a"},
        {"note": 3},
        {"tags": [1]},
        {"tags": ["a" * 61]},
        {"note": "a" * 5001},
    )
    for told in wrong:
        answer = post(**told)
        assert answer.status_code == 409 and answer.text, told
    assert notes.read(whole)[trial]["note"] == "why"
    assert before == {path.name: path.read_bytes() for path in whole.iterdir() if path.is_file()}
    empty, other = {"tags": [], "note": ""}, {"tags": [], "note": "of another tab"}
    for began in (empty, other | {"tags": ["a"]}):
        refused = post(note="mine", began=began)
        assert refused.status_code == 409 and "was changed elsewhere" in refused.text
    assert post(**other, began={"tags": ["a", "b"], "note": "why"}).json == {trial: other}
    assert post(began=other).json == {}  # taken out
    assert post(note="first", began=empty).status_code == 200
    assert post().json == {}
    (whole / notes.FILE).write_text("[]")
    with pytest.raises(Mistake, match="holds no notes"):
        notes.write(one, trial, ["a"], "")
    assert (whole / notes.FILE).read_text() == "[]"  # what isn't ours is left alone


def test_what_comes_with_every_poll_overwrites_nothing_that_came_later(whole):
    """The health checks stood under the name of the bookkeeping, which each poll brings anew."""
    studies = [load(whole)]
    settings = written.evaluated(studies)
    texts = written.texts(studies, settings)
    first = written.first(studies, settings)
    assert first == {name: texts[name] for name in first}
    assert "Health" in texts["health"]


def test_own_networks_look_alike_in_the_process_that_works_out_the_searches(whole, monkeypatch):
    class Elsewhere:  # a process that has shown nothing yet, run in this one
        def __init__(self, workers, context, begin=lambda: None, given=()):
            monkeypatch.setattr(style, "_places", {})
            begin(*given)

        def __enter__(self):
            return self

        def __exit__(self, *what):
            pass

        def submit(self, call, *given):
            done = Future()
            done.set_result(call(*given))
            return done

    monkeypatch.setattr(style, "_places", {})
    here = {name: style.style(name) for name in ("zeta", "alpha", "mine")}
    monkeypatch.setattr(live, "ProcessPoolExecutor", Elsewhere)

    def seen(studies):
        return {name: style.style(name) for name in sorted(here)}

    monkeypatch.setattr(written, "searches", seen)
    assert live.Searches((whole,)).computed() == here


def test_studies_judged_by_different_metrics_say_so(whole, tmp_path):
    """What is drawn is then the accuracy that all of them have, by which one didn't choose."""
    shutil.copytree(whole, tmp_path / "other")
    header = json.loads((whole / "study.json").read_text())
    header["study"] |= {"name": "other", "metric": "macro_f1"}
    (tmp_path / "other" / "study.json").write_text(json.dumps(header))
    epochs = tmp_path / "other" / "epochs.parquet"
    frame = pd.read_parquet(epochs)
    frame.assign(val_macro_f1=frame["val_accuracy"] / 2).to_parquet(epochs)
    one, other = load(whole), load(tmp_path / "other")
    told = document.metrics([one, other])
    assert f"{one.name} by val accuracy and {other.name} by val macro-F1" in told
    assert told in html.unescape(document.body([one, other], ""))
    assert document.metrics([one, one]) == ""


def test_the_matrix_without_duplicates_is_also_without_near_copies(whole):
    """As the report's scope of the same name; it counted 3,275 images of FER-2013 for its 2,987."""
    kept = [
        {"split": "val" if k < 14 else "test", "image": k, "pixels": f"{k}", "near": k in (15, 16)}
        for k in range(28)
    ]
    schemas.write_table(whole / "images.parquet", kept, schemas.IMAGES)
    found = load(whole)
    told = answers_payload([found])["images"]
    fresh = numbers(told["duplicate"]) == 0
    test = np.arange(28) < 14  # sorted by split
    (first, *_) = answers(found)
    assert (fresh & test).sum() == evaluation.chosen(first, evaluation.PRIMARY).sum() == 11


def test_a_val_of_copies_alone_was_judged_whole(whole):
    """Asked for without them, it was called so, and the page ranked by no image at all."""
    told = json.loads((whole / "study.json").read_text())
    told["study"] |= {"val_copies": "without"}
    told["data"] |= {"counts": {"val": dict.fromkeys(CLASSES, 2)}, "val_duplicates": 14}
    (whole / "study.json").write_text(json.dumps(told))
    one = load(whole)
    assert payload([one])["studies"][0]["without_copies"] is False
    assert setting.best(one, evaluation.evaluated(answers(one))).val == "val"


def test_near_copies_that_are_marked_later_are_known_to_an_open_explorer(whole):
    """A resume of an older study writes them beside its predictions, which stay as they are."""
    held = live.Evaluations((whole,))

    def primary():
        (first, *_) = held.computed()
        return evaluation.chosen(first.answers, evaluation.PRIMARY).sum()

    assert primary() == 13
    kept = [
        {"split": "val" if k < 14 else "test", "image": k, "pixels": f"{k}", "near": k in (15, 16)}
        for k in range(28)
    ]
    schemas.write_table(whole / "images.parquet", kept, schemas.IMAGES)
    assert held.ready() is None and primary() == 11
