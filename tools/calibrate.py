"""Learn from the test people of a data set what a model's distances mean, for tools/recognise.py --calibration.

    python tools/calibrate.py MODEL mars calibration.json --root reid-data
    python tools/calibrate.py MODEL synthped calibration.json --root reid-data --precision 0.95

The people must be such as the model was never trained on, and the scene about as large as the one it is for
(docs/identities.md). The threshold is that of the best F1 of pairs, or the largest with at least --precision.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reidar_plugin.launch.guard import guard
from reidar_plugin.launch.model_flags import add_model_flags, settings_of

RATES = (0.01, 0.05, 0.1)  #: of false alarms


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="folder of a run, checkpoint or weights")
    parser.add_argument("dataset", help="name of a video data set")
    parser.add_argument("out", type=Path, help="file to write, .json")
    parser.add_argument("--root", default="reid-data", help="where data sets are")
    parser.add_argument("--precision", type=float, help="of pairs that are taken for one person, 0 to 1")
    add_model_flags(parser)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args(argv)
    from reidar_plugin.inference.predictor import Predictor
    from reidar_plugin.inference.recognise import fingerprint_of
    from reidar_plugin.inference.trained_model import find_file
    from reidar_plugin.launch.calibrate import calibrate
    from reidar_plugin.launch.dataset_tracklets import labelled_tracklets

    tracklets = labelled_tracklets(args.dataset, args.root)
    file = find_file(args.model)
    predictor = Predictor.load(file, args.device, model=args.network, settings=settings_of(args.settings))
    found = calibrate(predictor, fingerprint_of(file), tracklets, args.precision)
    found.save(args.out)
    print(
        f"{args.out}: threshold {found.threshold:.4g} ({found.metric}), at which {found.precision:.1%} of the pairs are "
        f"right and {found.recall:.1%} are found; {found.tracklets:,} tracklets of {found.people:,} people"
    )
    told = [
        rate for rate in RATES if rate * (1 + len(found.strangers)) >= 1
    ]  # lower ones need more strangers
    at = ", ".join(f"{found.detection_rate(rate):.1%} at {rate:.0%}" for rate in told)
    print(
        f"is somebody in the gallery? known people found, and nearest, at a rate of false alarms: {at or 'too few'}"
    )


if __name__ == "__main__":
    sys.exit(guard(main))
