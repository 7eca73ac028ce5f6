import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch.guard import ENDING, guard
from tests.standin import REPO


def test_a_tool_is_no_rank_unless_it_can_be_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    started: list[str] = []
    assert guard(lambda: started.append("alone"), last=False) == 2
    assert capsys.readouterr().err.startswith("error: expected one process, got rank 0 of 2 from torchrun")
    assert guard(lambda: started.append("rank"), ranks=True, last=False) == 0
    assert started == ["rank"]


def unspelt(name: str) -> UnicodeEncodeError:
    with pytest.raises(UnicodeEncodeError) as caught:
        name.encode()
    return caught.value


@pytest.mark.parametrize("status", [None, 0, 1])
def test_the_status_is_the_tools(status: int | None) -> None:
    assert guard(lambda: status, last=False) == (status or 0)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConfigError("expected a\nnumber"), "error: expected a number\n"),
        (FileNotFoundError(2, "No such file", "gone.txt"), "error: gone.txt: No such file\n"),
        (
            unspelt("a" * 100 + "\udcdf.jpg"),
            f"error: '{'a' * 40}\\udcdf.jpg': a name of a file that is no UTF-8 cannot "
            "be written; rename it\n",
        ),
        (KeyboardInterrupt(), "stopped\n"),
    ],
)
def test_an_end_is_one_line(error: BaseException, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    def tool() -> None:
        raise error

    assert guard(tool, last=False) == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    "error", [ValueError("a fault"), OSError("of nobody"), BrokenPipeError(32, "Broken pipe")]
)
def test_a_fault_of_ours_is_not_hidden(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken pipe also, where it is not the one that the tool prints into."""

    def tool() -> None:
        raise error

    assert guard(tool, last=False) == (2 if isinstance(error, BrokenPipeError) else 1)
    assert (
        str(error.strerror if error.errno else error) in capsys.readouterr().err
        if isinstance(error, OSError)
        else True
    )


PROGRAM = """
import os, signal, sys, time
from reidar_plugin.errors import ConfigError
from reidar_plugin.io.console import say
from reidar_plugin.launch.guard import guard
{before}
def main():
    try:
        say("begun")
        {body}
    finally:
        print("cleaned up", file=sys.stderr)
sys.exit(guard(main))
"""


#: A shell's background jobs ignore it.
AS_IN_A_TERMINAL = "signal.signal(signal.SIGINT, signal.default_int_handler)"


def begun(body: str, before: str = "") -> "subprocess.Popen[str]":
    """A tool in a process of its own, which has said that it has begun."""
    command = [sys.executable, "-c", PROGRAM.format(body=body, before=before)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=REPO, text=True, **pipes)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def ended(body: str, stdout: int) -> "subprocess.CompletedProcess[str]":
    """A tool that prints there, and has come to its end."""
    program = PROGRAM.format(body=body, before="").replace('say("begun")', "pass")
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=REPO, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_a_tool_clean_up(number: signal.Signals) -> None:
    process = begun("time.sleep(60)", AS_IN_A_TERMINAL)
    process.send_signal(number)
    assert process.communicate(timeout=30)[1] == "cleaned up\nstopped\n"
    assert process.returncode == 128 + number


def test_nohup_is_kept() -> None:
    body = "os.kill(os.getpid(), signal.SIGHUP)"
    process = begun(body, "signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    assert process.communicate(timeout=30)[1] == "cleaned up\n"
    assert process.returncode == 0


def test_runs_that_saved_at_the_signal() -> None:
    """What starts runs ends with 130 when it was interrupted; the signal's own status is told."""
    body = """os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        sys.exit(130)"""
    process = begun(body)
    assert process.communicate(timeout=30)[1] == "cleaned up\n"
    assert process.returncode == 143


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_forked_process_ends_in_silence(number: signal.Signals) -> None:
    """A pool ends its workers by SIGTERM, and a terminal tells Ctrl-C all of them; one that spoke of it would confuse."""
    body = """
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.write(writer, b"ready")
            time.sleep(60)
        os.read(reader, 5)
        os.kill(child, NUMBER)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=sys.stderr)"""
    process = begun(body.strip().replace("NUMBER", str(int(number))), AS_IN_A_TERMINAL)
    assert process.communicate(timeout=30)[1] == f"{-number}\ncleaned up\n"


AT_EACH_LINE = """
import os, signal, sys
from reidar_plugin.launch import guard
signal.signal(signal.SIGINT, signal.default_int_handler)
def tool():
    lines = iter(range(1000))
    def look(frame, event, _):
        if frame.f_code.co_filename.endswith(("guard.py", "contextlib.py", "<string>")):
            if event == "line" and next(lines) == strike:
                os.write(1, b"x")
                signal.raise_signal(signal.SIGINT)
            return look
    sys.settrace(look)
    frame = sys._getframe()
    while frame := frame.f_back:
        frame.f_trace = look
for strike in range(40):
    if not os.fork():
        sys.exit(guard.guard(tool))
    print(os.waitstatus_to_exitcode(os.wait()[1]), end=" ", flush=True)
"""


def test_a_signal_at_each_line_behind_the_tool() -> None:
    """It is told as an interrupt, or in silence."""
    command = [sys.executable, "-c", AT_EACH_LINE]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    *struck, last = done.stdout.split()
    assert (len(struck), last) == (39, "0")  # there were fewer lines
    assert {"x130", "x-2"} == set(struck) - {"0"}
    assert set(done.stderr.split()) <= {"stopped"}


def test_behind_it_signals_are_answered_as_before() -> None:
    before = [signal.getsignal(number) for number in ENDING]
    assert guard(lambda: None, last=False) == 0
    assert [signal.getsignal(number) for number in ENDING] == before


IN_A_WRITER = (
    "exec('try: print(1, flush=True)\\nexcept OSError as error: raise ConfigError(str(error)) from error')"
)


@pytest.mark.parametrize("prints", ["say('a line')", "print('a line')", IN_A_WRITER])
@pytest.mark.parametrize("lines", [1, 10**5], ids=["at the end", "in between"])
def test_nobody_reads_on(lines: int, prints: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = ended(f"[{prints} for _ in range({lines})]", writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "cleaned up\n")


@pytest.mark.parametrize("prints", ["say(NAME)", "print(NAME)"])
def test_a_name_that_cannot_be_spelt_is_escaped(prints: str, tmp_path: Path) -> None:
    """Python holds the bytes of a name that is no UTF-8 as half characters, which no output takes."""
    with (tmp_path / "out").open("w") as out:
        done = ended(prints.replace("NAME", "os.fsdecode(b'stra\\xdfe.jpg')"), out.fileno())
    assert (done.returncode, (tmp_path / "out").read_text()) == (0, "stra\\udcdfe.jpg\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("prints", ["say('a line')", "print('a line')"])
def test_a_full_disk_is_one_line(prints: str) -> None:
    with open("/dev/full", "w") as full:
        done = ended(prints, full.fileno())
    assert done.returncode == 2
    assert re.fullmatch(r"cleaned up\nerror: .*cannot be written: No space left on device.*\n", done.stderr)


IN_A_FINALISER = """
        class Slow:
            def __del__(self):
                say("at work")
                time.sleep(60)
        slow = Slow()
        del slow
        time.sleep(60)"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_a_finaliser_is_not_lost(number: signal.Signals) -> None:
    """What is raised there Python drops, with a traceback."""
    process = begun(IN_A_FINALISER.strip(), AS_IN_A_TERMINAL)
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    process.send_signal(number)
    assert process.communicate(timeout=30)[1] == "cleaned up\nstopped\n"
    assert process.returncode == 128 + number


CLEANS_UP_FOR_LONG = """
        try:
            os.kill(os.getpid(), signal.{first})
        finally:
            os.kill(os.getpid(), signal.{second})"""
TOLD_AGAIN = """
class Terminal:
    def write(self, text):
        out.write(text)
        if "stopped" in text:
            os.kill(os.getpid(), signal.SIG{again})
    def flush(self):
        out.flush()
out, sys.stderr = sys.stderr, Terminal()"""


@pytest.mark.parametrize("second", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("first", ["SIGINT", "SIGTERM"])
def test_a_second_one_while_it_cleans_up(first: str, second: str) -> None:
    """In the tool's own cleaning up, and while "stopped" is said."""
    again = "TERM" if first == "SIGTERM" else "INT"
    body = CLEANS_UP_FOR_LONG.format(first=first, second=second).strip()
    process = begun(body, AS_IN_A_TERMINAL + TOLD_AGAIN.format(again=again))
    assert process.communicate(timeout=30)[1].replace("cleaned up\n", "") == "stopped\n"
    assert process.returncode == 128 + getattr(signal, first)


TAKES_ALL = """
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        except BaseException:
            pass
        say("at work")
        time.sleep(60)"""


def test_the_next_one_counts_where_the_first_was_taken_by_a_library() -> None:
    """As some do while they are imported."""
    process = begun(TAKES_ALL.strip())
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[1] == "cleaned up\nstopped\n"
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_at_the_very_end_of_the_process_it_is_silent(number: signal.Signals) -> None:
    """After the guard, where the interpreter and torch clean up."""
    late = f"import atexit\natexit.register(lambda: (signal.raise_signal({int(number)}), time.sleep(60)))"
    process = begun("pass", f"{AS_IN_A_TERMINAL}\n{late}")
    assert process.communicate(timeout=30)[1] == "cleaned up\n"
    assert process.returncode == -number


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_closed_stream(closed: str, tmp_path: Path) -> None:
    """No file gets its number, and nothing is amiss."""
    body = "open(sys.argv[1], 'w').write(str([os.path.samestat(os.fstat(n), os.stat(os.devnull)) for n in range(3)]))"
    program = PROGRAM.format(before="import subprocess", body=f"subprocess.run(['true'], check=True); {body}")
    words = ["sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-c", program, str(tmp_path / "said")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    done = subprocess.Popen(words, cwd=REPO, **pipes)
    out, err = done.communicate(timeout=30)
    assert (done.returncode, out, err) == (
        0,
        b"" if "1>" in closed else b"begun\n",
        b"" if "2>" in closed else b"cleaned up\n",
    )
    assert (tmp_path / "said").read_text() == str([f"{number}" in closed for number in range(3)])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize(
    ("body", "stderr", "status"),
    [
        ("os.kill(os.getpid(), signal.SIGTERM)", "gone", 143),
        ("os.kill(os.getpid(), signal.SIGTERM)", "full", 143),
        ("raise ConfigError('no')", "gone", 141),
        ("raise ConfigError('no')", "full", 2),
    ],
)
def test_standard_error_that_takes_no_words(body: str, stderr: str, status: int) -> None:
    program = PROGRAM.format(body=body, before="").replace('print("cleaned up", file=sys.stderr)', "pass")
    reader, writer = os.pipe()
    os.close(reader)
    with open("/dev/full", "w") as full:
        taken = full.fileno() if stderr == "full" else writer
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=REPO, stdout=subprocess.DEVNULL, stderr=taken, check=False
        )
    os.close(writer)
    assert done.returncode == status
