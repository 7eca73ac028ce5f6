"""A bench of two variants, and runs that only pretend."""

import signal
from pathlib import Path

import pytest

from reidar_plugin.launch import subprocesses
from reidar_plugin.launch.bench_plan import Variants, planned, read_variants
from reidar_plugin.launch.runs import Run
from reidar_plugin.report.results import collect_results, plain, write_results
from tests.tools.test_compare import made_up

__all__ = ["Pretended", "pretended", "runs_of", "variants", "write"]

VARIANTS = """
config: base.yaml
variants:
  alone:
    reidar.model.num_actions: 0
    reidar.loss.terms: [smoothed_cross_entropy]
  joint: {reidar.loss.balance: 0.8}
"""
BASE = """
model: {name: reidar_osnet_x0_25, pretrained: False}
data: {type: video, sources: [synthped], targets: [synthped], height: 64, width: 32, workers: 0}
sampler: {train_sampler: identity_pass, num_instances: 2}
loss: {name: reidar}
train: {batch_size: 8, max_epoch: 3}
video: {seq_len: 2}
test: {batch_size: 8}
reidar: {model: {attention_width: 8, action_width: 8}}
"""


@pytest.fixture
def variants(tmp_path: Path) -> Variants:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "variants.yml").write_text(VARIANTS)
    return read_variants(tmp_path / "variants.yml")


class Pretended:
    """Stands for a process: it writes the results of its run, or fails, when it is first looked at."""

    log: list[str]
    failing: str = ""

    def __init__(self, words: list[str], threads: int) -> None:
        self.words, self.threads, self.stopped = words, threads, None
        self.folder = Path(words[words.index("data.save_dir") + 1])
        self.log.append(self.name)
        Pretended.all.append(self)

    all: list["Pretended"]

    @property
    def name(self) -> str:
        return "/".join(self.folder.parts[-3:])

    def ended(self) -> bool:
        if self.stopped is None and self.name != self.failing:
            write(self.folder, self.words)
        return True

    def check(self) -> None:
        if self.name == self.failing:
            raise subprocesses.RunError(f"the run ended with status 1: {self.name}")

    def stop(self, sign: signal.Signals) -> None:
        self.stopped = sign

    def wait(self) -> None:
        self.told = [each.stopped is not None for each in self.all]


def write(folder: Path, words: list[str], epochs: int = 3) -> None:
    cfg = subprocesses.merged(words[words.index("--config-file") + 1], words[2:])
    seed, better = cfg.train.seed, cfg.reidar.model.num_actions
    made = made_up(1.2 - 0.2 * (better != 0) + 0.01 * seed)
    results = collect_results("run", (), config=plain(cfg), notes={"epochs": epochs})
    write_results(
        type(results)(**{**vars(results), "retrieval": made.retrieval, "per_query": made.per_query}), folder
    )


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> type[Pretended]:
    Pretended.log, Pretended.failing, Pretended.all = [], "", []
    monkeypatch.setattr(subprocesses, "Quiet", Pretended)
    return Pretended


def runs_of(variants: Variants, folder: Path, seeds: tuple[int, ...] = (1, 2)) -> list[Run]:
    return planned(variants, {"street": folder / "data"}, seeds, folder)
