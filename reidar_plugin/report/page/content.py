"""What a report shows, in plain types: people seen by cameras, or a test of a model.

Times are seconds on one clock for all cameras: since 1970 in UTC, or since the start where no date is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = [
    "Curve",
    "Drawing",
    "Neighbour",
    "PeopleReport",
    "Picture",
    "Query",
    "RunReport",
    "Sighting",
    "Table",
]


@dataclass(frozen=True)
class Picture:
    """A person in one frame."""

    jpeg: bytes
    frame: int  #: in the video, from 1
    time: float
    shows: Sequence[str] = ()  #: the actions that this frame shows


@dataclass(frozen=True)
class Neighbour:
    """Another tracklet that looks alike."""

    key: str
    distance: float
    probability: float | None = None  #: that it is the same person; None where nothing was calibrated


@dataclass(frozen=True)
class Sighting:
    """A tracklet."""

    key: str  #: unique in the report, such as ``gate/17``
    camera: str
    person: int
    start: float
    end: float
    first_frame: int  #: in the video, from 1
    last_frame: int
    frames: int  #: in which the person was seen
    actions: Mapping[str, float] = field(default_factory=dict)  #: name -> likelihood
    spans: Mapping[str, Sequence[tuple[float, float]]] = field(
        default_factory=dict
    )  #: action -> when it was seen
    pictures: Sequence[Picture] = ()  #: the most telling first
    nearest: Sequence[Neighbour] = ()  #: nearest first


@dataclass(frozen=True)
class PeopleReport:
    """Who was seen, where, when, and doing what."""

    title: str
    sightings: Sequence[Sighting]
    thresholds: Mapping[str, float] = field(
        default_factory=dict
    )  #: action -> likelihood from which it counts
    dated: bool = False  #: whether times are since 1970
    facts: Mapping[str, str] = field(default_factory=dict)  #: what else a reader should know, name -> text
    timed: bool = True  #: whether times are known at all; of pictures they are not


@dataclass(frozen=True)
class Table:
    """A table; the first column names the rows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """A line of a chart."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Drawing:
    """A picture of a test, such as a confusion matrix."""

    title: str
    image: bytes  #: PNG or JPEG


@dataclass(frozen=True)
class Query:
    """How well one query was answered under one protocol."""

    protocol: str
    person: int
    number: int | None  #: of the query in its list, from 0; None where the results do not tell
    first_match: int | None  #: rank of the first right answer, from 1; None likewise
    figures: Mapping[str, float]  #: such as mAP, as fractions
    drawings: Sequence[int] = ()  #: indices into :attr:`RunReport.answers`


@dataclass(frozen=True)
class RunReport:
    """What a test of a model found."""

    title: str
    tables: Sequence[Table]
    curves: Sequence[Curve] = ()  #: share of queries answered by a rank, a line a protocol
    queries: Sequence[Query] = ()
    drawings: Sequence[Drawing] = ()
    answers: Sequence[Drawing] = ()  #: ranked tracklets and attention of some queries
    facts: Mapping[str, str] = field(default_factory=dict)
    left_out: int = 0  #: pictures for which there was no room
