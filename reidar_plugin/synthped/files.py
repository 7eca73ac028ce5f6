"""The files of a finished set beside its pictures: MARS' tables, labels, attributes, the truth, and a README."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.io import savemat

from reidar_plugin.synthped.actions import ACTIONS
from reidar_plugin.synthped.people.looks import BOTTOM_COLOURS, TOP_COLOURS, Look
from reidar_plugin.synthped.plan import Plan, Shot
from reidar_plugin.synthped.script import MOTIONS, POSES

__all__ = ["ATTRIBUTE_COLUMNS", "TRUTH_COLUMNS", "attribute_row", "write_files"]

TRUTH_COLUMNS = ("tracklet", "pose", "motion", "first", "last", "action", "occluded")
"""Columns of ``truth/frames.csv``; action and occlusion are the same from frame ``first`` to ``last``, counted from 1."""

ATTRIBUTE_COLUMNS = (
    "person-id", "camera", "tracklet", "Tops.c", "Bottoms.c", "Age", "Tops.l", "Bottoms.l", "shoulder bag",
    "backpack", "hat", "handbag", "hair", "gender", "Bottoms.t", "pose", "motion",
)  # fmt: skip
"""Columns of ``attributes.csv``: those of MARS' published attributes, then two that describe the tracklet."""

AGES = ("child", "teenager", "adult", "old")


def write_files(home: Path, plan: Plan, truth: Sequence[Sequence[str]]) -> None:
    """Write all files but the pictures.

    Args:
        home: the folder of the set.
        plan: the set that was drawn.
        truth: what was drawn in each tracklet, rows of ``TRUTH_COLUMNS`` in the order of the plan.
    """
    if plan.layout == "mars":
        _write_tables(home / "info", plan)
    _write_labels(home, plan)
    seen = {row[0]: (row[1], row[2]) for row in truth}
    known = [shot for shot in plan.shots if shot.person >= 0]
    rows = [attribute_row(plan.crowds[shot.split][shot.person], shot, *seen[shot.key]) for shot in known]
    _write_csv(home / "attributes.csv", ATTRIBUTE_COLUMNS, rows)
    _write_csv(home / "truth" / "frames.csv", TRUTH_COLUMNS, truth)
    people = sorted(
        {(shot.split, shot.key.rpartition("/")[0].partition("/")[0], shot.pid, shot.person) for shot in known}
    )
    looks = [
        [split, scene, str(pid), *plan.crowds[split][person].row()] for split, scene, pid, person in people
    ]
    _write_csv(home / "truth" / "people.csv", ("split", "scene", "pid", *Look.columns()), looks)
    (home / "README.md").write_text(_README, encoding="utf-8", newline="\n")


def attribute_row(look: Look, shot: Shot, pose: str, motion: str) -> list[str]:
    """A row of ``attributes.csv``: yes is 1; long sleeves, hems and hair are 1; trousers and shorts are 1."""
    values = (
        shot.pid,
        shot.camera,
        shot.number,
        TOP_COLOURS.index(look.top_name),
        BOTTOM_COLOURS.index(look.bottom_name),
        AGES.index(look.age),
        look.sleeves == "long",
        look.bottom == "trousers",
        look.bag == "shoulder",
        look.bag == "backpack",
        look.hat != "none",
        look.bag == "handbag",
        look.hair in ("long", "ponytail"),
        look.gender == "female",
        look.bottom in ("trousers", "shorts"),
        POSES.index(pose),
        MOTIONS.index(motion),
    )
    return [str(int(value)) for value in values]


def _write_tables(folder: Path, plan: Plan) -> None:
    folder.mkdir(exist_ok=True)
    for split in ("train", "test"):
        shots = [shot for shot in plan.shots if shot.split == split]
        ends = np.cumsum([shot.length for shot in shots])
        rows = [
            (end - shot.length + 1, end, shot.pid, shot.camera)
            for shot, end in zip(shots, ends.tolist(), strict=True)
        ]
        names = [shot.name(frame) for shot in shots for frame in range(1, shot.length + 1)]
        _write_lines(folder / f"{split}_name.txt", names)
        _write_matrix(folder / f"tracks_{split}_info.mat", f"track_{split}_info", np.array(rows, np.int32))
    queries = np.array([plan.queries], np.uint16) + np.uint16(1)  # counted from 1, as in MATLAB
    _write_matrix(folder / "query_IDX.mat", "query_IDX", queries)


def _write_matrix(path: Path, name: str, matrix: np.ndarray) -> None:
    """Write a MATLAB 5 file with a fixed text header, where scipy puts the system and the date."""
    buffer = io.BytesIO()
    savemat(buffer, {name: matrix})
    header = b"MATLAB 5.0 MAT-file, SynthPed".ljust(116)
    path.write_bytes(header + buffer.getvalue()[116:])


def _write_labels(home: Path, plan: Plan) -> None:
    """Write our label file, and the published form: a line for each image, with the number of its action (0 is none)."""
    if plan.layout == "mars":
        seen = dict.fromkeys((shot.pid, shot.label) for shot in plan.shots if shot.person >= 0)
        rows = [[f"{pid:04d}", label] for pid, label in sorted(seen)]
    else:
        rows = [[shot.key, shot.label] for shot in plan.shots]
    _write_csv(home / "actions.csv", ("tracklet", "labels"), rows)
    for split in ("train", "test"):
        lines = []
        for shot in plan.shots:
            if shot.split == split:
                number = ACTIONS.index(shot.label) + 1 if shot.label else 0
                folder = f"{shot.folder}/" if plan.layout == "lpw" else ""
                lines += [f"{folder}{shot.name(frame)} {number}" for frame in range(1, shot.length + 1)]
        _write_lines(home / "published" / f"{split}_8_actions.txt", lines)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


_README = """# SynthPed

Drawn pedestrians with identities, cameras, actions and attributes. Nobody here exists: the pictures were made by
`tools/make_synthped.py` of reidar_plugin (see `synthped.json` for the size and the seed) and may be used freely under
the licence of that project. Results on this set say nothing of results on MARS or LPW; always name it.

    bbox_train, bbox_test, info        pictures and tables, as in MARS
    pep_256x128/scen?/view?/<person>   pictures, as in LPW (instead of the above)
    actions.csv                        the weak labels: one action for a person (MARS), or for a person in a view (LPW)
    published/*_8_actions.txt          the same labels image by image: 1 walking, 2 riding, 3 item in one hand, 4 item in
                                       both hands, 5 holding hands, 6 phone to the ear, 7 phone to the face, 8 trolley;
                                       0 for strangers
    attributes.csv                     columns of MARS' published attributes, pose and motion
    truth/frames.csv                   what really happens: action and occlusion, stretch by stretch
    truth/people.csv                   everything that the generator knows about a person

Numbers in attributes.csv. Tops.c: black, purple, green, blue, gray, white, yellow, red, complex (from 0). Bottoms.c:
white, purple, black, green, gray, pink, yellow, blue, brown, complex. Age: child, teenager, adult, old. Tops.l,
Bottoms.l, hair: 1 is long. gender: 1 is female. Bottoms.t: 1 is trousers or shorts, 0 skirt or dress. Bags and hat: 1 is
yes. pose: frontal, lateral-front, lateral, lateral-back, back, various. motion: walking, standing, running, riding,
various.
"""
