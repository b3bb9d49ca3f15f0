import pytest
import torch

from divekit.data import Batches, Digits, FashionMNIST, ImageFolder, Moved, use_samples
from divekit.errors import UsageError


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def placed(image, down, across, mirrored):
    """Move one image (C, H, W) by a loop over its pixels."""
    height, width = image.shape[1:]
    result = torch.zeros_like(image)
    for row in range(height):
        for column in range(width):
            above, left = row - down, column - across
            if 0 <= above < height and 0 <= left < width:
                result[:, row, column] = image[:, above, left]
    return result.flip(2) if mirrored else result


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize(("shift", "mirror"), [(1, True), (2, False), (0, True), (3, True)])
def test_every_image_is_one_of_its_shifts_and_all_of_them_come_up(dtype, shift, mirror):
    """A picture whose shifts all differ, 600 times."""
    image = torch.randint(1, 255, (2, 5, 4), generator=generator()).to(dtype)
    steps = range(-shift, shift + 1)
    ways = [False, True] if mirror else [False]
    possible = torch.stack(
        [placed(image, down, across, way) for down in steps for across in steps for way in ways]
    )
    moved = Moved(shift, mirror)(image.expand(600, -1, -1, -1), generator(1))
    assert moved.dtype == dtype
    equal = (moved[:, None] == possible).flatten(2).all(2)  # (600, possible)
    assert equal.any(1).all(), "an image that is no shift of its original"
    counts = equal.sum(0)
    assert counts.min() > 0, "a shift that never came up"
    expected = 600 / len(possible)
    assert (counts - expected).abs().max() < 6 * expected**0.5, "some shifts are preferred"


def test_each_image_is_moved_by_itself_and_by_the_generator_alone():
    images = torch.rand(20, 1, 6, 6)
    moved = Moved(2, True)
    torch.manual_seed(5)
    first = moved(images, generator(3))
    torch.manual_seed(6)
    assert torch.equal(moved(images, generator(3)), first)
    assert not torch.equal(moved(images, generator(4)), first)


def test_batches_are_augmented_by_seed_and_epoch_before_they_are_scaled():
    images = torch.randint(1, 255, (30, 1, 5, 5), dtype=torch.uint8)
    original = images.clone()

    def make(seed=1, epoch=0):
        batches = Batches(
            images, torch.arange(30), batch_size=8, seed=seed, augment=Moved(1, True),
            transform=lambda batch: batch / 255,
        )  # fmt: skip
        batches.epoch = epoch
        return batches

    def all_of(batches):
        return torch.cat([inputs for inputs, _ in batches])

    running = make()
    epochs = [all_of(running) for _ in range(3)]
    assert epochs[0].max() <= 1
    assert not torch.equal(epochs[0], epochs[1])
    assert torch.equal(all_of(make(epoch=2)), epochs[2])
    assert torch.equal(all_of(make().to("cpu")), epochs[0])
    assert not torch.equal(all_of(make(seed=2)), epochs[0])
    assert torch.equal(images, original)
    plain = Batches(images, torch.arange(30), batch_size=8, seed=1, shuffle=True)
    moved = Batches(
        images, torch.arange(30), batch_size=8, seed=1, shuffle=True, augment=Moved(0, False)
    )
    for (one, label), (other, same) in zip(plain, moved, strict=True):  # the order is left alone
        assert torch.equal(one, other)
        assert torch.equal(label, same)


def test_only_what_is_trained_on_is_moved():
    opened, plain = Digits(shift=1).open(), Digits().open()
    assert opened.test.augment is None
    assert opened.train.augment == Moved(1)
    for (one, label), (other, same) in zip(opened.test, plain.test, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(label, same)


def test_the_sample_of_clothes_is_moved_less_and_never_mirrored():
    with use_samples():
        assert FashionMNIST(shift=2, mirror=True).open().train.augment == Moved(1, False)


def test_images_of_ones_own_can_be_moved(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(3):
            pillow.new("L", (8, 8), number).save(tmp_path / name / f"{number}.png")
    opened = ImageFolder(str(tmp_path), resize=8, shift=1, mirror=True).open()
    assert opened.train.augment == Moved(1, True)
    assert opened.test.augment is None


def test_a_shift_must_not_be_negative():
    with pytest.raises(UsageError, match="shift is -1"):
        Moved(-1)
