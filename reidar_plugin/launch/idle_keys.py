"""No key without effect: what a user set and nobody reads is an error, or a line that names the key which does it.

Which keys are idle, where, and what does their work is a table: :data:`~reidar_plugin.launch.idle_table.IDLE_KEYS`.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from yacs.config import CfgNode

from reidar_plugin.config.files import CheckedConfig, full_config
from reidar_plugin.config.settings import Setting, SettingLog, value_at
from reidar_plugin.errors import ConfigError, shown
from reidar_plugin.launch.idle_rules import IdleKeys
from reidar_plugin.launch.idle_table import IDLE_KEYS

__all__ = ["Finding", "check_idle_keys", "findings"]

_SHOWN = 4  # keys that a line names


class Finding(NamedTuple):
    """A key that was set and has no effect."""

    key: str
    setting: Setting
    rule: IdleKeys
    name: str  #: what stands for the placeholder of the rule's pattern, empty without one
    severity: str  #: ``error`` or ``note``


def check_idle_keys(cfg: CfgNode) -> list[str]:
    """Refuse keys that were set and have no effect.

    Args:
        cfg: the whole config, merged; of a :class:`CheckedConfig` it is known where each key was set, of any other
            config the keys count that differ from their defaults.

    Returns:
        A line for each rule that speaks of keys whose idleness does no harm.

    Raises:
        ConfigError: the intention behind a key would be lost; the message says which key does its work.
    """
    groups: dict[tuple[str, IdleKeys, str], list[Finding]] = defaultdict(list)
    for found in findings(cfg):
        groups[found.severity, found.rule, found.name].append(found)
    lines = {group: _line(cfg, together) for group, together in groups.items()}
    errors = [line for (severity, *_), line in lines.items() if severity == "error"]
    if errors:
        raise ConfigError(" | ".join(errors))
    return [f"note: {line}" for line in lines.values()]


def findings(cfg: CfgNode) -> Iterator[Finding]:
    """Every key that was set and has no effect, by the first rule that says so.

    What a rule calls an error is a note where the value is the default, and where the key that makes it idle was set
    later on the command line or by the program. A key that a more specific config file makes idle is passed over: a file
    that starts from another (``_BASE_``) changes it by a few keys, and leaves others behind.
    """
    settings = _settings(cfg)
    for key, setting in settings.items():
        for rule in IDLE_KEYS:
            name = rule.match(key)
            if name is None or not rule.where.holds(cfg, name):
                continue
            deciding = [settings[each] for each in rule.where.decided_by if each in settings]
            later = max(deciding, key=lambda each: each.rank, default=setting)
            harmless = setting.is_default or later.rank > setting.rank
            if not (later.in_file and later.rank > setting.rank):
                yield Finding(key, setting, rule, name, "note" if harmless else rule.severity)
            break


def _settings(cfg: CfgNode) -> dict[str, Setting]:
    if isinstance(cfg, CheckedConfig):
        return cfg.settings()
    return SettingLog(full_config()).settings(cfg)


def _line(cfg: CfgNode, together: list[Finding]) -> str:
    named = [
        f"{each.key} {shown(value_at(cfg, each.key))} ({each.setting.source})" for each in together[:_SHOWN]
    ]
    more = f" and {len(together) - _SHOWN} more" if len(together) > _SHOWN else ""
    verb = "has" if len(together) == 1 else "have"
    return f"{', '.join(named)}{more} {verb} no effect {together[0].rule.advice(together[0].name)}"
