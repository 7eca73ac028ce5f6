from pathlib import Path

from reidar_plugin.inference.features import packed_loader
from tests.engine_rig import build, config


def test_training_tracklets_are_read_as_the_config_says(mars: Path, tmp_path: Path) -> None:
    options = {"data__workers": 2, "reidar__data__start_method": "spawn"}
    loader = build(config(mars, tmp_path, **options)).datamanager.train_loader
    packed = packed_loader(loader, batch_size=4)
    assert packed.num_workers == 2
    assert packed.multiprocessing_context.get_start_method() == "spawn"
    loader.pin_memory = True
    assert packed_loader(loader, batch_size=4).pin_memory
