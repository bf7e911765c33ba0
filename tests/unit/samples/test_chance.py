from __future__ import annotations

import pytest

from pipelines.samples.chance import Chance, spread


def test_the_same_key_gives_the_same_draws_on_every_machine_and_python():
    # Written down once: another result here means another sample everywhere.
    chance = Chance("golden", 1)
    assert [chance.between(0, 999) for _ in range(6)] == [245, 549, 501, 430, 736, 542]
    assert Chance("golden", 1).shuffled("abcdef") == list("adfecb")


def test_another_key_gives_other_draws():
    one, other = Chance("a", 1), Chance("a", 2)
    assert [one.share() for _ in range(5)] != [other.share() for _ in range(5)]


def test_draws_stay_between_their_ends_and_reach_both():
    chance = Chance("ends")
    drawn = {chance.between(3, 6) for _ in range(200)}
    assert drawn == {3, 4, 5, 6}


def test_shares_add_up_and_fixed_ones_are_kept():
    shares = spread(79, {"a": 45, "b": 28, "c": 27}, {"c": 20})
    assert sum(shares.values()) == 79
    assert shares["c"] == 20
    assert shares["a"] > shares["b"]


@pytest.mark.parametrize(
    ("weights", "fixed"), [({"a": 1, "b": 1}, {"a": 11}), ({"a": 1}, {"a": 9})]
)
def test_fixed_shares_that_cannot_add_up_are_an_error(weights, fixed):
    with pytest.raises(ValueError, match="fixed shares"):
        spread(10, weights, fixed)
