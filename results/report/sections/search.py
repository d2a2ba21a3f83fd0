"""The report's section on the search: its best, what a budget buys, the winner's curse."""

import pandas as pd

from fer_stats.verdicts import GAIN, ONE_SEARCH, gain_words
from results.artefacts.load import Findings
from results.facts import search as facts
from results.facts import status, verdicts
from results.figures import charts
from results.report.blocks import Block, Figure, Section, Text, table
from results.report.inputs import Inputs
from results.report.sections.early_stopping import early_stopping
from results.report.sections.hyperparameters import hyperparameters
from results.report.sections.importance import important
from results.words import counted, signed

BUDGETS = {
    "trials": "trials",
    "epochs": "epochs",
    "seconds": "seconds of computing",
    "multiply_adds": "multiply-adds of training",
}
EXPECTED_COLUMNS = (
    "model trials:count epochs:number seconds:number multiply_adds:large expected:percent "
    "low:percent high:percent"
)
CURSE_COLUMNS = (
    "setting from_trial epoch:count images:count searched:percent mean:percent low:percent "
    "high:percent seeds:count lost:points"
)
BESIDE_COLUMNS = "first second difference:points low:points high:points verdict words"
CURSE_LABELS = {"mean": "fresh seeds", "low": "lowest", "high": "highest"}
HOW = (
    "The estimator of Tang et al. 2020: the best of n trials drawn from those that were run; "
    "unbiased where trials are independent, which those of TPE are not. A trial that ASHA "
    "stopped counts with its last {judged}, a failed one with zero. "
    "Epochs, seconds and multiply-adds (a step is three forward passes) are n times the network's "
    "mean."
)


def search(one: Findings, given: Inputs) -> Section | None:
    """Everything about one study's search; None where it had none."""
    trials = facts.searched(one)
    if trials.empty:
        return None
    blocks = [
        *best_trials(one, trials),
        *edges(one, trials),
        *budget(one, trials),
        *winners_curse(one),
        *gained(one, given),
        *early_stopping(one, trials),
        *hyperparameters(one, trials),
        *important(one, trials),
    ]
    return Section(f"The search of {one.name}" if given.several else "The search", blocks)


def beyond_selection(one: Findings, given: Inputs) -> Section | None:
    """What of a search can't be drawn again for any selection of its trials; None without one."""
    trials = facts.searched(one)
    if trials.empty:
        return None
    blocks = [
        *edges(one, trials),
        *winners_curse(one),
        *gained(one, given),
        *important(one, trials),
    ]
    title = "Importance and selection bias"
    return Section(f"{title}: {one.name}" if given.several else title, blocks) if blocks else None


def best_trials(one: Findings, trials: pd.DataFrame) -> list[Block]:
    each = [
        f"{row['model']} {100 * row['judged']:.1f} % ({row['trial_id']}, epoch "
        f"{row['last_epoch']:.0f})"
        for _, row in facts.best(trials).iterrows()
    ]
    if not each:
        return []
    by = "" if one.metric == "accuracy" else f" by {one.judged.removeprefix('val ')}"
    return [Text(f"Best on val{by}, of the trials that came furthest: {'; '.join(each)}.")]


def edges(one: Findings, trials: pd.DataFrame) -> list[Block]:
    """The best values that lie on the edge of what was searched."""
    return [
        Text(
            f"{row['model']}'s best {row['hyperparameter']}, {row['best']:.4g}, lies on the "
            f"{row['edge']} edge of what was searched ({row['searched']}): a better one may lie "
            "beyond.",
            "note",
        )
        for _, row in facts.edges(one, trials).iterrows()
    ]


def budget(one: Findings, trials: pd.DataFrame) -> list[Block]:
    """Expected best value on val against four budgets."""
    frame = facts.expected(one, trials)
    if frame.empty:
        return []
    budgets = BUDGETS | ({"seconds": "GPU-seconds"} if facts.on_gpus(trials) else {})
    plots = [
        (f"Against {words}", charts.expected_best(frame, name, words, one.judged))
        for name, words in budgets.items()
    ]
    behind = table("expected-best", "Expected best", frame, EXPECTED_COLUMNS, True)
    words = budget_words(frame, one.judged)
    return [
        Figure("expected-best", "What a budget buys", words, plots, behind),
        Text(HOW.format(judged=one.judged), "quiet"),
    ]


def budget_words(frame: pd.DataFrame, judged: str) -> str:
    each = [
        f"{model} {100 * row['expected']:.1f} % after {counted(row['trials'], 'trial')}, "
        f"{status.duration(row['seconds'])}"
        for model, row in frame.groupby("model", sort=False).last().iterrows()
    ]
    return (
        f"Best {judged} to be expected at the end: {', '.join(each)}. Bands reach from the "
        "10 % to the 90 % point of such a search."
    )


def winners_curse(one: Findings) -> list[Block]:
    """The searched and the confirmed value on val of one configuration, on the same images."""
    frame = facts.winners_curse(one)
    if frame.empty:
        return []
    each = [
        f"{row['setting']} {100 * row['searched']:.1f} % in the search, {100 * row['mean']:.1f} % "
        f"with {fresh(row['seeds'])} at epoch {row['epoch']} ({signed(-100 * row['lost'], 1)})"
        for _, row in frame.iterrows()
    ]
    words = (
        f"Selection bias (winner's curse): {'; '.join(each)}, each pair on the "
        f"same {frame['images'].iloc[0]:,} images of val."
    )
    caption = "The winner's curse"
    behind = table("winners-curse", caption, frame, CURSE_COLUMNS, True, CURSE_LABELS)
    return [Text(words), behind]


def gained(one: Findings, given: Inputs) -> list[Block]:
    """What the search gained over the default and over its next best, and for whom that holds."""
    if one.chosen.empty:
        return []
    found = verdicts.gains(one, given.settings)
    told = "; ".join(map(gain_words, found))
    blocks: list[Block] = [Text(f"{GAIN}: {told}.")] if found else []
    own = [each for each in given.settings if each.answers.study == one.name]
    names = {each.answers.setting: each.name for each in own}
    best = verdicts.others(one)
    pairs = [{names.get(a, ""), names.get(b, "")} for a, b in best.items()]
    judged = [{each.first, each.second} for each in found]  # in a family of their own
    rest = [pair for pair in pairs if pair not in judged]
    beside = found + [each for each in given.verdicts if {each.first, each.second} in rest]
    if beside:
        caption = "The search's best beside the default and its next best, all with fresh seeds"
        frame = verdicts.frame(beside)
        blocks.append(table(f"beside-{one.name}", caption, frame, BESIDE_COLUMNS, folded=True))
    if any(len(each.answers.seeds) > 1 for each in own):  # one seed has no interval
        blocks.append(Text(f"{ONE_SEARCH}.", "quiet"))
    return blocks


def fresh(seeds: int) -> str:
    return "a fresh seed" if seeds == 1 else f"{seeds} fresh seeds"
