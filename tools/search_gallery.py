"""Ask a gallery who was where, when, and what they did.

    python tools/search_gallery.py GALLERY --action riding --between 9:00 10:00 --zone Europe/Berlin
    python tools/search_gallery.py GALLERY --camera gate yard --from 2026-05-01 --to 2026-05-07 --action trolley=0.8
    python tools/search_gallery.py GALLERY --like out-3f2a9c1b5d7e/gate/17 --top 20 # who looks like this tracklet
    python tools/search_gallery.py GALLERY --feature query.npy --action riding      # or like this feature, (D,)
    python tools/search_gallery.py GALLERY --feature query.npy --calibration calibration.json   # who is this, or nobody?

Without --like and --feature, all tracklets of the filter come in order of time; with one of them, the nearest of the
filter, nearest first. With --calibration each one asked for, or each row of (N, D), is somebody whom the gallery knows or
nobody. Exit code 0 if something was found (somebody is known), 1 if nothing was, 2 on an error.
"""

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reidar_plugin.errors import ConfigError, cut, nearest, shown, some, summary
from reidar_plugin.io.console import printable
from reidar_plugin.launch.guard import guard

if TYPE_CHECKING:
    import numpy as np

    from reidar_plugin.inference.gallery import Gallery, GalleryRow, Match, Where
    from reidar_plugin.inference.open_set import Limit


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("gallery", help="its folder or URI")
    parser.add_argument("--camera", nargs="+", default=[], help="one of these cameras")
    parser.add_argument("--identity", nargs="+", default=[], help="one of these people")
    parser.add_argument(
        "--action",
        nargs="+",
        default=[],
        metavar="NAME[=LEAST]",
        help="all of these; LEAST is the model's own threshold if not given",
    )
    parser.add_argument("--between", nargs=2, metavar=("9:00", "10:00"), help="at this time of any day")
    parser.add_argument(
        "--from", dest="first", metavar="2026-05-01", help="not before this day, or day and time"
    )
    parser.add_argument("--to", dest="last", metavar="2026-05-07", help="not after this day, or day and time")
    parser.add_argument(
        "--zone", default="UTC", help="time zone of what is asked and printed, such as Europe/Berlin"
    )
    like = parser.add_mutually_exclusive_group()
    like.add_argument("--like", metavar="ID", help="search by the feature of this tracklet")
    like.add_argument("--feature", type=Path, metavar="FILE.npy", help="search by this feature, (D,)")
    parser.add_argument("--without-run", default="", metavar="RUN", help="nothing of this run, as ids begin")
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE.json", help="say who is known; tools/calibrate.py writes it"
    )
    parser.add_argument(
        "--false-alarms",
        type=float,
        help="of strangers, with --calibration (default: 0.01, or what it can tell)",
    )
    parser.add_argument("--top", type=int, default=50, help="print so many at most")
    return ask(parser.parse_args(argv))


def ask(args: argparse.Namespace) -> int:
    """Print what is found; 0 if there is something."""
    from reidar_plugin.inference.gallery import Where, open_gallery

    if args.top < 1:
        raise ConfigError(f"--top: expected a number above 0, got {args.top}")
    zone = zone_of(args.zone)
    limit = limit_of(args)
    with open_gallery(args.gallery) as gallery:
        check_names("--camera", args.camera, gallery.names("camera") if args.camera else [])
        check_names("--identity", args.identity, gallery.names("identity") if args.identity else [])
        where = Where(
            cameras=tuple(args.camera),
            spans=spans_of(args, gallery, zone),
            actions=dict(least_of(text, gallery.model.likely) for text in args.action),
            identities=tuple(args.identity),
            without_run=args.without_run,
        )
        if limit is not None:
            return tell(queries(args, gallery), gallery, limit, where, args.like or "")
        matches = found(args, gallery, where)
        print(table(matches[: args.top], gallery.model.likely, where.actions, zone))
    more = len(matches) - args.top
    print(f"\n{len(matches)} tracklets" + (f", the first {args.top} are shown (--top)" if more > 0 else ""))
    return 0 if matches else 1


