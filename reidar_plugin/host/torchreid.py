"""torchreid's two layouts, the tables that it keeps private, and how its functions are replaced.

torchreid comes in two layouts. The PyPI package (0.2.5) keeps the toolbox in ``torchreid.reid``; a clone of the
repository (1.4.0) keeps it in ``torchreid``. Both version strings lie about the flavour, so the layout is told by
what can be imported. The rest of the plugin writes ``from reidar_plugin.host import reid`` and then ``reid.models``,
``reid.data``, ``reid.engine``, ``reid.utils``, ... on either.
"""

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from reidar_plugin.errors import HostError

__all__ = [
    "HostInfo",
    "alias_clone_layout",
    "choices",
    "dataset_table",
    "describe",
    "is_replaced",
    "model_table",
    "original_of",
    "owner",
    "reid",
    "replace",
    "replace_all",
    "restore",
    "restore_all",
    "unalias_clone_layout",
]

if TYPE_CHECKING:
    reid: Any


@dataclass(frozen=True)
class HostInfo:
    """Which torchreid is in use."""

    layout: str  #: "package" (PyPI, ``torchreid.reid``) or "clone" (git, ``torchreid``)
    version: str
    path: Path


def _load() -> ModuleType:
    """The package that holds ``data``, ``models``, ``engine``, ``metrics``, ``optim``, ``utils``."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Cython evaluation")  # of an evaluator that is not used here
            top = importlib.import_module("torchreid")
            nested = hasattr(top, "__path__") and importlib.util.find_spec("torchreid.reid") is not None
            module = importlib.import_module("torchreid.reid" if nested else "torchreid")
    except Exception as error:  # whatever stops the import of a package stops it
        missing = isinstance(error, ModuleNotFoundError) and error.name == "torchreid"
        cure = "install it with 'pip install torchreid', or put a clone of deep-person-reid on PYTHONPATH"
        if not missing:
            cure = "the plugin's own requirements name all that it needs"
        reason = " ".join(str(error).split()) or type(error).__name__
        raise HostError(f"torchreid cannot be imported: {reason}; {cure}") from error
    parts = ("data", "engine", "losses", "metrics", "models", "optim", "utils")
    lacking = [part for part in parts if not hasattr(module, part)]
    if lacking:
        raise HostError(
            f"{module.__name__} at {module.__file__} is not the toolbox the plugin knows: it has no "
            f"{', '.join(lacking)}; another package or folder of that name may hide it"
        )
    return module


def __getattr__(name: str) -> Any:
    if name == "reid":
        return _load()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def describe() -> HostInfo:
    """Layout, version and path of the torchreid in use."""
    module = _load()
    top = importlib.import_module("torchreid")
    layout = "clone" if module is top else "package"
    return HostInfo(
        layout, str(getattr(top, "__version__", "unknown")), Path(str(module.__file__)).resolve().parent
    )


def model_table() -> dict[str, Callable[..., Any]]:
    """The host's private table of models, live: name -> builder(num_classes, loss, pretrained, use_gpu)."""
    return _private(_load().models, "__model_factory")


def dataset_table(data_type: str) -> dict[str, Callable[..., Any]]:
    """The host's private table of ``image`` or ``video`` datasets, live: name -> class."""
    return _private(_load().data.datasets, f"__{data_type}_datasets")


def choices() -> dict[str, Sequence[str]]:
    """Config keys whose values the host lists itself -> those values."""
    reid = _load()
    return {
        "sampler.train_sampler": reid.data.sampler.AVAI_SAMPLERS,
        "train.optim": reid.optim.optimizer.AVAI_OPTIMS,
        "train.lr_scheduler": reid.optim.lr_scheduler.AVAI_SCH,
    }


def _private(module: ModuleType, name: str) -> dict[str, Callable[..., Any]]:
    table = vars(module).get(name)
    if not isinstance(table, dict):
        raise HostError(
            f"{module.__name__} has no table {name}: this torchreid is newer than the plugin knows"
        )
    return table


def owner(entry: object) -> str:
    """Who stands behind a table entry: ``module.name`` of a class, a function or what a partial calls."""
    entry = getattr(entry, "func", entry)
    return f"{getattr(entry, '__module__', '?')}.{getattr(entry, '__qualname__', type(entry).__name__)}"


def _modules() -> list[ModuleType]:
    """Every loaded module of the toolbox; aliases come twice, which does no harm."""
    return [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("torchreid")
        and name.split(".")[0] == "torchreid"
        and isinstance(module, ModuleType)
    ]


_MARK = "__reidar_original__"  # on a replacement: itself and the original; copies of the mark are known by the first


def original_of(function: Any) -> Any:
    """The host's own function behind a replacement; a function that nobody has replaced is its own original."""
    itself, original = getattr(function, _MARK, (None, None))
    return original if itself is function else function


def is_replaced(function: Any) -> bool:
    """Whether :func:`replace` has put that function where it is."""
    return original_of(function) is not function


def replace(holder: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put ``wrap(original)`` in the place of a host function, everywhere the host has imported it.

    The original is kept on the replacement itself, so that a second call replaces the first one's work instead of
    wrapping it again, also after the plugin's modules were reloaded.

    Args:
        holder: the module or class that defines the function.
        name: its name there.
        wrap: takes the host's original, returns what shall stand in its place.
    """
    replace_all([(holder, name, wrap)])


def replace_all(patches: Iterable[tuple[Any, str, Callable[[Any], Any]]]) -> None:
    """:func:`replace` for several functions; the loaded modules, which are thousands, are gone through once."""
    patches = list(patches)  # which may import the host
    modules = _modules()
    for holder, name, wrap in patches:
        current = vars(holder).get(name)
        if current is None:
            where = getattr(holder, "__qualname__", holder.__name__)
            raise HostError(f"{where} has no {name}: this torchreid is not one that the plugin knows")
        original = original_of(current)
        replacement = wrap(original)
        setattr(replacement, _MARK, (replacement, original))
        _swap(holder, name, current, replacement, modules)


def restore(holder: Any, name: str) -> None:
    """Undo :func:`replace`; without effect where nothing was replaced."""
    restore_all([(holder, name)])


def restore_all(functions: Iterable[tuple[Any, str]]) -> None:
    """:func:`restore` for several functions."""
    functions = list(functions)
    modules = _modules()
    for holder, name in functions:
        current = vars(holder).get(name)
        if is_replaced(current):
            _swap(holder, name, current, original_of(current), modules)


def _swap(holder: Any, name: str, old: Any, new: Any, modules: list[ModuleType]) -> None:
    setattr(holder, name, new)
    if isinstance(holder, ModuleType):
        for module in modules:
            if vars(module).get(name) is old:
                setattr(module, name, new)


_aliases: set[str] = set()  # names in sys.modules that are ours to take back


def alias_clone_layout() -> None:
    """Let ``torchreid.utils`` and its like be imported from the PyPI package, where they are ``torchreid.reid.utils``.

    Only names that do not exist are added: a script that was written for a clone then starts on the package too.
    """
    if describe().layout != "package":
        return
    for name, module in list(sys.modules.items()):
        alias = name.replace("torchreid.reid.", "torchreid.", 1)
        if alias != name and alias not in sys.modules:
            sys.modules[alias] = module
            _aliases.add(alias)


def unalias_clone_layout() -> None:
    """Undo :func:`alias_clone_layout`."""
    while _aliases:
        sys.modules.pop(_aliases.pop(), None)
