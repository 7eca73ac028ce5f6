"""The look at memory and open files: what it takes for a leak."""

import mmap
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ReidarError

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(TOOLS))
    import steady

    return steady


def test_what_stays_is_told(steady: Any) -> None:
    samples = [steady.Sample(400 + min(n, 30), 9 + n % 2) for n in range(200)]
    assert steady.verdict(samples) == "memory 430 MB early, 430 MB late; open files 9.5 and 9.5"


@pytest.mark.parametrize("leak", [(0.3, 0), (0, 0.05)], ids=["memory", "files"])
def test_what_grows_is_an_error(steady: Any, leak: tuple[float, float]) -> None:
    samples = [steady.Sample(400 + leak[0] * n, 9 + leak[1] * n) for n in range(200)]
    with pytest.raises(ReidarError, match="something is kept"):
        steady.verdict(samples)


def test_too_short(steady: Any) -> None:
    with pytest.raises(ReidarError, match=r"at least 4 seconds, got 5 looks"):
        steady.verdict([steady.Sample(1, 1)] * 5)


def test_this_process_is_seen(steady: Any, tmp_path: Path) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("Linux only")
    before = steady._now()
    with (tmp_path / "file").open("w"), mmap.mmap(-1, 64 * 2**20) as block:  # malloc may have room left
        block.write(b"\1" * len(block))
        after = steady._now()
    assert after.files - before.files == 1
    assert after.megabytes - before.megabytes > 50
