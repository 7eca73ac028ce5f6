"""What is the best so far, and when it is forgotten."""

import pytest

from reidar_plugin.checkpoint import best as module
from reidar_plugin.checkpoint.best import BestCheckpoint
from reidar_plugin.checkpoint.history import RunHistory

NOW = "mAP of MARS usual (cosine)"


def remembering(what: str) -> RunHistory:
    """As a checkpoint brings it back: 60 % after 3 epochs."""
    history = RunHistory()
    history.load_state_dict(
        {
            "history": [],
            "tested": 3,
            "rank1": 0.5,
            "best": {"value": 0.6, "what": what, "epoch": 3},
        }
    )
    return history


@pytest.mark.parametrize(("value", "best"), [(0.5, (0.6, 3)), (0.6, (0.6, 3)), (0.7, (0.7, 4))])
def test_the_best_stays_until_it_is_beaten(
    value: float, best: tuple[float, int], capsys: pytest.CaptureFixture[str]
) -> None:
    found, is_this = remembering(NOW).add_test(module.TestFigure(value, NOW), 4, 0.5)
    assert (found.value, found.epoch) == best
    assert is_this == (best[1] == 4)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "what", ["mAP of MARS usual (squared Euclidean)", "mINP of MARS usual", "mAP of MARS us", "mAP of LPW"]
)
def test_the_best_by_another_figure_is_forgotten_aloud(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    history = remembering(what)
    assert history.add_test(module.TestFigure(0.5, NOW), 4, 0.5) == (BestCheckpoint(0.5, NOW, 4), True)
    assert capsys.readouterr().out == (
        f"the best so far, {what} 60.00% after 3 epochs, is forgotten: it is now judged by {NOW}\n"
    )


def test_is_saved_in_plain_values_under_the_keys_of_the_first_version() -> None:
    state = {
        "history": [{"epoch": 1, "lr": 0.1, "loss": 2.0}],
        "tested": 1,
        "rank1": 0.5,
        "best": {"value": 0.6, "what": NOW, "epoch": 1},
    }
    history = RunHistory()
    history.load_state_dict(state)  # of the first version, which had no thresholds
    assert history.thresholds == ()
    state["thresholds"] = [0.25, 0.5]
    history.load_state_dict(state)
    assert history.thresholds == (0.25, 0.5)
    assert history.epochs == state["history"]
    assert history.best == BestCheckpoint(0.6, NOW, 1)
    assert history.state_dict() == state
    history.epochs[0]["loss"] = 3.0
    assert state["history"][0]["loss"] == 2.0  # nothing is shared with the checkpoint
    history.forget_tests()
    assert (history.best, history.tested, history.thresholds, len(history.epochs)) == (None, 0, (), 1)
    none = {"history": [], "tested": 0, "rank1": 0.0, "thresholds": [], "best": None}
    assert RunHistory().state_dict() == none
