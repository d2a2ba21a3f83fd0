"""The documents' tables and sentences, as Markdown."""

import os
from dataclasses import replace
from pathlib import Path

import pandas as pd

from results.artefacts.load import Findings, answers
from results.documents.pictures import Picture, files
from results.facts import evaluation, paper, status, verdicts
from results.facts.evaluation import PRIMARY, Evaluated
from results.publish import PUBLISHED
from results.report.blocks import cell
from results.report.files import markdown
from results.words import listed, within

ROOT = Path(__file__).parents[2]
README, PAGE = ROOT / "README.md", ROOT / "docs" / "results.md"
FOLDER = PUBLISHED / "figures"


def answer(studies: list[Findings]) -> str:
    """The README's part as Markdown: the paper's settings that were run, and what they leave
    open."""
    settings = evaluation.evaluated([one for study in studies for one in answers(study)])
    every = paper.settings_table(paper.published(), settings, studies)
    frame = every[every["seeds"].notna()]
    if frame.empty:
        return "\nNo setting of the paper has been published.\n\n"
    each = {(one.answers.setting, one.answers.study): one for one in settings}
    ran = [each[key] for key in zip(frame["setting"], frame["study"], strict=True)]
    rows = [answer_row(row, one) for (_, row), one in zip(frame.iterrows(), ran, strict=True)]
    others = every[every["seeds"].isna() & begun(every)]
    rows += [begun_row(row) for _, row in others.iterrows()]
    sizes = ran[0].answers.split
    clean = [int(count) for count in frame["clean"]]
    if len({*clean}) > 1:  # newer studies leave near copies out, too
        for row, count in zip(rows, clean, strict=False):
            row["clean"] += f" of {count:,}"
    images = f"{clean[0]:,} images" if len({*clean}) == 1 else "its images beside it"
    heads = {
        "clean": f"test without duplicates ({images}), 95 %",
        "test": f"test ({(sizes == 'test').sum():,})",
        "both": f"val and test ({len(sizes):,}), 95 %",
    }
    table = markdown(pd.DataFrame(rows).rename(columns=heads))
    as_long = frame["our_epochs"] == frame["epochs"]
    whole = [one for one, same in zip(ran, as_long, strict=True) if same]
    head, *across = paper.told_across(paper.across(studies, settings)) or [""]
    asked = "\n".join([f"{head}\n", *(f"- {one}" for one in across), "\n"]) if across else ""
    plain = [replace(one, name=one.answers.setting) for one in whole]
    told = verdicts.in_short([one for one in verdicts.of(studies, plain) if one.primary])
    words = asked + " ".join(filter(None, [open_questions(frame), told]))
    on_test = dict.fromkeys(map(status.chosen_on_test, studies))
    chosen = "".join(f"{one}\n\n" for one in on_test if one)
    source = image(README.parent, "accuracy.svg")
    figure = f'<img alt="Accuracy with 95 % intervals" src="{source}">\n'
    searches = "".join(searched_alike(study, settings) for study in studies)
    return f"\n{table}\n{words}\n\n{chosen}{figure}\n{searches}"


def searched_alike(study: Findings, settings: list[Evaluated]) -> str:
    """What a search says of its networks: the best of each, confirmed, the verdicts between them
    and what was gained over the defaults; empty where it confirmed nothing."""
    own = {one.answers.setting: one for one in settings if one.answers.study == study.name}
    beside = verdicts.others(study)
    of_search = study.chosen.loc[study.chosen["from_trial"].astype(bool), "setting"]
    best = [own[name] for name in of_search if name in own and name not in beside]
    if not best:
        return ""
    defaults = verdicts.defaults(study)
    scope = evaluation.judged_on(study, best[0])
    val, test = (int(evaluation.chosen(best[0].answers, part).sum()) for part in (scope, PRIMARY))
    rows = [
        {
            "network": one.answers.setting,
            "seeds": len(one.answers.seeds),
            f"{scope} ({val:,}), 95 %": share(one, scope),
            f"{PRIMARY} ({test:,}), 95 %": share(one, PRIMARY),
        }
        for one in best
    ]
    if defaults:
        for row in rows:
            name = defaults.get(str(row["network"]))
            there = share(own[name], PRIMARY) if name in own else "–"
            row["its default there"] = there if name else "the same"
    told = dict(status.overview(study).to_numpy())
    pairs = [f"{one.words}." for one in verdicts.of([study], [*own.values()]) if one.primary]
    said = filter(None, [" ".join(pairs), *verdicts.gained(study, settings)])
    return (
        f"Each network searched alike, its best confirmed with fresh seeds (`{study.name}`: "
        f"{told['Search']}; {told.get('Used in training') or told['Images']}):\n\n"
        f"{markdown(pd.DataFrame(rows))}\n" + "".join(f"{words}\n\n" for words in said)
    )


def share(one: Evaluated, scope: str) -> str:
    """55.1 % (54.0 to 56.2)."""
    found = one.scopes[scope]["accuracy"]
    return f"{100 * found.mean:.1f} %{within(*found.interval)}"


def answer_row(row: pd.Series, one: Evaluated) -> dict[str, str]:
    """A setting's row of the README's table."""
    test = one.scopes["test"]["accuracy"]
    asked = f"{row['epochs']:.0f}" if pd.notna(row["epochs"]) else "?"
    return {
        "setting": row["setting"],
        "seeds": f"{row['seeds']:.0f}",
        "epochs, of the paper's": f"{row['our_epochs']:.0f} of {asked}",
        "clean": share(one, PRIMARY),
        "test": f"{100 * test.mean:.1f} %",
        "both": f"{100 * row['val+test']:.1f} %{within(row['low'], row['high'])}",
        "the paper, val and test": cell(row["matrix"], "percent"),
    }


