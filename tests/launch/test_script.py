"""The runner: a launch script as if started directly, with the plugin in it."""

import errno
import io
import os
import re
import sys
from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import script
from tests.fakes import write_mars
from tests.standin import JOINT, REPO, SCRIPT, losses, run, write_config, write_script

PRINTS = """\
import sys
import default_sibling
def get_default_config(): ...
def build_datamanager(cfg): ...
def build_engine(cfg, datamanager, model, optimizer, scheduler): ...
def main():
    print(sys.argv, sys.path[0], __name__, __file__, sys.modules["__main__"].main is main)
    {body}
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def street(tmp_path: Path) -> Path:
    write_mars(tmp_path, train_people=2, tracklets=2, frames=2, distractors=0)
    write_config(tmp_path)
    return tmp_path


def script_that(folder: Path, body: str) -> Path:
    path = write_script(folder, PRINTS.format(body=body))
    (path.parent / "default_sibling.py").write_text("")
    return path


def test_script_sees_what_python_would_give_it(tmp_path: Path) -> None:
    path = script_that(tmp_path, "sys.exit(7)")
    with_plugin = run(os.path.relpath(path, tmp_path), "--flag", "a b", cwd=tmp_path)
    alone = run(os.path.relpath(path, tmp_path), "--flag", "a b", cwd=tmp_path, plugin=False)
    assert (with_plugin.returncode, alone.returncode) == (7, 7)
    first, *rest = with_plugin.stdout.splitlines()
    assert first.startswith("reidar_plugin ")
    assert " enabled on torchreid " in first
    assert rest == alone.stdout.splitlines() != []


@pytest.mark.parametrize(
    "start",
    ["main()", "try: main()\nfinally: pass"],
)
def test_hooks_are_in_place_however_a_script_starts(tmp_path: Path, start: str) -> None:
    text = PRINTS.format(body="print(build_engine.__module__)").replace(
        'if __name__ == "__main__":\n    main()\n', start + "\n"
    )
    assert start in text
    path = write_script(tmp_path, text)
    (path.parent / "default_sibling.py").write_text("")
    done = run(path, cwd=tmp_path, warm=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "reidar_plugin.launch.hooks"


def test_interrupt_ends_the_process_as_it_ends_pythons(tmp_path: Path) -> None:
    path = script_that(
        tmp_path,
        "import os, signal; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # a shell's background jobs have it ignored
        "os.kill(os.getpid(), signal.SIGINT)",
    )
    with_plugin, alone = run(path, cwd=tmp_path, warm=True), run(path, cwd=tmp_path, plugin=False)
    assert with_plugin.returncode == alone.returncode == -2
    assert "KeyboardInterrupt" in alone.stderr
    assert with_plugin.stderr == alone.stderr


def test_traceback_is_the_scripts_own(tmp_path: Path) -> None:
    path = script_that(tmp_path, 'raise LookupError("of the script")')
    with_plugin, alone = run(path, cwd=tmp_path, warm=True), run(path, cwd=tmp_path, plugin=False)
    assert (with_plugin.returncode, alone.returncode) == (1, 1)
    assert "LookupError: of the script" in alone.stderr
    assert with_plugin.stderr == alone.stderr


def test_syntax_error_is_shown_as_by_python(tmp_path: Path) -> None:
    path = write_script(tmp_path, "def main(:\n")
    with_plugin, alone = run(path, cwd=tmp_path, warm=True), run(path, cwd=tmp_path, plugin=False)
    assert (with_plugin.returncode, alone.returncode) == (1, 1)
    assert "SyntaxError" in alone.stderr
    assert with_plugin.stderr == alone.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.py"], "error: no script at nowhere.py"),
        (["."], "error: . is a directory; did you mean scripts/main.py?"),
    ],
)
def test_no_script_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    write_script(tmp_path)
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_names_the_functions_that_a_script_lacks(tmp_path: Path) -> None:
    path = write_script(tmp_path, "def main(): ...\ndef get_default_config(): ...\n")
    done = run(path, cwd=tmp_path, warm=True)
    assert done.returncode == 2
    assert "it defines no build_datamanager, build_engine;" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_torchreid_is_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "torchreid"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("import a_module_that_nobody_has\n")
    done = run(write_script(tmp_path), cwd=tmp_path, path=str(broken.parent))
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: torchreid cannot be imported: No module named 'a_module_that_nobody_has'"
    )
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "opts", "message"),
    [
        ("train: {batchsize: 3}", [], "unknown key 'train.batchsize'; did you mean 'train.batch_size'?"),
        ("model: {name: osnet_x1}", [], "unknown model.name 'osnet_x1'; did you mean 'osnet_x1_0'?"),
        ("loss: {name: tripplet}", [], "unknown loss.name 'tripplet'; did you mean 'triplet'?"),
    ],
    ids=["key", "model", "loss"],
)
def test_a_bad_config_is_one_line_both_ways(tmp_path: Path, text: str, opts: list[str], message: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    arguments = ("--config-file", "config.yaml", *opts, "data.save_dir", "log")
    for done in (
        run(write_script(tmp_path), *arguments, cwd=tmp_path, warm=True),
        run(REPO / "tools/main.py", *arguments, cwd=tmp_path, plugin=False, warm=True),
    ):
        assert done.returncode == 2
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_host_config_trains_the_same_with_and_without(street: Path) -> None:
    """On the package the script alone cannot start (H1), so that the same calls without the runner are the reference."""
    text = SCRIPT.replace("torchreid.utils", "torchreid.reid.utils")
    reference = run(
        *(write_script(street / "package", text), "--config-file", "config.yaml"),
        cwd=street,
        plugin=False,
        warm=True,
    )
    assert reference.returncode == 0, reference.stderr
    assert len(losses(reference.stdout)) == 2 + 3  # 8 tracklets in batches of 4; mAP and two ranks
    done = run(write_script(street), "--config-file", "config.yaml", cwd=street)
    assert done.returncode == 0, done.stderr
    assert losses(done.stdout) == losses(reference.stdout)


@pytest.mark.slow
def test_spawned_and_forked_workers_give_the_same(street: Path) -> None:
    text = SCRIPT.replace(
        "class ScriptsOwn",
        "BESIDE = open(__file__ + '.json').read()  # also in a worker\n\n\nclass ScriptsOwn",
    )
    path = write_script(street, text)
    Path(f"{path}.json").write_text("{}")
    common = ("--config-file", "config.yaml")
    forked, spawned = (
        run(path, *common, *spawn, "data.workers", "1", cwd=street, warm=True) for spawn in ([], ["--spawn"])
    )
    assert forked.returncode == 0, forked.stderr
    assert spawned.returncode == 0, spawned.stderr
    assert losses(spawned.stdout) == losses(forked.stdout) != []
    assert spawned.stdout.count("enabled on torchreid") == 1  # workers keep quiet


@pytest.mark.slow
def test_joint_config_trains_the_same_with_any_workers(street: Path) -> None:
    """Every random number of ours follows from seed, epoch and index: neither their number nor their start matters."""
    path = write_script(street)
    ways = (
        ["data.workers", "0"],
        ["data.workers", "2"],
        ["data.workers", "1", "reidar.data.start_method", "spawn"],
    )
    outcomes = []
    for index, way in enumerate(ways):
        log = ["data.save_dir", str(street / f"log{index}")]
        done = run(path, "--config-file", "config.yaml", *JOINT, *log, *way, cwd=street, warm=True)
        assert done.returncode == 0, done.stderr
        outcomes.append(losses(done.stdout))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert any("weighted_binary_cross_entropy" in line for line in outcomes[0])
    assert any(line.startswith("MARS no-distractors") for line in outcomes[0])


@pytest.mark.slow
def test_a_broken_picture_stops_a_spawned_worker(street: Path) -> None:
    """H8, where the plugin is known in the parent only: the host alone would read it for ever."""
    picture = next((street / "mars" / "bbox_train").rglob("*.jpg"))
    picture.write_bytes(picture.read_bytes()[:200])
    done = run(
        *(write_script(street), "--config-file", "config.yaml", "--spawn", "data.workers", "1"),
        cwd=street,
        warm=True,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: {picture}: cannot be read: ")


def test_an_error_is_shown_where_the_hosts_log_is_full(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    assert script.show(ConfigError("what was asked for")) == 2
    assert capsys.readouterr().err == "error: what was asked for\n"
    assert sys.stdout is sys.__stdout__  # else the interpreter would fail at its own flush


# The toolbox's own script, where a clone is at hand.


@pytest.fixture
def clone() -> Path:
    place = os.environ.get("TORCHREID_REPO", "")
    if not place:
        pytest.skip("set TORCHREID_REPO to a clone of deep-person-reid to run its own scripts/main.py")
    return Path(place).resolve()


def of_clone(clone: Path, street: Path, *opts: str, plugin: bool = True, layout: str = "clone") -> list[str]:
    path = str(clone) if layout == "clone" else ""
    done = run(
        clone / "scripts/main.py", "--config-file", "config.yaml", *opts, cwd=street, plugin=plugin, path=path
    )
    assert done.returncode == 0, done.stderr
    assert losses(done.stdout)
    return losses(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_toolbox_script_on_both_layouts(clone: Path, street: Path, workers: str) -> None:
    opts = ("data.workers", workers)
    alone = of_clone(clone, street, *opts, plugin=False)
    assert of_clone(clone, street, *opts) == alone
    assert of_clone(clone, street, *opts, layout="package") == alone


@pytest.mark.slow
def test_toolbox_script_with_spawned_workers(clone: Path, street: Path) -> None:
    """The script itself has no word for it; a sibling module that it imports says so."""
    sitecustomize = street / "site"
    sitecustomize.mkdir()
    (sitecustomize / "sitecustomize.py").write_text(
        "import multiprocessing; multiprocessing.set_start_method('spawn', force=True)"
    )
    for opts in ((), JOINT):
        forked, spawned = (
            run(
                *(clone / "scripts/main.py", "--config-file", "config.yaml", *opts),
                *("data.workers", "1", "data.save_dir", str(street / f"log{len(opts)}{bool(extra)}")),
                cwd=street,
                path=extra,
            )
            for extra in ("", str(sitecustomize))
        )
        assert forked.returncode == spawned.returncode == 0, spawned.stderr
        assert losses(spawned.stdout) == losses(forked.stdout) != []


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_toolbox_script_trains_the_joint_model_on_both_layouts(
    clone: Path, street: Path, workers: str
) -> None:
    results = [
        of_clone(
            clone,
            street,
            *JOINT,
            "data.workers",
            workers,
            "data.save_dir",
            str(street / layout),
            layout=layout,
        )
        for layout in ("clone", "package")
    ]
    assert results[0] == results[1]
    assert any("action_centre" in line for line in results[0])


@pytest.mark.slow
def test_tools_main_prints_what_the_toolbox_script_prints(clone: Path, street: Path) -> None:
    done = run(REPO / "tools/main.py", "--config-file", "config.yaml", cwd=street, plugin=False)
    assert done.returncode == 0, done.stderr
    assert losses(done.stdout) == of_clone(clone, street, plugin=False)


@pytest.mark.parametrize(
    "said",
    ["(pid 7) is killed by signal: Killed. ", "(pid(s) 7, 8) exited unexpectedly"],
    ids=["signal", "pipe"],
)
def test_a_worker_that_the_system_kills_is_one_line(said: str) -> None:
    line = script.error_line(RuntimeError(f"DataLoader worker {said}"))
    assert line is not None
    assert re.match(r"process 7(, 8)?, which reads pictures, was ended from outside", line)
    assert "the same command goes on" in line
    assert script.error_line(RuntimeError("DataLoader worker is a word")) is None
