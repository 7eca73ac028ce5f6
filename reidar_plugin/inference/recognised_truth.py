"""How right the answers are, where somebody has told the truth of every camera."""

from collections.abc import Sequence

import numpy as np

from reidar_plugin.errors import InputError
from reidar_plugin.inference.identify import Seen
from reidar_plugin.inference.mot_files import read_tracks
from reidar_plugin.inference.recognise import Found
from reidar_plugin.inference.recognised_files import people_in
from reidar_plugin.metrics.identities import identity_scores, pair_scores, true_person_of

__all__ = ["score_answers"]


def score_answers(found: Sequence[Found], seen: Sequence[Seen]) -> str:
    """In words: people, pairs of tracklets and IDF1 against the truth; empty where a camera has none.

    A tracklet is of the person whose boxes it overlaps most often (IoU of 0.5 or more); those that overlap nobody's
    are no pairs, but their boxes count in IDF1.

    Raises:
        InputError: a file of the truth has no tracks.
    """
    if not found or any(each.camera.truth is None for each in found):
        return ""
    true = [read_tracks(each.camera.truth).people() for each in found if each.camera.truth is not None]
    for each, boxes in zip(found, true, strict=True):
        if boxes.are_detections:
            raise InputError(f"{each.camera.truth}: expected the people of a truth, got detections (id -1)")
    people = {
        (each.camera.name, track): person
        for each, boxes in zip(found, true, strict=True)
        for track, person in true_person_of(each.findings.boxes, boxes).items()
    }
    known = [
        (one.person, people[key]) for one in seen if (key := (one.camera.name, one.summary.track)) in people
    ]
    if seen and not known:
        return "no tracklet overlaps anybody of the truth; is that of another video?"
    mine, theirs = np.array(known, np.int64).reshape(-1, 2).T
    pairs = pair_scores(mine, theirs)
    ids = identity_scores([people_in(each, seen) for each in found], true)
    everybody = len(np.unique(np.concatenate([boxes.track for boxes in true])))
    return (
        f"{len({one.person for one in seen}):,} people found, {everybody:,} in truth; pairs of tracklets: precision "
        f"{pairs.precision:.1%}, recall {pairs.recall:.1%}; IDF1 {ids.idf1:.1%} (IDP {ids.idp:.1%}, IDR {ids.idr:.1%})"
    )
