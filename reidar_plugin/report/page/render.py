"""Templates and what they need become one HTML file that loads nothing else.

Its Content-Security-Policy lets a browser run the one script of the page, by its digest, and fetch nothing at all: a name
that were to slip through escaping could neither run nor call anybody.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from reidar_plugin.errors import ConfigError, summary
from reidar_plugin.io.atomic import write_atomically

__all__ = ["data_uri", "render_page", "write_page"]

_TEMPLATES = Path(__file__).with_name("templates")
_KINDS = {b"\xff\xd8": "image/jpeg", b"\x89P": "image/png"}


def data_uri(picture: bytes) -> str:
    """A JPEG or PNG as a URI that holds it."""
    return f"data:{_KINDS[picture[:2]]};base64,{base64.b64encode(picture).decode()}"


def render_page(kind: Literal["people", "run", "table"], data: dict[str, Any], **parts: Any) -> str:
    """The HTML of a report.

    Args:
        kind: the template, and the script of that name; a page without a script runs none.
        data: plain values for the script.
        parts: what the template says without the script; all of it is escaped.

    Raises:
        ConfigError: Jinja2 is not installed.
    """
    script = _text("page.js") + _text(f"{kind}.js") if (_TEMPLATES / f"{kind}.js").is_file() else ""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = _environment().get_template(f"{kind}.html")
    return page.render(
        style=_safe(_text("style.css")),
        script=_safe(script),
        script_hash=_safe(f"'sha256-{digest}'" if script else "'none'"),
        data=data,
        **parts,
    )


def write_page(path: Path, page: str) -> Path:
    """Write a report, whole or not at all; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page.encode())
    return path


@cache
def _environment() -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise ConfigError(
            f"reports need Jinja2 ({summary(error)}): pip install 'reidar-plugin[report]'"
        ) from error
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"allow_nan": False, "ensure_ascii": False, "separators": (",", ":")}
    return made


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _safe(text: str) -> Any:
    """Text of ours that must stay as it is, in a page whose other texts are escaped."""
    _environment()
    from markupsafe import Markup

    return Markup(text)
