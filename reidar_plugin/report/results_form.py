"""What ``results.json`` and its arrays hold: one description, against which a file is held before it is used.

A form is a :class:`Kind`; a mapping of names to forms, where ``...`` stands for all other names; a list of one form, that
of each item; or a tuple of forms, one an item. What has a name that a form does not know is passed over.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, TypeAlias

import numpy as np

from reidar_plugin.errors import shown
from reidar_plugin.metrics.actions import PAPER_MAP

__all__ = ["unfit_array", "unfit_value"]


@dataclass(frozen=True)
class Kind:
    """A kind of single values."""

    words: str  #: what is expected
    fits: Callable[[Any], bool]


Form: TypeAlias = "Kind | Mapping[str | EllipsisType, Form] | list[Form] | tuple[Form, ...]"

_MOST = 2**53  # beyond it, numbers are not told apart
_LONGEST, _DEEPEST = 200, 20


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= _MOST  # not NaN either


def _is_shallow(value: Any, deepest: int = _DEEPEST) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return deepest > 0 and all(_is_shallow(each, deepest - 1) for each in inner)


_NUMBER = Kind("a number", _is_number)
_NUMBER_OR_NONE = Kind("a number or null", lambda value: value is None or _is_number(value))
_COUNT = Kind("a whole number", lambda value: type(value) is int and 0 <= value <= _MOST)
_FLAG = Kind("true or false", lambda value: isinstance(value, bool))
_TEXT = Kind(
    f"a line of at most {_LONGEST} letters",
    lambda value: isinstance(value, str) and len(value) <= _LONGEST and value.isprintable(),
)
_PLAIN = Kind(f"values nested at most {_DEEPEST} times", _is_shallow)

_FIGURES: Mapping[str | EllipsisType, Form] = dict.fromkeys(
    ("precision", "recall", "f1", "average_precision"), _NUMBER_OR_NONE
)
_TEST: Form = {
    **dict.fromkeys(("protocol", "summary", "distance", "fingerprint"), _TEXT),
    "reranked": _FLAG,
    "counts": dict.fromkeys(("queries", "valid", "gallery", "distractors"), _COUNT),
    "metrics": {"mAP": _NUMBER, "mINP": _NUMBER, ...: _NUMBER},
    "intervals": {"level": _NUMBER, "resamples": _COUNT, ...: (_NUMBER, _NUMBER)},
}
_ACTIONS: Form = {
    "counts": dict.fromkeys(("known", "unknown"), _COUNT),
    "per_action": {...: {**_FIGURES, "support": _COUNT, "threshold": _NUMBER}},
    **dict.fromkeys(("macro", "micro"), _FIGURES),
    **dict.fromkeys(("mAP", PAPER_MAP), _NUMBER_OR_NONE),
    "confusion": {"rows": [_TEXT], "columns": [_TEXT], "table": [[_COUNT]]},
}
_RESULTS: Mapping[str | EllipsisType, Form] = {
    "name": _TEXT,
    "retrieval": [_TEST],
    "versions": {...: _TEXT},
    **{name: {...: _PLAIN} for name in ("config", "seeds", "notes")},
}

#: Figures of each query that every test has.
_PER_QUERY = ("pid", "rank-1", "mAP", "mINP")
_WHOLE = ("pid", "query", "first match")


def unfit_value(content: Mapping[str, Any]) -> str:
    """The first value of a ``results.json`` that is not what it should be, in words; empty where all are."""
    form = _RESULTS if content["actions"] is None else {**_RESULTS, "actions": _ACTIONS}
    if first := next(_unfit(content, form, ""), ""):
        return first
    figures = [set(test["metrics"]) for test in content["retrieval"]]
    return "the tests have different metrics" if any(names != figures[0] for names in figures) else ""


def _unfit(value: Any, form: Form, where: str) -> Iterator[str]:
    """All values that do not fit, in words."""
    if isinstance(form, Kind):
        if not form.fits(value):
            yield f"{where}: expected {form.words}, got {shown(value)}"
    elif isinstance(form, Mapping):
        yield from _unfit_names(value, form, where)
    elif not isinstance(value, list) or (isinstance(form, tuple) and len(value) != len(form)):
        length = f" of {len(form)}" if isinstance(form, tuple) else ""
        yield f"{where}: expected a list{length}, got {shown(value)}"
    else:
        forms = form if isinstance(form, tuple) else form * len(value)
        for index, (item, one) in enumerate(zip(value, forms, strict=True)):
            yield from _unfit(item, one, f"{where}[{index}]")


def _unfit_names(value: Any, form: Mapping[str | EllipsisType, Form], where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: expected names and values, got {shown(value)}"
        return
    if missing := [str(name) for name in form if name is not ... and name not in value]:
        yield f"{where} lacks {', '.join(missing)}".strip()
    for name, each in value.items():
        if (one := form.get(name, form.get(...))) is not None:
            yield from _unfit(name, _TEXT, f"a name in {where or 'it'}")
            yield from _unfit(each, one, f"{where}.{name}".removeprefix("."))


def unfit_array(arrays: Mapping[str, np.ndarray], tests: int) -> str:
    """The first test whose figures of each query are not what they should be, in words; empty where all are.

    Args:
        arrays: as ``Results.per_query`` has them.
        tests: how many there are.
    """
    for index in range(tests):
        own = {
            figure: values
            for name, values in arrays.items()
            for test, _, figure in [name.partition("/")]
            if test == str(index)
        }
        if missing := [figure for figure in _PER_QUERY if figure not in own]:
            return f"test {index} lacks {', '.join(missing)}"
        queries = own["pid"].size
        for figure, values in own.items():
            if values.shape != (queries,) or not queries:
                return f"{shown(figure)} of test {index}: expected a number a query, got shape {values.shape}"
            if not (np.abs(values.astype(np.float64)) <= _MOST).all():
                return f"{shown(figure)} of test {index}: expected finite numbers"
            if figure in _WHOLE and values.dtype.kind not in "iu":
                return f"{shown(figure)} of test {index}: expected whole numbers, got {values.dtype}"
        if own.get("first match", np.ones(1)).min() < 1:
            return f"'first match' of test {index}: expected ranks from 1 on"
    return ""
