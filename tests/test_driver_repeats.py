"""--repeats: whole searches again."""

import json
import signal
from pathlib import Path

import pytest

from study import Mistake
from study.config.study import read_preset, to_dict
from study.driver import repeats
from study.run import main


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """The command lines of the searches; each leaves a folder like one that has ended."""
    found: list[list[str]] = []

    def pretend(argv: list[str]) -> int:
        found.append(argv)
        given = dict(zip(argv[::2], argv[1::2], strict=True))
        if "--resume" not in given:
            study, _ = read_preset(given.get("--preset", "search"), "cpu")
            folder = Path(given.get("--out", study.out)) / given["--name"]
            folder.mkdir(parents=True)
            raw = to_dict(study) | {"seed": int(given["--seed"])}
            raw |= {"trials": int(given.get("--trials", 4))}  # --minutes left out the others
            (folder / "study.json").write_text(json.dumps({"study": raw}))
        return 0

    monkeypatch.setattr(repeats, "done", pretend)
    return found


def command(folder, *more: str) -> list[str]:
    return ["--preset", "smoke", "--trials", "2", "--name", "x", "--out", str(folder), *more]


def test_each_search_has_a_seed_and_a_folder_of_its_own_and_a_share_of_the_budget(
    asked, tmp_path, capsys
):
    argv = command(tmp_path, "--repeats", "3", "--seed", "7", "--time-budget", "90")
    assert main(argv) == 0
    each = [dict(zip(words[::2], words[1::2], strict=True)) for words in asked]
    assert [one["--name"] for one in each] == ["x-1", "x-2", "x-3"]
    assert [one["--seed"] for one in each] == ["7", "8", "9"]
    assert {one["--time-budget"] for one in each} == {"30"}
    folders = " ".join(str(tmp_path / f"x-{k}") for k in (1, 2, 3))
    assert f"python -m results {folders}" in capsys.readouterr().out


def test_searches_without_a_name_have_one_that_no_other_has(asked, tmp_path, capsys):
    for _ in range(2):
        assert main(["--preset", "smoke", "--repeats", "2", "--out", str(tmp_path)]) == 0
    names = [words[words.index("--name") + 1] for words in asked]
    assert len({name.removesuffix("-1").removesuffix("-2") for name in names}) == 2


def test_the_same_command_goes_on_and_another_is_refused(asked, tmp_path, capsys):
    assert main(command(tmp_path, "--repeats", "2")) == 0
    assert main(command(tmp_path, "--repeats", "3")) == 0
    assert [words[0] for words in asked[2:]] == ["--resume", "--resume", "--preset"]
    more = ["--address", "auto", "--time-budget", "90", "--data", "faces:400"]
    assert main(command(tmp_path, "--repeats", "2", *more)) == 0
    again = {"--resume": str(tmp_path / "x-2"), "--address": "auto", "--time-budget": "45"}
    last = asked[-1]
    assert dict(zip(last[::2], last[1::2], strict=True)) == again | {"--data": "faces:400"}
    other = command(tmp_path, "--repeats", "2")
    assert main(["--preset", "search", *other[2:]]) == 2
    assert "holds another study" in capsys.readouterr().err
    assert main(command(tmp_path, "--repeats", "2", "--seeds", "9")) == 2
    assert "holds another study" in capsys.readouterr().err


def test_the_same_command_goes_on_with_other_means_as_resume_does(asked, tmp_path):
    """Its folders were told to hold another study."""
    assert main(command(tmp_path, "--repeats", "2")) == 0
    more = ["--max-concurrent", "1", "--device", "cpu", "--retries", "5"]
    assert main(command(tmp_path, "--repeats", "2", *more)) == 0
    for number, words in enumerate(asked[2:], 1):
        told = dict(zip(words[::2], words[1::2], strict=True))
        again = {"--resume": str(tmp_path / f"x-{number}"), "--max-concurrent": "1"}
        assert told == again | {"--device": "cpu", "--retries": "5"}


def test_all_searches_have_as_many_trials_as_the_first_was_left(asked, tmp_path):
    """Each measured its own pace: with 4 and 6 trials they weren't one search repeated."""
    assert main(["--repeats", "3", "--name", "x", "--out", str(tmp_path)]) == 0
    told = [dict(zip(argv[::2], argv[1::2], strict=True)).get("--trials") for argv in asked]
    assert told == [None, "4", "4"]


def test_what_a_file_says_of_all_searches_together_is_taken(asked, tmp_path, capsys):
    """Its budgets were given to each search whole, its folder was looked for in runs/."""
    mine = tmp_path / "my.toml"
    text = f'name = "x"\nout = "{tmp_path}/all"\nseed = 7\ntime_budget = 90\n'
    mine.write_text(text)
    argv = ["--preset", str(mine), "--repeats", "3"]
    assert main(argv) == 0
    each = [dict(zip(words[::2], words[1::2], strict=True)) for words in asked]
    assert [one["--name"] for one in each] == ["x-1", "x-2", "x-3"]
    assert [one["--seed"] for one in each] == ["7", "8", "9"]
    assert {one["--time-budget"] for one in each} == {"30"}
    assert f"python -m results {tmp_path}/all/x-1" in capsys.readouterr().out
    assert main([*argv, "--name", "y", "--time-budget", "60"]) == 0
    last = dict(zip(asked[-1][::2], asked[-1][1::2], strict=True))
    assert (last["--name"], last["--time-budget"]) == ("y-3", "20")
    mine.write_text(text + "[hardware.cpu]\ngpu_hours = 3\n[hardware.gpu]\ngpu_hours = 4\n")
    assert main(argv) == 2
    assert "hardware.cpu of" in (said := capsys.readouterr().err) and "above the tables" in said
    mine.write_text('stages = ["confirm"]\n')
    assert main(argv) == 2 and "nothing is searched" in capsys.readouterr().err


def test_an_interrupted_search_ends_them(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(repeats, "done", lambda argv: 130)
    assert main(command(tmp_path, "--repeats", "2")) == 130
    assert "the same command goes on" in capsys.readouterr().out


def test_after_a_mistake_nothing_goes_on(monkeypatch, tmp_path, capsys):
    """It said that the same command goes on in a folder that there isn't."""
    monkeypatch.setattr(repeats, "done", lambda argv: 2)
    assert main(command(tmp_path, "--repeats", "2")) == 2
    assert "goes on" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--repeats", "1"], "from 2 on"),
        (["--repeats", "many"], "from 2 on"),
        (["--repeats", "2", "--stages", "confirm"], "nothing is searched"),
    ],
)
def test_what_makes_no_sense_is_refused(asked, tmp_path, capsys, more, told):
    assert main(command(tmp_path, *more)) == 2
    assert told in capsys.readouterr().err


def test_resume_beside_it_is_refused(capsys):
    assert main(["--resume", "runs/x", "--repeats", "2"]) == 2
    assert "leave out --resume" in capsys.readouterr().err


def test_the_exit_code_is_the_searchs_and_handlers_come_back(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    assert repeats.done(["--trials", "many"]) == 2
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(Mistake):
        repeats.number("0")
