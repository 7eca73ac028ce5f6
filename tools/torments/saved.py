"""What runs leave behind: checkpoints and results, damaged afterwards, or stopped while they are written."""

import errno
import hashlib
import io
import os
import pickle
import random
import resource
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reidar_plugin.checkpoint.store import CheckpointStore, Position, read_checkpoint
from reidar_plugin.errors import ReidarError
from reidar_plugin.metrics.protocol_results import evaluate_retrieval
from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of
from reidar_plugin.report.results import Results, collect_results, read_results, write_results

from .campaign import WrongAnswerError
from .mutations import NASTY_NUMBERS, NASTY_WORDS, break_arrays, break_bytes

__all__ = ["Checkpoints", "ResultFiles", "Saves", "results_of"]


def _state(number: int) -> dict[str, Any]:
    weights = {
        name: torch.arange(500.0).view(20, 25) + number for name in ("base.weight", "classifier.weight")
    }
    return {"state_dict": weights, "epoch": number, "config": "model: {name: x}\n", "rank1": 0.5}


def _same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    rest = [
        {key: value for key, value in state.items() if key != "state_dict"} for state in (found, expected)
    ]
    weights = found.get("state_dict", {}), expected["state_dict"]
    return (
        rest[0] == rest[1]
        and weights[0].keys() == weights[1].keys()
        and all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    )


class _Bomb:
    """Runs a command where it is unpickled."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> Any:
        return os.system, (f"touch '{self.flag}'",)


class Checkpoints:
    """``read_checkpoint``: what it takes must be what was saved, and nothing in a file may run."""

    name, names_file = "checkpoints", True

    def prepare(self, folder: Path) -> None:
        """Save one, and pack a bomb into others."""
        self.flag = folder / "it-ran"
        self.whole = CheckpointStore(folder / "model").save(_state(1), Position(1)).read_bytes()
        bombs = [pickle.dumps({"state_dict": {}, "x": _Bomb(self.flag)}, protocol=2)]
        bombs.append(_with_pickle(self.whole, bombs[0]))
        buffer = io.BytesIO()
        torch.save({"state_dict": {"a": _Bomb(self.flag)}}, buffer, _use_new_zipfile_serialization=False)
        bombs += [buffer.getvalue(), _packed(self.whole), _stretched()]
        self.bombs = bombs

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Bytes changed, or a bomb."""
        path = folder / "case.pth"
        bomb = chance.random() < 0.1
        data = chance.choice(self.bombs) if bomb else self.whole
        path.write_bytes(data if bomb and chance.random() < 0.5 else break_bytes(data, chance))
        return path

    def ask(self, path: Path) -> None:
        """Equal to what was saved."""
        try:
            found = read_checkpoint(path)
        finally:
            if self.flag.exists():
                self.flag.unlink()
                raise WrongAnswerError("code in the file was run")
        if not _same(found, _state(1)):
            raise WrongAnswerError("another content than was saved")


