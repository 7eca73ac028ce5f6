"""What a test leaves behind: tables in the log, results.json, TensorBoard scalars."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter
from yacs.config import CfgNode

from reidar_plugin.checkpoint.history import RunHistory
from reidar_plugin.engine.evaluator import TestOutcome
from reidar_plugin.engine.options import EvaluationOptions
from reidar_plugin.errors import ReidarError
from reidar_plugin.io.console import say
from reidar_plugin.report.figures.style import check_report_libraries, save_chart
from reidar_plugin.report.figures.training import training_chart
from reidar_plugin.report.results import Results, collect_results, write_results
from reidar_plugin.report.tables import action_table, retrieval_table

__all__ = [
    "close_writer",
    "describe",
    "draw_training",
    "open_writer",
    "publish",
    "save_results",
    "test_scalars",
    "write_scalars",
]


def describe(
    outcome: TestOutcome,
    model: str,
    ranks: Sequence[int],
    options: EvaluationOptions,
    config: CfgNode | None,
    notes: dict[str, Any],
) -> Results:
    """The results of a test, as results.json has them.

    Args:
        outcome: what the test found.
        model: name of the model.
        ranks: those of the CMC curve that are kept.
        options: say how confidence intervals are computed.
        config: the config of the run; None for none.
        notes: what is to be said beside the figures.
    """
    return collect_results(
        model,
        outcome.retrieval,
        outcome.actions,
        ranks=list(ranks),
        level=options.interval_level,
        resamples=options.resamples,
        config=config,
        seeds={"train": config.train.seed} if config is not None else {},
        notes=notes,
    )


def publish(results: Results, folder: str) -> None:
    """Print the tables of a test, and write its results.json.

    Args:
        results: the results of the test.
        folder: folder of results.json; empty to write none.
    """
    say(retrieval_table(results))
    if results.actions is not None:
        say(action_table(results))
    if folder:
        say(f"results: {save_results(results, folder)}")


def save_results(results: Results, folder: str | Path) -> Path:
    """Write results.json to a folder.

    Raises:
        ReidarError: it could not be written.
    """
    try:
        return write_results(results, folder)
    except OSError as error:
        raise ReidarError(f"results cannot be written to {folder}: {error}") from error


def open_writer(folder: str | Path, step: int) -> SummaryWriter:
    """A writer of TensorBoard scalars.

    Args:
        folder: where it writes.
        step: number of steps of the run so far; what was written from it on, before an interruption, is not shown.
    """
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _but_of_scalars
    with _scalars_explained():
        return SummaryWriter(log_dir=str(folder), purge_step=step or None)


def write_scalars(writer: SummaryWriter | None, scalars: dict[str, float], step: int) -> None:
    """Write TensorBoard scalars, if there is a writer."""
    if writer is None:
        return
    with _scalars_explained():
        for name, value in scalars.items():
            writer.add_scalar(name, value, step)


def close_writer(writer: SummaryWriter | None) -> None:
    """Write what is left, and close the writer, if there is one."""
    if writer is not None:
        try:
            with _scalars_explained():
                writer.close()
        finally:
            if threading.excepthook is _but_of_scalars:
                threading.excepthook = threading.__excepthook__


def _but_of_scalars(told: threading.ExceptHookArgs) -> None:
    """TensorBoard's thread keeps its error for whoever writes next, who tells it in a line; it would also print it."""
    if type(told.thread).__name__ != "_AsyncWriterThread":
        threading.__excepthook__(told)


@contextmanager
def _scalars_explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReidarError(
            f"TensorBoard scalars cannot be written: {error}; checkpoints are files of their own"
        ) from error


def draw_training(history: RunHistory, folder: str | Path) -> None:
    """Draw losses and learning rate over the epochs into ``training.png``; one line says so where matplotlib is missing.

    Args:
        history: what the run remembers of its epochs.
        folder: folder of the run.

    Raises:
        ReidarError: the file cannot be written.
    """
    if not history.epochs:
        return
    path = Path(folder) / "training.png"
    try:
        check_report_libraries(["matplotlib.figure"])
    except ReidarError as error:
        say(f"{path} is not drawn: {error}")
        return
    epochs = [row["epoch"] for row in history.epochs]
    terms = [name for name in history.epochs[0] if name not in ("epoch", "lr", "gradient_norm")]
    losses = {name: [row[name] for row in history.epochs] for name in terms}
    chart = training_chart(epochs, losses, {"learning rate": [row["lr"] for row in history.epochs]})
    try:
        save_chart(chart, path)
    except OSError as error:
        raise ReidarError(f"{path} cannot be written: {error}") from error


def test_scalars(outcome: TestOutcome) -> dict[str, float]:
    """TensorBoard names and values of a test; the first protocol of a target also under the host's names."""
    scalars: dict[str, float] = {}
    for target, result in zip(outcome.targets, outcome.first, strict=True):
        scalars[f"Test/{target.name}/rank1"] = result.retrieval.cmc(1)
        scalars[f"Test/{target.name}/mAP"] = result.retrieval.mAP
    for result in outcome.retrieval:
        for name, value in result.figures((1,)).items():
            scalars[f"Test/{result.title}/{name}"] = value
    if outcome.actions is not None:
        scalars["Test/actions/mAP"] = outcome.actions.macro.average_precision
        scalars["Test/actions/F1"] = outcome.actions.macro.f1
    return scalars
