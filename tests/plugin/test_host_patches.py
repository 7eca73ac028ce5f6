"""The host's own faults, each as a user meets it: where that can be shown, first without the plugin and then with it.

H1 (the package lacks the clone's module names), H5 (clips of different lengths), H9 (unknown keys) and the silent
triplet loss are met before anything is built: tests/launch/test_script.py, test_validation.py, tests/config/test_files.py.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import reidar_plugin
from reidar_plugin import host
from reidar_plugin.checkpoint.compatibility import check_weights
from reidar_plugin.checkpoint.fingerprint import RunFingerprint
from reidar_plugin.errors import MissingFileError, PictureError
from reidar_plugin.plugin import host_patches
from tests.fakes import write_mars
from tests.versions import TORCH


class ClipsOnly(nn.Module):
    """A video model as people write them: it unpacks five sizes."""

    def __init__(self, num_classes: int = 2, **_: object) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.classifier = nn.Linear(4, num_classes)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        b, t, c, h, w = clips.size()
        frames = self.conv(clips.view(b * t, c, h, w)).mean(dim=(2, 3))
        return self.classifier(frames.view(b, t, -1).mean(dim=1))


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Stop what the host would do for ever; BaseException, since it swallows the others."""

    class TooLongError(BaseException): ...

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except TooLongError:
        raise TimeoutError("still reading") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def engine(manager: object, model: nn.Module, scheduler: object = "host") -> object:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    if scheduler == "host":
        scheduler = host.reid.optim.build_lr_scheduler(optimizer, stepsize=1)
    return host.reid.engine.VideoSoftmaxEngine(manager, model, optimizer, scheduler=scheduler, use_gpu=False)


@pytest.fixture
def street(tmp_path: Path) -> Path:
    write_mars(tmp_path, train_people=2, tracklets=2, frames=2, distractors=0)
    return tmp_path


def manager_of(street: Path, sources: list[str] | None = None, **rest: object) -> object:
    settings = {
        "height": 32,
        "width": 16,
        "seq_len": 2,
        "workers": 0,
        "batch_size_train": 2,
        "batch_size_test": 2,
        **rest,
    }
    return host.reid.data.VideoDataManager(
        str(street), sources or ["mars"], ["mars"], use_gpu=False, **settings
    )


class TestH2Complexity:
    def count(self, model: nn.Module) -> tuple[int, int]:
        return host.reid.utils.compute_model_complexity(model, (1, 3, 8, 8))

    def test_a_model_of_clips_is_counted_on_a_clip_of_one_frame(self) -> None:
        model = ClipsOnly()
        with pytest.raises(ValueError, match="not enough values to unpack"):
            self.count(model)
        reidar_plugin.enable()
        model = ClipsOnly()  # whoever has built it
        before = torch.get_rng_state()
        parameters, flops = self.count(model)
        assert parameters == 3 * 4 * 9 + 4 + 4 * 2 + 2
        assert flops == 6 * 6 * 4 * (3 * 9 + 1) + 2 * (
            4 + 1
        )  # a multiply-add a weight and a place, and the bias
        assert model.training
        torch.set_rng_state(before)
        torch.rand(1, 1, 3, 8, 8)  # the host draws its input, the plugin nothing
        after = torch.get_rng_state()
        torch.set_rng_state(before)
        self.count(model)
        assert torch.equal(torch.get_rng_state(), after)

    def test_models_of_the_host_are_counted_as_before(self) -> None:
        model = host.reid.models.build_model("squeezenet1_0", 2, pretrained=False, use_gpu=False)
        expected = host.reid.utils.compute_model_complexity(model, (1, 3, 64, 32))
        reidar_plugin.enable()
        assert host.reid.utils.compute_model_complexity(model, (1, 3, 64, 32)) == expected

    def test_a_model_that_takes_neither_shows_the_hosts_error(self) -> None:
        reidar_plugin.enable()
        model = nn.Linear(5, 2)
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
            self.count(model)
        assert not model._forward_hooks  # which the host leaves on a model that dies

    def test_a_model_may_refuse_pictures_in_any_words(self) -> None:
        class Asserting(ClipsOnly):
            def forward(self, clips: torch.Tensor) -> torch.Tensor:
                assert clips.dim() == 5
                return super().forward(clips)

        reidar_plugin.enable()
        assert self.count(Asserting()) == self.count(ClipsOnly())


