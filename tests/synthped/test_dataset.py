"""SynthPed by name: torchreid reads it, our datasets read it, and it is drawn when it is not there."""

import shutil
from pathlib import Path

import pytest

from reidar_plugin.data.lpw import LPWActions
from reidar_plugin.data.mars import MarsActions
from reidar_plugin.host import reid
from reidar_plugin.labels.attributes import attribute_space
from reidar_plugin.synthped import PRESETS, dataset, make
from reidar_plugin.synthped.dataset import SynthPed


def test_torchreid_reads_it_as_mars(root: Path, mars: Path) -> None:
    host = reid.data.datasets.init_video_dataset("mars", root=str(root), transform=list, verbose=False)
    counts = [
        (len(part), len({pid for _, pid, *_ in part})) for part in (host.train, host.query, host.gallery)
    ]
    assert counts[0] == (PRESETS["tiny"].tracklets[0], 10)
    assert counts[1] == (20, 10)
    assert sum(sample[1] == 0 for sample in host.gallery) == 44 * 3248 // 8062
    for part in (host.train, host.query, host.gallery):
        for paths, *_ in part:
            assert all(Path(path).is_file() for path in paths)
    listed = {path for part in (host.train, host.query, host.gallery) for paths, *_ in part for path in paths}
    junk = {str(path) for path in (mars / "bbox_test" / "00-1").iterdir()}
    assert listed | junk == {str(path) for path in mars.rglob("*.jpg")}
    assert junk


def test_our_dataset_reads_labels_and_attributes(root: Path) -> None:
    space = attribute_space(("Tops.c", "hair", "pose", "motion"))
    ours = MarsActions(root, attribute_space=space, transform=list, verbose=False)
    assert {len(sample[0].labels) for sample in ours.train} == {1}
    assert len({label for sample in ours.train for label in sample[0].labels}) == 8
    assert {len(sample[0].attributes) for sample in ours.train} == {4}
    assert all(sample[0].labels is None for sample in ours.gallery if sample[1] == 0)


def test_lpw_layout(tmp_path: Path) -> None:
    home = make(tmp_path, "tiny", people=(12, 8), layout="lpw", workers=1)
    assert home == tmp_path / "lpw"
    ours = LPWActions(tmp_path, transform=list, verbose=False)
    assert len(ours.query) == 8
    assert ours.num_train_pids == 12
    assert {len(sample[0].labels) for part in (ours.train, ours.query, ours.gallery) for sample in part} == {
        1
    }
    lines = (home / "published" / "test_8_actions.txt").read_text().splitlines()
    assert all((home / line.split()[0]).is_file() for line in lines)


def test_synthped_makes_itself_and_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    asked: list[tuple[Path, str]] = []

    def copy(where: Path, *, folder: str) -> Path:  # instead of drawing the laptop set
        asked.append((where, folder))
        return Path(shutil.copytree(root / "mars", where / folder))

    monkeypatch.setattr(dataset, "make", copy)
    first = SynthPed(tmp_path, transform=list, verbose=False)
    again = SynthPed(tmp_path, transform=list, verbose=False)
    assert asked == [(tmp_path, "synthped")]
    assert capsys.readouterr().out == f"SynthPed is drawn into {tmp_path / 'synthped'}, once\n"
    assert len(first.train) == len(again.train) == 36
    assert first.train[0][0].labels
