"""A short run of `make faults`: two rounds of random faults under a checked history."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from faults import one_round  # noqa: E402


@pytest.mark.parametrize("servers", [3, 5])
def test_a_random_mix_of_faults_loses_nothing(servers):
    print(one_round(seed=servers, servers=servers, seconds=12))
