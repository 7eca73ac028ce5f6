"""The demo: who and what on a synthetic street, beside what can be had without the plugin's work.

Compared on people that training never sees: colour histograms with the commonest actions, the network before training,
the network trained without its action network, and the joint model, which is also tested with what people do as evidence
of who they are. All are judged by the same evaluator, and all figures come from the results files that the runs leave
behind. The joint model's identities are those of the network without actions to the digit: that is what it promises.
"""

import contextlib
import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from reidar_plugin.data.frames import read_picture
from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.engine.interrupt import INTERRUPTED
from reidar_plugin.engine.pictures import draw_test
from reidar_plugin.io.console import say
from reidar_plugin.launch import runner, subprocesses
from reidar_plugin.metrics.actions import evaluate_actions
from reidar_plugin.metrics.protocol_results import evaluate_retrieval
from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of
from reidar_plugin.report.figures.style import check_report_libraries
from reidar_plugin.report.results import Results, collect_results, read_results, write_results
from reidar_plugin.report.tables import comparison_table
from reidar_plugin.synthped import make
from reidar_plugin.synthped.workers import cores

__all__ = ["colour_histograms", "run_demo"]

DATASET = "synthped"

#: What the rows change in the demo's config.
UNTRAINED = ["test.evaluate", "True", "reidar.test.action_weight", "0."]
WITHOUT_ACTIONS = [
    "reidar.model.num_actions",
    "0",
    "reidar.test.action_weight",
    "0.",
    "reidar.loss.terms",
    "['smoothed_cross_entropy', 'ranked_list', 'identity_centre', 'erasing']",
]


class _Demo(NamedTuple):
    """The runs of the demo: one config, a folder for each run, and what the user changes in all of them."""

    config: Path
    folder: Path
    options: list[str]

    def place(self, name: str) -> Path:
        """Folder of a run."""
        return self.folder / name.replace(" ", "-")

    def pairs(self, changes: Sequence[str] = ()) -> list[str]:
        """``KEY VALUE`` pairs of a run: the user's, then its own."""
        return ["data.root", str(self.folder / "data"), *self.options, *changes]

    def run(self, name: str, changes: Sequence[str] = ()) -> Any:
        """Run it in this process, quietly: all of it is in the run's log. Progress bars stay."""
        cfg = runner.default_config()
        cfg.merge_from_file(str(self.config))
        cfg.merge_from_list([*self.pairs(changes), "data.save_dir", str(self.place(name))])
        with contextlib.redirect_stdout(io.StringIO()):
            return runner.run(cfg)

    def words(self, name: str, changes: Sequence[str]) -> list[str]:
        """The command line of a run."""
        options, save_dir = self.pairs(changes), str(self.place(name))
        return subprocesses.arguments(self.config, options=options, data__save_dir=save_dir)

    def read(self, name: str) -> Results:
        """Results of a run, of which a line is said."""
        results = read_results(self.place(name))
        metrics, protocol = results.retrieval[0]["metrics"], results.retrieval[0]["protocol"]
        figures = ", ".join(f"{key} {100 * metrics[key]:.1f} %" for key in ("rank-1", "mAP"))
        say(f"     {name}: {figures} under {protocol}; log in {self.place(name)}")
        return results


def run_demo(
    config: Path, folder: Path, preset: str = "laptop", options: list[str] | None = None
) -> dict[str, Results]:
    """Make the street, train, test, draw, compare; a second call goes on where the first one stopped.

    Args:
        config: of the joint model.
        folder: where everything goes.
        preset: of SynthPed.
        options: more ``KEY VALUE`` pairs for every row.

    Returns:
        Results by row, in the order of the table.

    Raises:
        SystemExit: after Ctrl-C, with the status of an interrupted run; how to go on has been said.
    """
    try:
        return _compare(_Demo(config, folder, options or []), preset)
    except (KeyboardInterrupt, SystemExit) as stop:  # an engine has saved, and said so in its log alone
        if isinstance(stop, SystemExit) and stop.code != INTERRUPTED:
            raise
        say(f"\nstopped; the same command goes on from there. What was done is in {folder}")
        raise SystemExit(INTERRUPTED) from None


