"""A study's health checks, on one screen: a verdict, a sentence and the next command each.

Terminal, report and explorer ask `of`; nothing here is computed that a section doesn't show whole.
"""

import shlex
from dataclasses import dataclass
from math import comb, inf
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_data.catalogue import margin
from fer_models import MODELS, preset_file
from fer_stats.crossed import LEVEL, MOST_SEEDS
from fer_stats.plans import WORTH, Plan
from fer_stats.verdicts import Comparison
from results.artefacts.load import Findings
from results.facts import (
    answer,
    evaluation,
    halving,
    learning,
    predictable,
    search,
    setting,
    status,
    verdicts,
)
from results.facts.evaluation import Evaluated
from results.words import counted, listed, signed

CURSE = 0.01  # a searched figure that loses more with fresh seeds is told
RUNG = 0.5  # rank correlation of the first rung with the end below which ASHA stops at random
UNEVEN = 1.5  # trials of one network for each of another
FEW_SEEDS = 5  # where the images are too few to decide anything: for an interval at least
SURE = 0.05  # calibration error above which confidence isn't to be read as a probability

# Flags that say which images and networks a study is of, and how it judges.
WHAT = ("data", "classes", "without", "crop", "val_copies", "metric", "models")
OTHERS = ("epochs", "val_copies")  # with which no trial of an earlier study fits
STOPPING = ("grace_epochs", "reduction_factor")  # which do nothing without a scheduler
OPEN = ("lr", "weight_decay", "warmup_epochs")  # numbers without an end; others are shares, degrees
ENDS = {"image_px": (32, 512), "cbam_reduction": (1, 64)}  # of whole numbers


@dataclass(frozen=True)
class Check:
    """One line of the screen."""

    name: str
    passed: bool
    words: str  # a sentence
    command: str = ""  # what to type next; "" where nothing is to be done

    @property
    def verdict(self) -> str:
        return "PASS" if self.passed else "WARN"


def named(one: Findings) -> str:
    """A study's folder as a command line takes it."""
    return shlex.quote(str(one.folder))


def of_models(one: Findings, command: str, rest: str) -> str:
    """A command that asks the study's models; "" where their checkpoints are neither in its folder
    nor in shared storage, as of a published one."""
    there = (one.folder / "checkpoints").is_dir() or one.study["study"].get("storage")
    return f"python -m {command} {named(one)} {rest}" if there else ""


def of(one: Findings, settings: list[Evaluated], found: list[Comparison]) -> list[Check]:
    """The checks that this study allows; `settings` and `found` may be of other studies too."""
    own = [each for each in settings if each.answers.study == one.name]
    trials = search.searched(one)
    names = {each.name for each in own}
    pairs = [each for each in found if each.primary and {each.first, each.second} <= names]
    made = [
        learned(one, own),
        seeds(one, own, pairs),
        inside(one, trials),
        predicted(one, trials),
        cursed(one),
        leaks(one, own),
        looks(one, own),
        even(one, trials),
        failures(one),
        stopping(one, trials),
        calibrated(one, own),
    ]
    return [check for check in made if check]


def again(one: Findings, preset: str = "", /, **changes: str | None) -> str:
    """The command of another study like this one, with what was given to it, but for `changes`
    (None: without that flag); of another preset, with what says which data and networks."""
    asked = one.study["study"]
    flags = {name: text for name, text in given(one).items() if name in WHAT or not preset}
    other = preset or one.study.get("changed") or {*changes} & {*OTHERS}
    known = "" if other else earlier(one)
    flags = {"data": asked.get("data"), "from": known} | flags | changes
    idle = ("name", *STOPPING) if flags.get("scheduler") == "none" else ("name",)  # its folder is
    words = ["python -m study.run"]
    for name, text in {"preset": preset or asked.get("preset"), **flags}.items():
        if text and name not in idle:
            words.append(f"--{name.replace('_', '-')} {shlex.quote(str(text))}")
    return " ".join(words)


