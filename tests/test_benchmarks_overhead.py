"""What orchestration costs is counted from when every slot has a worker."""

import pytest

from benchmarks.overhead import Report, cost


def reports(*given: tuple[float, int]) -> list[Report]:
    return [Report(at, ("here", worker), at / 10) for at, worker in given]


@pytest.mark.parametrize(("last", "share"), [(14.5, 0.0), (15.0, 0.25)])
def test_the_start_of_workers_is_no_part_of_what_a_trial_costs(last, share):
    """The second of two workers begins 2.5 s after the start; from then on four naps of 1 s."""
    told = reports((11.0, 1), (12.0, 1), (13.0, 1), (13.5, 2), (14.0, 1), (last, 2))
    found = cost(told, began=10.0, nap=1.0, slots=2)
    assert found.start == pytest.approx(2.5)
    assert found.share == pytest.approx(share)
    assert found.processor == pytest.approx(1000 * (last - 13.0) / 10 / 3)


def test_a_worker_that_replaces_another_starts_no_new_count():
    told = reports((11.0, 1), (11.0, 2), (12.0, 1), (12.0, 2), (13.0, 1), (13.0, 3))
    found = cost(told, began=10.0, nap=1.0, slots=2)
    assert (found.start, found.share) == (0.0, pytest.approx(0.0))


def test_with_fewer_workers_than_slots_it_is_counted_from_the_last_of_them():
    found = cost(reports((11.0, 1), (12.0, 1)), began=10.0, nap=1.0, slots=4)
    assert (found.start, found.share) == (0.0, pytest.approx(3.0))
