"""Label spaces: the ordered names of the columns of a multi-hot label row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.errors import ReidarError, nearest, shown

__all__ = ["ACTIONS3", "ACTIONS5", "ACTIONS8", "LABEL_SPACES", "LabelError", "LabelSpace", "label_space"]

#: Characters that a label may not contain, because label files and configs use them.
_RESERVED = frozenset(',|="\r\n')


class LabelError(ReidarError, ValueError):
    """A label, a label space or a label file is invalid."""


@dataclass(frozen=True)
class LabelSpace:
    """The M labels that a tracklet may carry, in the order of the columns of its row.

    Finer labels can be merged into a label of the space. Merging happens in :meth:`encode`, so that one label file
    serves the 8, the 5 and the 3 actions.

    Args:
        name: name of the space in messages and checkpoints.
        names: the labels, which must differ, in the order of the columns.
        merges: finer labels that the space accepts, each with the label into which it is merged.

    Example:
        >>> ACTIONS3.encode({"walking", "trolley"})
        array([1., 0., 1.], dtype=float32)
        >>> sorted(ACTIONS3.decode([1, 0, 1]))
        ['using_hands', 'walking']
        >>> ACTIONS3.encode(None)
        array([nan, nan, nan], dtype=float32)
    """

    name: str
    names: tuple[str, ...]
    merges: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        where = f"label space {self.name!r}"
        if isinstance(self.names, str):
            raise TypeError(f"{where}: names must be a sequence of strings, got {self.names!r}")
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "merges", dict(self.merges))
        if not self.names:
            raise LabelError(f"{where}: expected at least one name, got none")
        for label in (*self.names, *self.merges):
            check_label(label, where)
        if len(set(self.names)) < len(self.names):
            raise LabelError(f"{where}: names must differ, got {self.names}")
        for finer, label in self.merges.items():
            if label not in self.names or finer in self.names:
                raise LabelError(
                    f"{where}: cannot merge {finer!r} into {label!r}; its names are {self.names}"
                )

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def columns(self) -> Mapping[str, int]:
        """Column of each label that the space accepts, its own labels and the merged ones."""
        own = {label: column for column, label in enumerate(self.names)}
        return own | {finer: own[label] for finer, label in self.merges.items()}

    def column(self, label: str) -> int:
        """Column of one label.

        Raises:
            LabelError: the label is unknown; the message lists the known labels and the nearest one.
        """
        column = self.columns.get(label)
        if column is None:
            raise LabelError(self.unknown(label))
        return column

    def encode(self, labels: Iterable[str] | None) -> NDArray[np.float32]:
        """Convert labels to a multi-hot row.

        Args:
            labels: labels of a tracklet; None if they are unknown, empty if it shows none of the space.

        Returns:
            float32 ``(M,)`` of zeros and ones; all NaN for None.

        Raises:
            LabelError: a label is unknown.
        """
        if labels is None:
            return np.full(len(self), np.nan, dtype=np.float32)
        if isinstance(labels, str):
            raise TypeError(f"label space {self.name!r}: expected a set of labels, got the string {labels!r}")
        row = np.zeros(len(self), dtype=np.float32)
        for label in labels:
            row[self.column(label)] = 1.0
        return row

    def decode(self, row: Iterable[float]) -> frozenset[str] | None:
        """Convert a row of zeros and ones ``(M,)`` to labels, None for a row of NaN: the inverse of :meth:`encode`."""
        values = np.asarray(row, dtype=np.float64)
        if values.shape != (len(self),):
            expected = f"label space {self.name!r}: expected a row of shape ({len(self)},)"
            raise LabelError(f"{expected}, got {values.shape}")
        if np.isnan(values).all():
            return None
        if not np.isin(values, (0.0, 1.0)).all():
            raise LabelError(f"label space {self.name!r}: expected zeros and ones, got {values.tolist()}")
        return frozenset(label for label, value in zip(self.names, values, strict=True) if value)

    def unknown(self, label: str) -> str:
        """Error message for an unknown label, with the known labels and the nearest one."""
        known = f"label space {self.name!r} knows {', '.join(self.columns)}"
        return f"unknown label {shown(label)}; {known};{nearest(label, self.columns)}".rstrip(";")


def check_label(label: str, where: str) -> None:
    """Raise if ``label`` cannot be written to a label file and read back; ``where`` begins the message."""
    if not isinstance(label, str):
        raise TypeError(f"{where}: a label must be a string, got {label!r}")
    if (
        not label
        or label != label.strip()
        or label == "none"
        or _RESERVED & set(label)
        or not label.isprintable()
    ):
        rule = "a label has no comma, bar, equals sign, quote, control character or surrounding space and is not 'none'"
        raise LabelError(f"{where}: {shown(label)} cannot be a label; {rule}")
    if len(label) > _LONGEST:
        raise LabelError(f"{where}: {shown(label)} cannot be a label; a label has at most {_LONGEST} letters")


_LONGEST = 200  # as results and tables hold it

_WALK, _RIDE, _HANDS = "walking", "riding", "using_hands"
_RARE = ("holding_hands", "phone_to_ear", "trolley")
_IN_HAND = ("item_one_hand", "item_both_hands", "holding_hands", "phone_to_ear", "phone_to_face", "trolley")

#: The eight actions of Re-ID-AR (section 4 and Table 1), in the order of Table 1.
ACTIONS8 = LabelSpace("actions8", (_WALK, _RIDE, *_IN_HAND))

#: Five actions (MARS): the three rarest of the eight are merged into holding an item in one hand.
ACTIONS5 = LabelSpace(
    "actions5",
    (_WALK, _RIDE, "item_one_hand", "item_both_hands", "phone_to_face"),
    dict.fromkeys(_RARE, "item_one_hand"),
)

#: Three actions: all actions of the hands are merged into one.
ACTIONS3 = LabelSpace("actions3", (_WALK, _RIDE, _HANDS), dict.fromkeys(_IN_HAND, _HANDS))

#: The published label spaces by name.
LABEL_SPACES: Mapping[str, LabelSpace] = MappingProxyType(
    {space.name: space for space in (ACTIONS8, ACTIONS5, ACTIONS3)}
)


def label_space(name: str, names: Iterable[str] = ()) -> LabelSpace:
    """Return a published label space, or build a new one from its labels.

    Args:
        name: ``actions8``, ``actions5`` or ``actions3``; any other name for a new space.
        names: labels of a new space; ``carrying=item_one_hand|trolley`` merges finer labels into one. Empty for
            a published space.

    Raises:
        LabelError: the name is unknown and no labels are given, or the labels are invalid.

    Example:
        >>> label_space("shop", ["standing", "carrying=item_one_hand|trolley"]).encode({"trolley"})
        array([0., 1.], dtype=float32)
    """
    own = (names,) if isinstance(names, str) else tuple(names)
    if name in LABEL_SPACES:
        if own and own != LABEL_SPACES[name].names:
            raise LabelError(
                f"label space {name!r} is published with other names than {own}; name yours otherwise"
            )
        return LABEL_SPACES[name]
    if not own:
        raise LabelError(
            f"unknown label space {name!r}; choose one of {', '.join(LABEL_SPACES)} or give its names"
        )
    parts = [label.partition("=") for label in own]
    merges = {finer: label for label, sign, finers in parts if sign for finer in finers.split("|")}
    return LabelSpace(name, tuple(label for label, _, _ in parts), merges)
