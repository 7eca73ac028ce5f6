"""timm itself: imported when one of its networks is asked for, and the names that it has."""

import difflib
from typing import Any

from reidar_plugin.errors import ConfigError, summary

__all__ = ["check_name", "timm_library"]


def timm_library() -> Any:
    """The package ``timm``.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import timm
    except ImportError as error:
        raise ConfigError(
            f"models called reidar_timm_... need timm ({summary(error)}): pip install 'reidar-plugin[timm]'"
        ) from error
    return timm


def check_name(name: str) -> None:
    """Refuse a name that timm does not have, before anything is built or fetched.

    Args:
        name: of a network, ``resnet18``, or of one with certain weights, ``resnet18.a1_in1k``.

    Raises:
        ConfigError: timm is missing, or has no such network or weights; the nearest names are in the message.
    """
    timm = timm_library()
    network, _, tag = name.partition(".")
    if network not in (names := timm.list_models()):
        raise ConfigError(f"timm has no network {network!r}; {_choices(network, names)}")
    tags = [known.partition(".")[2] for known in timm.list_pretrained(f"{network}.*")]
    if tag and tag not in tags:
        raise ConfigError(f"timm has no weights {tag!r} of {network}; {_choices(tag, tags)}")


def _choices(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"the nearest names are {', '.join(near)}"
    return f"it has {', '.join(names[:6])}{', ...' if len(names) > 6 else ''}" if names else "it has none"
