"""REFORMS (Kapoor and others 2024, doi 10.1126/sciadv.adk3452), filled in as far as a study's
folder answers it. The 32 items are told in our words; what only a person can say is left open.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fer_stats.metric import copies_in_val
from fer_stats.verdicts import Comparison
from results.artefacts.load import Findings
from results.facts import search, setting, status
from results.facts.evaluation import PRIMARY, Evaluated, without_copies
from results.words import counted, listed, ranged
from results.words import seeds as seeds_words

OPEN = ""  # for the author to answer
TOLD = 6  # comparisons, each a sentence


@dataclass(frozen=True)
class Given:
    """A study, its confirmed settings and their comparisons."""

    one: Findings
    own: list[Evaluated]
    found: list[Comparison]

    @property
    def asked(self) -> dict[str, Any]:
        return self.one.study["study"]

    @property
    def data(self) -> dict[str, Any]:
        return self.one.study["data"]


def dataset(given: Given) -> str:
    data = given.data
    source = (data.get("source") or {}).get("name") or given.asked.get("data", "")
    return f"{data.get('name', '')}, digest {data.get('digest')}, read from {source}."


def code(given: Given) -> str:
    git = given.one.study.get("git") or {}
    return f"Commit {status.commit(git)}." if git.get("commit") else OPEN


def environment(given: Given) -> str:
    versions, machine = given.one.study.get("versions") or {}, given.one.study.get("hardware") or {}
    told = ", ".join(f"{name} {value}" for name, value in versions.items())
    where = ", ".join(str(machine[name]) for name in ("processor", "cores") if machine.get(name))
    return f"{told}; {where} cores." if told and where else OPEN


def documentation(given: Given) -> str:
    return "docs/ of the repository; study.json, events.jsonl and the tables beside it."


def script(given: Given) -> str:
    best = setting.best(given.one, given.own)
    return f"The best setting again: {setting.command(best)}" if best else OPEN


def outcome(given: Given) -> str:
    return f"The expression of a face, one of {listed(given.one.classes)}, as labelled in the data."


def samples(given: Given) -> str:
    counts = given.data.get("counts") or {}
    each = [
        f"{name} {sum(own.values()):,} ({', '.join(f'{c} {n:,}' for c, n in own.items())})"
        for name, own in counts.items()
    ]
    return f"{'; '.join(each)}." if each else OPEN


def excluded(given: Given) -> str:
    part = status.used(given.one.study)
    without = given.asked.get("without") or []
    told = f"As asked for: the images of {listed(without)}. " * bool(without)
    if part:
        told += f"Trained and validated on {part}."
    elif not without:
        told = "No image was left out of training."
    if without_copies(given.one.study) and given.data.get("val_duplicates") is not None:
        copies = copies_in_val(given.data)
        told += f" Choices were made without {copies:,} val images that are copies of training's."
    return told


def corrupt(given: Given) -> str:
    notes = [status.sentence(note) for note in given.data.get("notes", [])]
    return " ".join(notes) or OPEN


def transformations(given: Given) -> str:
    trials = given.one.trials
    names = "image_px flip shift rotation scale erasing brightness contrast".split()
    told = [
        f"{name} {', '.join(f'{v:g}' for v in sorted(trials[f'hp_{name}'].dropna().unique()))}"
        for name in names
        if f"hp_{name}" in trials and trials[f"hp_{name}"].notna().any()
    ]
    return f"Grey levels, and in training: {'; '.join(told)}." if told else OPEN


def models(given: Given) -> str:
    trials = given.one.trials.drop_duplicates("hp_model")
    each = [
        f"{row['hp_model']} ({row['parameters']:,} parameters, {row['multiply_adds']:,} "
        "multiply-adds)"
        for _, row in trials.iterrows()
    ]
    return f"{'; '.join(each)}; layer by layer in study.json." if each else OPEN


def evaluated(given: Given) -> str:
    if not given.own:
        return OPEN
    epochs = sorted({each.answers.epochs for each in given.own})
    return (
        f"Each confirmed setting trained for {listed([str(n) for n in epochs])} epochs with fresh "
        "seeds; test opened once a model, after its training had ended; comparisons on test "
        "without copies."
    )


def selected(given: Given) -> str:
    if not given.one.searches:
        return "None: named settings were confirmed as they are."
    return f"The highest {given.one.judged} of those that came furthest, for each network."


def hyperparameters(given: Given) -> str:
    if not given.one.searches:
        return "Fixed by the settings: study.json."
    asked = given.asked
    names = search.varied(given.one, search.searched(given.one))
    space = f", over {', '.join(names)} (ranges in study.json)" if names else ""
    return (
        f"{asked.get('sampler')} with {asked.get('scheduler')}, "
        f"{counted(asked['trials'], 'trial')} of up to {counted(asked['epochs'], 'epoch')}{space}; "
        "defaults: "
        f"{'confirmed beside the best' if asked.get('baseline_seeds') else 'not confirmed'}."
    )


def baselines(given: Given) -> str:
    counts = (given.data.get("counts") or {}).get("test") or {}
    if not counts:
        return OPEN
    most = max(counts, key=counts.__getitem__)
    share = counts[most] / max(sum(counts.values()), 1)
    return f"The most frequent class, {most}, answered always: {100 * share:.1f} % on test."


def separation(given: Given) -> str:
    words = " ".join(status.looked(given.one))
    look = given.one.study.get("look_at_test")
    first = "The first study counted that opened these test images." if look == 1 else OPEN
    return words or first


def dependencies(given: Given) -> str:
    data = given.data
    if data.get("test_duplicates") is None:
        return OPEN
    near = data.get("test_near_copies")
    told = f"{data['test_duplicates']:,} test images are exact copies of ones in train or val"
    told += f", {near:,} more nearly" if near is not None else "; near copies weren't looked for"
    return f"{told}: out of every comparison. Persons: see the notes of the data."


def metrics(given: Given) -> str:
    accuracy = "accuracy, macro F1, balanced accuracy, recall and precision of classes, calibration"
    return f"{accuracy}; chosen by {given.one.judged}." if given.own else OPEN


def uncertainty(given: Given) -> str:
    each = []
    for one in given.own:
        measured = one.scopes.get(PRIMARY, {}).get("accuracy")
        if measured is not None:
            low, high = measured.interval
            many = seeds_words(len(measured.by_seed))
            reach = f"{ranged(low, high)}, {many}" if low == low else many
            each.append(f"{one.name} {100 * measured.mean:.1f} % ({reach})")
    if not each:
        return OPEN
    searched = ", of this one search" if given.one.searches else ""
    return (
        f"On test without copies, 95 % intervals for new seeds and images{searched}: "
        f"{listed(each)}."
    )


def tests(given: Given) -> str:
    primary = [one for one in given.found if one.primary]
    if not primary:
        return OPEN
    more = f"; and {len(primary) - TOLD} more" if len(primary) > TOLD else ""
    return (
        f"{counted(len(primary), 'primary comparison')} by variance components of seeds and "
        f"images, Holm: {'; '.join(one.words for one in primary[:TOLD])}{more}."
    )


Answer = Callable[[Given], str]
ITEMS: tuple[tuple[str, str, Answer | None], ...] = (
    ("1a", "population or distribution about which the claim is made", None),
    ("1b", "why this population", None),
    ("1c", "why machine learning", None),
    ("2a", "data set", dataset),
    ("2b", "code", code),
    ("2c", "computing environment", environment),
    ("2d", "documentation", documentation),
    ("2e", "script that reproduces the results", script),
    ("3a", "where the data come from, by whom and when", None),
    ("3b", "sampling frame", None),
    ("3c", "why the data fit the question", None),
    ("3d", "outcome variable", outcome),
    ("3e", "number of samples, by class", samples),
    ("3f", "missing data", None),
    ("3g", "whether the data represent the population", None),
    ("4a", "data left out, and why", excluded),
    ("4b", "impossible or corrupt samples", corrupt),
    ("4c", "transformations", transformations),
    ("5a", "models", models),
    ("5b", "why these models", None),
    ("5c", "how they were evaluated", evaluated),
    ("5d", "how the model was selected", selected),
    ("5e", "how hyperparameters were selected", hyperparameters),
    ("5f", "baselines", baselines),
    ("6a", "train and test kept apart in every step", separation),
    ("6b", "dependencies and duplicates between them", dependencies),
    ("6c", "whether each input is legitimate for the task", None),
    ("7a", "metrics", metrics),
    ("7b", "uncertainty", uncertainty),
    ("7c", "statistical tests", tests),
    ("8a", "evidence of validity elsewhere", None),
    ("8b", "where the findings aren't expected to hold", None),
)


def lines(one: Findings, settings: list[Evaluated], found: list[Comparison]) -> list[str]:
    """The checklist as Markdown: answered items, and the open ones with an empty box."""
    own = [each for each in settings if each.answers.study == one.name]
    names = {each.name for each in own}
    given = Given(one, own, [pair for pair in found if {pair.first, pair.second} <= names])
    answers = [(key, what, answer(given) if answer else OPEN) for key, what, answer in ITEMS]
    done = sum(bool(told) for *_, told in answers)
    head = [
        f"# REFORMS checklist of {one.name}: {done} of {len(ITEMS)} answered by its artefacts",
        "",
    ]
    return head + [
        f"- [{'x' if told else ' '}] {key} {what}: {told or 'for the author to say'}"
        for key, what, told in answers
    ]
