import pytest

from reidar_plugin.errors import ConfigError, HostError, PictureError, ReidarError, nearest, summary


@pytest.mark.parametrize(
    ("error", "builtin"), [(ConfigError, ValueError), (HostError, ImportError), (PictureError, OSError)]
)
def test_each_error_is_also_pythons_own(error: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(error, ReidarError)
    assert issubclass(error, builtin)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("mars_action", " did you mean 'mars_actions'?"),
        ("synthpet", " did you mean 'synthped'?"),
        ("qqq", ""),
    ],
)
def test_nearest_names_the_closest_or_nothing(name: str, hint: str) -> None:
    assert nearest(name, ["lpw_actions", "mars_actions", "synthped"]) == hint


def test_nearest_takes_any_iterable() -> None:
    assert nearest("focla", (name for name in ("triplet", "focal"))) == " did you mean 'focal'?"
    assert nearest("focal", []) == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError(), "ValueError"),
        (ValueError("  \n"), "ValueError"),
        (KeyError("w"), "KeyError: 'w'"),
        (RuntimeError("size mismatch. Try this.\nAnd that."), "RuntimeError: size mismatch"),
        (OSError("\nno space left\non the disk"), "OSError: no space left"),
    ],
)
def test_summary_is_type_and_first_sentence(error: Exception, words: str) -> None:
    assert summary(error) == words


def test_summary_is_short() -> None:
    words = summary(ValueError("word " * 100))
    assert words.endswith(" ...")
    assert len(words) <= len("ValueError: ") + 160
