"""Running a launch script of the toolbox, unmodified, with the plugin on.

The script is run as Python runs it, as ``__main__`` with its own argv and path, except that behind its definitions the
plugin replaces some of its functions (:func:`reidar_plugin.launch.hooks.hook`), before whatever comes next calls them.
"""

import ast
import os
import re
import signal
import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

from reidar_plugin.errors import ReidarError
from reidar_plugin.io.console import CLOSED_PIPE, nobody_reads_on, printable, say_no_more
from reidar_plugin.ranks.job import current, joined, report_error

__all__ = ["SCRIPT_VARIABLE", "error_line", "run_definitions", "run_script", "show"]

#: Environment variable that tells a spawned worker which script its parent runs.
SCRIPT_VARIABLE = "REIDAR_PLUGIN_SCRIPT"

_HOOK = "__reidar_hook__"
#: What torch says, wherever the program is at that moment.
_DEAD_WORKER = re.compile(r"DataLoader worker \(pid\(?s?\)? ([\d, ]+)\) (?:is killed|exited)")
_PACKAGE = Path(__file__).resolve().parents[1]


def run_script(script: str, arguments: list[str]) -> int:
    """Run a launch script with the plugin on.

    Args:
        script: path of the script.
        arguments: what follows it on the command line.

    Returns:
        Exit status: 0, 1 after a traceback of the script, 2 where the plugin refused, in one line on stderr, 141 where
        nobody reads on.
        ``SystemExit`` passes through; Ctrl-C ends the process as it ends Python's.
    """
    path = os.path.abspath(script)  # as the interpreter names a script in __file__ and in tracebacks
    try:
        tree = _parse(script, path)
        _become(script, path, arguments)
        from reidar_plugin import host
        from reidar_plugin.launch import hooks
        from reidar_plugin.plugin import registration

        registration.enable()
        host.alias_clone_layout()
        namespace = vars(sys.modules["__main__"])
        namespace[_HOOK] = lambda: hooks.hook(namespace)
        with joined():
            exec(_with_hook(tree, script, hooks.HOOKS), namespace)
    except KeyboardInterrupt as error:
        show(error, path)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)  # so that a shell that runs several scripts stops as well
    except Exception as error:  # noqa: BLE001 - shown as the interpreter would, and the status says so
        if nobody_reads_on(error):
            say_no_more()
            return CLOSED_PIPE
        return show(error, path)
    return 0


def run_definitions(path: str, namespace: dict[str, Any]) -> None:
    """What Python does in a spawned worker: the script's module, under another name than ``__main__``."""
    namespace["__file__"] = path
    exec(compile(_parse(path, path), path, "exec"), namespace)


def _parse(script: str, path: str) -> ast.Module:
    if os.path.isdir(script):
        likely = Path(script, "scripts", "main.py")
        hint = f"; did you mean {likely}?" if likely.exists() else "; name the launch script in it"
        raise ReidarError(f"{script} is a directory{hint}")
    if not os.path.exists(script):
        raise ReidarError(
            f"no script at {script}; expected the toolbox's launch script, such as deep-person-reid/scripts/main.py"
        )
    try:
        return ast.parse(Path(path).read_bytes(), filename=path)
    except SyntaxError as error:
        raise error.with_traceback(None) from None


def _with_hook(tree: ast.Module, script: str, hooked: tuple[str, ...]) -> CodeType:
    """The script, with a call of the hook behind the last statement that binds a function it replaces.

    What runs the script may be written in many ways; what it runs is bound before.
    """
    bound = [_bound_by(node) for node in tree.body]
    if "*" not in set().union(*bound):
        missing = [name for name in hooked if not any(name in names for names in bound)]
        if missing:
            raise ReidarError(
                f"{script} cannot be run with the plugin: it defines no {', '.join(missing)}; "
                f"expected a launch script of the toolbox (scripts/main.py) with {', '.join(hooked)}"
            )
    last = max(index for index, names in enumerate(bound) if names & {*hooked, "*"})
    call = ast.parse(f"{_HOOK}()").body[0]
    for node in ast.walk(call):
        ast.copy_location(node, tree.body[last])
    tree.body.insert(last + 1, call)
    return compile(tree, os.path.abspath(script), "exec")


