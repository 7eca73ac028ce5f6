"""Python processes of their own that need not import torch, torchreid and the plugin again.

They are children of a server that did so once (Python's own ``forkserver``, which each test process starts when it
first asks for one), and know nothing of what has happened in the tests. Where it is the start of an interpreter that a
test looks at, it starts one.
"""

import multiprocessing
import os
import runpy
import sys
import traceback
import warnings
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

import torch

__all__ = ["METHOD", "python", "run_python"]

#: How such a process is started: a start method of multiprocessing.
METHOD = "forkserver"

multiprocessing.set_forkserver_preload(
    ["torch", "torchreid", "reidar_plugin.launch.runner", "reidar_plugin.engine.joint", "tests.frozen"]
)


def python(
    *words: object, cwd: Path, environment: dict[str, str] | None = None, said: Path | None = None
) -> BaseProcess:
    """``python WORDS`` (a script, ``-m`` and a module, or ``-c`` and code, then arguments) in a session of its own.

    Args:
        words: what follows ``python``.
        cwd: folder to run it in.
        environment: None for the one of this process.
        said: folder for the files ``stdout`` and ``stderr``; None to print where this process does.
    """
    given = (
        [str(word) for word in words],
        str(cwd),
        {**(os.environ if environment is None else environment)},
    )
    process = multiprocessing.get_context(METHOD).Process(target=_be_python, args=(*given, said))
    process.start()
    return process


def run_python(
    *words: object, cwd: Path, environment: dict[str, str] | None = None
) -> "CompletedProcess[str]":
    """The same, to its end; ``returncode``, ``stdout`` and ``stderr`` as of :func:`subprocess.run`."""
    with TemporaryDirectory() as folder:
        said = Path(folder)
        process = python(*words, cwd=cwd, environment=environment, said=said)
        process.join(300)
        assert process.exitcode is not None, f"still running: {words}"
        out, err = ((said / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return CompletedProcess([*map(str, words)], process.exitcode, out, err)


def _be_python(words: list[str], cwd: str, environment: dict[str, str], said: Path | None) -> None:
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, name in ((1, "stdout"), (2, "stderr")) if said else ():
        os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT), number)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    try:
        _run(words)
    except Exception:  # noqa: BLE001 - as an interpreter ends
        traceback.print_exc()
        sys.exit(1)


def _run(words: list[str]) -> None:
    how, *rest = words
    sys.argv = rest if how == "-m" else ["-c", *rest[1:]] if how == "-c" else words
    sys.path.insert(0, os.path.dirname(os.path.abspath(how)) if how not in ("-m", "-c") else os.getcwd())
    if how == "-m":
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif how == "-c":
        exec(rest[0], {"__name__": "__main__"})
    else:
        runpy.run_path(how, run_name="__main__")
