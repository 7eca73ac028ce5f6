"""Kill the writer of a gallery while it adds, deletes and compacts; look each time at what is left.

    python tools/kill_gallery.py --kills 50 --rows 200 --folder /tmp/gallery-kills

The writer says "begin" before and "done" after each act, and is killed (SIGKILL) at a random moment. Then another
process opens the gallery and compares every row and feature with what was acknowledged: all of that must be there, an
act that was begun must be there whole or not at all, and nothing else. The next writer goes on from there.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from reidar_plugin.launch.guard import guard

if TYPE_CHECKING:
    import numpy as np

    from reidar_plugin.inference.gallery import Gallery, GalleryRow

WIDTH = 512  # of a feature
COMPACT_EVERY, DELETE_EVERY = 7, 5  # acts


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rows", type=int, default=200, help="rows of an add")
    parser.add_argument("--folder", type=Path, required=True, help="where the gallery is made anew")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    shutil.rmtree(args.folder, ignore_errors=True)
    chance = random.Random(args.seed)
    present: set[int] = set()  # batches that are there for certain
    inside = 0
    for kill in range(args.kills):
        begun, present = write_until_killed(args, present, kill, chance.uniform(0.0, 0.5))
        inside += begun is not None
        found = in_a_process(look, args)
        maybe = set() if begun is None or begun[0] == "compact" else {begun[1]}
        if found ^ present and found ^ present != maybe:
            print(f"kill {kill + 1}: expected {sorted(present)} and perhaps {maybe}, found {sorted(found)}")
            return 1
        print(
            f"kill {kill + 1}: during {begun or 'nothing'}; {len(found)} batches of {args.rows} rows, all whole",
            flush=True,
        )
        present = found
    print(
        f"{args.kills} kills, {inside} of them during an act: nothing acknowledged was lost, nothing is there in part"
    )
    return 0


def write_until_killed(
    args: argparse.Namespace, present: set[int], first_turn: int, seconds: float
) -> tuple[tuple[str, int] | None, set[int]]:
    """The act that was under way, and the batches that are acknowledged."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(
        target=write, args=(args, sorted(present), first_turn, sender), daemon=True
    )
    process.start()
    sender.close()
    receiver.recv()  # it is open
    time.sleep(seconds)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    begun, known = None, set(present)
    while True:
        try:
            word, *act = receiver.recv()
        except EOFError:
            return begun, known
        begun = (act[0], act[1]) if word == "begin" else None
        if word == "done" and act[0] == "add":
            known.add(act[1])
        elif word == "done" and act[0] == "delete":
            known.discard(act[1])


def write(args: argparse.Namespace, present: list[int], first_turn: int, sender: Connection) -> None:
    """Act until it is killed; each writer begins at another turn, so that every kind of act is met."""
    from reidar_plugin.inference.gallery import Where

    with opened(args, write=True) as gallery:
        sender.send(("open",))
        number = max(present, default=-1) + 1
        for turn in range(first_turn, 10**6):
            if turn % COMPACT_EVERY == COMPACT_EVERY - 1:
                act(sender, "compact", -1, gallery.compact)
            elif turn % DELETE_EVERY == DELETE_EVERY - 1 and present:
                gone = present.pop(0)
                act(sender, "delete", gone, lambda gone=gone: gallery.delete(Where(cameras=(f"c{gone}",))))
            else:
                act(sender, "add", number, lambda number=number: gallery.add(*batch(number, args.rows)))
                present.append(number)
                number += 1


def opened(args: argparse.Namespace, write: bool = False) -> "Gallery":
    from reidar_plugin.inference.gallery import GalleryModel, open_gallery

    model = GalleryModel("kills", WIDTH, "euclidean", ("walking", "riding"))
    return open_gallery(args.folder, model, write=write)


def act(sender: Connection, name: str, number: int, do) -> None:
    sender.send(("begin", name, number))
    do()
    sender.send(("done", name, number))


def batch(number: int, rows: int) -> "tuple[list[GalleryRow], np.ndarray]":
    """Rows and features that follow from the number alone; a batch is a camera."""
    import numpy as np

    from reidar_plugin.inference.gallery import GalleryRow

    features = np.random.default_rng(number).standard_normal((rows, WIDTH), np.float32)
    likelihoods = {"walking": 0.25, "riding": 0.75}
    return [
        GalleryRow(
            f"{number}/{i}", f"c{number}", number, number + i, i, i + 9, f"{number}.mp4", None, likelihoods
        )
        for i in range(rows)
    ], features


def look(args: argparse.Namespace) -> set[int]:
    """The batches that are there; an error if one is not whole or not as it was added."""
    with opened(args) as gallery:
        found = gallery.find()
        numbers = {int(row.source.removesuffix(".mp4")) for row in found}
        assert len(found) == len(gallery) == len(numbers) * args.rows, (
            len(found),
            len(gallery),
            len(numbers),
        )
        by_id = {row.id: row for row in found}
        features = all_features(gallery)
        for number in numbers:
            rows, expected = batch(number, args.rows)
            for row, feature in zip(rows, expected, strict=True):
                assert by_id[row.id] == row, (by_id[row.id], row)
                assert (features[row.id] == feature).all(), row.id
    return numbers


def all_features(gallery: "Gallery") -> "dict[str, np.ndarray]":
    table = gallery._table.search().limit(None).select(["id", "feature"]).to_arrow()
    vectors = table["feature"].combine_chunks().flatten().to_numpy().reshape(-1, WIDTH)
    return dict(zip(table["id"].to_pylist(), vectors, strict=True))


def in_a_process(do, args: argparse.Namespace) -> set[int]:
    """Its result; LanceDB's threads must not be there when the next writer is forked."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=lambda: sender.send(do(args)), daemon=True)
    process.start()
    sender.close()
    found = receiver.recv()
    process.join()
    return found


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    sys.exit(guard(main))
