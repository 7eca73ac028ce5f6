"""The runs of a bench: variants of a config x seeds x streets."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from reidar_plugin.errors import ConfigError, nearest, summary
from reidar_plugin.io.ordinary import content_of
from reidar_plugin.io.plain_text import parse_yaml
from reidar_plugin.launch.runs import Run
from reidar_plugin.launch.validation import check_run

__all__ = ["Variants", "planned", "read_variants"]


class Variants(NamedTuple):
    """What is compared."""

    config: Path  #: that all start from
    options: dict[str, list[str]]  #: ``KEY VALUE ...`` by name; the first is what others are held against

    def only(self, names: Sequence[str]) -> "Variants":
        """Some of them, in the order of the file; all where no name is given."""
        for name in names:
            if name not in self.options:
                raise ConfigError(
                    f"unknown variant {name!r};{nearest(name, self.options)} there are {', '.join(self.options)}"
                )
        kept = {name: keys for name, keys in self.options.items() if not names or name in names}
        return self._replace(options=kept)


def read_variants(path: str | Path) -> Variants:
    """Read a file of variants.

    ``config`` names the config that all start from, beside the file; ``variants`` has a map of keys and values for
    each name, the first of which is what the others are held against::

        config: small.yaml
        variants:
          identity-only: {reidar.model.num_actions: 0, reidar.loss.terms: [smoothed_cross_entropy, ranked_list]}
          joint: {}
    """
    path = Path(path)
    try:
        content = parse_yaml(content_of(path).decode())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: expected a file of variants, got {summary(error)}") from error
    if not isinstance(content, dict) or set(content) != {"config", "variants"}:
        raise ConfigError(f"{path}: expected config and variants, got {content!r:.80}")
    variants = content["variants"]
    if (
        not variants
        or not isinstance(variants, dict)
        or not all(isinstance(k, dict) for k in variants.values())
    ):
        raise ConfigError(f"{path}: expected a map of keys for each variant, got {variants!r:.80}")
    for name in variants:  # a folder of the bench
        if not re.fullmatch(r"\w[\w.+-]*", str(name)):
            raise ConfigError(
                f"{path}: expected names of letters, digits, - + . and _, got the variant {name!r:.80}"
            )
    options = {
        str(name): [word for key, value in keys.items() for word in (str(key), str(value))]
        for name, keys in variants.items()
    }
    return Variants(path.parent / str(content["config"]), options)


def planned(
    variants: Variants,
    streets: Mapping[str, Path],
    seeds: Sequence[int],
    folder: str | Path,
    options: Sequence[str] = (),
) -> list[Run]:
    """All runs, seed by seed, so that a bench that is stopped early has all variants of the seeds that it did.

    Args:
        variants: what is compared.
        streets: root of each data set, by the name that the street has in the bench.
        seeds: of the training.
        folder: of the bench.
        options: ``KEY VALUE ...`` for every run; those of a variant win.
    """
    runs = []
    for seed in seeds:
        for street, root in streets.items():
            for name, own in variants.options.items():
                place = Path(folder) / street / name / f"seed-{seed}"
                fixed = ("data.root", str(root), "data.save_dir", str(place), "train.seed", str(seed))
                words = (*options, *own, *fixed)
                run = Run(street, name, seed, place, variants.config, words)
                _check(run)
                runs.append(run)
    return runs


def _check(run: Run) -> None:
    """Tell what cannot run, or be compared, before anything is drawn."""
    cfg = run.cfg()
    check_run(cfg, quiet=True)
    if cfg.reidar.train.held_out:
        raise ConfigError(
            f"variant {run.variant}: reidar.train.held_out {cfg.reidar.train.held_out:g} holds out other people with each "
            "seed, which cannot be compared; set it to 0. and choose on a street of its own"
        )