def check_names(option: str, asked: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a name that the gallery does not hold: an empty table would look like an answer."""
    for name in asked:
        if name not in known:
            raise ConfigError(
                f"{option}: unknown name {shown(name)};{nearest(name, known)} the gallery knows {some(known)}"
            )


def limit_of(args: argparse.Namespace) -> "Limit | None":
    """Of --calibration, if it is given."""
    if args.calibration is None:
        return None
    if args.like is None and args.feature is None:
        raise ConfigError("--calibration says whether somebody is known: name them, with --like or --feature")
    from reidar_plugin.inference.calibration import Calibration
    from reidar_plugin.inference.open_set import Limit

    return Limit.of(Calibration.load(args.calibration), args.false_alarms)


def queries(args: argparse.Namespace, gallery: "Gallery") -> "np.ndarray":
    """``(Q, D)``, whom --like or --feature asks for."""
    return gallery.feature(args.like)[None] if args.like is not None else read_features(args.feature)


def tell(features: "np.ndarray", gallery: "Gallery", limit: "Limit", where: "Where", itself: str) -> int:
    """Print who each is; 0 if one is known."""
    from reidar_plugin.inference.open_set import who_is

    said = who_is(gallery, list(features), limit, where, itself)
    for number, each in enumerate(said, start=1):
        query = f"{itself or f'row {number}'}: {each.who or 'nobody we know'}"
        near = each.nearest
        line = (
            f"{query}; nearest {near.row.id} at {near.distance:.4g}, false alarms {each.false_alarms:.1%}"
            if near
            else f"{query}; there is no such tracklet"
        )
        print(printable(line))
    print(f"\n{sum(each.known for each in said)} of {len(said)} known; {limit.words(len(gallery))}")
    return 0 if any(each.known for each in said) else 1


def found(args: argparse.Namespace, gallery: "Gallery", where: "Where") -> "list[Match]":
    """Nearest first if something is asked for by its looks, else in order of time."""
    from reidar_plugin.inference.gallery import Match

    if args.like is not None:
        matches = gallery.search(gallery.feature(args.like), args.top + 1, where)
        return [match for match in matches if match.row.id != args.like][: args.top]
    if args.feature is not None:
        features = read_features(args.feature)
        if len(features) > 1:
            raise ConfigError(
                f"{args.feature}: expected one feature, (D,), or --calibration, got {len(features)}"
            )
        return gallery.search(features[0], args.top, where)
    return [Match(row, float("nan")) for row in gallery.find(where)]


def read_features(path: Path) -> "np.ndarray":
    """``(Q, D)`` from a .npy file of that or of ``(D,)``; nothing in it is run."""
    import numpy as np

    from reidar_plugin.io.arrays import load_array
    from reidar_plugin.io.safe_load import UNREADABLE

    try:
        features = load_array(path)
    except UNREADABLE as error:
        raise ConfigError(f"{path}: expected features saved by numpy.save ({summary(error)})") from error
    if features.ndim not in (1, 2) or features.dtype.kind != "f":
        raise ConfigError(f"{path}: expected features of floats, (D,) or (N, D)")
    if not features.size:
        raise ConfigError(f"{path}: expected a feature, it holds none")
    return np.atleast_2d(features)


def least_of(text: str, likely: Mapping[str, float]) -> tuple[str, float]:
    """``riding`` or ``riding=0.8`` -> name and least likelihood; that of ``likely`` where none is given."""
    name, equals, least = text.partition("=")
    try:
        return name, float(least) if equals else likely.get(name, 0.0)  # an unknown name is told below
    except ValueError:
        raise ConfigError(
            f"--action {cut(text)}: expected a likelihood after '=', got {shown(least)}"
        ) from None


def spans_of(args: argparse.Namespace, gallery: "Gallery", zone: tzinfo) -> list[tuple[float, float]] | None:
    """Spans of time that the dates and hours mean; None where neither is given."""
    if not (args.between or args.first or args.last):
        return None
    begin = moment(args.first, "--from", zone, timedelta()) if args.first else -float("inf")
    end = moment(args.last, "--to", zone, timedelta(days=1)) if args.last else float("inf")
    if begin >= end:
        raise ConfigError(f"--to {args.last}: expected a time after --from {args.first}")
    if not args.between:
        return [(begin, end)]
    hours = [hour(text) for text in args.between]
    extent = gallery.extent()
    if extent is None or extent[0] >= end or extent[1] < begin:
        return []
    days = [
        datetime.fromtimestamp(seconds, zone).date()
        for seconds in (max(begin, extent[0]), min(end, extent[1]))
    ]
    from reidar_plugin.inference.gallery_filter import daily_spans

    spans = daily_spans(days[0] - timedelta(days=1), days[1], hours[0], hours[1], zone)
    cut = ((max(a, begin), min(b, end)) for a, b in spans)
    return [(a, b) for a, b in cut if a < b]


def moment(text: str, option: str, zone: tzinfo, rest_of_day: timedelta) -> float:
    """Seconds since 1970 of a day, to which the rest of it is added, or of a day and time."""
    try:
        if len(text) == len("2026-05-01"):
            day = date.fromisoformat(text) + rest_of_day
            return datetime.combine(day, time(), zone).timestamp()
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):  # of the years 1 and 9999 an hour may be outside the calendar
        raise ConfigError(f"{option}: expected 2026-05-01 or 2026-05-01T09:30, got {shown(text)}") from None


def hour(text: str) -> time:
    """``9``, ``9:00`` or ``09:00:30``; 24:00 is midnight."""
    parts = text.split(":")
    try:
        hours, minutes, seconds = (int(part) for part in [*parts, "0", "0"][:3])
        if len(parts) > 3:
            raise ValueError
        return time(0) if (hours, minutes, seconds) == (24, 0, 0) else time(hours, minutes, seconds)
    except (ValueError, OverflowError):
        raise ConfigError(f"--between: expected a time of day such as 9:00, got {shown(text)}") from None


def zone_of(name: str) -> tzinfo:
    """A zone of the tz database."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(
            f"--zone: unknown time zone {shown(name)}; give one such as Europe/Berlin"
        ) from None


