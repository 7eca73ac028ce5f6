"""A launch script in the toolbox's form, written for the tests, and the config it runs on a few pictures."""

import os
import subprocess
import sys
from pathlib import Path

from tests.warm import run_python

__all__ = ["JOINT", "REPO", "SCRIPT", "losses", "run", "write_config", "write_script"]

REPO = Path(__file__).resolve().parents[1]

#: Same functions and order of calls as the toolbox's scripts/main.py, and a class that only the script has.
SCRIPT = '''\
import argparse
import sys

import torchreid
from torchreid.utils import set_random_seed

from sibling import kwargs, get_default_config


class ScriptsOwnTransform:
    """Pickled on the way into a spawned worker, which must find it in its own __main__."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, picture):
        return self.inner(picture)


def build_datamanager(cfg):
    manager = torchreid.data.VideoDataManager(**kwargs(cfg))
    manager.train_loader.dataset.transform = ScriptsOwnTransform(manager.train_loader.dataset.transform)
    return manager


def build_engine(cfg, datamanager, model, optimizer, scheduler):
    return torchreid.engine.VideoSoftmaxEngine(datamanager, model, optimizer, scheduler=scheduler, use_gpu=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--config-file", default="")
    parser.add_argument("--root", default="")
    parser.add_argument("--spawn", action="store_true")
    parser.add_argument("opts", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if args.spawn:
        import multiprocessing

        multiprocessing.set_start_method("spawn", force=True)
    cfg = get_default_config()
    cfg.use_gpu = False
    if args.config_file:
        cfg.merge_from_file(args.config_file)
    if args.root:
        cfg.data.root = args.root
    cfg.merge_from_list(args.opts)
    set_random_seed(cfg.train.seed)
    datamanager = build_datamanager(cfg)
    model = torchreid.models.build_model(
        cfg.model.name, datamanager.num_train_pids, loss=cfg.loss.name, pretrained=False, use_gpu=False
    )
    optimizer = torchreid.optim.build_optimizer(model, optim="adam", lr=cfg.train.lr)
    scheduler = torchreid.optim.build_lr_scheduler(optimizer, stepsize=20)
    engine = build_engine(cfg, datamanager, model, optimizer, scheduler)
    engine.run(save_dir=cfg.data.save_dir, max_epoch=cfg.train.max_epoch, print_freq=1, ranks=cfg.test.ranks)


if __name__ == "__main__":
    main()
'''

_SIBLING = """\
from reidar_plugin.host.defaults import toolbox_config as get_default_config
from reidar_plugin.host.defaults import video_data_arguments as kwargs
"""


def write_script(folder: Path, text: str = SCRIPT) -> Path:
    """``folder/scripts/main.py`` and the module beside it that it imports, as ``default_config`` in the toolbox."""
    scripts = folder / "scripts"
    scripts.mkdir(parents=True, exist_ok=True)
    (scripts / "sibling.py").write_text(_SIBLING, encoding="utf-8")
    path = scripts / "main.py"
    path.write_text(text, encoding="utf-8")
    return path


def write_config(folder: Path, **opts: object) -> Path:
    """A config that trains the smallest backbone of the host for one epoch on the fake MARS under ``folder``."""
    path = folder / "config.yaml"
    path.write_text(
        f"""
model: {{name: osnet_x0_25, pretrained: False}}
data: {{type: video, sources: [mars], targets: [mars], height: 32, width: 16, workers: 0,
       root: {folder}, save_dir: {folder / "log"}}}
video: {{seq_len: 2}}
train: {{max_epoch: 1, batch_size: 4, print_freq: 1}}
test: {{batch_size: 4, ranks: [1, 5]}}
""",
        encoding="utf-8",
    )
    return path


#: What turns that config into a joint run.
JOINT = (
    *("model.name", "reidar_osnet_x0_25", "loss.name", "reidar"),
    *("data.sources", "['mars_actions']", "data.targets", "['mars_actions']"),
    *("sampler.train_sampler", "identity_pass", "sampler.num_instances", "2", "test.ranks", "[1]"),
)


def run(
    *arguments: object, cwd: Path, plugin: bool = True, path: str = "", warm: bool = False
) -> subprocess.CompletedProcess[str]:
    """``python [-m reidar_plugin] ARGUMENTS`` in a process of its own, with this checkout importable.

    Args:
        arguments: a script and its arguments.
        cwd: folder to run it in.
        plugin: whether the plugin's runner runs the script, or Python does.
        path: a folder that modules are looked for in before all others.
        warm: whether torch, torchreid and the plugin may have been imported before, see :mod:`tests.warm`.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(REPO), path])),
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    words = [*(["-m", "reidar_plugin"] if plugin else []), *map(str, arguments)]
    if warm:
        return run_python(*words, cwd=cwd, environment=environment)
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def losses(output: str) -> list[str]:
    """The lines of a run that do not depend on the clock: losses of each step, and the ranks."""
    steps = [
        line.split("eta", 1)[1].split("\t", 1)[1] for line in output.splitlines() if line.startswith("epoch:")
    ]
    return steps + [line for line in output.splitlines() if line.startswith(("mAP", "Rank-", "MARS "))]