def earlier(one: Findings) -> str:
    """The earlier studies whose trials its sampler knew, as --from takes them, that are there."""
    folders = [str(record.get("folder", "")) for record in one.study.get("earlier", ())]
    return ",".join(folder for folder in folders if (Path(folder) / "study.json").is_file())


def given(one: Findings) -> dict[str, str]:
    """The flags with which the study was begun; of an older one, that kept none, those that say
    which data, networks and settings it had."""
    asked = one.study["study"]
    left = ("data",) if margin(asked, one.study["data"]) else ("data", "crop")  # as KDEF has none
    if "flags" in one.study:
        return {name: text for name, text in one.study["flags"].items() if name not in left}
    found = {
        name: asked[name] for name in WHAT if asked.get(name) and name in preset_file.asked(asked)
    }
    own = setting.sources(asked)
    if {*asked.get("models", MODELS)} != {*MODELS} - {*own}:
        found["models"] = [own.get(name, name) for name in asked["models"]]
    if asked.get("stages") == ["search"]:
        found["stages"] = ["search"]
    named = () if one.searches else asked.get("settings", ())
    if named:
        found["settings"] = [one["name"] for one in named]
    if named and all(one.get("epochs") == asked["epochs"] for one in named):
        found["epochs"] = asked["epochs"]  # which every setting has where it was given
    return {name: setting.flag(value) for name, value in found.items() if name not in left}


def learned(one: Findings, own: list[Evaluated]) -> Check | None:
    """Whether each network that was confirmed, or is the search's best, beats a constant answer."""
    best = search.best(search.searched(one))
    if not own and (best.empty or not learning.of_val(one)):  # nothing to hold against it
        return None
    told = learning.sentences(learning.unlearned([each.answers for each in own]))
    told += learning.searched(one)
    silent = {each.name: [bool((seed < 0).any()) for seed in each.answers.guess] for each in own}
    without = [
        name if all(lost) else f"{name} ({sum(lost)} of {counted(len(lost), 'seed')})"
        for name, lost in silent.items()
        if any(lost)
    ]
    told += [f"The loss of {listed(without)} became no number: no answers."] * bool(without)
    if told:
        longer = str(2 * int(one.trials["hp_epochs"].max()))
        return Check("Networks learned", False, " ".join(told), again(one, epochs=longer))
    words = "Every network beats the majority class: always answering the most frequent one."
    return Check("Networks learned", True, words)


def seeds(one: Findings, own: list[Evaluated], pairs: list[Comparison]) -> Check | None:
    """Whether the question is decided, or could have been."""
    name = "Seeds enough"
    single = [each.name for each in own if len(each.answers.seeds) < 2]
    if not own:
        return None
    if not any(evaluation.PRIMARY in each.scopes for each in own):
        on_test = any("test" in each.scopes for each in own)
        return Check(name, False, answer.untested(on_test))
    if single and not pairs:
        words = f"{listed(single)}: one seed, so that there is no interval."
        asked = one.study["study"]
        named = asked.get("models", ()) if one.searches else status.settings_of(asked)
        every_two = comb(max(len(own), len(named)), 2)  # what is decided where no pairs were fixed
        return Check(name, False, words, again(one, seeds=f"{enough(one, own, every_two)}"))
    if not pairs:
        return Check(name, True, "Each setting has an interval; no pair was to be decided.")
    every = counted(len(pairs), "primary comparison")
    open_ones = [each for each in pairs if not each.settled]
    if not open_ones:
        words = f"{every} is settled." if len(pairs) == 1 else f"All {every} are settled."
        return Check(name, True, words)
    needed = [each.needed for each in open_ones if each.needed]
    smallest = float(np.max([each.smallest for each in pairs]))  # NaN where one has one seed
    are = "isn't" if len(open_ones) == 1 else "aren't"
    words = f"{len(open_ones)} of {every} {are} settled"
    if round(smallest, 3) <= WORTH:  # as Plan has it
        words += (
            f", and differences of {100 * smallest:.1f} points would be found four times in five."
        )
        return Check(name, True, words)
    if needed:
        words += f"; {max(needed)} seeds each would settle {len(needed)}, four times in five."
        return Check(name, False, words, again(one, seeds=f"{max(needed)}"))
    which = "it" if len(open_ones) == 1 else "them"
    words += f": not even {MOST_SEEDS} seeds each would settle {which}, with these images"
    many = enough(one, own, len(pairs))
    if many <= min(min(each.seeds) for each in pairs):
        return Check(name, False, f"{words}.")
    words += f"; larger differences would be found with {many} each."
    return Check(name, False, words, again(one, seeds=f"{many}"))


