import pytest
import torch

from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of


def side(pids: list[int], camids: list[int], seed: int = 0) -> TrackletFeatures:
    features = torch.randn(len(pids), 8, generator=torch.Generator().manual_seed(seed))
    return TrackletFeatures(features, torch.tensor(pids), torch.tensor(camids))


# person 3 has no gallery tracklet in another camera, only a query of its own in one
QUERY = side([1, 2, 3, 3], [0, 0, 0, 1], seed=1)
GALLERY = side([0, 1, 2, 0, 2, 3], [0, 1, 1, 2, 0, 0], seed=2)


def test_mars_protocols_choose_what_they_say() -> None:
    usual, without, mixing = protocols_of("mars_actions")
    assert [protocol.title for protocol in (usual, without, mixing)] == [
        "MARS usual",
        "MARS no-distractors",
        "MARS mixing",
    ]
    assert usual.select(QUERY, GALLERY) == (QUERY, GALLERY)
    query, gallery = without.select(QUERY, GALLERY)
    assert query is QUERY
    assert gallery.pids.tolist() == [1, 2, 2, 3]
    assert torch.equal(gallery.features, GALLERY.features[[1, 2, 4, 5]])
    query, gallery = mixing.select(QUERY, GALLERY)
    assert query is QUERY
    assert gallery.camids.tolist() == [0, 1, 1, 2, 0, 0, 0, 0, 0, 1]
    assert torch.equal(gallery.features, torch.cat((GALLERY.features, QUERY.features)))


def test_mixing_does_not_change_the_gallery_it_got() -> None:
    protocols_of("mars")[2].select(QUERY, GALLERY)
    assert len(GALLERY.pids) == 6


def test_titles_of_other_data_sets() -> None:
    titles = {
        name: [p.title for p in protocols_of(name, split=4)]
        for name in ("prid2011", "ilidsvid", "dukemtmcvidreid")
    }
    assert titles == {
        "prid2011": ["PRID2011 split-4"],
        "ilidsvid": ["iLIDS-VID split-4"],
        "dukemtmcvidreid": ["dukemtmcvidreid cross-camera"],
    }
    assert [protocol.title for protocol in protocols_of("synthped")][1] == "SynthPed no-distractors"
    assert [p.has_distractors for p in (*protocols_of("mars"), *protocols_of("lpw"))] == [True] * 3 + [False]


def test_cross_camera_takes_everything() -> None:
    (protocol,) = protocols_of("mine")
    assert protocol.select(QUERY, GALLERY) == (QUERY, GALLERY)


def test_lpw_needs_other_views_in_the_gallery() -> None:
    (lpw,) = protocols_of("lpw_actions")
    assert lpw.title == "LPW scene-1"
    query = side([4, 5, 6], [11, 11, 11])
    assert lpw.select(query, side([4, 5], [10, 12]))[0] is query
    with pytest.raises(ValueError, match=r"LPW: .* camera 11 is in both"):
        lpw.select(query, side([4, 5], [10, 11]))


def test_take_accepts_a_mask_and_indices() -> None:
    for chosen in (GALLERY.pids == 2, torch.tensor([2, 4])):
        taken = GALLERY.take(chosen)
        assert taken.pids.tolist() == [2, 2]
        assert taken.camids.tolist() == [1, 0]
        assert torch.equal(taken.features, GALLERY.features[[2, 4]])
