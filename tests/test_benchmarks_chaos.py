"""The studies that benchmarks.chaos begins: the command line takes their flags."""

import pytest

from benchmarks.chaos import studies, thousand, trials
from study.config import flags

FAULTS = {fault: told[1] for fault, told in trials.FAULTS.items()}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_study_of_each_fault_is_one_that_may_be_asked_for(fault):
    """The one whose loss is no number gave --batch-size and --trials twice, which is refused."""
    words = studies.otherwise(trials.STUDY, *FAULTS[fault])
    given = flags.given(flags.parser().parse_args(words))
    assert given["batch_size"] == ("8" if fault == "NaN loss" else "8,16")


def test_the_study_of_a_thousand_trials_is_of_all_three_networks():
    """It gave --models twice, and so measured nothing."""
    given = flags.given(flags.parser().parse_args(thousand.STUDY))
    assert given["models"] == "alexnet,resnet34,cbam_resnet34" and given["preset"] == "smoke"
