"""Orders of an epoch: what they promise, the host's own order under its name, and one order for one seed."""

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch

from reidar_plugin.data.samplers import BalancedIdentities, HostOrder, IdentityPass, build_order
from reidar_plugin.errors import ConfigError
from reidar_plugin.host import reid

#: tracklets of each person; ids with holes, as in a user's list
SIZES = {4: 1, 0: 2, 7: 3, 2: 4, 9: 5, 1: 9, 3: 4}
SAMPLES = [((f"{pid}-{i}.jpg",), pid, i % 3, i % 2) for pid, size in SIZES.items() for i in range(size)]
PIDS = [sample[1] for sample in SAMPLES]


def batches(order: Iterable[int], size: int) -> list[list[int]]:
    places = list(order)
    return [places[i : i + size] for i in range(0, len(places), size)]


# The pass over the identities


def test_each_person_comes_once_with_k_tracklets() -> None:
    order = IdentityPass(PIDS, people=3, instances=4, seed=0)
    made = batches(order, 12)
    assert len(order) == 24 == sum(map(len, made))  # 7 people are two batches of 3; the seventh is dropped
    seen = Counter(PIDS[place] for batch in made for place in batch)
    assert set(seen.values()) == {4}
    assert len(seen) == 6
    for batch in made:
        groups = [batch[i : i + 4] for i in range(0, 12, 4)]
        assert all(len({PIDS[place] for place in group}) == 1 for group in groups)
        assert len({PIDS[group[0]] for group in groups}) == 3


def test_tracklets_are_used_as_evenly_as_can_be() -> None:
    order = IdentityPass(PIDS, people=7, instances=4, seed=0)
    for epoch in range(20):
        order.set_epoch(epoch)
        uses = Counter(order)
        for pid, size in SIZES.items():
            counts = [uses[place] for place, other in enumerate(PIDS) if other == pid]
            assert sum(counts) == 4
            assert max(counts) - min(counts) <= 1, (pid, size)


def test_who_is_dropped_changes_and_every_tracklet_has_its_turn() -> None:
    order = IdentityPass(PIDS, people=3, instances=4, seed=0)
    dropped, seen = set(), set()
    for epoch in range(60):
        order.set_epoch(epoch)
        dropped |= set(PIDS) - {PIDS[place] for place in order}
        seen |= set(order)
    assert dropped == set(PIDS)
    assert seen == set(range(len(PIDS)))


def test_the_released_epoch_of_mars() -> None:
    order = IdentityPass([pid for pid in range(625) for _ in range(13)], people=16, instances=4, seed=0)
    assert len(order) == 39 * 64


# Balanced


def labels_of(actions: dict[int, int | None], width: int = 3) -> np.ndarray:
    """A row for each tracklet; action None is unknown."""
    rows = np.zeros((len(PIDS), width), np.float32)
    for place, pid in enumerate(PIDS):
        action = actions[pid]
        rows[place] = np.nan if action is None else np.eye(width, dtype=np.float32)[action]
    return rows


ACTIONS: dict[int, int | None] = {4: 0, 0: 0, 7: 0, 2: 0, 9: 1, 1: None, 3: 0}


def test_people_are_weighted_by_their_rarest_action() -> None:
    labels = labels_of(ACTIONS)
    for power in (0.0, 0.5, 1.0):
        order = BalancedIdentities(PIDS, 3, 4, 0, labels, power)
        weight = {pid: {0: 5**-power, 1: 1.0, None: 5**-power}[ACTIONS[pid]] for pid in sorted(SIZES)}
        expected = np.array(list(weight.values())) / sum(weight.values())
        np.testing.assert_allclose(order.probability, expected)


def test_one_labelled_tracklet_labels_the_person_and_two_actions_count_as_the_rarer() -> None:
    labels = labels_of(ACTIONS)
    labels[[i for i, pid in enumerate(PIDS) if pid == 9][1:]] = np.nan
    labels[[i for i, pid in enumerate(PIDS) if pid == 2][:1]] = [1, 1, 0]
    order = BalancedIdentities(PIDS, 3, 4, 0, labels, 1.0)
    weight = {4: 1 / 5, 0: 1 / 5, 7: 1 / 5, 2: 1 / 2, 9: 1 / 2, 1: 1 / 5, 3: 1 / 5}
    expected = np.array([weight[pid] for pid in sorted(weight)])
    np.testing.assert_allclose(order.probability, expected / expected.sum())


def test_rare_actions_come_more_often_in_whole_batches() -> None:
    order = BalancedIdentities(PIDS, 2, 4, 0, labels_of(ACTIONS), 1.0)
    seen: Counter[int] = Counter()
    for epoch in range(300):
        order.set_epoch(epoch)
        assert len(order) == 3 * 8
        for batch in batches(order, 8):
            people = [PIDS[place] for place in batch]
            assert people[0] != people[4]  # P people, all different
            assert people == [people[0]] * 4 + [people[4]] * 4
            seen.update({people[0], people[4]})
    others = [seen[pid] for pid in SIZES if pid != 9]
    assert seen[9] > 2 * max(others)
    assert min(others) > 0


