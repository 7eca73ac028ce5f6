"""What scripts are made of."""

import numpy as np

from reidar_plugin.labels.attributes import attribute_space
from reidar_plugin.synthped.script import MOTIONS, POSES, Recording
from reidar_plugin.synthped.seeded_random import SeededRandom
from reidar_plugin.synthped.street.camera import make_cameras


def test_time_jumps_where_frames_are_lost() -> None:
    camera = make_cameras(0, 1)[0]
    recording = Recording(5000, camera, SeededRandom("time"))
    steps = np.diff(recording.time)
    assert recording.time[0] == 0
    assert set(steps.tolist()) == {1.0, 2.0, 3.0, 4.0}
    assert 0.02 < (steps > 1).mean() < 0.04
    assert 0.92 <= recording.pace / camera.cycle <= 1.08


def test_poses_and_motions_are_as_many_as_our_attributes_have_values() -> None:
    space = attribute_space(("pose", "motion"))
    assert [len(POSES), len(MOTIONS)] == list(space.sizes)