def enough(one: Findings, own: list[Evaluated], pairs: int) -> int:
    """Seeds with which so many pairs, or as many as the study fixed, would be decided, as far as
    its images allow that."""
    images = int(evaluation.chosen(own[0].answers, evaluation.PRIMARY).sum())
    plan = Plan(1, images, max(len(verdicts.fixed(one)), pairs, 1))
    return plan.enough or FEW_SEEDS


def inside(one: Findings, trials: pd.DataFrame) -> Check | None:
    """Whether the best lies inside what was searched."""
    if trials.empty:
        return None
    edges = search.edges(one, trials)
    if edges.empty:
        return Check("Optimum inside", True, "No best value lies on the edge of what was searched.")
    told = [
        f"{row['model']}'s {row['hyperparameter']} ({row['best']:.4g}, {row['edge']} end)"
        for _, row in edges.iterrows()
    ]
    words = f"On the edge of what was searched: {listed(told)}; a better one may lie beyond."
    flags = {
        str(name): wider(str(name), domains(one, trials, str(name)), set(rows["edge"]))
        for name, rows in edges.groupby("hyperparameter", sort=False)
    }
    shown: dict[str, str | None] = {name: text for name, text in flags.items() if text}
    return Check("Optimum inside", False, words, again(one, **shown) if shown else "")


def domains(one: Findings, trials: pd.DataFrame, name: str) -> list[Any]:
    """What each network that has a hyperparameter was searched over: a flag holds for all."""
    each = [search.space(one, model).get(name) for model in trials["model"].unique()]
    return [domain for domain in each if domain is not None]


def wider(name: str, each: list[Any], ends: set[str]) -> str:
    """The domains together as a flag takes them, moved on at the ends (low, high) where a best
    lies; "" where they can't be."""
    if all(isinstance(domain, list) for domain in each):
        ordered = sorted({value for domain in each for value in domain})
        whole, (least, most) = all(type(one) is int for one in ordered), ENDS.get(name, (1, inf))
        if not whole and name not in OPEN:
            return ""
        kind = int if whole else float
        more = [ordered[0] / 2] * ("low" in ends) + [ordered[-1] * 2] * ("high" in ends)
        there = {one for one in map(kind, more) if not whole or least <= one <= most}
        values = sorted({*ordered, *there})
        return ",".join(f"{one:g}" for one in values) if values != ordered else ""
    if name not in OPEN or not all(isinstance(one, dict) and one.get("log") for one in each):
        return ""  # a share or a rotation ends where it ends
    low = min(one["low"] for one in each) / (10 if "low" in ends else 1)
    high = max(one["high"] for one in each) * (10 if "high" in ends else 1)
    return f"{low:g}:{high:g}:log"


def predicted(one: Findings, trials: pd.DataFrame) -> Check | None:
    """Whether the hyperparameters predict anything."""
    name = "Search predictable"
    if trials.empty:
        return None
    found = predictable.predictability(one, trials)
    if found.empty:
        return None
    asked = one.study["study"]
    fewest = predictable.FEWEST * len(asked.get("models") or found)  # so many of each network
    many = max(2 * int(asked.get("trials") or len(trials)), fewest)
    of_grid = asked.get("sampler") == "grid"  # which has no more points
    more = "" if of_grid else again(one, trials=f"{many}")
    if (found["trials"] < predictable.FEWEST).all():
        words = f"Fewer than {predictable.FEWEST} trials of each network: nothing can be told."
        return Check(name, False, words, more)
    told = [f"{row['model']} {foretold(row)}" for _, row in found.iterrows()]
    words = f"Cross-validated R² of the ranks from the hyperparameters: {listed(told)}."
    passed = bool((found["p"] < 1 - LEVEL).all())
    if not passed and found["r2"].notna().any():
        words += " What isn't predicted better than shuffled values shows no effect of any of them."
    return Check(name, passed, words, "" if passed else more)


