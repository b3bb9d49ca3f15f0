import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from divekit.data import Resize, scale_pixels


def test_pixels_are_divided_by_255():
    pixels = torch.arange(256, dtype=torch.uint8)
    scaled = scale_pixels(pixels)
    assert scaled.dtype == torch.float32
    assert_close(scaled, torch.arange(256) / 255, rtol=0, atol=0)


@pytest.mark.parametrize("size", [96, 64, 29, 28])
def test_enlarging_equals_torch_interpolation(size):
    images = torch.rand(5, 3, 28, 28)
    expected = F.interpolate(images, size=(size, size), mode="bilinear", align_corners=False)
    assert_close(Resize(size)(images), expected)


@pytest.mark.parametrize("size", [14, 8, 5, 1])
def test_shrinking_equals_antialiased_torch_interpolation(size):
    images = torch.rand(2, 1, 28, 20)
    expected = F.interpolate(
        images, size=(size, size), mode="bilinear", antialias=True, align_corners=False
    )
    assert_close(Resize(size)(images), expected)


def test_images_of_the_size_asked_for_stay_as_they_are():
    images = torch.rand(2, 1, 28, 28)
    assert Resize(28)(images) is images
    assert Resize(28)(images[..., :20]).shape == images.shape


def test_shrinking_equals_pillow():
    image_library = pytest.importorskip("PIL.Image")
    import numpy as np

    image = torch.rand(40, 40)
    pillow = image_library.fromarray(image.numpy()).resize((13, 13), image_library.BILINEAR)
    assert_close(
        Resize(13)(image[None, None])[0, 0], torch.from_numpy(np.array(pillow)), rtol=0, atol=1e-5
    )


def test_a_size_below_one_is_refused():
    with pytest.raises(ValueError, match="size is 0"):
        Resize(0)
