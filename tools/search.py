"""Search hyper-parameters over ranges, a run a trial; stopped searches go on. Needs Optuna (pip install optuna).

    python tools/search.py configs/vprft/mars.yaml reidar.train.held_out 0.2 --ranges configs/vprft/ranges.txt --root DATA
    python tools/search.py configs/vprft/synthped.yaml --range reidar.loss.soft_mining.sigma=0.3:1.5 --trials 10
    python tools/search.py configs/s2dn/synthped.yaml --range train.lr=1e-4:1e-2:log --range "train.optim=adam|amsgrad"

A range is KEY=LOW:HIGH (:log to search the exponent; whole numbers where both ends are) or KEY=A|B|C; a file of ranges
has one a line. Trials are kept in <study>/study.db, their runs in <study>/trial-<n>. The same command goes on: a trial
that was stopped is taken up from its last checkpoint.

A search chooses by what it is shown: the first protocol of the first target. With "reidar.train.held_out 0.2" that is a
part of the training people, kept out of training. Without it, it is the test set, as in VPRFT, whose published
hyper-parameters were found so: figures on that test set are too good then.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reidar_plugin.errors import ConfigError
from reidar_plugin.io.ordinary import content_of
from reidar_plugin.launch.guard import guard


class Range(NamedTuple):
    """Values that a key may take."""

    key: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def suggest(self, trial: Any) -> str:
        """A value of it, as the command line takes it."""
        if self.choices:
            return trial.suggest_categorical(self.key, self.choices)
        if self.whole:
            return str(trial.suggest_int(self.key, int(self.low), int(self.high), log=self.log))
        return repr(float(trial.suggest_float(self.key, self.low, self.high, log=self.log)))


def read_range(text: str) -> Range:
    """``KEY=LOW:HIGH``, ``KEY=LOW:HIGH:log`` or ``KEY=A|B|C``."""
    key, _, values = text.partition("=")
    if "|" in values:
        return Range(key, choices=tuple(values.split("|")))
    ends = values.split(":")
    try:
        low, high = float(ends[0]), float(ends[1])
    except (ValueError, IndexError):
        low, high = 1.0, 0.0
    log = ends[2:] == ["log"]
    if not key or low >= high or (ends[2:] and not log) or (log and low <= 0):
        raise ConfigError(f"expected a range such as train.lr=1e-4:1e-2:log or model.name=a|b, got {text!r}")
    whole = not any(set(".eE") & set(end) for end in ends[:2])
    return Range(key, low=low, high=high, log=log, whole=whole)


def read_ranges(path: str | Path) -> list[Range]:
    """The ranges of a file; empty lines and what follows # are passed over."""
    lines = (line.partition("#")[0].strip() for line in content_of(path).decode().splitlines())
    return [read_range(line) for line in lines if line]


def search(args: argparse.Namespace, ranges: Sequence[Range], options: Sequence[str]) -> Any:
    """Run trials until there are as many whole ones as asked for; returns the study."""
    try:
        import optuna
    except ImportError as error:
        raise ConfigError("a search needs Optuna, which is not installed: pip install optuna") from error
    from reidar_plugin.launch import subprocesses

    folder = Path(args.study)
    folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=Path(args.config).stem,
        storage=f"sqlite:///{folder / 'study.db'}",
        sampler=optuna.samplers.TPESampler(seed=args.seed),
        direction="maximize",
        load_if_exists=True,
    )
    state = optuna.trial.TrialState
    for stopped in study.get_trials(states=(state.RUNNING,)):  # its own parameters and folder again
        study.tell(stopped.number, state=state.FAIL)
        trial_folder = stopped.user_attrs.get("folder", f"trial-{stopped.number}")
        study.enqueue_trial(stopped.params, user_attrs={"folder": trial_folder})

    def objective(trial: Any) -> float:
        if "folder" not in trial.user_attrs:
            trial.set_user_attr("folder", f"trial-{trial.number}")
        run_folder = folder / trial.user_attrs["folder"]
        chosen = [word for each in ranges for word in (each.key, each.suggest(trial))]
        words = subprocesses.arguments(
            args.config, root=args.root, options=[*options, *chosen], data__save_dir=run_folder
        )
        subprocesses.start(words)
        return figure(run_folder, args.by)

    missing = args.trials - len(study.get_trials(states=(state.COMPLETE,)))
    if missing > 0:
        study.optimize(objective, n_trials=missing)
    return study


def figure(run_folder: Path, name: str) -> float:
    """A figure of a run's last test, under its first protocol."""
    from reidar_plugin.report.results import read_results

    metrics = read_results(run_folder).retrieval[0]["metrics"]
    if name not in metrics:
        raise ConfigError(f"--by: {name!r} is no figure of a test; choose one of {', '.join(metrics)}")
    return float(metrics[name])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config (yaml), then KEY VALUE pairs")
    parser.add_argument("options", nargs="*", metavar="KEY VALUE")
    parser.add_argument(
        "--range", action="append", default=[], metavar="KEY=VALUES", help="see above; may be repeated"
    )
    parser.add_argument("--ranges", default="", metavar="FILE", help="ranges, one a line")
    parser.add_argument("--root", default="", metavar="DIR", help="folder of the data sets")
    parser.add_argument("--study", default="log/search", metavar="DIR", help="folder of the study")
    parser.add_argument("--trials", type=int, default=20, help="whole trials to have in the end")
    parser.add_argument(
        "--by", default="mAP", metavar="FIGURE", help="mAP, mINP or rank-<k>, under the first protocol"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the search")
    args = parser.parse_intermixed_args(argv)
    ranges = [*(read_ranges(args.ranges) if args.ranges else []), *map(read_range, args.range)]
    if not ranges:
        parser.error("name at least one --range, or a file of --ranges")
    from reidar_plugin.launch import subprocesses

    known = subprocesses.merged(args.config, args.options)
    for each in ranges:
        known.merge_from_list(
            [each.key, each.choices[0] if each.choices else str(int(each.low) if each.whole else each.low)]
        )
    study = search(args, ranges, args.options)
    best = study.best_trial
    print(
        f"\nbest of {len(study.trials)} trials by {args.by}: {best.value:.4f} in {best.user_attrs['folder']}"
    )
    print(" ".join(f"{key} {value}" for key, value in best.params.items()))


if __name__ == "__main__":
    sys.exit(guard(main))
