"""The one rule, on made-up answers whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from fer_stats import crossed, verdicts
from fer_stats.crossed import Estimate, Part
from fer_stats.verdicts import Answered


def answers(accuracy, seeds=5, images=4000, number=0, **more):
    rng = np.random.default_rng(number)
    right = rng.random((seeds, images)) < accuracy
    name = more.pop("name", f"s{number}")
    return Answered(name, right, tuple(range(seeds)), **more)


def test_the_pairs_fixed_before_come_first_and_are_a_family_of_their_own():
    settings = [answers(0.5, number=k, name=name) for k, name in enumerate("abcd")]
    found = verdicts.of(settings, [("c", "a"), ("a", "gone")])
    assert [(one.first, one.second, one.primary) for one in found][:2] == [
        ("c", "a", True),
        ("a", "b", False),
    ]
    assert len(found) == 6 and sum(one.primary for one in found) == 1
    # one primary pair is at 95 %, however many others there are; the first of five is at 99 %
    assert found[0].level == 0.95
    assert max(one.level for one in found[1:]) == pytest.approx(0.99)
    alone = verdicts.of([settings[2], settings[0]], [("c", "a")])[0]
    assert repr(found[0]) == repr(alone)  # hours that aren't known are NaN


def test_without_fixed_pairs_every_two_are_primary():
    found = verdicts.of([answers(0.5, number=k, name=name) for k, name in enumerate("abc")])
    assert len(found) == 3 and all(one.primary for one in found)


def test_a_clear_difference_is_told_from_the_better_whichever_is_named_first():
    good, bad = answers(0.7, name="good"), answers(0.6, number=1, name="bad")
    one, other = verdicts.of([good, bad])[0], verdicts.of([bad, good])[0]
    assert (one.verdict, other.verdict) == ("better", "worse")
    assert one.words == other.words
    assert one.words.startswith("good beats bad by ") and one.words.endswith("5 seeds each)")
    assert one.chance > 0.99 and other.chance < 0.01 and one.settle == ""


def test_one_seed_never_settles_anything_and_says_what_would():
    good, bad = answers(0.9, 1, cost=2.0, name="good"), answers(0.1, 1, number=1, cost=1.0)
    one = verdicts.of([good, bad])[0]
    assert one.verdict == "not settled" and np.isnan([one.low, one.high, one.p, one.chance]).all()
    assert one.needed >= 2 and one.hours == pytest.approx(3 * (one.needed - 1))
    assert "one seed each: not settled" in one.words and "if seeds scatter by 1 point" in one.words
    assert " to " not in one.words.split(":")[0]  # no interval that pretends


def test_a_pair_with_one_seed_makes_no_other_difference_harder_to_find():
    """Of four settings, one of one seed, three pairs are tested: "found" was told for six."""
    three = [answers(0.5, number=k, name=name) for k, name in enumerate("abc")]
    one_seed = answers(0.5, 1, number=3, name="d")
    alone, beside = verdicts.of(three), verdicts.of([*three, one_seed])
    there = [one for one in beside if "d" not in (one.first, one.second)]
    assert [one.smallest for one in there] == [one.smallest for one in alone]


def test_settings_that_begin_alike_are_compared_seed_by_seed():
    rng = np.random.default_rng(0)
    luck = rng.normal(0, 0.1, 6)  # a seed's own, which both settings share
    first = rng.random((6, 4000)) < 0.55 + luck[:, None]
    second = rng.random((6, 4000)) < 0.50 + luck[:, None]
    seeds = tuple(range(6))
    a, b = Answered("a", first, seeds, "same"), Answered("b", second, seeds, "same")
    paired = verdicts.of([a, b])[0]
    apart = verdicts.of([a, Answered("b", second, seeds, "other")])[0]
    assert paired.paired and not apart.paired
    assert paired.verdict == "better" and apart.verdict == "not settled"
    # of unequal seeds those that both have
    later = verdicts.of([a, Answered("b", second[1:], seeds[1:], "same")])[0]
    assert later.paired and later.seeds == (5, 5)
    assert later.difference == pytest.approx(first[1:].mean() - second[1:].mean())


@pytest.mark.parametrize(
    "first, second",
    [(range(5), range(3, 8)), (range(5), range(2)), (range(3), range(1, 4)), (range(3), range(2))],
)
def test_few_common_seeds_are_no_reason_to_leave_out_the_others(first, second):
    """Two settings of five seeds, of which two were common, were compared by those two alone."""
    a = answers(0.6, len(first), 4000, name="a")
    b = answers(0.5, len(second), 4000, number=1, name="b")
    a, b = (replace(one, seeds=tuple(s), start="same") for one, s in ((a, first), (b, second)))
    (one,) = verdicts.of([a, b])
    assert not one.paired and one.seeds == (len(first), len(second))
    assert one.difference == pytest.approx(a.right.mean() - b.right.mean())
    assert min(one.seeds) < 3 or one.verdict == "better"


def test_equal_within_the_margin_that_was_asked_for():
    same = [answers(0.5, 20, 200_000, number=k, name=name) for k, name in enumerate("ab")]
    one = verdicts.of(same, margin=0.01)[0]
    assert one.verdict == "equal" and "equal within 1 points" in one.words
    assert verdicts.of(same, margin=0.0001)[0].verdict == "not settled"
    # the interval is of the first that is named, less the other: here b is a little better
    worse, better = same[0], replace(same[0], name="b", right=same[0].right.copy())
    better.right[:, :700] = True
    for settings in ([worse, better], [better, worse]):
        (told,) = verdicts.of(settings, margin=0.01)
        assert told.words == "b and a are equal within 1 points (+0.1 to +0.2; 20 seeds each)"


def test_what_would_settle_it_is_what_crossed_says_and_its_cost():
    a, b = answers(0.52, 3, cost=0.5, name="a"), answers(0.5, 3, number=1, cost=0.5, name="b")
    one = verdicts.of([a, b])[0]
    assert one.verdict == "not settled"
    assert one.needed == crossed.seeds_to_settle(crossed.apart(a.right, b.right), 0.005)
    assert one.hours == pytest.approx(one.needed - 3)
    assert f"{one.needed} seeds each would" in one.words and "GPU-hours more" in one.words
    assert replace(one, hours=213.4).cost_words == "210 GPU-hours"  # not 2.1e+02


def found_of(monkeypatch, estimates, pairs):
    """The comparisons of `pairs` of made-up settings, of which these estimates came out."""
    each = iter(estimates)
    monkeypatch.setattr(verdicts, "estimate", lambda *_: (next(each), (5, 5), False))
    there = {name: answers(0.5, name=name) for name in "abc"}
    return verdicts.family([(there[a], there[b]) for a, b in pairs], True, 0.005, None, "")


def test_seeds_that_would_settle_an_equality_are_told_at_the_level_of_its_own_step(monkeypatch):
    """Of three pairs two are settled as different, and are the last to be called equal: the third
    was promised at the level of one pair, with which it would be settled in 58 % of studies."""
    near, far = (Estimate(mean, (Part(5, 2e-5, 1e-4),), 1e-7) for mean in (0.0, 0.3))
    one, *others = found_of(monkeypatch, [near, far, far], ["ab", "ac", "bc"])
    assert all(each.settled for each in others) and not one.settled
    # Of a normal 2.13 for one side of .05 / 3, and 1.28 for four times in five: a standard error of
    # .147 points, 49 seeds; a t asks for some more.
    assert 49 <= one.needed <= 53
    then = crossed.with_seeds(near, one.needed)
    assert then.power_of_equal(0.005, 1 - 0.05 / 3) >= 0.8


def test_images_are_not_called_too_few_where_more_than_200_seeds_would_do(monkeypatch):
    """Of 18,000 images it was said, and 222 seeds would settle .9 points at an sd of 3."""
    wide = Estimate(0.009, (Part(3, 3e-4, 9e-4),) * 2, 2.2e-6)
    (one,) = found_of(monkeypatch, [wide], ["ab"])
    assert one.needed is None
    assert one.settle == "not even 200 seeds each would, with these 4,000 images"


def test_where_images_are_too_few_no_number_of_seeds_is_promised():
    rng = np.random.default_rng(0)
    right = [np.tile(rng.random(60) < 0.5, (3, 1)) ^ (rng.random((3, 60)) < 0.1) for _ in "ab"]
    a, b = (Answered(name, one, (0, 1, 2)) for name, one in zip("ab", right, strict=True))
    one = verdicts.of([a, b])[0]
    assert one.needed is None and "with these 60 images" in one.words


def test_copies_of_an_image_count_once():
    a, b = answers(0.52, 3, 500, name="a"), answers(0.5, 3, 500, 1, name="b")
    twice = [Answered(one.name, np.repeat(one.right, 2, 1), one.seeds) for one in (a, b)]
    once = verdicts.of([a, b])[0]
    told = verdicts.of(twice, cluster=np.repeat(np.arange(500), 2))[0]
    assert (told.low, told.high) == pytest.approx((once.low, once.high))
