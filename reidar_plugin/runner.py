"""Running a launch script of the toolbox, unmodified, with the plugin on.

The script is run as Python runs it, as ``__main__`` with its own argv and path, except that between its definitions and
its ``if __name__ == "__main__":`` block the plugin hooks four of its functions (:func:`launch.hook`).
"""

import ast
import os
import sys
import types
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

from reidar_plugin.errors import ReidarError

__all__ = ["SCRIPT_VARIABLE", "error_line", "guard", "run_definitions", "run_script", "show"]

#: Environment variable that tells a spawned worker which script its parent runs.
SCRIPT_VARIABLE = "REIDAR_PLUGIN_SCRIPT"

_PACKAGE = Path(__file__).resolve().parent


def run_script(script: str, arguments: list[str]) -> int:
    """Run a launch script with the plugin on.

    Args:
        script: path of the script.
        arguments: what follows it on the command line.

    Returns:
        Exit status: 0, 1 after a traceback of the script, 2 where the plugin refused, in one line on stderr.
        ``SystemExit`` and ``KeyboardInterrupt`` pass through.
    """
    try:
        definitions, start = _compile(script)
        _become(script, arguments)
        from reidar_plugin import host, launch, plugin

        plugin.enable()
        host.alias_clone_layout()
        namespace = vars(sys.modules["__main__"])
        exec(definitions, namespace)
        launch.hook(namespace, script)
        exec(start, namespace)
    except Exception as error:  # noqa: BLE001 - shown as the interpreter would, and the status says so
        return show(error, os.path.abspath(script))
    return 0


def guard(launch: Callable[[], object]) -> int:
    """Call what a tool does and turn the plugin's errors into one line; the exit status as in :func:`run_script`."""
    try:
        launch()
    except Exception as error:  # noqa: BLE001 - shown, and the status says so
        return show(error)
    return 0


def run_definitions(script: str, namespace: dict[str, Any]) -> None:
    """What a spawned worker needs of the script: its definitions, for whatever the parent has pickled."""
    exec(_compile(script)[0], namespace)


def _compile(script: str) -> tuple[CodeType, CodeType]:
    """The script in two: its definitions, and its ``__main__`` block with what follows."""
    if os.path.isdir(script):
        likely = Path(script, "scripts", "main.py")
        hint = f"; did you mean {likely}?" if likely.exists() else "; name the launch script in it"
        raise ReidarError(f"{script} is a directory{hint}")
    if not os.path.exists(script):
        raise ReidarError(
            f"no script at {script}; expected the toolbox's launch script, such as deep-person-reid/scripts/main.py"
        )
    path = os.path.abspath(script)  # as the interpreter names a script in tracebacks
    tree = ast.parse(Path(path).read_bytes(), filename=path)
    split = next((place for place, node in enumerate(tree.body) if _is_main_guard(node)), len(tree.body))
    halves = [ast.Module(body=body, type_ignores=[]) for body in (tree.body[:split], tree.body[split:])]
    return compile(halves[0], path, "exec"), compile(halves[1], path, "exec")


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "__name__ == '__main__'",
        "'__main__' == __name__",
    )


def _become(script: str, arguments: list[str]) -> None:
    """Make argv, path and ``__main__`` what they are for ``python script arguments``."""
    sys.argv = [script, *arguments]
    if not getattr(sys.flags, "safe_path", False):  # -m put the working directory first; a script has its own
        sys.path[0] = str(Path(script).resolve().parent)
    if not _importable_without_cwd():
        sys.path.append(str(_PACKAGE.parent))
    module = types.ModuleType("__main__")
    module.__file__ = os.path.abspath(script)
    # a spawned worker re-makes __main__ from this spec: the plugin first, then the script's definitions
    module.__spec__ = ModuleSpec("reidar_plugin.worker", None)
    os.environ[SCRIPT_VARIABLE] = module.__file__
    sys.modules["__main__"] = module


def _importable_without_cwd() -> bool:
    return any(Path(entry or ".", _PACKAGE.name, "__init__.py").exists() for entry in sys.path)


def show(error: Exception, script: str | None = None) -> int:
    """Print an error: the plugin's in one line, every other as the interpreter prints it for the script alone."""
    line = error_line(error)
    if line is not None:
        sys.stdout.flush()
        sys.stderr.write(f"error: {line}\n")
        return 2
    unread = isinstance(error, SyntaxError) and error.filename == script
    trace = None if unread else _as_if_alone(error.__traceback__, script)
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    return 1


def _as_if_alone(trace: TracebackType | None, script: str | None) -> TracebackType | None:
    """The traceback from the script's first frame on, without our wrappers between the script and the toolbox."""
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    ours = [_is_ours(frame) for frame in frames]
    first = next(
        (place for place, frame in enumerate(frames) if frame.tb_frame.f_code.co_filename == script), 0
    )
    kept = None
    for place in reversed(range(first, len(frames))):
        if (ours[-1] and place > first) or not ours[
            place
        ]:  # an error of our own keeps every frame that leads to it
            frame = frames[place]
            kept = TracebackType(kept, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return kept


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(str(_PACKAGE))


def error_line(error: BaseException) -> str | None:
    """The line that the plugin shows for an error, None where the error is not the user's to mend.

    Ours are :class:`ReidarError`, and the ValueError and OSError that the plugin's own code raises for bad input.
    """
    innermost = error.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    raised_here = innermost is not None and _is_ours(innermost)
    if not isinstance(error, ReidarError) and not (raised_here and isinstance(error, (ValueError, OSError))):
        return None
    # an error that crossed a worker's border carries the worker's traceback; its last line is the message
    last = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
    return last.removeprefix(f"{type(error).__module__}.{type(error).__qualname__}: ")
