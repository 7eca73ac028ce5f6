"""What a test leaves behind: tables in the log, results.json, TensorBoard scalars."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

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
    "print_tables",
    "save_results",
    "test_scalars",
    "write_scalars",
]


def print_tables(results: Results) -> None:
    """The tables of a test."""
    say(retrieval_table(results))
    if results.actions is not None:
        say(action_table(results))


def save_results(results: Results, folder: str | Path) -> Path:
    """Write results.json to a folder.

    Raises:
        ReidarError: it could not be written.
    """
    try:
        return write_results(results, folder)
    except OSError as error:
        raise ReidarError(f"results cannot be written to {folder}: {error}") from error


def describe(
    name: str, verdicts: TestOutcome, ranks: Sequence[int], options: EvaluationOptions, **facts: Any
) -> Results:
    """The record of a test.

    Args:
        name: of the model.
        verdicts: what the test found.
        ranks: of the CMC.
        options: intervals and their resamples.
        facts: ``config``, ``seeds`` and ``notes``.
    """
    return collect_results(
        name,
        verdicts.retrieval,
        verdicts.actions,
        ranks=list(ranks),
        level=options.interval_level,
        resamples=options.resamples,
        **facts,
    )


def open_writer(folder: str | Path, place: int) -> SummaryWriter:
    """A writer of TensorBoard scalars; what was written from ``place`` on, before an interruption, is not shown."""
    with _scalars_explained():
        return SummaryWriter(log_dir=str(folder), purge_step=place or None)


def write_scalars(writer: SummaryWriter | None, scalars: dict[str, float], place: int) -> None:
    """Write TensorBoard scalars, if there is a writer."""
    if writer is None:
        return
    with _scalars_explained():
        for name, value in scalars.items():
            writer.add_scalar(name, value, place)


def close_writer(writer: SummaryWriter | None) -> None:
    """Write what is left, and close the writer, if there is one."""
    if writer is not None:
        with _scalars_explained():
            writer.close()


@contextmanager
def _scalars_explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReidarError(
            f"TensorBoard scalars cannot be written: {error}; checkpoints are intact"
        ) from error


def draw_training(record: RunHistory, folder: str | Path) -> None:
    """Draw losses and learning rate over the epochs into ``training.png``; one line says so where matplotlib is missing.

    Args:
        record: what the run remembers of its epochs.
        folder: folder of the run.

    Raises:
        ReidarError: the file cannot be written.
    """
    if not record.history:
        return
    path = Path(folder) / "training.png"
    try:
        check_report_libraries(["matplotlib.figure"])
    except ReidarError as error:
        say(f"{path} is not drawn: {error}")
        return
    epochs = [row["epoch"] for row in record.history]
    terms = [name for name in record.history[0] if name not in ("epoch", "lr", "gradient_norm")]
    losses = {name: [row[name] for row in record.history] for name in terms}
    chart = training_chart(epochs, losses, {"learning rate": [row["lr"] for row in record.history]})
    try:
        save_chart(chart, path)
    except OSError as error:
        raise ReidarError(f"{path} cannot be written: {error}") from error


def test_scalars(verdicts: TestOutcome) -> dict[str, float]:
    """TensorBoard names and values of a test; the first protocol of a target also under the host's names."""
    scalars: dict[str, float] = {}
    for target, result in zip(verdicts.targets, verdicts.first, strict=True):
        scalars[f"Test/{target.name}/rank1"] = result.retrieval.cmc(1)
        scalars[f"Test/{target.name}/mAP"] = result.retrieval.mAP
    for result in verdicts.retrieval:
        for name, value in result.figures((1,)).items():
            scalars[f"Test/{result.title}/{name}"] = value
    if verdicts.actions is not None:
        scalars["Test/actions/mAP"] = verdicts.actions.macro.average_precision
        scalars["Test/actions/F1"] = verdicts.actions.macro.f1
    return scalars
