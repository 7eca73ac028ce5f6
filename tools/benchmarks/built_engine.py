"""The engine as the launcher builds it, for benchmarks that drive it themselves."""

import contextlib
import io
from pathlib import Path

import torch

from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.launch import runner

__all__ = ["built_engine", "wait"]


def built_engine(
    folder: Path,
    model: str,
    size: tuple[int, int],
    clips: int,
    workers: int,
    precision: str = "float32",
    *,
    gpu: bool = False,
) -> JointEngine:
    """The engine of a run on ``<folder>/mars``, not run; clips have 4 frames."""
    built: list[JointEngine] = []
    original = JointEngine.run
    JointEngine.run = lambda self, **given: built.append(self)  # type: ignore[method-assign, assignment]
    options = f"""data.type video data.save_dir {folder}/log data.height {size[0]} data.width {size[1]}
        data.workers {workers} video.seq_len 4 model.name {model} model.pretrained False loss.name reidar
        train.batch_size {clips} sampler.train_sampler identity_pass sampler.num_instances 4 use_gpu {gpu}
        reidar.train.precision {precision}"""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            flags = ["-s", "mars_actions", "-t", "mars_actions", "--root", str(folder)]
            runner.main([*flags, *options.split()])
    finally:
        JointEngine.run = original  # type: ignore[method-assign]
    return built[0]


def wait(engine: JointEngine) -> None:
    """Until the device has done what it was given."""
    if engine.device.type == "cuda":
        torch.cuda.synchronize()
