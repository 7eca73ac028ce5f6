from reidar_plugin.engine.identity import RunIdentity, config_changes


def test_tells_what_differs() -> None:
    ours = RunIdentity("reidar_resnet50_ibn_a", 625, ("walking", "riding"))
    assert ours.differences(ours.as_plain()) == []
    theirs = RunIdentity("reidar_resnet50_ibn_a", 1975, ("walking",)).as_plain()
    assert ours.differences(theirs) == [
        "identities: 1975, here 625",
        "actions: ['walking'], here ['walking', 'riding']",
    ]


def test_some_keys_are_free_to_change() -> None:
    saved = "train: {lr: 0.1, max_epoch: 60}\ntest: {rerank: false}\nreidar: {train: {keep: 2, clip: 0.0}}\n"
    ours = "train: {lr: 0.2, max_epoch: 120}\ntest: {rerank: true}\nreidar: {train: {keep: 5, clip: 1.0}}\n"
    assert config_changes(saved, saved) == []
    assert config_changes(saved, ours) == ["train.lr: 0.1, here 0.2", "reidar.train.clip: 0.0, here 1.0"]


def test_a_free_key_is_not_a_prefix_of_others() -> None:
    assert config_changes("testing: 1\n", "testing: 2\n") == ["testing: 1, here 2"]


def test_keys_that_came_with_a_version_are_passed_over() -> None:
    assert config_changes("train: {lr: 0.1, old: 1}\n", "train: {lr: 0.1, new: 2}\n") == []
