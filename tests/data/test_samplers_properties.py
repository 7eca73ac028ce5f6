"""Whatever people there are: batches of P people with K tracklets, each person once, and the same again from any place."""

from collections import Counter
from itertools import islice
from random import Random

import numpy as np
import pytest

from reidar_plugin.data.samplers import BalancedIdentities, IdentityPass
from tests.properties import given, holds, some


def of_all(counts: list[int]) -> list[int]:
    """Identities of the tracklets of people who have so many each, in some order."""
    pids = [7 * person - 3 for person, count in enumerate(counts) for _ in range(count)]
    return Random(len(pids)).sample(pids, len(pids))


PEOPLE = some.lists(some.integers(1, 7), min_size=1, max_size=12).map(of_all)
SMALL = some.integers(1, 6)


def batches_of(order: list[int], pids: list[int], people: int, instances: int) -> list[Counter[int]]:
    """How often each person comes, batch by batch."""
    size = people * instances
    assert len(order) % size == 0
    return [Counter(pids[i] for i in order[at : at + size]) for at in range(0, len(order), size)]


@holds
@given(pids=PEOPLE, people=SMALL, instances=SMALL, seed=some.integers(0, 99), epoch=some.integers(0, 5))
def test_each_person_once_with_k_tracklets(
    pids: list[int], people: int, instances: int, seed: int, epoch: int
) -> None:
    everyone = len(set(pids))
    if everyone < people:
        with pytest.raises(ValueError, match=f"from {everyone} people"):
            IdentityPass(pids, people, instances, seed)
        return
    sampler = IdentityPass(pids, people, instances, seed)
    sampler.set_epoch(epoch)
    order = list(sampler)
    batches = batches_of(order, pids, people, instances)
    assert all(set(batch.values()) == {instances} and len(batch) == people for batch in batches)
    assert max(Counter(person for batch in batches for person in batch).values()) == 1
    assert len(batches) == everyone // people
    taken, has = Counter(order), Counter(pids)
    for index, count in taken.items():  # of a person's tracklets, each as often as the others, up to one
        assert count - instances // has[pids[index]] in (0, 1)


@holds
@given(pids=PEOPLE, people=SMALL, instances=SMALL, seed=some.integers(0, 99), data=some.data())
def test_balanced_batches_are_of_different_people(
    pids: list[int], people: int, instances: int, seed: int, data: some.DataObject
) -> None:
    people = min(people, len(set(pids)))
    rows = some.lists(some.sampled_from([0.0, 1.0, float("nan")]), min_size=3, max_size=3)
    labels = np.array(data.draw(some.lists(rows, min_size=len(pids), max_size=len(pids))), np.float32)
    sampler = BalancedIdentities(pids, people, instances, seed, labels)
    batches = batches_of(list(sampler), pids, people, instances)
    assert all(set(batch.values()) == {instances} and len(batch) == people for batch in batches)
    assert len(batches) == len(set(pids)) // people
    assert sampler.probability.sum() == pytest.approx(1)
    assert (sampler.probability > 0).all()


@holds
@given(pids=PEOPLE, seed=some.integers(0, 99), epoch=some.integers(0, 5), data=some.data())
def test_goes_on_from_any_place(pids: list[int], seed: int, epoch: int, data: some.DataObject) -> None:
    whole = IdentityPass(pids, 1, 2, seed)
    whole.set_epoch(epoch)
    at = data.draw(some.integers(0, len(whole)))
    again = IdentityPass(pids, 1, 2, seed)
    for before in range(epoch):  # another way to that epoch
        again.set_epoch(before)
        list(islice(again, 3))
    again.set_epoch(epoch)
    assert list(islice(again, at, None)) == list(whole)[at:]