def _compare(demo: _Demo, preset: str) -> dict[str, Results]:
    start = time.monotonic()
    check_report_libraries()
    threads = max(1, (cores() - 1) // 2)  # of two trainings at once; more threads than cores crawl
    torch.set_num_threads(threads)
    say(f"1/3  SynthPed, {preset}: drawing a street with people in it")
    make(demo.folder / "data", preset, folder=DATASET)
    at_once = cores() > 1
    say(f"2/3  training the joint model, and one without the action network{', at once' if at_once else ''}")
    others = [demo.words("without actions", WITHOUT_ACTIONS), demo.words("untrained", UNTRAINED)]
    with subprocesses.beside(*others, threads=threads):
        if at_once:
            engine = demo.run("joint")
    if not at_once:
        engine = demo.run("joint")
    rows = {
        "colour histograms, commonest actions": _test_histograms(
            engine.datamanager, demo.place("colour histograms")
        ),
        "untrained": demo.read("untrained"),
        "without action network": demo.read("without actions"),
        "joint": demo.read("joint"),
    }
    say("3/3  pictures")
    pictures = _draw(engine, demo.place("joint"))
    _show(rows, demo.folder, pictures)
    say(f"{time.monotonic() - start:.0f} seconds")
    return rows


def _draw(engine: Any, folder: Path) -> list[Path]:
    """Pictures of the last test of an engine."""
    test = engine.config.test
    with contextlib.redirect_stdout(io.StringIO()):
        return draw_test(
            engine.evaluator,
            engine.outcome,
            folder,
            metric=test.dist_metric,
            normalize=test.normalize_feature,
        )


def _show(rows: dict[str, Results], folder: Path, pictures: list[Path]) -> None:
    """The table, what it is, and where everything lies."""
    joint = rows["joint"]
    protocol = joint.retrieval[0]["protocol"]
    people = len(set(joint.per_query["0/pid"].tolist()))
    places = ", ".join(sorted({str(path.parent) for path in pictures}))
    with_actions = folder / "joint"
    say(f"\n{comparison_table(rows, protocol)}\n")
    say(
        f"{protocol}; {people} people, none of whom is in the training set. Percent; in brackets 95 % bootstrap\n"
        "intervals over queries, which do not speak of other training runs. Actions are judged on weak labels, one a person."
    )
    say(f"\npictures: {places}, {with_actions / 'training.png'}")
    say(f"figures:  {folder}/*/results.json")
    say(
        f"          python tools/compare.py {with_actions} --by-person    does what they do tell who they are?"
    )


def _test_histograms(data: ClipDataManager, folder: Path) -> Results:
    """Nearest neighbour by colour, and for every tracklet each action's share of the training tracklets."""
    query, gallery = (data.test_dataset[DATASET][part] for part in ("query", "gallery"))
    retrieval = evaluate_retrieval(_by_colour(query), _by_colour(gallery), protocols_of(DATASET))
    labels = torch.cat([loader.table.labels for loader in data.test_loader[DATASET].values()])
    shares = torch.nanmean(data.train_table.labels, dim=0)
    space: Any = data.space
    actions = evaluate_actions(shares.expand(len(labels), -1), labels, space.names)
    results = collect_results("colour histograms, commonest actions", retrieval, actions, ranks=(1, 5))
    write_results(results, folder)
    return results


def _by_colour(samples: Sequence[Any]) -> TrackletFeatures:
    people, cameras = (torch.tensor([sample[column] for sample in samples]) for column in (1, 2))
    return TrackletFeatures(colour_histograms([sample[0] for sample in samples]), people, cameras)


def colour_histograms(tracklets: list[tuple[str, ...]], bins: int = 8) -> torch.Tensor:
    """Square roots of the RGB histogram of all pixels of a tracklet: their distance is Hellinger's.

    Args:
        tracklets: frame paths of each, N tracklets.
        bins: of each colour.

    Returns:
        float32 ``(N, bins ** 3)``.
    """
    rows = np.empty((len(tracklets), bins**3), dtype=np.float32)
    for row, paths in zip(rows, tracklets, strict=True):
        pixels = np.concatenate([read_picture(path).reshape(-1, 3) for path in paths])
        cells = (pixels.astype(np.int64) * bins) >> 8
        counts = np.bincount(cells @ (bins**2, bins, 1), minlength=bins**3)
        row[:] = np.sqrt(counts / counts.sum())
    return torch.from_numpy(rows)
