"""TEA: motion excites the channels of a block, and its groups see further and further in time."""

from reidar_plugin.models.tea.trunk import excite_motion

__all__ = ["excite_motion"]
