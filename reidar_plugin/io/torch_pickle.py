"""Which calls the pickles in a file of ``torch.save`` ask for, found out without making any of them.

``torch.load`` with ``weights_only`` calls a few functions of Python and numpy with whatever a file says: ``bytearray``
with a number of gigabytes, a codec that takes hours, ``torch.Tensor`` for what was in memory.
"""

import pickle
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, ClassVar

__all__ = ["HostileCallError", "check_calls"]


class HostileCallError(ValueError):
    """A call that no tensor and no plain value needs; the message names it."""


def check_calls(file: BinaryIO, pickles: int = 1) -> None:
    """Read pickles, one behind the other, and look at what they call.

    What else is wrong with them is for whoever loads them to say.

    Args:
        file: open at the first.
        pickles: how many there are.

    Raises:
        HostileCallError: a call that ``torch.save`` writes for no tensor, plain value, or number of numpy.
        Exception: what pickle makes of bytes that are none of its own.
    """
    for _ in range(pickles):
        _Reader(file, encoding="latin1").load()  # whether a text is one, torch may say


class _Named:
    """In the place of a function or a class that a pickle names; what it is called for is another one, without a name."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def __call__(self, *args: Any) -> "_Named":
        allowed = _CALLS.get(self.name)
        if allowed is None or not allowed(*args):
            raise HostileCallError(self.name or "what it has made itself")
        return _Named()

    def __setstate__(self, state: Any) -> None:
        """Torch takes no large ones: a number of numpy keeps the size that its letter has."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """An ``OrderedDict``, say."""

    def update(self, *_: Any) -> None:
        """Likewise."""


_InPython: Any = pickle._Unpickler  # the faster one makes room for as many memos as it is told


class _Reader(_InPython):
    def find_class(self, module: str, name: str) -> Any:
        return _Named(f"{module.replace('__builtin__', 'builtins')}.{name}")  # as Python 2 calls it

    def persistent_load(self, pid: Any) -> Any:
        return _Named()

    def get_extension(self, code: int) -> None:
        raise HostileCallError("an extension of pickle")

    def load_newobj(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = self.stack[-1](*args)

    def load_setitem(self) -> None:
        _check_keys([self.stack[-2]])
        super().load_setitem()

    def load_setitems(self) -> None:
        _check_keys(self.stack[::2])
        super().load_setitems()

    def load_dict(self) -> None:
        _check_keys(self.stack[::2])
        super().load_dict()

    def load_additems(self) -> None:
        _check_keys(self.stack)
        super().load_additems()

    def load_frozenset(self) -> None:
        _check_keys(self.stack)
        super().load_frozenset()

    dispatch: ClassVar[dict[int, Any]] = {
        **_InPython.dispatch,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
        pickle.ADDITEMS[0]: load_additems,
        pickle.FROZENSET[0]: load_frozenset,
    }


def _check_keys(keys: Iterable[Any]) -> None:
    """Pairs whose parts are the same pair, thirty deep, have a hash that nobody waits for."""
    for key in keys:
        left, seen = [key], 0
        while left and seen <= _PARTS:
            part, seen = left.pop(), seen + 1
            if isinstance(part, tuple):
                left += part[:_PARTS]
        if seen > _PARTS:
            raise HostileCallError("pairs of pairs as a key")


_PARTS = 100  # of a key


def _any(*_: Any) -> bool:
    return True


def _encodes(*args: Any) -> bool:
    """As Python writes bytes where a pickle has none."""
    return len(args) == 2 and isinstance(args[0], str) and args[1] == "latin1"


def _bytes(*args: Any) -> bool:
    """As Python writes a ``bytearray``, and not a number of bytes."""
    return not args or isinstance(args[0], str | bytes | _Named)


def _layout(*args: Any) -> bool:
    return len(args) == 1 and isinstance(args[0], str) and args[0].startswith("torch.")


def _numbers(*args: Any) -> bool:
    return bool(args) and isinstance(args[0], str) and len(args[0]) <= 3 and args[0][:1] in "biufc"


def _set(*args: Any) -> bool:
    _check_keys(args[0])
    return True


def _rebuilds(*args: Any) -> bool:
    return isinstance(args[0], _Named) and args[0].name.startswith("torch._utils._rebuild_")


#: Functions and classes, and with what they may be called.
_CALLS: dict[str, Callable[..., bool]] = {
    "collections.OrderedDict": lambda *args: not args,
    "collections.Counter": lambda *args: not args or isinstance(args[0], dict),
    "builtins.bytearray": _bytes,
    "builtins.complex": _any,
    "builtins.set": _set,
    "_codecs.encode": _encodes,
    "numpy.dtype": _numbers,
    "numpy.core.multiarray.scalar": _any,
    "numpy._core.multiarray.scalar": _any,
    "torch.Size": _any,
    "torch.device": _any,
    "torch._utils._rebuild_tensor": _any,
    "torch._utils._rebuild_tensor_v2": _any,
    "torch._utils._rebuild_tensor_v3": _any,
    "torch._utils._rebuild_qtensor": _any,
    "torch._utils._rebuild_sparse_tensor": _any,
    "torch.serialization._get_layout": _layout,
    "torch._utils._rebuild_parameter": _any,
    "torch._utils._rebuild_parameter_with_state": _any,
    "torch._tensor._rebuild_from_type_v2": _rebuilds,
}
