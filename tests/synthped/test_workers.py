"""Several processes draw the same set as one, and an interrupted run goes on."""

from pathlib import Path

import pytest

from reidar_plugin.synthped import make, workers
from tests.synthped.digests import TABLES, digest


def test_the_number_of_workers_does_not_matter(mars: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    other = make(tmp_path, "tiny", workers=2, progress=lambda done, total: calls.append((done, total)))
    assert digest(other, "bbox_train", "bbox_test", *TABLES) == digest(
        mars, "bbox_train", "bbox_test", *TABLES
    )
    frames = len(list(mars.rglob("*.jpg")))
    assert calls[0] == (0, frames)
    assert calls[-1] == (frames, frames)
    assert calls == sorted(calls)


def test_an_interrupted_run_goes_on(mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_UNIT_FRAMES", 100)

    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, "tiny", workers=1, progress=interrupt)
    assert not (tmp_path / "mars").exists()  # nobody takes half of it for all of it
    drawn = {path: path.stat().st_mtime_ns for path in (tmp_path / ".mars.part").rglob("*.jpg")}
    assert drawn
    calls: list[int] = []
    home = make(tmp_path, "tiny", workers=1, progress=lambda done, _: calls.append(done))
    assert calls[0] > 100  # what was drawn is not drawn again
    assert digest(home, "bbox_train", "bbox_test", *TABLES) == digest(
        mars, "bbox_train", "bbox_test", *TABLES
    )
    kept = [
        path
        for path, time in drawn.items()
        if (home / path.relative_to(tmp_path / ".mars.part")).stat().st_mtime_ns == time
    ]
    assert len(kept) > len(drawn) / 2
    assert not (tmp_path / ".mars.part").exists()