def begun(frame: pd.DataFrame) -> pd.Series:
    """Which settings of the paper are under way, and have an epoch."""
    return frame["came"] > 0


def begun_row(row: pd.Series) -> dict[str, str]:
    """The same of a setting whose training hasn't come to its end: no figure stands for it."""
    far = {"setting": row["setting"], "seeds": "–", "epochs, of the paper's": epochs_of(row)}
    theirs = {"the paper, val and test": cell(row["matrix"], "percent")}
    return {**far, "clean": "–", "test": "–", "both": "–", **theirs}


def open_questions(frame: pd.DataFrame) -> str:
    """What keeps these settings from an answer, in a sentence; or where the tests are."""
    few = frame.loc[frame["seeds"] < 2, "setting"]
    short = frame[frame["our_epochs"] < frame["epochs"]]
    lacking = (
        [
            f"{listed(list(few))} {'has' if len(few) == 1 else 'have'} one seed, which has no "
            "interval and settles nothing"
        ]
        if len(few)
        else []
    )
    lacking += [
        f"{row['setting']} has {row['our_epochs']:.0f} of its {row['epochs']:.0f} epochs"
        for _, row in short.iterrows()
    ]
    if not lacking:
        return ""
    return f"Which of these is best is **not settled**: {'; '.join(lacking)}."


def beside(studies: list[Findings]) -> str:
    """The paper's settings that were run, as a table."""
    settings = evaluation.evaluated([one for study in studies for one in answers(study)])
    frame = paper.settings_table(paper.published(), settings, studies)
    frame = frame[frame["seeds"].notna() | begun(frame)]
    rows = [
        {
            "setting": row["setting"],
            "epochs, ours and the paper's": epochs_of(row),
            "seeds": cell(row["seeds"], "count"),
            "val+test, 95 %": f"{100 * row['val+test']:.2f} %{within(row['low'], row['high'])}"
            if pd.notna(row["seeds"])
            else "not ended",
            "the paper's matrix": f"{100 * row['matrix']:.2f} %"
            if pd.notna(row["matrix"])
            else "none",
            "val": cell(row["val"], "percent"),
            "test": cell(row["test"], "percent"),
            "test, no duplicates": cell(row[PRIMARY], "percent"),
            "its images": cell(row["clean"], "count"),
        }
        for _, row in frame.iterrows()
    ]
    _, others = paper.comparable(studies, settings)
    apart = "".join(f"\n`{name}` isn't compared: {why}.\n" for name, why in others.items())
    several = paper.taken(frame)
    return (markdown(pd.DataFrame(rows)) if rows else "") + f"\n{several}\n" * bool(several) + apart


def section(studies: list[Findings], shown: list[Picture]) -> str:
    """The section of docs/results.md as Markdown."""
    lines = []
    for picture in shown:
        width = f' width="{96 // len(picture.plots)}%"' if len(picture.plots) > 1 else ""
        images = " ".join(
            f'<img alt="{picture.name}"{width} src="{image(PAGE.parent, file)}">'
            for file in files(picture)
        )
        lines += [f"{picture.words}\n", f"{images}\n"]
    table = beside(studies)
    sources = "\n".join(f"- {provenance(one)}" for one in studies)
    return (
        "\n"
        + (f"{table}\n" if table else "")
        + "\n".join(lines)
        + "\nWhat was run (`python -m results results/published/FOLDER` gives the whole report, "
        f"`results/published/paper` that of the paper's nine settings):\n\n{sources}\n\n"
    )


def provenance(one: Findings) -> str:
    """A line on what was run, where and when."""
    told = dict(status.overview(one).to_numpy())
    head = one.study
    machine = head.get("hardware") or {}
    images = status.used(head) or told.get("Images", "")
    epochs = sorted(set(one.trials["hp_epochs"]))
    parts = [
        f"`{published_as(one)}`: {told.get('Stages')}",
        f"trials of {listed([str(n) for n in epochs])} epochs: {told.get('Trials')}",
        f"{head['data']['name']}, {images}",
        f"{machine.get('processor')}, {status.cores(machine)}, "
        + (listed(machine.get("gpus") or []) or "no GPU"),
        f"torch {head.get('versions', {}).get('torch')}",
        f"{told.get('Time in epochs')} in epochs, {told.get('Started', '')[:10]}",
    ]
    return "; ".join(parts)


def published_as(one: Findings) -> str:
    """Its folder among the published ones, or its name."""
    inside = one.folder.is_relative_to(PUBLISHED)
    return str(one.folder.relative_to(PUBLISHED)) if inside else one.name


def epochs_of(row: pd.Series) -> str:
    """20 and 50, or 20 of 50 epochs so far, of a training that hasn't come to its end."""
    if pd.isna(row["seeds"]):
        return f"{row['came']:.0f} of {row['wanted']:.0f} epochs so far"
    theirs = f"{row['epochs']:.0f}" if pd.notna(row["epochs"]) else "not said"
    return f"{row['our_epochs']:.0f} and {theirs}"


def image(folder: Path, name: str) -> str:
    """A figure's address in a document of that folder."""
    return os.path.relpath(FOLDER / name, folder)
