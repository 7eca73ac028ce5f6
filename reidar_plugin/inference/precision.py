"""In which precision the convolutions run; heads, softmax, losses and distances are float32 by themselves."""

from contextlib import AbstractContextManager

import torch

from reidar_plugin.errors import ConfigError

__all__ = ["PRECISIONS", "Precision"]

#: What ``reidar.train.precision`` may be.
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Precision:
    """Autocast to a dtype, and the gradient scaler that float16 needs.

    Args:
        name: one of :data:`PRECISIONS`; float32 is no autocast at all.
        device: where the network runs.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        if name not in PRECISIONS:
            raise ConfigError(f"unknown precision {name!r}; choose one of {', '.join(map(repr, PRECISIONS))}")
        self.name, self.dtype, self.device = name, PRECISIONS[name], device

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which the network is called."""
        lowered = self.dtype is not torch.float32
        # autocast asks for a low dtype even where it is switched off
        return torch.autocast(self.device.type, self.dtype if lowered else torch.bfloat16, enabled=lowered)

    def scaler(self) -> torch.amp.GradScaler:
        """Keeps small float16 gradients from vanishing; passes everything through in the other precisions."""
        return torch.amp.GradScaler(self.device.type, enabled=self.dtype is torch.float16)
