from reidar_plugin.data.facts import Facts
from reidar_plugin.data.tracklets import Frames
from reidar_plugin.engine.identity import RunIdentity, config_changes, describe_training
from reidar_plugin.labels.spaces import LabelSpace


def test_tells_what_differs() -> None:
    ours = RunIdentity("reidar_resnet50_ibn_a", 625, ("walking", "riding"))
    assert ours.differences(ours.as_plain()) == []
    theirs = RunIdentity("reidar_resnet50_ibn_a", 1975, ("walking",)).as_plain()
    assert ours.differences(theirs) == [
        "identities: 1975, here 625",
        "actions: ['walking'], here ['walking', 'riding']",
    ]
    assert ours.differences(theirs, tested=True) == ["actions: ['walking'], here ['walking', 'riding']"]
    del theirs["actions"]  # as if the fact had come with a later version
    assert ours.differences(theirs) == ["identities: 1975, here 625"]


def test_training_is_told_apart_by_every_label_and_frame() -> None:
    space = LabelSpace("own", ("walking", "riding"))

    def described(labels: str = "walking", frames: int = 3, camid: int = 0) -> str:
        paths = Frames([f"{n}.jpg" for n in range(frames)], "0001C1T0001", frozenset([labels]))
        return describe_training(Facts([(paths, 0, camid, 0)], space))

    assert described() == described()
    assert described().startswith("1 tracklets with people and labels ")
    assert len({described(), described("riding"), described(frames=4), described(camid=1)}) == 4


def test_the_hosts_cosine_ends_with_the_last_epoch() -> None:
    def changes(schedule: str, decay: str) -> list[str]:
        text = (
            f"train: {{max_epoch: %d, lr_scheduler: {decay}}}\nreidar: {{train: {{schedule: {schedule}}}}}\n"
        )
        return config_changes(text % 60, text % 90)

    assert changes("host", "cosine") == ["train.max_epoch: 60, here 90"]
    assert changes("paper", "cosine") == changes("host", "multi_step") == []


def test_some_keys_are_free_to_change() -> None:
    saved = "train: {lr: 0.1, max_epoch: 60}\ntest: {rerank: false}\nreidar: {train: {keep: 2, clip: 0.0}}\n"
    ours = "train: {lr: 0.2, max_epoch: 120}\ntest: {rerank: true}\nreidar: {train: {keep: 5, clip: 1.0}}\n"
    assert config_changes(saved, saved) == []
    assert config_changes(saved, ours) == ["train.lr: 0.1, here 0.2", "reidar.train.clip: 0.0, here 1.0"]


def test_a_free_key_is_not_a_prefix_of_others() -> None:
    assert config_changes("testing: 1\n", "testing: 2\n") == ["testing: 1, here 2"]


def test_keys_that_came_with_a_version_are_passed_over() -> None:
    assert config_changes("train: {lr: 0.1, old: 1}\n", "train: {lr: 0.1, new: 2}\n") == []