def _packed(archive: bytes) -> bytes:
    """The same, and hundreds of megabytes of zeros behind each part, in a few bytes."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            with new.open(name, "w") as part:
                part.write(old.read(name))
                if name.endswith(("data.pkl", "data/0")):
                    part.write(bytes(700 * 2**20))
    return buffer.getvalue()


def _stretched() -> bytes:
    """A tensor of 2**40 numbers, all of them the same one."""
    buffer = io.BytesIO()
    torch.save({"state_dict": {"a": torch.zeros(1).expand(2**40)}}, buffer)
    return buffer.getvalue()


def _with_pickle(archive: bytes, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, data if name.endswith("data.pkl") else old.read(name))
    return buffer.getvalue()


def results_of(number: int) -> Results:
    """Results of a small test, other ones for each number."""
    draw = torch.Generator().manual_seed(number)
    people = torch.arange(1, 41)
    query, gallery = (
        TrackletFeatures(torch.randn(40, 4, generator=draw), people, torch.full((40,), camera))
        for camera in (0, 1)
    )
    tests = evaluate_retrieval(query, gallery, protocols_of("mars"))
    return collect_results("joint", tests, config={"a": {"b": 1}}, seeds={"training": number}, resamples=10)


class ResultFiles:
    """``read_results``; the arrays must be those that were written."""

    name, names_file = "results", False  # either of two files may be named

    def prepare(self, folder: Path) -> None:
        """Write them once."""
        self.results = results_of(0)
        path = write_results(self.results, folder / "whole")
        self.text = path.read_text()
        [arrays] = path.parent.glob("*.npz")
        self.arrays = arrays.name, arrays.read_bytes()

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """One of the two files changed."""
        name, arrays = self.arrays
        text = self.text.encode()
        kind = chance.random()
        if kind < 0.3:
            arrays = break_bytes(arrays, chance)
        elif kind < 0.5:  # under the name that its content has
            arrays = break_arrays(arrays, chance)
            new = f"results.{hashlib.sha256(arrays).hexdigest()[:12]}.npz"
            text, name = text.replace(name.encode(), new.encode()), new
        elif chance.random() < 0.5:
            text = break_bytes(text, chance)
        else:
            words = self.text.split(" ")
            nasty = (*map(str, NASTY_NUMBERS), *NASTY_WORDS, "null", "[]", "{}", '"x"')
            words[chance.randrange(len(words))] = chance.choice(nasty) + chance.choice(("", ",", ",\n"))
            text = " ".join(words).encode("utf-8", "surrogatepass")
        (folder / name).write_bytes(arrays)
        path = folder / "case.json"
        path.write_bytes(text)
        return path

    def ask(self, path: Path) -> None:
        """Fields of their types, and the arrays as written."""
        found = read_results(path)
        kinds = {"name": str, "retrieval": tuple, "config": dict, "seeds": dict, "per_query": dict}
        for field, kind in kinds.items():
            if not isinstance(getattr(found, field), kind):
                raise WrongAnswerError(f"{field} is {getattr(found, field)!r}")
        for name, figures in found.per_query.items():
            if not np.array_equal(figures, self.results.per_query.get(name, ())):
                raise WrongAnswerError(f"other figures for {name}")


class Saves:
    """``CheckpointStore.save``, cut off by a full disk or a kill: the checkpoint before it, or the new one, is there."""

    name, names_file = "saves", False

    def prepare(self, folder: Path) -> None:
        """How large one is."""
        self.size = CheckpointStore(folder / "sized").save(_state(1), Position(1)).stat().st_size
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """A store with one checkpoint, and what will go wrong."""
        place = folder / "case-store"
        self.store = CheckpointStore(place)
        for path in place.glob("*"):
            path.unlink()
        self.store.save(_state(1), Position(1))
        self.kill = chance.random() < 0.5
        self.limit, self.delay = chance.randint(0, self.size + 100), chance.uniform(0, 0.02)
        return place

    def ask(self, path: Path) -> None:
        """The old or the new one; a full disk is told in a line."""
        refused: ReidarError | None = None
        if self.kill:
            self._killed()
        else:
            refused = self._full()
        newest = self.store.newest()
        if newest is None or not any(_same(newest[1], _state(number)) for number in (1, 2)):
            raise WrongAnswerError("what was saved before is lost")
        if refused is not None:
            raise refused

    def _full(self) -> ReidarError | None:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, before[1]))
        try:
            self.store.save(_state(2), Position(2))
        except ReidarError as error:
            if os.strerror(errno.EFBIG) not in str(error):
                raise WrongAnswerError(f"does not say why: {error}") from error
            return error
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        return None

    def _killed(self) -> None:
        writer = os.fork()
        if not writer:
            self.store.save(_state(2), Position(2))
            os._exit(0)
        time.sleep(self.delay)
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
