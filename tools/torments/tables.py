"""Tables that people write: label files, MOT files, the MATLAB tables of MARS."""

import random
from pathlib import Path

import numpy as np

from reidar_plugin.data.mat_files import read_matrix
from reidar_plugin.inference.mot_files import read_tracks
from reidar_plugin.inference.tracks import fit_to_video
from reidar_plugin.labels.files import read_labels
from reidar_plugin.labels.spaces import label_space
from reidar_plugin.synthped import make

from .campaign import WrongAnswerError
from .mutations import break_bytes, break_table

__all__ = ["LabelFiles", "MarsTables", "TrackFiles"]


class LabelFiles:
    """``read_labels``; what it takes must be what a plain reading of the lines gives."""

    name, names_file = "label files", True

    def prepare(self, folder: Path) -> None:
        """Lines of all kinds."""
        self.space = label_space("actions8")
        labels = [*self.space.columns, "walking|riding", "none", ""]
        keys = ["0001", "0001C2", "0001C2T0003", "scen1/view2/17", "0123C1T0001"]
        rows = [f"{number:04d},{labels[number % len(labels)]}" for number in range(2, 30)]
        self.lines = ["tracklet,labels", *(f"{key},walking" for key in keys), *rows]

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Lines changed, or bytes."""
        path = folder / "case.csv"
        path.write_bytes(break_table(self.lines, chance))
        return path

    def ask(self, path: Path) -> None:
        """Read it; compare with a reading of its own."""
        found = read_labels(path, self.space).entries
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        rows = [line.split(",") for line in text.split("\n")[1:] if line]
        expected = {key: _labels(text) for key, text in rows}
        if found != expected or len(rows) != len(expected):
            raise WrongAnswerError(f"{len(found)} entries, expected {len(expected)}")


def _labels(text: str) -> frozenset[str] | None:
    """Nothing said is unknown; ``none`` is none of the actions."""
    return {"": None, "none": frozenset[str]()}.get(text, frozenset(text.split("|")))


class TrackFiles:
    """``read_tracks``, then the boxes cut to a video."""

    name, names_file = "track files", True

    def prepare(self, folder: Path) -> None:
        """Three people through a picture of 640 x 480."""
        self.lines = [
            f"{frame},{person},{40 * person + frame}.5,{30 + frame},40,90,0.9{person},-1,-1,-1"
            for frame in range(1, 25)
            for person in (1, 2, 3)
        ]

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Lines changed, or bytes."""
        path = folder / "case.txt"
        path.write_bytes(break_table(self.lines, chance))
        return path

    def ask(self, path: Path) -> None:
        """A box a line, and all that is kept inside the picture."""
        tracks = read_tracks(path)
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        if len(tracks) != len(lines):
            raise WrongAnswerError(f"{len(tracks)} boxes of {len(lines)} lines")
        box = fit_to_video(tracks, 640, 480, 1000, "skip", str(path)).tracks.box
        end = box[:, :2] + box[:, 2:]
        if not np.isfinite(box).all() or (box < 0).any() or (end > np.array([640, 480]) + 1e-6).any():
            raise WrongAnswerError("a box outside the picture")


class MarsTables:
    """``read_matrix`` on the tables of a small street in MARS' layout."""

    name, names_file = "MARS tables", True

    def prepare(self, folder: Path) -> None:
        """Draw the street."""
        info = make(folder / "street", "tiny", workers=1) / "info"
        names = {"tracks_test_info": "track_test_info", "query_IDX": "query_IDX"}
        self.files = [(info / f"{file}.mat", name) for file, name in names.items()]
        self.whole = {path: read_matrix(path, name) for path, name in self.files}

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Bytes changed."""
        self.file, self.variable = chance.choice(self.files)
        path = folder / "case.mat"
        path.write_bytes(break_bytes(self.file.read_bytes(), chance))
        return path

    def ask(self, path: Path) -> None:
        """A matrix of integers."""
        found = read_matrix(path, self.variable)
        if found.dtype != np.int64 or found.ndim != 2 or not found.size:
            raise WrongAnswerError(f"{found.dtype} of shape {found.shape}")
