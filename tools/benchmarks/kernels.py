"""How many kernels a computation calls."""

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["KernelCalls"]


class KernelCalls(TorchDispatchMode):
    """Counts, inside ``with``, the aten calls, and those among them that compute: neither views nor fresh memory."""

    def __init__(self) -> None:
        super().__init__()
        self.all = self.computing = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        view = any(part.alias_info and not part.alias_info.is_write for part in func._schema.returns)
        self.all += 1
        self.computing += not view and "empty" not in func.__name__
        return func(*args, **(kwargs or {}))
