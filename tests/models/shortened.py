"""Deep networks without the blocks that only repeat the one before them."""

from torch import nn

__all__ = ["shorten"]


def shorten(network: nn.Module) -> nn.Module:
    """Of neighbours in a stage that are built alike only the first stays: what one learns and gives, all do."""
    for parent in list(network.modules()):
        for name, stage in parent.named_children():
            if type(stage) is nn.Sequential:
                built = [repr(block) for block in stage]
                kept = [
                    block for place, block in enumerate(stage) if built[place] not in built[place - 1 : place]
                ]
                if len(kept) < len(stage):
                    setattr(parent, name, nn.Sequential(*kept))
    return network
