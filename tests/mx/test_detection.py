"""Anchors, matching, detection and RoI pooling, by numbers worked by hand and by the plain rule."""

import numpy
import pytest

from divekit.mx import autograd, np, npx
from divekit.mx.errors import NotHereError


def test_anchors_of_one_pixel():
    """A square map: sizes with the first ratio, then the first size with the other ratios."""
    anchors = npx.multibox_prior(np.zeros((1, 3, 1, 1)), sizes=[0.5, 0.2], ratios=[1, 4])
    expected = [[0.25, 0.25, 0.75, 0.75], [0.4, 0.4, 0.6, 0.6], [0, 0.375, 1, 0.625]]
    assert anchors.asnumpy()[0] == pytest.approx(numpy.array(expected))


def test_anchors_go_row_by_row_and_sizes_are_shares_of_the_height():
    anchors = npx.multibox_prior(np.zeros((1, 1, 2, 4)), sizes=[0.4]).asnumpy()[0]
    assert anchors.shape == (8, 4)
    centers = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert centers[:5] == pytest.approx(
        numpy.array([[0.125, 0.25], [0.375, 0.25], [0.625, 0.25], [0.875, 0.25], [0.125, 0.75]])
    )
    # 0.4 of the height is 0.2 of a width twice as long: a square in pixels.
    assert anchors[:, 2] - anchors[:, 0] == pytest.approx(numpy.full(8, 0.2))
    clipped = npx.multibox_prior(np.zeros((1, 1, 1, 1)), sizes=[2.0], clip=True).asnumpy()
    assert clipped.tolist() == [[[0, 0, 1, 1]]]


ANCHORS = [[0.0, 0.1, 0.2, 0.3], [0.15, 0.2, 0.4, 0.4], [0.63, 0.05, 0.88, 0.98],
           [0.66, 0.45, 0.8, 0.8], [0.57, 0.3, 0.92, 0.9]]  # fmt: skip
OBJECTS = [[0, 0.1, 0.08, 0.52, 0.92], [1, 0.55, 0.2, 0.9, 0.88]]


def test_every_object_gets_its_best_anchor_and_anchors_the_object_they_overlap():
    anchors, labels = np.array([ANCHORS]), np.array([OBJECTS])
    offsets, mask, classes = npx.multibox_target(anchors, labels, np.zeros((1, 3, 5)))
    # Anchor 1 is the best of the dog though it overlaps it by a seventh; 2 and 4 hold the cat.
    assert classes.asnumpy().tolist() == [[0, 1, 2, 0, 2]]
    assert mask.asnumpy().reshape(5, 4).tolist() == [[0] * 4, [1] * 4, [1] * 4, [0] * 4, [1] * 4]
    offsets = offsets.asnumpy().reshape(5, 4)
    assert not offsets[[0, 3]].any()
    # Worked by hand: centres 0.31 - 0.275 of a side of 0.25, over 0.1; log(0.42 / 0.25) over 0.2.
    assert offsets[1] == pytest.approx([1.4, 10, 2.593969, 7.175423], rel=1e-4)


def test_images_without_objects_are_background():
    labels = np.array([[[-1.0, 0, 0, 0, 0]]])
    outputs = npx.multibox_target(np.array([ANCHORS]), labels, np.zeros((1, 3, 5)))
    assert [output.asnumpy().any() for output in outputs] == [False] * 3
    assert [output.shape for output in outputs] == [(1, 20), (1, 20), (1, 5)]
    with pytest.raises(NotHereError, match="negative_mining_ratio"):
        npx.multibox_target(
            np.array([ANCHORS]), labels, np.zeros((1, 3, 5)), negative_mining_ratio=3
        )


def test_offsets_are_undone_by_detection():
    """What the target says an anchor lacks, detection adds: the boxes of the objects."""
    anchors, labels = np.array([ANCHORS]), np.array([OBJECTS])
    offsets, _, classes = npx.multibox_target(anchors, labels, np.zeros((1, 3, 5)))
    probabilities = np.array(numpy.eye(3)[classes.asnumpy().astype(int)[0]].T[None])
    found = npx.multibox_detection(probabilities, offsets, anchors, nms_threshold=0.5).asnumpy()[0]
    kept = found[found[:, 0] >= 0]
    assert sorted(kept[:, 0].tolist()) == [0, 1]
    for row in kept:
        assert row[2:] == pytest.approx(OBJECTS[int(row[0])][1:], abs=1e-5)
    # The other anchor of the cat gives the same box, and is suppressed; the rest are background.
    assert (found[:, 0] == -1).sum() == 3


def test_surer_boxes_suppress_those_of_their_class():
    anchors = np.array([[[0.1, 0.08, 0.52, 0.92], [0.08, 0.2, 0.56, 0.95],
                         [0.15, 0.3, 0.62, 0.91], [0.55, 0.2, 0.9, 0.88]]])  # fmt: skip
    probabilities = np.array([[[0.0, 0.0, 0.0, 0.0], [0.9, 0.8, 0.7, 0.1], [0.1, 0.2, 0.3, 0.9]]])
    found = npx.multibox_detection(probabilities, np.zeros((1, 16)), anchors).asnumpy()[0]
    assert found[:, 0].tolist() == [0, 1, -1, -1]
    assert found[:2, 1] == pytest.approx([0.9, 0.9])
    assert found[0, 2:] == pytest.approx([0.1, 0.08, 0.52, 0.92])
    alone = npx.multibox_detection(
        probabilities, np.zeros((1, 16)), anchors, nms_threshold=0.99, threshold=0.75
    ).asnumpy()[0]
    assert alone[:, 0].tolist() == [0, 1, 0, -1]


def test_regions_are_pooled():
    """Worked by hand: regions of 3 x 3 and 3 x 4 pixels in four cells, which may share pixels."""
    X = np.arange(16.0).reshape(1, 1, 4, 4)
    X.attach_grad()
    regions = np.array([[0, 0, 0, 20, 20], [0, 0, 10, 30, 30]])
    with autograd.record():
        pooled = npx.roi_pooling(X, regions, pooled_size=(2, 2), spatial_scale=0.1)
    expected = [[[[5, 6], [9, 10]]], [[[9, 11], [13, 15]]]]
    assert pooled.asnumpy().tolist() == expected
    pooled.backward()
    assert X.grad.asnumpy()[0, 0].nonzero()[0].tolist() == [1, 1, 2, 2, 2, 3, 3]
    assert X.grad[0, 0, 2, 1] == 2
    outside = npx.roi_pooling(X, np.array([[0, 90, 90, 99, 99]]), 2, 0.1)
    assert outside.asnumpy().tolist() == [[[[0, 0], [0, 0]]]]
