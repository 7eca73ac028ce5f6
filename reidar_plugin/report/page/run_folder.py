"""What the folder of a run holds, as the content of a report: ``results.json`` and the pictures that were drawn."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from reidar_plugin.data.picture_header import read_header
from reidar_plugin.errors import InputError
from reidar_plugin.io.ordinary import content_of
from reidar_plugin.metrics.protocols import protocols_of
from reidar_plugin.report.page.content import Curve, Drawing, Query, RunReport, Table
from reidar_plugin.report.results import Results, read_results
from reidar_plugin.report.tables import (
    action_notes,
    action_rows,
    protocol_title,
    retrieval_notes,
    retrieval_rows,
)

__all__ = ["MOST_BYTES", "read_run"]

MOST_BYTES = 24 * 2**20  #: of all pictures, before they become text

#: Pictures of a run as a whole, those that come first being the more telling.
_DRAWN = {
    "training.png": "Losses and learning rate over the epochs",
    "actions/precision_recall.png": "Precision against recall of each action",
    "actions/confusion.png": "Given actions against predicted ones",
    "actions/f1.png": "F1 of each action",
}
_KINDS = {
    "ranked": "nearest tracklets of the gallery",
    "attention": "weights of the frames",
    "actions": "where and when each action is seen",
    "masks": "where the branches look",
}
_ANSWER = re.compile(r"query(\d+)_person(\d+)_(\w+)\.png")


def read_run(folder: Path, most_bytes: int = MOST_BYTES) -> RunReport:
    """Read a run.

    Args:
        folder: the ``save_dir`` of a test; pictures are there if it was made with ``test.visrank True``.
        most_bytes: of all pictures; how many are left out is told.

    Raises:
        ReidarError: there is no results.json, or it or a picture cannot be read.
    """
    results = read_results(folder)
    room = _Room(most_bytes)
    drawings = [
        Drawing(title, image) for path, title in _pictures(folder) if (image := room.take(path)) is not None
    ]
    answers, drawn = _answers(folder, room)
    return RunReport(
        title=f"Test of {results.name}",
        tables=_tables(results),
        curves=list(_curves(results)),
        queries=list(_queries(results, drawn)),
        drawings=drawings,
        answers=answers,
        facts=_facts(results),
        left_out=room.left_out,
    )


class _Room:
    """Pictures are taken in while there is room for them."""

    def __init__(self, most_bytes: int) -> None:
        self.bytes, self.left_out = most_bytes, 0

    def take(self, path: Path) -> bytes | None:
        """The picture, as JPEG if that is smaller; None where there is no room."""
        image = _smaller(path)
        if len(image) > self.bytes:
            self.left_out += 1
            return None
        self.bytes -= len(image)
        return image


def _smaller(path: Path) -> bytes:
    try:
        png = content_of(path)
        header = read_header(png)
        if header is None or header.excess:
            raise ValueError("none at all" if header is None else f"one{header.excess}")
        jpeg = io.BytesIO()
        with Image.open(io.BytesIO(png)) as image:
            image.convert("RGB").save(jpeg, "JPEG", quality=85)
    except (OSError, SyntaxError, ValueError) as error:  # PIL has all of them for a damaged one
        raise InputError(f"{path}: expected a picture of the test ({error}); draw it again") from error
    return min(png, jpeg.getvalue(), key=len)


def _pictures(folder: Path) -> Iterator[tuple[Path, str]]:
    yield from ((folder / name, title) for name, title in _DRAWN.items() if (folder / name).is_file())
    for path in sorted(folder.glob("visrank_*/embedding.png")):
        yield path, f"{_target(path.parent)}: people of the gallery in the plane"


def _target(folder: Path) -> str:
    return folder.name.removeprefix("visrank_")


def _answers(folder: Path, room: _Room) -> tuple[list[Drawing], dict[tuple[str, int, int], list[int]]]:
    """Pictures of answers, and which of them are of a query: data set, number and person -> indices."""
    answers: list[Drawing] = []
    drawn: dict[tuple[str, int, int], list[int]] = {}
    for path in sorted(folder.glob("visrank_*/query*.png"), key=_telling):
        found = _ANSWER.fullmatch(path.name)
        if found is None or found[3] not in _KINDS or (image := room.take(path)) is None:
            continue
        dataset = protocols_of(_target(path.parent))[0].dataset
        query, person = int(found[1]), int(found[2])
        drawn.setdefault((dataset, query, person), []).append(len(answers))
        answers.append(Drawing(f"Query {query}, person {person}: {_KINDS[found[3]]}", image))
    return answers, drawn


def _telling(path: Path) -> tuple[int, str]:
    """Rank lists first, for they need the room most."""
    return int(not path.stem.endswith("_ranked")), str(path)


def _tables(results: Results) -> list[Table]:
    tables = []
    if results.retrieval:
        notes = " ".join(retrieval_notes(results))
        tables.append(_table("Retrieval", retrieval_rows(results), notes))
    if results.actions is not None:
        tables.append(
            _table("Actions", action_rows(results.actions), " ".join(action_notes(results.actions)))
        )
    return tables


def _table(title: str, rows: Sequence[Mapping[str, str]], note: str) -> Table:
    return Table(title, list(rows[0]), [list(row.values()) for row in rows], note)


def _curves(results: Results) -> Iterator[Curve]:
    """Share of the valid queries that are answered by each rank, where the results tell the ranks."""
    for index, test in enumerate(results.retrieval):
        ranks = results.per_query.get(f"{index}/first match")
        if ranks is not None:
            x, counts = np.unique(ranks, return_counts=True)
            share = np.cumsum(counts) / len(ranks)
            begins = [] if x[0] == 1 else [(1.0, 0.0)]
            points = [*begins, *zip(x.tolist(), share.tolist(), strict=True)]
            yield Curve(protocol_title(test), [at for at, _ in points], [value for _, value in points])


def _queries(results: Results, drawn: Mapping[tuple[str, int, int], list[int]]) -> Iterator[Query]:
    for index, test in enumerate(results.retrieval):
        dataset = test["protocol"].rpartition(" ")[0]
        own = {
            name.partition("/")[2]: values.tolist()
            for name, values in results.per_query.items()
            if name.partition("/")[0] == str(index)
        }
        people = own.pop("pid")
        numbers = own.pop("query", [None] * len(people))
        firsts = own.pop("first match", [None] * len(people))
        for row, (person, number, first) in enumerate(zip(people, numbers, firsts, strict=True)):
            figures = {name: values[row] for name, values in own.items()}
            pictures = drawn.get((dataset, number, person), [])
            yield Query(protocol_title(test), person, number, first, figures, pictures)


def _facts(results: Results) -> dict[str, str]:
    return {
        **{name: _words(value) for name, value in results.notes.items()},
        **{f"seed: {name}": str(value) for name, value in results.seeds.items()},
        "versions": ", ".join(f"{name} {version}" for name, version in results.versions.items()),
    }


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    return str(value)