def _bound_by(node: ast.AST) -> set[str]:
    """Names that a top-level statement binds by def, import or assignment, also inside ``if`` and ``try``."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name) for alias in node.names}
    names = {target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)}
    inside = [*getattr(node, "body", []), *getattr(node, "orelse", []), *getattr(node, "finalbody", [])]
    for handler in getattr(node, "handlers", []):
        inside += handler.body
    return names.union(*map(_bound_by, inside)) if isinstance(node, (ast.If, ast.Try, ast.With)) else names


def _become(script: str, path: str, arguments: list[str]) -> None:
    """Make argv, path and ``__main__`` what they are for ``python script arguments``."""
    sys.argv = [script, *arguments]
    if not getattr(sys.flags, "safe_path", False):  # -m put the working directory first; a script has its own
        sys.path[0] = str(Path(script).resolve().parent)
    if not _importable_without_cwd():
        sys.path.append(str(_PACKAGE.parent))
    module = types.ModuleType("__main__")
    module.__file__ = path
    # a spawned worker re-makes __main__ from this spec: the plugin first, then the script
    module.__spec__ = ModuleSpec("reidar_plugin.launch.worker", None)
    os.environ[SCRIPT_VARIABLE] = path
    sys.modules["__main__"] = module


def _importable_without_cwd() -> bool:
    return any(Path(entry or ".", _PACKAGE.name, "__init__.py").exists() for entry in sys.path)


def show(error: BaseException, script: str | None = None) -> int:
    """Print an error: the plugin's in one line, every other as the interpreter prints it for the script alone."""
    line = error_line(error)
    report_error(error)
    if line is not None:
        try:
            sys.stdout.flush()
        except OSError:  # the toolbox's log on a full disk, which would fail again at exit
            sys.stdout = sys.__stdout__
        who = f"{current()}: " if current().size > 1 else ""
        sys.stderr.write(f"error: {who}{line}\n")
        return 2
    unread = isinstance(error, SyntaxError) and error.filename in (script, None)
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
        (index for index, frame in enumerate(frames) if frame.tb_frame.f_code.co_filename == script), 0
    )
    kept = None
    for index in reversed(range(first, len(frames))):
        # an error of our own keeps every frame that leads to it
        if (ours[-1] and index > first) or not ours[index]:
            frame = frames[index]
            kept = TracebackType(kept, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return kept


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(f"{_PACKAGE}{os.sep}")


def _in_hand(processes: str) -> str:
    """What workers were reading, in words; nothing where they were not."""
    from reidar_plugin.data.in_hand import left_by

    left = list(filter(None, (left_by(int(process)) for process in processes.split(","))))
    return f" while it read the clip that begins with {' or '.join(left)}," if left else ""


def error_line(error: BaseException) -> str | None:
    """The line that the plugin shows for an error that the user can repair: a :class:`ReidarError`, or a worker's end.

    None for any other error, which may be a fault of ours and keeps its traceback.
    """
    if dead := _DEAD_WORKER.match(str(error)) if type(error) is RuntimeError else None:
        return (
            f"process {dead[1]}, which reads pictures, was ended from outside,{_in_hand(dead[1])} as by a system that is "
            "out of memory: "
            "lower data.workers or the batch size; the same command goes on from the last checkpoint"
        )
    if not isinstance(error, ReidarError):
        return None
    text = str(error).strip() or type(error).__name__
    if (
        "DataLoader worker" in text.splitlines()[0]
    ):  # it carries the worker's traceback; its last line is the error
        text = text.splitlines()[-1].removeprefix(f"{type(error).__module__}.{type(error).__qualname__}: ")
    return printable(" ".join(text.split()))
