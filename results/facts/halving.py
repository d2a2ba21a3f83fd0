"""ASHA on trial: what it saved, what its rungs foretold, what stricter settings would have done."""

import numpy as np
import pandas as pd

from results.artefacts.load import Findings
from results.facts import statistics as st


def savings(trials: pd.DataFrame) -> pd.DataFrame:
    """Epochs asked and run by network and in all; only trials that ended."""
    done = trials[trials["status"] != "running"]
    frame = done.assign(
        asked=pd.to_numeric(done["hp_epochs"]),
        stopped=done["status"] == "stopped",
        failed=done["status"] == "failed",
    )
    sums = {
        "trials": ("trial_id", "size"),
        "stopped": ("stopped", "sum"),
        "failed": ("failed", "sum"),
        "epochs_asked": ("asked", "sum"),
        "epochs_run": ("epochs_run", "sum"),
        "seconds": ("seconds", "sum"),
    }
    table = frame.groupby("model", sort=False).agg(**sums).reset_index()
    if len(table) > 1:
        table.loc[len(table)] = {"model": "all"} | table.drop(columns="model").sum().to_dict()
    table["saved"] = 1 - table["epochs_run"] / table["epochs_asked"]
    return table


def rungs(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """Each network's rungs: judged, stopped, and the rank correlation of their values with the
    end's.

    Within a network, since networks that differ would correlate by that alone. Only trials that
    came to their last epoch have an end, so the correlation is of survivors.
    """
    ended = trials[trials["status"] == "completed"].set_index("trial_id")["val_accuracy"]
    models = trials.set_index("trial_id")["model"]
    judged = findings.decisions.assign(model=findings.decisions["trial_id"].map(models))
    rows = []
    for (model, rung), group in judged.groupby(["model", "rung"]):
        end = group["trial_id"].map(ended)
        there = end.notna()
        rows.append(
            {
                "model": model,
                "rung": int(rung),
                "judged": len(group),
                "stopped": int((group["decision"] == "stop").sum()),
                "reached_the_end": int(there.sum()),
                "spearman": st.spearman(
                    pd.to_numeric(group["value"][there]).to_numpy(float),
                    end[there].to_numpy(float),
                ),
            }
        )
    columns = ["model", "rung", "judged", "stopped", "reached_the_end", "spearman"]
    return pd.DataFrame(rows, columns=columns)


def replay(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """The stored curves under ASHA with stricter settings: epochs run, best val_accuracy, lost.

    One trial after the other, in the order in which they started, each judged among those of its
    network. Where the study itself stopped
    a trial its curve ends, and so it does here.
    """
    config = findings.study["study"]
    asha = config.get("scheduler") == "asha"
    least = config.get("reduction_factor", 2) if asha else 2
    grace = config.get("grace_epochs", 1) if asha else 1
    done = trials[trials["ran"] & (trials["status"] != "running")].sort_values("started_at")
    by_trial = dict(iter(findings.epochs.sort_values("epoch").groupby("trial_id")))
    curves = [
        (model, dict(zip(by_trial[name]["epoch"], by_trial[name]["val_accuracy"], strict=True)))
        for name, model in zip(done["trial_id"], done["model"], strict=True)
    ]
    if not curves:
        return pd.DataFrame(columns=["reduction_factor", "epochs_run", "saved", "best", "lost"])
    whole = sum(len(curve) for _, curve in curves)
    top = max(curve[max(curve)] for _, curve in curves)
    rows = []
    for factor in [factor for factor in (2, 3, 4, 6, 8) if factor >= least]:
        rungs: dict[tuple[str, int], list[float]] = {}
        run, best = 0, 0.0
        for model, curve in curves:
            last, rung = max(curve), grace
            while rung < last:
                seen = rungs.setdefault((model, rung), [])
                cutoff = np.quantile(seen, 1 - 1 / factor) if seen else -np.inf
                seen.append(curve[rung])
                if curve[rung] < cutoff:
                    last = rung
                rung *= factor
            run += last
            best = max(best, curve[last])
        rows.append(
            {
                "reduction_factor": factor,
                "epochs_run": run,
                "saved": 1 - run / whole,
                "best": best,
                "lost": top - best,
            }
        )
    return pd.DataFrame(rows)


def trial_curves(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """(model, trial, epoch) -> val_accuracy, an empty row after each trial; `stopped` ends by ASHA.

    The empty rows are gaps: one line draws all the trials of a network.
    """
    ended = trials[["trial_id", "model", "status"]]
    frame = findings.epochs.merge(ended, on="trial_id").sort_values(["model", "trial_id", "epoch"])
    frame = frame[["model", "trial_id", "epoch", "val_accuracy", "status"]]
    last = frame.drop_duplicates("trial_id", keep="last").index
    frame["stopped"] = frame.index.isin(last) & (frame["status"] == "stopped")
    gaps = frame.loc[last].assign(epoch=np.nan, val_accuracy=np.nan, stopped=False)
    whole = pd.concat([frame, gaps]).sort_values(
        ["model", "trial_id", "epoch"], na_position="last", kind="stable"
    )
    return whole.drop(columns="status").reset_index(drop=True)
