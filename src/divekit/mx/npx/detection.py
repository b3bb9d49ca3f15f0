"""Boxes for object detection: anchors, what they are matched to, what is kept; RoI pooling.

Boxes are (left, top, right, bottom). Anchors and labels are in shares of the image's sides.

Book: 13.4 Anchor Boxes, 13.8 Region-based CNNs
Shapes: B images, A anchors, M objects in an image, K classes with the background, R regions,
C channels, H height, W width
"""

import math
from typing import Any

import torch
from torch import Tensor

from divekit.mx.calls import operator
from divekit.mx.errors import NotHereError, ShapeError

_VARIANCES = (0.1, 0.1, 0.2, 0.2)


@operator()
def multibox_prior(
    data: Any,
    sizes: Any = (1.0,),
    ratios: Any = (1.0,),
    clip: bool = False,
    steps: Any = (-1.0, -1.0),
    offsets: Any = (0.5, 0.5),
) -> Tensor:
    """Give the anchors of every pixel of a map (B, C, H, W): (1, H * W * (sizes + ratios - 1), 4).

    Each size goes with the first ratio, and the first size with each other ratio. ``ratios`` are
    width to height, ``steps`` and ``offsets`` for down and right.
    """
    height, width = data.shape[-2:]
    sizes, ratios = _numbers(sizes), _numbers(ratios)
    step_y, step_x = (
        step if step > 0 else 1.0 / count
        for step, count in zip(_numbers(steps), (height, width), strict=True)
    )
    offset_y, offset_x = _numbers(offsets)
    shapes = [(size, ratios[0]) for size in sizes] + [(sizes[0], ratio) for ratio in ratios[1:]]
    halves = data.new_tensor(
        [
            (size * height / width * math.sqrt(ratio) / 2, size / math.sqrt(ratio) / 2)
            for size, ratio in shapes
        ]
    )
    rows = (torch.arange(height, device=data.device) + offset_y) * step_y
    columns = (torch.arange(width, device=data.device) + offset_x) * step_x
    down, right = torch.meshgrid(rows, columns, indexing="ij")
    centers = torch.stack((right, down), dim=-1).reshape(-1, 1, 2).to(data.dtype)  # (H W, 1, 2)
    corners = torch.cat((centers - halves, centers + halves), dim=-1)  # (H W, shapes, 4)
    anchors = corners.reshape(1, -1, 4)
    return anchors.clamp(0, 1) if clip else anchors


@operator(3)
def multibox_target(
    anchor: Any,
    label: Any,
    cls_pred: Any,
    overlap_threshold: float = 0.5,
    ignore_label: float = -1.0,
    negative_mining_ratio: float = -1.0,
    negative_mining_thresh: float = 0.5,
    minimum_negative_samples: int = 0,
    variances: Any = _VARIANCES,
) -> tuple[Tensor, Tensor, Tensor]:
    """Match anchors (1, A, 4) with labels (B, M, 5), rows of class and box; class -1 is none.

    Every object gets the anchor that fits it best; every other anchor the object that it overlaps
    by more than the threshold, if there is one. Gives offsets (B, 4 A), a mask of the same shape
    that is 1 for anchors with an object, and classes (B, A), 0 for the background.
    """
    if negative_mining_ratio > 0:
        raise NotHereError(
            "npx.multibox_target with negative_mining_ratio is not part of divekit.mx; "
            "in PyTorch: sort the losses of the background's anchors and keep the largest"
        )
    anchors = anchor.reshape(-1, 4)
    if label.ndim != 3 or label.shape[-1] < 5:
        raise ShapeError(f"labels are (images, objects, 5), not {tuple(label.shape)}")
    scale = anchors.new_tensor(_numbers(variances))
    offsets, masks, classes = [], [], []
    for objects in label:
        objects = objects[objects[:, 0] >= 0]
        matched = _match(anchors, objects[:, 1:5], overlap_threshold)
        found = matched >= 0
        mask = found.to(anchors.dtype)[:, None].expand(-1, 4)  # (A, 4)
        if len(objects):
            chosen = objects[matched.clamp(min=0)]  # (A, 5)
            shift = _offsets(anchors, chosen[:, 1:5]) / scale
            kinds = (chosen[:, 0] + 1) * found
        else:
            shift, kinds = torch.zeros_like(anchors), anchors.new_zeros(len(anchors))
        offsets.append((shift * mask).reshape(-1))
        masks.append(mask.reshape(-1))
        classes.append(kinds.to(anchors.dtype))
    return torch.stack(offsets), torch.stack(masks), torch.stack(classes)


def _match(anchors: Tensor, boxes: Tensor, threshold: float) -> Tensor:
    """Give the number of the object of each anchor, -1 where it has none: (A,)."""
    matched = torch.full((len(anchors),), -1, dtype=torch.long, device=anchors.device)
    if not len(boxes):
        return matched
    overlaps = _overlaps(anchors, boxes)  # (A, M)
    best, number = overlaps.max(dim=1)
    matched[best > threshold] = number[best > threshold]
    left = overlaps.clone()
    for _ in range(min(left.shape)):  # the best pair first, then the best of what is left
        place = int(left.argmax())
        row, column = divmod(place, left.shape[1])
        if left[row, column] <= 0:
            break
        matched[row] = column
        left[row, :] = -1
        left[:, column] = -1
    return matched


