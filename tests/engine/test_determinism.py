"""The switches of repeatable runs: what is on during a run, and that all is as before after it."""

import os

import pytest
import torch

from reidar_plugin.engine.determinism import repeatable


def switches() -> tuple[bool, bool, bool, bool]:
    cudnn = torch.backends.cudnn
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        cudnn.deterministic,
        cudnn.benchmark,
    )


@pytest.mark.parametrize(
    ("use_gpu", "deterministic", "during"),
    [
        (False, False, (False, False, False, False)),
        (True, False, (False, False, False, True)),
        (False, True, (True, True, True, False)),
        (True, True, (True, True, True, False)),
    ],
)
def test_switches(
    use_gpu: bool, deterministic: bool, during: tuple[bool, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = switches()
    assert before == (False,) * 4
    with repeatable(use_gpu, deterministic):
        assert switches() == during
        assert os.environ.get("CUBLAS_WORKSPACE_CONFIG") == (":4096:8" if deterministic else None)
    assert switches() == before


def test_a_run_that_fails_leaves_nothing_on() -> None:
    before = switches()
    with pytest.raises(KeyError), repeatable(True, True):
        raise KeyError
    assert switches() == before


def test_the_users_own_workspace_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    with repeatable(True, True):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
