from datetime import date, datetime, time, timezone
from zoneinfo import ZoneInfo

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.gallery_filter import Where, daily_spans

ACTIONS = ("walking", "riding")


def test_conditions_by_hand() -> None:
    where = Where(
        cameras=("a", "o'b"), spans=((1, 2.5), (3, float("inf"))), actions={"riding": 0.5}, ids=("x",)
    )
    assert where.sql(ACTIONS) == (
        "`camera` IN ('a', 'o''b') AND `id` IN ('x') AND "
        "((`start` < 2.5 AND `end` >= 1.0) OR (`end` >= 3.0)) AND `action_1` >= 0.5"
    )
    assert Where(without_run="o'b").sql(()) == "NOT starts_with(`id`, 'o''b/')"
    assert Where().sql(ACTIONS) == ""
    assert Where(spans=()).sql(ACTIONS) == "false"
    assert Where(spans=((-float("inf"), float("inf")),)).sql(ACTIONS) == "((true))"


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (
            Where(actions={"ridin": 0.5}),
            "unknown action 'ridin'; did you mean 'riding'. the gallery knows walking, riding",
        ),
        (Where(actions={"riding": 1.5}), "action riding: expected a likelihood from 0 to 1, got 1.5"),
        (Where(actions={"riding": float("nan")}), "from 0 to 1, got nan"),
    ],
)
def test_names_what_is_wrong(where: Where, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        where.sql(ACTIONS)


@pytest.mark.parametrize("where", [Where(cameras="gate"), Where(ids=(3,))])  # type: ignore[arg-type]
def test_text_is_asked_for(where: Where) -> None:
    with pytest.raises(TypeError, match="expected a"):
        where.sql(ACTIONS)


def test_hours_of_each_day_heed_the_clocks() -> None:
    berlin = ZoneInfo("Europe/Berlin")  # summer time began on 2026-03-29
    spans = daily_spans(date(2026, 3, 28), date(2026, 3, 29), time(9), time(10), berlin)
    hours = [[datetime.fromtimestamp(moment, timezone.utc).hour for moment in span] for span in spans]
    assert hours == [[8, 9], [7, 8]]


def test_a_span_over_midnight_ends_on_the_day_after() -> None:
    ((begin, end),) = daily_spans(date(2026, 5, 1), date(2026, 5, 1), time(23), time(1), timezone.utc)
    assert end - begin == 2 * 3600
    assert (
        daily_spans(date(2026, 5, 1), date(2026, 5, 1), time(0), time(0), timezone.utc)[0][1] - begin == 3600
    )


def test_too_many_days_are_refused() -> None:
    with pytest.raises(ConfigError, match="at most 3660 days for hours of each day, got 20"):
        daily_spans(date(1970, 1, 1), date(2026, 5, 1), time(9), time(10), timezone.utc)