def foretold(row: pd.Series) -> str:
    """What of a network's trials the hyperparameters predict, or why that can't be told."""
    if np.isfinite(row["r2"]):
        return f"{signed(100 * row['r2'], 0)} % (p {row['p']:.3f}, {row['trials']} trials)"
    if row["trials"] < predictable.FEWEST:
        return f"too few trials ({row['trials']})"
    if row["distinct"] > 1:
        return "had nothing to search"
    return f"unknown (all {row['trials']} trials have the same value at epoch {row['epoch']})"


def cursed(one: Findings) -> Check | None:
    """How much a searched figure was flattered."""
    frame = search.winners_curse(one)
    if frame.empty:
        return None
    told = [f"{row['setting']} {signed(-100 * row['lost'], 1)}" for _, row in frame.iterrows()]
    words = (
        f"The search's best with fresh seeds, same images of val and epoch: {listed(told)} points."
    )
    if frame["lost"].max() <= CURSE:
        return Check("Winner's curse", True, words)
    words += " Quote the confirmed figures, never the search's."
    return Check("Winner's curse", False, words, f"python -m results {named(one)}")


def leaks(one: Findings, own: list[Evaluated]) -> Check | None:
    """Whether copies of training images are known, and out of what choices and verdicts use."""
    asked = one.study["study"]
    chose = one.searches and not one.epochs.empty
    on_copies = chose and not evaluation.without_copies(one.study)
    command = "" if asked.get("val_copies") == "without" else again(one, val_copies=None)
    if not own:
        if not chose:
            return None
        words = (
            "No setting was evaluated on test; val, for choosing, has no copies of training images."
        )
        if on_copies:
            words = "Configurations were chosen on val with copies of training images in it."
        return Check("Leaks", not on_copies, words, command)
    answers = own[0].answers
    copied = ~evaluation.chosen(answers, "test, no duplicates") & (answers.split == "test")
    words = (
        f"{int(copied.sum()):,} of {int((answers.split == 'test').sum()):,} test images are copies "
        "of ones trained or chosen on, and out of every verdict."
    )
    lacking = []
    if answers.near is None:
        lacking.append("near copies weren't looked for")
        command = again(one, val_copies=None)
    if on_copies:
        lacking.append("configurations were chosen on val with copies of training images in it")
    if not lacking:
        return Check("Leaks", True, words)
    return Check("Leaks", False, f"{words} But {listed(lacking)}.", command)


def looks(one: Findings, own: list[Evaluated]) -> Check | None:
    """How often test was seen before."""
    if not own:
        return None
    told = status.looked(one)
    elsewhere = of_models(one, "study.evaluate", "--data KIND:PATH")
    if told:
        return Check("Looks at test", False, " ".join(told), elsewhere)
    if not one.study.get("look_at_test"):
        words = "Which study this is on these test images wasn't counted when it ran."
        return Check("Looks at test", False, words, elsewhere)
    words = "The first study on its machine and in its storage that opened these test images."
    return Check("Looks at test", True, words)


