"""The log of a run."""

import gc
import sys
from pathlib import Path

import pytest

from reidar_plugin.errors import ReidarError
from reidar_plugin.io.log import tee


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ReidarError, match=r"cannot be written: .*; set data\.save_dir"),
        tee(tmp_path / "file/log"),
    ):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_log_on_a_full_disk_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = sys.stdout
    with (
        pytest.raises(
            ReidarError, match=r"the log /dev/full cannot be written: No space left .*; free space"
        ),
        tee(Path("/dev/full")),
    ):
        print("lost")  # noqa: T201
    assert sys.stdout is terminal


def test_the_log_leaves_standard_output_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The host's own closes it when it is collected."""
    with tee(tmp_path / "log/train.log"):
        print("both")  # noqa: T201
    gc.collect()
    print("terminal")  # noqa: T201
    assert capsys.readouterr().out == "both\nterminal\n"
    assert (tmp_path / "log/train.log").read_text() == "both\n"
