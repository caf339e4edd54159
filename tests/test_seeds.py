"""Seeds that are derived from one seed and the names of what they are for."""

import hashlib

import pytest

from clustering.seeds import derived_seed


def test_a_seed_is_the_first_four_bytes_of_the_hash_of_its_names():
    expected = int(hashlib.sha256(b'[7, "internal", "COFFEE/TEA"]').hexdigest()[:8], 16)
    assert derived_seed(7, "internal", "COFFEE/TEA") == expected


@pytest.mark.parametrize(
    "other", [(8, "internal", "A"), (7, "external", "A"), (7, "internal", "B"), (7, "internal")]
)
def test_another_seed_or_name_gives_another_seed(other):
    assert derived_seed(7, "internal", "A") != derived_seed(*other)


def test_a_slash_in_a_name_does_not_make_two_parts_one():
    assert derived_seed(1, "A/B", "C") != derived_seed(1, "A", "B/C")


def test_seeds_lie_in_the_range_that_numpy_takes():
    seeds = [derived_seed(0, str(name)) for name in range(1000)]
    assert min(seeds) >= 0
    assert max(seeds) < 2**32
    assert len(set(seeds)) == 1000