def even(one: Findings, trials: pd.DataFrame) -> Check | None:
    """Whether the networks had the same budget and the same images."""
    if one.trials["hp_model"].nunique() < 2:
        return None
    apart = []
    if len(trials):
        many = trials["model"].value_counts()
        if many.max() > UNEVEN * many.min():
            apart.append(f"trials ({listed([f'{n} {name}' for name, n in many.items()])})")
    confirmed = one.trials[one.trials["stage"] == "confirm"]
    judged = confirmed if len(confirmed) else one.trials
    for column, what in (("hp_image_px", "pixels a side"), ("hp_epochs", "epochs")):
        if column in judged:
            each = judged.groupby("hp_model")[column].agg(lambda v: tuple(sorted(set(v))))
            if each.nunique() > 1:
                values = [f"{name} {'/'.join(map(str, v))}" for name, v in each.items()]
                apart.append(f"{what} ({listed(values)})")
    if not apart:
        words = "The networks had about as many trials, as many epochs and images of one size."
        return Check("Budgets equal", True, words)
    words = f"The networks differ in {listed(apart)}; a difference in accuracy may come from that."
    return Check("Budgets equal", False, words, again(one, "fair"))


def failures(one: Findings) -> Check | None:
    if one.trials.empty:
        return None
    failed = one.trials.loc[one.trials["status"] == "failed", "trial_id"]
    broken, many = status.diverged(one), counted(len(one.trials), "trial")
    if failed.empty and not broken:
        return Check("Failures", True, f"None of {many} failed or diverged.")
    parts = [f"{len(failed)} failed"] * bool(len(failed))
    parts += [f"the loss of {len(broken)} became no number"] * bool(broken)
    words = f"Of {many} {listed(parts)}; the table of trials says why."
    return Check("Failures", False, words, f"python -m study.status {named(one)}")


def stopping(one: Findings, trials: pd.DataFrame) -> Check | None:
    """Whether ASHA's first rung predicts the end, as far as those that reached it tell."""
    if trials.empty or one.decisions.empty or not halving.schedule(one):
        return None
    rungs = halving.rungs(one, trials)
    first = rungs.sort_values("rung").drop_duplicates("model")
    told = [
        f"{row['model']} {signed(row['spearman'], 2)} ({row['reached_the_end']} of {row['judged']})"
        if np.isfinite(row["spearman"])
        else f"{row['model']} unknown ({row['reached_the_end']} of {row['judged']})"
        for _, row in first.iterrows()
    ]
    words = (
        "Rank correlation of the first rung with the end, of those that reached it: "
        f"{listed(told)}."
    )
    if not rungs["stopped"].sum():
        return Check("ASHA's loss", True, "ASHA stopped no trial, so nothing was lost by it.")
    passed = bool((first["spearman"] >= RUNG).all())
    grace = 2 * int(halving.schedule(one)["grace"])
    if passed:
        return Check("ASHA's loss", True, words)
    words += " So ASHA may have stopped what would have become the best."
    longer = grace < int(one.study["study"].get("epochs") or 1)
    command = again(one, grace_epochs=f"{grace}") if longer else again(one, scheduler="none")
    return Check("ASHA's loss", False, words, command)


def calibrated(one: Findings, own: list[Evaluated]) -> Check | None:
    if not own:
        return None
    frame, _ = evaluation.calibration(own)
    if frame.empty:
        return None
    told = [
        f"{row['setting']} {100 * row['ece']:.1f} "
        f"({'over' if row['confidence'] > row['accuracy'] else 'under'}confident)"
        for _, row in frame.sort_values("ece", ascending=False).head(4).iterrows()
    ]
    words = f"Expected calibration error on test, in points: {listed(told)}."
    if frame["ece"].max() <= SURE:
        return Check("Calibration", True, words)
    words += " Don't read confidence as a probability; study.predict gives sets of stated coverage."
    return Check("Calibration", False, words, of_models(one, "study.predict", "PHOTO"))


def lines(checks: list[Check]) -> list[str]:
    """The screen, as the terminal prints it."""
    found = []
    for check in checks:
        found.append(f"{check.verdict}  {check.name}: {check.words}")
        found += [f"      {check.command}"] * bool(check.command)
    warned = sum(not check.passed for check in checks)
    return [*found, f"{len(checks) - warned} PASS, {warned} WARN"]
