import numpy as np
import pytest
import torch

from reidar_plugin.data.seeding import Purpose, numpy_generator, seed_network, torch_generator

POSITIONS: list[tuple[int, Purpose, tuple[int, ...]]] = [
    (1, "order", (0,)),
    (1, "order", (0, 0)),
    (1, "frames", (0,)),
    (1, "pixels", (0,)),
    (0, "frames", (1,)),
    (1, "frames", (0, 1)),
    (1, "frames", (1, 0)),
]


def test_each_seed_purpose_and_position_has_its_own_stream() -> None:
    assert len({numpy_generator(seed, purpose, *at).random() for seed, purpose, at in POSITIONS}) == len(
        POSITIONS
    )
    values = {
        torch.rand(1, generator=torch_generator(seed, purpose, *at)).item() for seed, purpose, at in POSITIONS
    }
    assert len(values) == len(POSITIONS)


def test_equal_arguments_give_equal_numbers_whatever_the_global_generators_do() -> None:
    first = (
        numpy_generator(3, "order", 2, 5).random(4),
        torch.rand(4, generator=torch_generator(3, "pixels", 2, 5)),
    )
    np.random.seed(9)
    torch.manual_seed(9)
    state = torch.get_rng_state()
    assert np.array_equal(numpy_generator(3, "order", 2, 5).random(4), first[0])
    assert torch.equal(torch.rand(4, generator=torch_generator(3, "pixels", 2, 5)), first[1])
    assert torch.equal(torch.get_rng_state(), state)


def test_streams_stay_what_they_are() -> None:
    """Checkpoints resume in the middle of an epoch: these numbers must never change."""
    assert numpy_generator(1, "order", 0).permutation(5).tolist() == [3, 4, 1, 2, 0]
    assert torch_generator(1, "pixels", 2, 3).initial_seed() == 9802765993880447416


@pytest.mark.parametrize(("seed", "position"), [(-1, (0,)), (0, (2, -3))])
def test_refuses_negative_numbers(seed: int, position: tuple[int, ...]) -> None:
    said = rf"must be >= 0, got seed {seed}, position \({', '.join(map(str, position))},?\)"
    with pytest.raises(ValueError, match=said):
        numpy_generator(seed, "order", *position)
    with pytest.raises(ValueError, match=said):
        torch_generator(seed, "order", *position)


def test_each_rank_draws_its_own_dropout_in_each_step() -> None:
    def drawn(*place: int) -> list[float]:
        seed_network(3, *place)
        return torch.rand(2).tolist()

    torch.manual_seed(1)
    first = drawn(0, 4, 1)
    assert first == drawn(0, 4, 1)
    assert len({tuple(drawn(*place)) for place in [(0, 4, 0), (0, 4, 1), (0, 5, 1), (1, 4, 1)]}) == 4