class TestH3H12Checkpoints:
    def save(self, folder: Path, model: nn.Module) -> Path:
        """As the host's engine saves."""
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        saver = host.reid.engine.Engine.__new__(host.reid.engine.Engine)
        saver._models, saver._optims, saver._scheds = {"model": model}, {"model": optimizer}, {"model": None}
        if not host.is_replaced(vars(host.reid.engine.Engine)["save_model"]):
            saver._scheds = {"model": host.reid.optim.build_lr_scheduler(optimizer, stepsize=1)}
        saver.save_model(0, np.float32(0.5), str(folder))
        assert saver._models["model"] is model
        return folder / "model" / "model.pth.tar-1"

    def test_the_host_resumes_what_it_saved(self, tmp_path: Path) -> None:
        model = nn.DataParallel(nn.Linear(2, 3))
        theirs = self.save(tmp_path / "theirs", model)
        refused = pytest.raises(Exception, match=r"rank1|scalar|Weights only")
        with refused if TORCH >= (2, 6) else contextlib.nullcontext():  # before, torch ran what is in a file
            host.reid.utils.resume_from_checkpoint(str(theirs), model)
        reidar_plugin.enable()
        ours = self.save(tmp_path / "ours", model)
        saved = torch.load(ours, weights_only=True)
        assert type(saved["rank1"]) is float
        assert sorted(saved["state_dict"]) == ["bias", "weight"]
        for source in (ours, theirs):  # also what a run without the plugin has left
            for other in (nn.Linear(2, 3), nn.DataParallel(nn.Linear(2, 3))):
                assert host.reid.utils.resume_from_checkpoint(str(source), other) == 1
                inner = getattr(other, "module", other)
                assert torch.equal(inner.weight, model.module.weight)

    def test_a_part_that_is_called_module_keeps_its_name(self, tmp_path: Path) -> None:
        class Wrap(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.module = nn.Linear(2, 3)

        reidar_plugin.enable()
        model, other = Wrap(), Wrap()
        saved = self.save(tmp_path, model)
        assert sorted(torch.load(saved, weights_only=True)["state_dict"]) == ["module.bias", "module.weight"]
        host.reid.utils.resume_from_checkpoint(str(saved), other)
        assert torch.equal(other.module.weight, model.module.weight)

    def test_what_is_saved_stays_as_it_was(self, tmp_path: Path) -> None:
        reidar_plugin.enable()
        state = {"state_dict": nn.Linear(2, 3).state_dict(), "epoch": 1, "rank1": np.float32(0.5)}
        host.reid.utils.save_checkpoint(state, str(tmp_path))
        assert isinstance(state["rank1"], np.float32)

    def test_pickled_code_is_still_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Evil:
            def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
                return Path.touch, (tmp_path / "harm",)

        torch.save({"state_dict": {}, "rank1": Evil()}, tmp_path / "evil")
        reidar_plugin.enable()
        was = torch.load

        def as_before_torch_2_6(
            *args: Any, **options: Any
        ) -> Any:  # where code was run unless something forbade it
            forced = os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD") == "1"
            return was(*args, **{"weights_only": forced, **options})

        monkeypatch.setattr(torch, "load", as_before_torch_2_6)
        with pytest.raises(Exception, match="Weights only load failed"):
            host.reid.utils.load_checkpoint(str(tmp_path / "evil"))
        assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ
        assert not (tmp_path / "harm").exists()


@pytest.mark.slow
def test_h4_a_run_without_a_schedule_is_saved_and_resumed(street: Path) -> None:
    manager = manager_of(street)
    options = {"max_epoch": 1, "save_dir": str(street / "log"), "ranks": [1]}
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'state_dict'"):
        engine(manager, ClipsInFrames(), scheduler=None).run(**options)
    reidar_plugin.enable()
    run = engine(manager, ClipsInFrames(), scheduler=None)
    run.run(**options)
    assert run._scheds == {"model": None}
    other = ClipsInFrames()
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
    schedule = host.reid.optim.build_lr_scheduler(optimizer, stepsize=7)
    saved = street / "log" / "model" / "model.pth.tar-1"
    assert host.reid.utils.resume_from_checkpoint(str(saved), other, optimizer, schedule) == 1
    assert schedule.step_size == 7
    assert torch.equal(other.classifier.weight, run.model.classifier.weight)


class ClipsInFrames(nn.Module):
    """A picture model, as the host's video engines feed them: frames in the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Linear(3, 2)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        colour = frames.mean(dim=(2, 3))
        return self.classifier(colour) if self.training else colour


@pytest.mark.slow
def test_h6_two_sources_keep_the_labels(tmp_path: Path) -> None:
    for folder in ("mars", "synthped"):
        write_mars(
            tmp_path, folder=folder, train_people=3, tracklets=1, frames=2, distractors=1, test_people=2
        )
    for sources, known in (
        (["mars", "mars_actions"], 6),
        (["mars_actions", "mars"], 6),
        (["mars_actions", "mars_actions"], 12),
    ):
        reidar_plugin.enable()
        manager = manager_of(tmp_path, sources, batch_size_train=12)
        dataset = manager.train_loader.dataset
        labels = [getattr(paths, "labels", None) for paths, *_ in dataset.train]
        assert len(labels) == 12
        assert sum(label is not None for label in labels) == known
        batch = next(iter(manager.train_loader))
        assert int((~torch.isnan(batch["labels"]).any(dim=1)).sum()) == known
        for row, pid in zip(batch["labels"], batch["pid"].tolist(), strict=True):
            frames = next(sample[0] for sample in dataset.train if sample[1] == pid)
            if getattr(frames, "labels", None) is not None:
                assert int(row.nonzero()) == (2 * (pid % 3) + 2) % 8  # the rule by which the fakes act


class TestH7Ranks:
    def scores(self, max_rank: int = 50) -> tuple[np.ndarray, float]:
        random = np.random.default_rng(3)
        pids, cams = np.array([1, 1, 2, 2, 3, 3]), np.array([0, 1, 0, 1, 0, 1])
        distances = random.random((6, 6)).astype(np.float32)
        return host.reid.metrics.evaluate_rank(distances, pids, pids, cams, cams, max_rank=max_rank)

    def test_small_gallery_has_every_rank(self) -> None:
        cmc, expected_map = self.scores(max_rank=5)  # five are kept for each query
        reidar_plugin.enable()
        padded, mean_average_precision = self.scores()
        assert padded.shape == (50,)
        np.testing.assert_array_equal(padded[:5], cmc)
        np.testing.assert_array_equal(padded[5:], cmc[4])
        assert padded[4] == 1.0 > padded[0]
        assert mean_average_precision == expected_map

    def test_distances_that_count(self) -> None:
        pids, cams = np.array([1, 1]), np.array([0, 1])
        reidar_plugin.enable()
        hamming = np.array([[0, 3], [3, 0]])
        cmc, mean_average_precision = host.reid.metrics.evaluate_rank(hamming, pids, pids, cams, cams)
        assert (cmc[0], mean_average_precision) == (1.0, 1.0)

    def test_queries_that_keep_different_numbers(self) -> None:
        """The host then makes a ragged array of its curves."""
        q_pids, q_cams = np.array([1, 2]), np.array([0, 0])
        g_pids, g_cams = np.array([1, 1, 2, 3]), np.array([0, 1, 1, 1])
        distances = np.array([[0.1, 0.9, 0.2, 0.3], [0.4, 0.3, 0.2, 0.1]], dtype=np.float32)
        arguments = (distances, q_pids, g_pids, q_cams, g_cams)
        with pytest.raises(ValueError, match="inhomogeneous"):
            host.reid.metrics.evaluate_rank(*arguments)
        reidar_plugin.enable()
        cmc, mean_average_precision = host.reid.metrics.evaluate_rank(*arguments)
        assert cmc[:4].tolist() == [0.0, 0.5, 1.0, 1.0]  # ranks of the matches by hand: 3rd and 2nd
        assert mean_average_precision == pytest.approx((1 / 3 + 1 / 2) / 2)

    @pytest.mark.slow
    def test_an_engine_prints_them(self, street: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run = engine(manager_of(street), ClipsInFrames())
        with pytest.raises(IndexError):
            run.run(test_only=True, ranks=[1, 20])
        reidar_plugin.enable()
        run = engine(manager_of(street), ClipsInFrames())
        run.run(test_only=True, ranks=[1, 20])
        assert "Rank-20 : 100.0%" in capsys.readouterr().out


class TestH8Pictures:
    @pytest.fixture
    def truncated(self, street: Path) -> Path:
        picture = next((street / "mars" / "bbox_train").rglob("*.jpg"))
        picture.write_bytes(picture.read_bytes()[:200])
        return picture

    def test_a_broken_picture_names_its_file_and_stops(self, street: Path, truncated: Path) -> None:
        with (
            pytest.raises(TimeoutError, match="still reading"),
            at_most(seconds=1),
            open("/dev/null", "w") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):
            host.reid.utils.read_image(str(truncated))
        reidar_plugin.enable()
        with pytest.raises(
            PictureError, match=f"(?i){truncated}: cannot be read: .*truncated.*; restore the file"
        ):
            host.reid.utils.read_image(str(truncated))

    @pytest.mark.parametrize("workers", [0, 1])
    def test_also_inside_a_run(self, street: Path, truncated: Path, workers: int) -> None:
        reidar_plugin.enable()
        manager = manager_of(street, workers=workers)
        with at_most(seconds=60), pytest.raises(PictureError, match=f"{truncated}: cannot be read"):
            list(manager.train_loader)

    @pytest.mark.parametrize(
        ("content", "reason"),
        [(b"", "not a picture"), (b"hello", "not a picture"), (None, "no such picture")],
    )
    def test_other_files_that_are_no_pictures(
        self, tmp_path: Path, content: bytes | None, reason: str
    ) -> None:
        reidar_plugin.enable()
        path = tmp_path / "frame.jpg"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(PictureError, match=f"{path}: .*{reason}"):
            host.reid.utils.read_image(str(path))


def test_a_missing_data_set_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []

    def fetch(url: str, place: str) -> None:
        fetched.append(url)
        raise OSError("no network")

    monkeypatch.setattr(f"{host.reid.data.Dataset.__module__}.download_url", fetch)

    def build() -> object:
        return host.dataset_table("video")["ilidsvid"](root=str(tmp_path))

    reidar_plugin.disable()
    with pytest.raises(OSError, match="no network"):
        build()
    assert fetched[0].startswith("http://")
    (tmp_path / "ilids-vid").rmdir()
    reidar_plugin.enable()
    with pytest.raises(MissingFileError, match=r"ilids-vid: no such folder; .*fetch http://.*iLIDS-VID\.tar"):
        build()
    assert len(fetched) == 1
    assert not list(tmp_path.iterdir())


def test_the_former_import_path_works() -> None:
    from reidar_plugin import mends

    assert mends.prepare_worker is host_patches.prepare_worker


def test_h10_enabling_twice_is_no_error() -> None:
    reidar_plugin.enable()
    with pytest.raises(ValueError, match="already exists"):
        host.reid.data.register_video_dataset("mars_actions", object)
    tables = dict(host.dataset_table("video")), sorted(host.model_table())
    reidar_plugin.enable()
    assert (dict(host.dataset_table("video")).keys(), sorted(host.model_table())) == (
        tables[0].keys(),
        tables[1],
    )


@pytest.mark.slow
def test_h11_ranked_pictures_of_our_datasets(street: Path) -> None:
    reidar_plugin.enable()
    manager = host.reid.data.VideoDataManager(
        str(street),
        ["mars_actions"],
        height=32,
        width=16,
        seq_len=2,
        workers=0,
        batch_size_train=2,
        batch_size_test=2,
        use_gpu=False,
    )
    engine(manager, ClipsInFrames()).run(
        test_only=True, visrank=True, visrank_topk=2, save_dir=str(street / "log"), ranks=[1]
    )
    assert list((street / "log" / "visrank_mars_actions").rglob("*top001*"))


@pytest.mark.slow
@pytest.mark.usefixtures("quick_weights")
def test_the_hosts_loader_takes_weights_of_the_released_code(tmp_path: Path) -> None:
    """``model.load_weights``: the host alone would drop the attention and the actions, and go on."""
    reidar_plugin.enable()
    build = host.model_table()["reidar_resnet50_ibn_a"]
    model = build(num_classes=3, loss="reidar", pretrained=False, use_gpu=False)
    released = {}
    for name, tensor in model.state_dict().items():
        value = torch.full_like(tensor, 0.25)
        width = 512
        if name.startswith("temporal."):
            released[
                name.replace("temporal.conv", "attention_conv").replace("temporal.tconv", "attention_tconv")
            ] = value
        elif not name.startswith("actions."):
            released[name] = value
    for block in range(8):
        released[f"class_{block}.add_block.0.weight"] = torch.full((width, 2048), 0.25)
        for part in ("0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"):
            released[f"class_{block}.add_block.{part}"] = torch.full((width,), 0.25)
        released[f"class_{block}.classifier.0.weight"] = torch.full((1, width), 0.25)
        released[f"class_{block}.classifier.0.bias"] = torch.full((1,), 0.25)
    torch.save(released, tmp_path / "released.pth")
    host.reid.utils.load_pretrained_weights(model, str(tmp_path / "released.pth"))
    check_weights(tmp_path / "released.pth", model, RunFingerprint("reidar_resnet50_ibn_a", 3), "")
    for name, tensor in model.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, torch.full_like(tensor, 0.25)), name
