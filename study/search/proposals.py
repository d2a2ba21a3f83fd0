"""What to try next: the networks in turn, and Optuna's samplers over the space of each.

Runs on the driver. A proposal is a function of the study's seed, the trial's number, the earlier
studies that are known and what Optuna was told so far: the sampler is made anew for each, so a
restart rewinds nothing.
"""

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages.journal import JournalStorage
from optuna.trial import TrialState

from fer_record.journal import Row
from study import Mistake, say
from study.config.hyperparameters import Hyperparameters, applies, present
from study.config.seeds import A_STUDYS, derived
from study.config.study import Range, Setting, Study, configuration, domains
from study.search import earlier
from study.search.optuna_log import OptunaLog

Config = dict[str, Any]  # trial_id and the flat hyperparameters of one trial


class Optimiser:
    """The Optuna study behind the search stage; its journal can be opened by optuna-dashboard."""

    def __init__(
        self,
        study: Study,
        folder: Path,
        trials: dict[str, Row] | None = None,
        known: Sequence[earlier.Record] = (),
    ) -> None:
        """`trials` are those of the search as the journal has them: what they say holds; without
        them Optuna's log is believed. `known` are those of earlier studies.
        """
        self.study, self.log, self.known = study, folder / "optuna.log", known
        # Its one warning here is that qmc meets networks with parameters of their own, as meant.
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.points = self.untried(first_points(study)) if known else first_points(study)
        if study.sampler == "grid" and trials:
            self.points = self.left_of_grid(trials)
        if trials is None:
            self.optuna = self.opened()
        else:
            self.agree(trials)

    def untried(self, points: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The points that no earlier study has tried: the same again would tell nothing."""
        tried = [
            {"model": model, **trial.params}
            for model in self.study.models
            for trial in earlier.trials(self.study, model, self.known)
        ]
        return [p for p in points if not any(p.items() <= one.items() for one in tried)]

    def left_of_grid(self, trials: dict[str, Row]) -> list[dict[str, Any]]:
        """A grid's points by the numbers of trials: those that were tried, and the others in their
        order, which is another where the grid has got wider."""
        tried = {name: self.point(row) for name, row in trials.items()}
        others = iter([point for point in self.points if point not in tried.values()])
        names = map(trial_id, range(len(self.points)))
        return [tried[name] if name in tried else next(others) for name in names]

    def agree(self, trials: dict[str, Row]) -> None:
        """Open Optuna's log; where it isn't what the journal says, make it anew from that."""
        try:
            self.optuna = self.opened()
            why = self.difference(trials)
        except Exception as error:  # there is no error that damage can't make Optuna raise
            if isinstance(error, OSError) and error.errno:
                raise
            why = str(error) or type(error).__name__
        if why:
            say(f"{self.log} is written anew from the journal: {why}.")
            self.renew(trials)

    def opened(self) -> optuna.Study:
        """The study in Optuna's log, which is made if there is none."""
        self.storage = JournalStorage(OptunaLog(self.log))
        return optuna.create_study(
            study_name=self.study.name,
            storage=self.storage,
            direction="maximize",
            load_if_exists=True,
            sampler=RandomSampler(seed=0),  # never asked: every point is given whole
        )

    def difference(self, trials: dict[str, Row]) -> str:
        """What Optuna's log has otherwise than the journal, but for what a crash explains."""
        there = {trial_id(t.number): t for t in self.optuna.get_trials(deepcopy=False)}
        for trial in there.values():  # also one that is proposed, and not begun
            if trial.params and self.space(trial.params["model"]) != trial.distributions:
                return "the space that is searched has changed"
        for name in sorted(set(trials) | {n for n, t in there.items() if t.state.is_finished()}):
            if name not in there or name not in trials:
                return f"{name} is missing in {'the log' if name not in there else 'the journal'}"
            if there[name].params != self.point(trials[name]):
                return f"{name} has other hyperparameters in it"
            if there[name].state.is_finished() and trials[name]["status"] == "running":
                return f"{name} has ended in it, and not in the journal"
        return ""

    def space(self, model: str) -> dict[str, BaseDistribution]:
        """What Optuna is asked for a network."""
        own = earlier.distributions(self.study, model)
        return {"model": CategoricalDistribution(self.study.models)} | own

    def point(self, row: Row) -> dict[str, Any]:
        """What Optuna was asked for a trial: the network, and a value for what is searched."""
        model = row["hp_model"]
        return {"model": model} | {
            label: row[f"hp_{name}"]
            for name, (label, domain) in domains(self.study, model).items()
            if isinstance(domain, Range | tuple)
        }

    def renew(self, trials: dict[str, Row]) -> None:
        """Optuna's log from the journal's trials; how far they came is for who settles the two."""
        self.log.replace(f"{self.log}.damaged")
        self.optuna = self.opened()
        for number in range(1 + max((int(name[1:]) for name in trials), default=-1)):
            row = trials.get(trial_id(number))  # else one that was proposed and never begun
            self.optuna.enqueue_trial(self.point(row) if row else self.proposed(number))
            suggested(self.study, self.optuna.ask())

    def asked(self) -> int:
        """Trials proposed so far."""
        return sum(t.state != TrialState.WAITING for t in self.optuna.get_trials(deepcopy=False))

    def ask(self) -> Config:
        """The next trial: its id and hyperparameters."""
        if not self.optuna.get_trials(deepcopy=False, states=[TrialState.WAITING]):
            self.optuna.enqueue_trial(self.proposed(self.asked()))
        trial = self.optuna.ask()
        return config(self.study, trial.number, suggested(self.study, trial))

    def proposed(self, number: int) -> dict[str, Any]:
        """What the trial of this number is to try: a value for each searched hyperparameter.

        The networks take turns, and the sampler proposes within one as if it were alone: it sees
        that network's trials only. Were the network one more hyperparameter, TPE would propose
        the one that leads early far more often, and the comparison wouldn't be even. Hence two
        studies of Optuna, of which only the first is stored:

            optuna.log, all networks --of_one_network--> in memory, one network, with the sampler
                 ^                                              | ask: the sampler draws
                 '--enqueue_trial, ask: nothing is drawn-- {"model": ..., "lr": ...}
        """
        past = self.optuna.get_trials(deepcopy=False)
        point = self.points[number] if number < len(self.points) else {}
        model = point.get("model") or in_turn(self.study, [t.params["model"] for t in past])
        one = replace(self.study, models=(model,))
        proposer = sampler(one, number, [known["study"] for known in self.known])
        alone = optuna.create_study(direction="maximize", sampler=proposer)
        own = [t for t in past if t.params["model"] == model]
        qmc = isinstance(proposer, QMCSampler)
        if not isinstance(proposer, RandomSampler):  # which looks at nothing
            alone.add_trials(earlier.trials(self.study, model, self.known))
            alone.add_trials([of_one_network(t, qmc) for t in own])
        if isinstance(proposer, QMCSampler):  # the first point was drawn without the sequence
            wind_on(proposer, alone, len(own) - 1)
        alone.enqueue_trial({k: v for k, v in point.items() if k != "model"})
        trial = alone.ask()
        suggested(one, trial)
        return trial.params | {"model": model}

    def left_over(self, known: set[str]) -> list[Config]:
        """Trials that Optuna proposed and the journal doesn't know: the driver died in between."""
        found = []
        for frozen in self.optuna.get_trials(states=[TrialState.RUNNING]):
            if trial_id(frozen.number) not in known:
                trial = optuna.trial.Trial(self.optuna, frozen._trial_id)
                found.append(config(self.study, frozen.number, suggested(self.study, trial)))
        return found

    def report(self, name: str, epoch: int, value: float) -> None:
        """What an epoch is judged by, once."""
        frozen = self._frozen(name)
        if epoch not in frozen.intermediate_values and not frozen.state.is_finished():
            self.storage.set_trial_intermediate_value(frozen._trial_id, epoch, value)

    def tell(self, name: str, status: str) -> None:
        """How a trial ended: completed with its last value, stopped (pruned) or failed."""
        frozen = self._frozen(name)
        if frozen.state.is_finished():
            return
        values = frozen.intermediate_values
        if status == "completed":
            self.optuna.tell(frozen.number, values[max(values)])
        else:
            state = TrialState.PRUNED if status == "stopped" and values else TrialState.FAIL
            self.optuna.tell(frozen.number, state=state)

    def _frozen(self, name: str) -> optuna.trial.FrozenTrial:
        number = int(name[1:])
        stored = self.storage.get_study_id_from_name(self.study.name)
        its = self.storage.get_trial_id_from_study_id_trial_number(stored, number)
        return self.storage.get_trial(its)


def trial_id(number: int) -> str:
    return f"t{number:04d}"


def config(study: Study, number: int, hp: Hyperparameters) -> Config:
    """A search trial: its seed derives from the study's and its number."""
    seeded = replace(hp, seed=study.seed * A_STUDYS + number)
    return {"trial_id": trial_id(number), **present(seeded)}


def in_turn(study: Study, tried: list[str]) -> str:
    """The network that was tried least often so far; of several, the first of the study."""
    return min(study.models, key=tried.count)


def enough(study: Study) -> int:
    """Trials after which each network has had one: the first points as they come, then in turn."""
    points = first_points(study)
    tried: list[str] = []
    while not {*study.models} <= {*tried}:
        given = points[len(tried)]["model"] if len(tried) < len(points) else ""
        tried.append(given or in_turn(study, tried))
    return len(tried)


def of_one_network(trial: optuna.trial.FrozenTrial, qmc: bool) -> optuna.trial.FrozenTrial:
    """A trial as a study of its network alone would have it: the network is no hyperparameter.

    QMC looks at no result, but has its space from a trial that didn't fail: for it none has.
    """
    return optuna.trial.create_trial(
        state=TrialState.PRUNED if qmc else trial.state,
        params={k: v for k, v in trial.params.items() if k != "model"},
        distributions={k: d for k, d in trial.distributions.items() if k != "model"},
        intermediate_values=trial.intermediate_values,
        values=trial.values,
    )


def sampler(study: Study, number: int, names: Sequence[str] = ()) -> BaseSampler:
    """Optuna's sampler for the proposal of this number. `names` are of the earlier studies that it
    knows: of the same seed, it would draw what they drew."""
    seed = derived(study.seed, number, " ".join(("proposal", *names))) % 2**32
    with warnings.catch_warnings():
        # Both have been experimental since Optuna 2.8 and 3.0.
        known = "Argument ``multivariate``|Argument ``group``|QMCSampler is"
        warnings.filterwarnings("ignore", known, ExperimentalWarning)
        if study.sampler == "tpe":
            # Optuna draws 10 at random before TPE begins: meant for a study, and this is a third.
            return TPESampler(seed=seed, multivariate=True, n_startup_trials=5)
        if study.sampler == "qmc":
            return QMCSampler(  # the scrambled sequence is one for the network
                seed=derived(study.seed, 0, study.models[0]) % 2**32,
                scramble=True,
                independent_sampler=RandomSampler(seed=seed),
                warn_independent_sampling=False,
                warn_asynchronous_seeding=False,
            )
    return RandomSampler(seed=seed)  # random; a grid's points are all given


def wind_on(qmc: QMCSampler, alone: optuna.Study, points: int) -> None:
    """Pass over the points of the sequence that earlier proposals had; the study counts them."""
    trial = optuna.trial.create_trial(state=TrialState.RUNNING)  # asked for, and not looked at
    space = qmc.infer_relative_search_space(alone, trial)
    for _ in range(points):
        qmc.sample_relative(alone, trial, space)


def suggested(study: Study, trial: optuna.trial.Trial) -> Hyperparameters:
    """Define-by-run: the network first, then what that network has."""
    model = trial.suggest_categorical("model", study.models)
    values: dict[str, Any] = {"model": model, "epochs": study.epochs}
    for name, (label, domain) in domains(study, model).items():
        if isinstance(domain, Range):
            values[name] = within(trial, label, domain)
        elif isinstance(domain, tuple):
            values[name] = trial.suggest_categorical(label, domain)
        else:
            values[name] = domain
    return Hyperparameters(**values)


def within(trial: optuna.trial.Trial, label: str, domain: Range) -> float:
    """A whole number where the range begins with one."""
    if isinstance(domain.low, int):
        return trial.suggest_int(label, domain.low, int(domain.high), log=domain.log)
    return trial.suggest_float(label, domain.low, domain.high, log=domain.log)


def first_points(study: Study) -> list[dict[str, Any]]:
    """Points tried before the sampler's own: a grid's cells, or the settings inside the space."""
    if study.sampler == "grid":
        return grid(study)
    points = []
    for setting in study.settings:
        model = setting.values["model"]
        if model not in study.models:
            continue
        point = {"model": model}
        for name, (label, domain) in domains(study, model).items():
            if name in setting.values and inside(setting.values[name], domain):
                point[label] = setting.values[name]
        if point not in points:
            points.append(point)
    return points


def typical(study: Study, model: str) -> Hyperparameters:
    """A network's first setting as far as it is in the space, and the middle of what else is
    searched."""
    values = next((s.values for s in study.settings if s.values["model"] == model), {})
    point = {
        name: values[name] if name in values and inside(values[name], domain) else middle(domain)
        for name, (_, domain) in domains(study, model).items()
        if isinstance(domain, Range | tuple)
    }
    return configuration(study, Setting("", {"model": model, **point}))


def middle(domain: Range | tuple) -> Any:
    """Of choices, or of a range."""
    if isinstance(domain, tuple):
        return domain[len(domain) // 2]
    low, high = domain.low, domain.high
    between = (low * high) ** 0.5 if domain.log else (low + high) / 2
    return round(between) if isinstance(low, int) else between


def inside(value: Any, domain: Any) -> bool:
    if isinstance(domain, Range):
        return domain.low <= value <= domain.high
    return isinstance(domain, tuple) and value in domain


def grid(study: Study) -> list[dict[str, Any]]:
    """Every combination of the choices, the networks in turn as long as each has some; a range has
    no cells, so it is refused."""
    cells = []
    for model in study.models:
        labels, choices = ["model"], [(model,)]
        for name, (label, domain) in domains(study, model).items():
            if isinstance(domain, Range):
                raise Mistake(
                    f"{name} is a range from {domain.low} to {domain.high}, which a grid can't "
                    f"walk: give values, for example --{name.replace('_', '-')} "
                    f"{domain.low},{domain.high}, or another --sampler"
                )
            if isinstance(domain, tuple) and applies(name, model):
                labels.append(label)
                choices.append(domain)
        each = itertools.product(*choices)
        cells.append([dict(zip(labels, cell, strict=True)) for cell in each])
    return [cell for turn in itertools.zip_longest(*cells) for cell in turn if cell]