def table(
    matches: "Sequence[Match]", likely: Mapping[str, float], asked: Collection[str], zone: tzinfo
) -> str:
    """A row a tracklet, with the likelihood of what is likely and of what was asked for."""
    from tabulate import tabulate

    ranked = any(match.distance == match.distance for match in matches)
    header = [
        "id",
        "who",
        "camera",
        "start",
        "seconds",
        "frames",
        "source",
        "actions",
        *(["distance"] if ranked else []),
    ]
    rows = [
        cells(match.row, likely, asked, zone) + ([f"{match.distance:.4g}"] if ranked else [])
        for match in matches
    ]
    return tabulate(rows, headers=header, tablefmt="github", disable_numparse=True)


def cells(row: "GalleryRow", likely: Mapping[str, float], asked: Collection[str], zone: tzinfo) -> list[str]:
    start = datetime.fromtimestamp(row.start, zone).strftime("%Y-%m-%d %H:%M:%S")
    values = sorted(((row.actions or {}).get(name, 0.0), name) for name in likely)[::-1]
    told = ", ".join(
        f"{name} {likelihood(value)}" for value, name in values if value >= likely[name] or name in asked
    )
    frames = f"{row.first_frame + 1}-{row.last_frame + 1}"  # from 1, as MOT files count
    seconds = f"{row.end - row.start:.1f}"
    all_of_it = row.id, row.identity or "", row.camera, start, seconds, frames, row.source, told
    return [printable(text) for text in all_of_it]


def likelihood(value: float) -> str:
    """Two decimals, or one digit of what would be 0.00."""
    return f"{value:.2f}" if value >= 0.005 else f"{value:.1g}"


if __name__ == "__main__":
    sys.exit(guard(main))
