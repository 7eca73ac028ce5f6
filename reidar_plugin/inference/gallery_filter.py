"""Which rows of a gallery: by camera, time, likelihoods of actions, identity or id."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from math import inf

from reidar_plugin.errors import ConfigError, nearest, shown, some

__all__ = ["Where", "action_column", "daily_spans"]

_MOST_DAYS = 3660


@dataclass(frozen=True)
class Where:
    """All conditions that are given must hold; within one, any of its values.

    Times are seconds since 1970 in UTC. A tracklet is in a span ``(from, to)`` if some of it is: it starts before
    ``to`` and ends at ``from`` or later.
    """

    cameras: Sequence[str] = ()
    spans: Sequence[tuple[float, float]] | None = None  #: none of them holds if it is empty
    actions: Mapping[str, float] = field(
        default_factory=dict
    )  #: name -> least likelihood; all of them must hold
    identities: Sequence[str] = ()
    ids: Sequence[str] = ()
    without_run: str = ""  #: none of this run, whose ids are ``<run>/<camera>/<track>``

    def sql(self, actions: Sequence[str]) -> str:
        """The condition for LanceDB, empty where all rows hold.

        Args:
            actions: names of the gallery, in the order of its columns.
        """
        return " AND ".join(self._conditions(actions))

    def _conditions(self, actions: Sequence[str]) -> Iterator[str]:
        for column, values in (("camera", self.cameras), ("identity", self.identities), ("id", self.ids)):
            if isinstance(values, str):
                raise TypeError(f"{column}: expected a sequence of names, got {values!r}")
            if values:
                yield f"`{column}` IN ({', '.join(map(_quoted, values))})"
        if self.without_run:
            yield f"NOT starts_with(`id`, {_quoted(f'{self.without_run}/')})"
        if self.spans is not None:
            spans = [_span(float(begin), float(to)) for begin, to in self.spans]
            yield f"({' OR '.join(spans)})" if spans else "false"
        for name, least in self.actions.items():
            if name not in actions:
                raise ConfigError(
                    f"unknown action {shown(name)};{nearest(name, actions)} the gallery knows {some(actions)}"
                )
            if not 0 <= least <= 1:
                raise ConfigError(f"action {name}: expected a likelihood from 0 to 1, got {least}")
            yield f"`{action_column(list(actions).index(name))}` >= {float(least)!r}"


def action_column(index: int) -> str:
    """Name of the column with the likelihoods of an action; names of actions may hold any character."""
    return f"action_{index}"


def daily_spans(first: date, last: date, begin: time, end: time, zone: tzinfo) -> list[tuple[float, float]]:
    """The same hours of each day, as spans for :class:`Where`; the clocks' changes of the zone are heeded.

    Args:
        first: the first day.
        last: the last day, itself included.
        begin: when a span begins.
        end: when it ends; before or at ``begin`` it is on the day after.
        zone: where it is that time.
    """
    days = (last - first).days + 1
    if days > _MOST_DAYS:
        raise ConfigError(
            f"expected at most {_MOST_DAYS} days for hours of each day, got {days}; narrow the dates"
        )
    spans = []
    for day in (first + timedelta(days=n) for n in range(days)):
        until = day if end > begin else day + timedelta(days=1)
        spans.append(
            (
                datetime.combine(day, begin, zone).timestamp(),
                datetime.combine(until, end, zone).timestamp(),
            )
        )
    return spans


def _span(begin: float, end: float) -> str:
    """Infinities are no literals of SQL; a span from none to none holds all."""
    before = [f"`start` < {end!r}"] if end < inf else []
    after = [f"`end` >= {begin!r}"] if begin > -inf else []
    return f"({' AND '.join([*before, *after]) or 'true'})"


def _quoted(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"expected a name, got {text!r}")
    return "'" + text.replace("'", "''") + "'"
