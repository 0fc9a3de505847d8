"""Paired statistics: against SciPy, against worked examples, and on what has no spread."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from evaluators.statistics.comparison import Finding, compare, p_words, verdict
from evaluators.statistics.paired import half_width, holm, paired_t

# Additional hours of sleep under two soporifics: Student, The Probable Error of a Mean, 1908.
DEXTRO = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
LAEVO = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]

TITLES = {"relu": "ReLU"}

rng = np.random.default_rng(7)
LUCK = rng.normal(97.0, 0.3, 12)
VALUES = {
    "relu": (LUCK + rng.normal(0.0, 0.1, 12)).tolist(),
    "swish": (LUCK + rng.normal(0.0, 0.1, 12)).tolist(),
    "better": (LUCK + rng.normal(0.6, 0.1, 12)).tolist(),
    "worse": (LUCK + rng.normal(-0.6, 0.1, 12)).tolist(),
}


def test_students_own_example_comes_out_as_it_should() -> None:
    test = paired_t(LAEVO, DEXTRO)
    assert test.difference == pytest.approx(1.58)
    assert test.p == pytest.approx(0.00283, abs=1e-5)
    assert (test.low, test.high) == (pytest.approx(0.70, abs=0.01), pytest.approx(2.46, abs=0.01))
    assert test.effect_size == pytest.approx(1.58 / 1.23, abs=0.01)
    assert test.seeds == 10


@pytest.mark.parametrize("error_rate", [0.05, 0.025, 0.01])
def test_p_values_and_intervals_are_those_of_scipy(error_rate: float) -> None:
    ours = paired_t(VALUES["better"], VALUES["relu"], error_rate=error_rate)
    theirs = stats.ttest_rel(VALUES["better"], VALUES["relu"])
    interval = theirs.confidence_interval(1.0 - error_rate)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert (ours.low, ours.high) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_holm_gives_the_adjusted_values_of_a_worked_example() -> None:
    # R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_every_function_is_compared_with_every_rival_but_itself() -> None:
    comparisons = compare(VALUES, rivals=["relu", "swish"])
    assert [(each.function, each.rival) for each in comparisons] == [
        ("relu", "swish"),
        ("swish", "relu"),
        ("better", "relu"),
        ("better", "swish"),
        ("worse", "relu"),
        ("worse", "swish"),
    ]
    found = {(each.function, each.rival): each.finding for each in comparisons}
    assert found["better", "relu"] is Finding.BETTER
    assert found["worse", "swish"] is Finding.WORSE
    assert found["swish", "relu"] is Finding.INDISTINGUISHABLE


def test_the_family_holds_each_pair_once() -> None:
    comparisons = {(c.function, c.rival): c for c in compare(VALUES, rivals=["relu", "swish"])}
    there, back = comparisons["swish", "relu"], comparisons["relu", "swish"]
    assert there.difference == pytest.approx(-(back.difference or 0.0))
    assert there.p_adjusted == back.p_adjusted
    # Five pairs: the least p value is multiplied by five.
    least = min(comparisons.values(), key=lambda each: each.p or 0.0)
    assert least.p_adjusted == pytest.approx(5 * (least.p or 0.0))


def test_an_interval_leaves_out_zero_where_and_only_where_a_difference_is_found() -> None:
    random = np.random.default_rng(3)
    for _ in range(40):
        luck = random.normal(90, 1, 12)
        values = {
            f"f{n}": (luck + random.normal(gain, 0.3, 12)).tolist()
            for n, gain in enumerate((0.0, 0.1, 0.2, 0.25, 0.3, 0.4))
        }
        for each in compare(values, rivals=["f0", "f1"], looks=2):
            assert each.low is not None
            assert each.high is not None
            found = each.finding is not Finding.INDISTINGUISHABLE
            assert found == (each.low > 0 or each.high < 0)


def test_an_interval_holds_zero_where_the_correction_has_gone_beyond_every_p_value() -> None:
    random = np.random.default_rng(1)
    spread = random.normal(size=10)
    spread = (spread - spread.mean()) / spread.std(ddof=1)
    base = random.normal(size=10)
    values = {"f": (base + spread + 0.75).tolist()}
    values |= {f"r{n}": (base + 1e-4 * random.normal(size=10)).tolist() for n in range(30)}
    found = compare(values, rivals=list(values)[1:], gate="f")
    own = [each for each in found if each.function == "f"]
    assert {each.finding for each in own} == {Finding.INDISTINGUISHABLE}
    assert all(each.p is not None and each.p < 0.05 for each in own)
    assert all(each.low is not None and each.low <= 0 for each in own)


def test_what_stands_behind_a_gate_waits_until_it_is_open() -> None:
    values = {key: VALUES[key] for key in ("relu", "swish", "better", "worse")}
    rivals = ["relu", "swish"]
    opened = {(c.function, c.rival): c for c in compare(values, rivals=rivals, gate="better")}
    assert {opened["better", rival].finding for rival in rivals} == {Finding.BETTER}
    # Two of its own are corrected for each other alone, and not for the three others.
    least = min((opened["better", rival] for rival in rivals), key=lambda each: each.p or 0.0)
    assert least.p_adjusted == pytest.approx(2 * (least.p or 0.0))
    assert opened["worse", "relu"].finding is Finding.WORSE
    closed = {(c.function, c.rival): c for c in compare(values, rivals=rivals, gate="swish")}
    assert closed["swish", "relu"].finding is Finding.INDISTINGUISHABLE
    assert closed["better", "relu"].finding is Finding.NOT_TESTED
    assert closed["better", "relu"].p_adjusted == closed["swish", "relu"].p_adjusted
    missing = {**values, "better": [math.nan] * len(values["better"])}
    assert compare(missing, rivals=rivals, gate="better")[-1].finding is Finding.NOT_TESTED


def test_a_gate_keeps_the_error_rate_of_all_that_is_claimed() -> None:
    random, false = np.random.default_rng(7), 0
    for _ in range(400):
        luck = random.normal(90, 1, 10)
        values = {f"f{n}": (luck + random.normal(0, 0.3, 10)).tolist() for n in range(6)}
        found = {each.finding for each in compare(values, rivals=["f0", "f1"], gate="f2")}
        false += not found.isdisjoint((Finding.BETTER, Finding.WORSE))
    assert false <= 30  # 20 are expected at most, with a standard deviation of 4.4


def test_what_is_chosen_by_the_runs_that_are_compared_is_corrected_for_that() -> None:
    random, false = np.random.default_rng(11), Counter[int]()
    for _ in range(400):
        values = {f"f{n}": random.normal(size=10).tolist() for n in range(7)}
        leader = max(list(values)[2:], key=lambda key: sum(values[key]))
        for choices in (1, 5):
            compared = compare(values, rivals=["f0", "f1"], gate=leader, choices=choices)
            false[choices] += any(each.finding.is_settled for each in compared)
    assert false[1] > 40, "twice what is promised"
    assert false[5] <= 30
    for function, times in (("better", 5), ("worse", 1)):
        two = {key: VALUES[key] for key in ("relu", function)}
        (once,) = compare(two, rivals=["relu"], gate=function)
        (five,) = compare(two, rivals=["relu"], gate=function, choices=5)
        assert once.p is not None
        assert five.p == pytest.approx(times * once.p)
        wider = paired_t(VALUES[function], VALUES["relu"], error_rate=0.05 / times)
        assert (five.low, five.high) == (wider.low, wider.high)


def test_so_many_seeds_find_what_is_called_detectable_four_times_in_five() -> None:
    random = np.random.default_rng(5)
    size = paired_t(random.normal(0, 1, 4000), np.zeros(4000)).detectable
    assert size == pytest.approx((1.96 + 0.84) / 4000**0.5, rel=0.05)
    detectable = np.median(
        [paired_t(random.normal(0, 1, 12), np.zeros(12)).detectable or 0.0 for _ in range(400)]
    )
    found = [
        (paired_t(random.normal(detectable, 1, 12), np.zeros(12)).p or 1.0) <= 0.05
        for _ in range(1000)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.05)


def test_the_probability_on_a_fresh_seed_is_that_of_fresh_seeds() -> None:
    random, said, came = np.random.default_rng(9), [], []
    for _ in range(2000):
        differences = random.normal(random.normal(0, 1), 1, 11)
        said.append(paired_t(differences[:10], np.zeros(10)).p_fresh or 0.0)
        came.append(differences[10] > 0)
    sure = np.array(said) > 0.7
    assert np.mean(np.array(came)[sure]) == pytest.approx(np.mean(np.array(said)[sure]), abs=0.04)


def test_a_verdict_says_what_so_many_seeds_could_have_shown() -> None:
    (unclear,) = compare({key: VALUES[key] for key in ("relu", "swish")}, rivals=["relu"])
    assert unclear.finding is Finding.INDISTINGUISHABLE
    assert unclear.figures().endswith(f", which would have shown {unclear.detectable:.2f}")
    few = {key: VALUES[key][:4] for key in ("relu", "better")}
    (hasty,) = compare(few, rivals=["relu"])
    assert hasty.figures().endswith("only 4 seeds, too few to rely on")


def test_looks_share_the_error_rate() -> None:
    (once,) = compare({key: VALUES[key] for key in ("relu", "swish")}, rivals=["relu"])
    (thrice,) = compare({key: VALUES[key] for key in ("relu", "swish")}, rivals=["relu"], looks=3)
    assert once.p is not None
    assert thrice.p == pytest.approx(min(1.0, 3 * once.p))
    wider = paired_t(VALUES["swish"], VALUES["relu"], error_rate=0.05 / 3)
    assert (thrice.low, thrice.high) == (wider.low, wider.high)


def test_functions_that_agree_on_every_seed_differ_by_nothing() -> None:
    (same,) = compare({"relu": LUCK.tolist(), "max": LUCK.tolist()}, rivals=["relu"])
    assert (same.difference, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    assert same.finding is Finding.INDISTINGUISHABLE
    assert same.figures() == "p = 1.00, 0.00 points, 12 seeds"


def test_equal_differences_prove_nothing_even_where_rounding_makes_them_unequal() -> None:
    values = [0.7, 6.1, 31.3, 60.9, 97.1]  # of different magnitude, so that sums round differently
    shifted = [value + 0.1 for value in values]
    assert len({a - b for a, b in zip(shifted, values, strict=True)}) > 1
    (constant,) = compare({"relu": values, "f": shifted}, rivals=["relu"])
    assert constant.difference == pytest.approx(0.1)
    assert (constant.low, constant.high, constant.effect_size) == (None, None, None)
    assert (constant.p, constant.finding) == (1.0, Finding.INDISTINGUISHABLE)


def test_a_seed_without_a_result_leaves_every_pair_that_it_belongs_to() -> None:
    gap = [math.nan, *VALUES["better"][1:]]
    with_gap = {**VALUES, "better": gap}
    found = {(c.function, c.rival): c for c in compare(with_gap, rivals=["relu"])}
    assert found["better", "relu"].seeds == 11
    assert found["worse", "relu"].seeds == 12
    expected = stats.ttest_rel(VALUES["better"][1:], VALUES["relu"][1:])
    assert found["better", "relu"].p == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(
    ("values", "seeds", "words"),
    [
        ([97.0], 1, "not compared with ReLU (1 seed in common, at least 2 are needed)"),
        ([math.nan], 0, "not compared with ReLU (0 seeds in common, at least 2 are needed)"),
    ],
)
def test_fewer_than_two_seeds_are_not_compared(values: list[float], seeds: int, words: str) -> None:
    (alone,) = compare({"relu": [96.0], "f": values}, rivals=["relu"])
    assert (alone.seeds, alone.p, alone.p_adjusted) == (seeds, None, None)
    assert alone.finding is Finding.NOT_COMPARED
    assert verdict([alone], titles=TITLES) == words


def test_what_was_not_compared_does_not_weigh_on_the_others() -> None:
    lost = {**VALUES, "lost": [math.nan] * 12}
    without = {(c.function, c.rival): c.p_adjusted for c in compare(VALUES, rivals=["relu"])}
    beside = {(c.function, c.rival): c.p_adjusted for c in compare(lost, rivals=["relu"])}
    assert without.items() <= beside.items()


def test_verdicts_name_figures_and_seeds_the_good_news_first() -> None:
    found = compare(VALUES, rivals=["relu", "swish", "worse"])
    words = verdict([c for c in found if c.function == "swish"], titles=TITLES)
    assert re.fullmatch(
        r"better than worse \(p < 0\.001, \+0\.\d\d points, 12 seeds\); "
        r"not distinguishable from ReLU \(p = 0\.\d+, [+-]0\.\d\d points, 12 seeds, "
        r"which would have shown 0\.\d\d\)",
        words,
    )
    words = verdict([c for c in found if c.function == "better"], titles=TITLES, unit="nats")
    assert re.fullmatch(
        r"better than ReLU \(.* nats, 12 seeds\), swish \(.*\) and worse \(.*\)", words
    )


@pytest.mark.parametrize(
    ("p", "words"), [(0.0004, "p < 0.001"), (0.0031, "p = 0.003"), (0.4, "p = 0.40")]
)
def test_p_values_have_the_digits_that_they_deserve(p: float, words: str) -> None:
    assert p_words(p) == words


def test_the_widest_interval_is_known_only_if_all_are() -> None:
    pairs = [paired_t(VALUES[key], VALUES["relu"]) for key in ("better", "worse")]
    widths = [((p.high or 0.0) - (p.low or 0.0)) / 2 for p in pairs]
    assert half_width(pairs) == pytest.approx(max(widths))
    assert half_width([*pairs, paired_t([1.0], [2.0])]) is None
    assert half_width([]) is None


@pytest.mark.parametrize(
    ("values", "rivals", "message"),
    [
        ({"relu": [1.0, 2.0], "f": [1.0]}, ["relu"], r"same seeds, got .*'relu': 2, 'f': 1"),
        ({"f": [1.0, 2.0]}, ["relu"], r"no values for the rivals \['relu'\]; there are: \['f'\]"),
        ({"relu": [1.0], "f": [math.inf]}, ["relu"], r"infinite values of \['f'\]; give NaN"),
    ],
)
def test_values_that_cannot_be_compared_are_refused(
    values: dict[str, list[float]], rivals: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        compare(values, rivals=rivals)


def test_the_error_rate_is_kept_where_nothing_differs() -> None:
    random = np.random.default_rng(11)
    false = 0
    for _ in range(400):
        luck = random.normal(0.0, 0.3, 10)
        values = {f"f{n}": (luck + random.normal(0.0, 0.2, 10)).tolist() for n in range(8)}
        found = compare(values, rivals=["f0", "f1", "f2"])
        false += any(each.finding is not Finding.INDISTINGUISHABLE for each in found)
    assert false <= 0.05 * 400 + 2 * math.sqrt(400 * 0.05 * 0.95)