def _overlaps(one: Tensor, other: Tensor) -> Tensor:
    """Give the intersection over the union of every pair: (A, 4), (M, 4) -> (A, M)."""
    low = torch.maximum(one[:, None, :2], other[None, :, :2])
    high = torch.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=2)  # (A, M)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1) for boxes in (one, other)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    return torch.where(union > 0, shared / union, torch.zeros_like(union))


def _offsets(anchors: Tensor, boxes: Tensor) -> Tensor:
    """Give what turns anchors into boxes: shifts in the anchor's sides, logarithms of sides."""
    sides, wanted = anchors[:, 2:] - anchors[:, :2], boxes[:, 2:] - boxes[:, :2]
    shift = ((boxes[:, :2] + boxes[:, 2:]) - (anchors[:, :2] + anchors[:, 2:])) / 2 / sides
    return torch.cat((shift, torch.log(wanted / sides)), dim=1)


@operator(3)
def multibox_detection(
    cls_prob: Any,
    loc_pred: Any,
    anchor: Any,
    clip: bool = True,
    threshold: float = 0.01,
    background_id: int = 0,
    nms_threshold: float = 0.5,
    force_suppress: bool = False,
    variances: Any = _VARIANCES,
    nms_topk: int = -1,
) -> Tensor:
    """Give the objects found: (B, A, 6), rows of class, probability and box, the surest first.

    Of probabilities (B, K, A) and offsets (B, 4 A). A row whose class is -1 is no object: too
    unsure, or suppressed by a surer one of its class (with ``force_suppress``, of any class)
    that it overlaps by more than ``nms_threshold``.
    """
    if background_id != 0:
        raise NotHereError(
            "npx.multibox_detection with background_id other than 0 is not part of divekit.mx; "
            "in PyTorch: move that class to the front"
        )
    anchors = anchor.reshape(-1, 4)
    scale = anchors.new_tensor(_numbers(variances))
    sides, centers = anchors[:, 2:] - anchors[:, :2], (anchors[:, :2] + anchors[:, 2:]) / 2
    results = []
    for scores, shift in zip(cls_prob, loc_pred.reshape(len(cls_prob), -1, 4), strict=True):
        moved = shift * scale
        middle, half = centers + moved[:, :2] * sides, moved[:, 2:].exp() * sides / 2
        boxes = torch.cat((middle - half, middle + half), dim=1)
        if clip:
            boxes = boxes.clamp(0, 1)
        best, kind = scores[1:].max(dim=0)  # (A,)
        kind = torch.where(best >= threshold, kind, -1)
        order = torch.argsort(torch.where(kind >= 0, best, -1.0), descending=True, stable=True)
        best, kind, boxes = best[order], kind[order], boxes[order]
        if nms_topk > 0:
            kind[nms_topk:] = -1
        _suppress(kind, boxes, nms_threshold, force_suppress)
        results.append(torch.cat((kind[:, None].to(boxes.dtype), best[:, None], boxes), dim=1))
    return torch.stack(results)


def _suppress(kind: Tensor, boxes: Tensor, threshold: float, any_class: bool) -> None:
    """Set the class of boxes to -1 that overlap a surer one; the surest come first."""
    if not 0 < threshold <= 1:
        return
    overlaps = _overlaps(boxes, boxes)
    for row in range(len(kind)):
        if kind[row] < 0:
            continue
        rival = overlaps[row] > threshold
        rival[: row + 1] = False
        if not any_class:
            rival &= kind == kind[row]
        kind[rival] = -1


@operator(2)
def roi_pooling(data: Any, rois: Any, pooled_size: Any, spatial_scale: float) -> Tensor:
    """Give the maximum of each cell of a grid laid over regions: (R, C, *pooled_size).

    Args:
        data: (B, C, H, W).
        rois: (R, 5): the image's number, then left, top, right, bottom in its pixels.
        pooled_size: rows and columns of the grid, or one number for both.
        spatial_scale: a pixel of the image in pixels of ``data``.
    """
    pooled_size = (pooled_size, pooled_size) if isinstance(pooled_size, int) else pooled_size
    rows, columns = (int(count) for count in pooled_size)
    height, width = data.shape[-2:]
    results = []
    for region in rois:
        # Half way goes up, as in C; Python's rounding would go to the even one.
        left, top, right, bottom = (
            math.floor(value * spatial_scale + 0.5) for value in region[1:].tolist()
        )
        downs = _cells(top, bottom, rows, height)
        across = _cells(left, right, columns, width)
        image = data[int(region[0])]
        grid = [
            image[:, up:down, begin:end].amax(dim=(1, 2))
            if down > up and end > begin
            else image.new_zeros(len(image))
            for up, down in downs
            for begin, end in across
        ]
        results.append(torch.stack(grid, dim=1).reshape(-1, rows, columns))
    if not results:
        return data.new_zeros(0, data.shape[1], rows, columns)
    return torch.stack(results)


def _cells(first: int, last: int, count: int, most: int) -> list[tuple[int, int]]:
    """Cut pixels ``first`` to ``last`` into cells, each a begin and an end within the map."""
    side = max(last - first + 1, 1) / count
    edges = [
        (first + math.floor(number * side), first + math.ceil((number + 1) * side))
        for number in range(count)
    ]
    return [(min(max(begin, 0), most), min(max(end, 0), most)) for begin, end in edges]


def _numbers(value: Any) -> list[float]:
    values = value.tolist() if isinstance(value, Tensor) else value
    return [float(item) for item in (values if isinstance(values, list | tuple) else [values])]