def test_nothing_known_is_no_balance() -> None:
    order = BalancedIdentities(PIDS, 3, 4, 0, labels_of(dict.fromkeys(SIZES)), 0.5)
    np.testing.assert_allclose(order.probability, 1 / 7)
    none = BalancedIdentities(PIDS, 3, 4, 0, np.zeros((len(PIDS), 0), np.float32), 0.5)
    np.testing.assert_allclose(none.probability, 1 / 7)


# The host's


def global_states() -> tuple[object, ...]:
    numpy = np.random.get_state(legacy=False)
    return random.getstate(), str(numpy), torch.get_rng_state().tolist()


@pytest.mark.parametrize("name", reid.data.sampler.AVAI_SAMPLERS)
def test_the_order_is_the_hosts_and_the_global_state_is_given_back(name: str) -> None:
    options: dict[str, Any] = {"batch_size": 8, "num_instances": 4, "num_cams": 2, "num_datasets": 2}
    order = build_order(name, SAMPLES, seed=3, **options)
    before = global_states()
    made = list(order)
    assert global_states() == before
    assert made
    assert set(made) <= set(range(len(SAMPLES)))
    if name == "SequentialSampler":
        assert made == list(range(len(SAMPLES)))
    if name == "RandomSampler":
        assert sorted(made) == list(range(len(SAMPLES)))
    if name == "RandomIdentitySampler":
        assert all(len({PIDS[p] for p in group}) == 1 for group in batches(made, 4))


ORDERS = [
    "identity_pass",
    "balanced_identity",
    "RandomIdentitySampler",
    "RandomSampler",
    "RandomDomainSampler",
    "RandomDatasetSampler",
]


def made(name: str, seed: int, *epochs: int) -> list[int]:
    order = build_order(
        name, SAMPLES, batch_size=8, num_cams=2, num_datasets=2, labels=labels_of(ACTIONS), seed=seed
    )
    for epoch in epochs:
        order.set_epoch(epoch)
    return list(order)


@pytest.mark.parametrize("name", ORDERS)
def test_an_epoch_can_be_made_again(name: str) -> None:
    first = made(name, 1, 0, 1, 2)
    random.seed(77), np.random.seed(77), torch.manual_seed(77)
    assert made(name, 1, 2) == first  # whatever came before
    assert made(name, 2, 2) != first
    assert made(name, 1, 3) != first
    assert made(name, 1) == made(name, 1, 0)


@pytest.mark.parametrize("name", ORDERS)
def test_len_is_the_length_of_the_epoch(name: str) -> None:
    order = build_order(
        name, SAMPLES, batch_size=8, num_cams=2, num_datasets=2, labels=labels_of(ACTIONS), seed=1
    )
    for epoch in range(5):
        order.set_epoch(epoch)
        assert len(order) == len(list(order)) > 0


# Errors


def test_says_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match=r"'identity_pas'; did you mean 'identity_pass'\? .*RandomId"):
        build_order("identity_pas", SAMPLES, batch_size=8)
    for name in ("identity_pass", "balanced_identity", "RandomIdentitySampler"):
        with pytest.raises(ConfigError, match=rf"{name} .*with 4 tracklets each .*fill a batch of 10"):
            build_order(name, SAMPLES, batch_size=10)
    with pytest.raises(ConfigError, match="8 people with 4 tracklets each cannot be drawn from 7 people"):
        build_order("identity_pass", SAMPLES, batch_size=32)
    with pytest.raises(ConfigError, match="balanced_identity needs labels"):
        build_order("balanced_identity", SAMPLES, batch_size=8)
    with pytest.raises(ValueError, match=f"expected {len(PIDS)} rows of labels.*got 2, 0.5"):
        BalancedIdentities(PIDS, 2, 4, 0, np.zeros((2, 3), np.float32))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("RandomIdentitySampler", {"batch_size": 32, "num_instances": 4}, "num_instances 4.*too few"),
        ("RandomDomainSampler", {"batch_size": 8, "num_cams": 4}, "num_cams 4"),
        ("RandomDatasetSampler", {"batch_size": 9, "num_datasets": 2}, "batch_size 9.*num_datasets 2"),
    ],
)
def test_what_the_host_asserts_becomes_a_sentence(name: str, options: dict[str, Any], message: str) -> None:
    order = build_order(name, SAMPLES, **options)
    assert isinstance(order, HostOrder)
    with pytest.raises(ConfigError, match=f"the host's {name} cannot serve .*{message}"):
        list(order)
