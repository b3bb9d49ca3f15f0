"""Pictures: read, cut, resized and coloured, beside Pillow's, torch's and Python's own."""

import colorsys
import gzip
import struct

import numpy
import pytest
import torch

from divekit.errors import BadDataError, DataNotFoundError
from divekit.mx import image, np, npx
from divekit.mx.gluon import data as gdata
from divekit.mx.gluon.data import vision
from divekit.mx.gluon.data.vision import transforms

rng = numpy.random.default_rng(5)


def picture(height=6, width=8, channels=3):
    return np.array(rng.integers(0, 256, (height, width, channels)).astype("uint8"))


# Transforms


def test_to_tensor():
    one = picture()
    expected = one.asnumpy().transpose(2, 0, 1).astype("float32") / 255
    numpy.testing.assert_allclose(transforms.ToTensor()(one).asnumpy(), expected)
    both = np.stack([one, one])
    numpy.testing.assert_allclose(transforms.ToTensor()(both).asnumpy(), [expected, expected])
    with pytest.raises(ValueError, match=r"\(H, W, C\)"):
        transforms.ToTensor()(np.zeros((2, 2)))


def test_normalize():
    one = transforms.ToTensor()(picture())
    ours = transforms.Normalize((0.5, 0.4, 0.3), (0.1, 0.2, 0.5))(one).asnumpy()
    mean, std = (numpy.array(v).reshape(3, 1, 1) for v in ((0.5, 0.4, 0.3), (0.1, 0.2, 0.5)))
    numpy.testing.assert_allclose(ours, (one.asnumpy() - mean) / std, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="ToTensor"):
        transforms.Normalize()(picture(4, 4, 3).astype("float32"))


def test_resize():
    one = picture(5, 7)
    theirs = torch.nn.functional.interpolate(
        one.tensor.permute(2, 0, 1)[None].float(), (10, 4), mode="bilinear"
    )[0].permute(1, 2, 0)
    ours = transforms.Resize((4, 10))(one)
    assert ours.dtype is numpy.uint8
    numpy.testing.assert_array_equal(ours.asnumpy(), theirs.round().byte().numpy())
    assert transforms.Resize(3)(one).shape == (3, 3, 3)
    assert transforms.Resize(10, keep_ratio=True)(one).shape == (10, 14, 3)
    assert transforms.Resize((7, 5))(one).tolist() == one.tolist()
    floats = transforms.Resize(4)(one.astype("float32"))
    assert floats.dtype is numpy.float32


def test_ways_to_resize():
    # Each 2 by 2 square has one number: shrinking by areas or the nearest gives it exactly.
    small = picture(3, 4)
    large = np.array(small.asnumpy().repeat(2, 0).repeat(2, 1))
    for interp in (0, 1, 2, 9):
        assert image.imresize(large, 4, 3, interp).tolist() == small.tolist()
    # Shrinking by 3, areas are means of nine.
    nine = picture(3, 3)
    expected = nine.asnumpy().astype("float64").mean((0, 1)).round()
    assert image.imresize(nine, 1, 1, 2)[0, 0].tolist() == expected.tolist()
    with pytest.raises(ValueError, match="interp"):
        image.imresize(small, 9, 9, 7)


def test_crops():
    one = picture(6, 8)
    numbers = one.asnumpy()
    assert transforms.CenterCrop((4, 2))(one).tolist() == numbers[2:4, 2:6].tolist()
    assert transforms.CenterCrop(10)(one).shape == (10, 10, 3)
    assert image.center_crop(one, (4, 2))[1] == (2, 2, 4, 2)
    assert transforms.CropResize(1, 2, 3, 4)(one).tolist() == numbers[2:6, 1:4].tolist()
    assert transforms.CropResize(1, 2, 3, 4, size=5)(one).shape == (5, 5, 3)
    with pytest.raises(ValueError, match="reaches out"):
        transforms.CropResize(6, 0, 3, 3)(one)
    cut, (x0, y0, width, height) = image.random_crop(one, (3, 2))
    assert cut.tolist() == numbers[y0 : y0 + height, x0 : x0 + width].tolist()
    assert (width, height) == (3, 2)
    assert image.fixed_crop(one, 1, 2, 3, 4).tolist() == numbers[2:6, 1:4].tolist()
    assert image.resize_short(one, 3).shape == (3, 4, 3)
    padded = transforms.RandomCrop(8, pad=2)(np.full((4, 4, 3), 255).astype("uint8"))
    assert padded.asnumpy().sum() == 255 * 48


def test_random_crops_keep_within_their_bounds():
    npx.random.seed(0)
    one = picture(40, 40)
    seen = set()
    for _ in range(200):
        cut, (x0, y0, width, height) = image.random_size_crop(one, (9, 9), (0.2, 0.5), (0.5, 2))
        assert cut.shape == (9, 9, 3)
        assert 0.18 < width * height / 1600 < 0.55
        assert 0.45 < width / height < 2.2
        assert x0 + width <= 40
        assert y0 + height <= 40
        seen.add((x0, y0))
    assert len(seen) > 100
    assert transforms.RandomResizedCrop(5)(one).shape == (5, 5, 3)
    # What cannot fit is cut out of the middle.
    assert image.random_size_crop(one, (3, 3), (0.9, 1), (50, 60))[1] == (18, 18, 3, 3)


@pytest.mark.parametrize(
    ("kind", "axis"),
    [(transforms.RandomFlipLeftRight, 1), (transforms.RandomFlipTopBottom, 0)],
)
def test_flips_half_of_the_time(kind, axis):
    npx.random.seed(0)
    one, flip = picture(), kind()
    flipped = numpy.flip(one.asnumpy(), axis).tolist()
    results = [flip(one).tolist() for _ in range(200)]
    assert all(found in (flipped, one.tolist()) for found in results)
    assert 70 < sum(found == flipped for found in results) < 130
    assert kind(p=1.0)(one).tolist() == flipped


def test_colours_by_hand(monkeypatch):
    from divekit.mx.gluon.data.vision import colors

    one = np.array([[[100, 50, 0], [200, 200, 200]]]).astype("uint8")
    grey = [0.299 * 100 + 0.587 * 50, 200]
    mean = sum(grey) / 2

    def rounded(numbers):
        return numpy.clip(numpy.round(numbers), 0, 255).tolist()

    monkeypatch.setattr(colors, "uniform", lambda low, high: high)  # 1.5
    pixels = one.asnumpy().astype("float64")
    assert transforms.RandomBrightness(0.5)(one).tolist() == rounded(pixels * 1.5)
    assert transforms.RandomContrast(0.5)(one).tolist() == rounded(pixels * 1.5 - mean * 0.5)
    expected = rounded(pixels * 1.5 - numpy.array(grey).reshape(1, 2, 1) * 0.5)
    assert transforms.RandomSaturation(0.5)(one).tolist() == expected
    monkeypatch.setattr(colors, "uniform", lambda low, high: low)  # 0
    assert transforms.RandomBrightness(2)(one).asnumpy().sum() == 0
    assert transforms.RandomGray()(one).tolist() == [[[59] * 3, [200] * 3]]
    with pytest.raises(ValueError, match="RandomHue"):
        transforms.RandomHue(-1)


@pytest.mark.parametrize("turn", [0.0, 0.13, 0.5, 0.9, 1.25])
def test_hue_as_pythons_own_module_turns_it(turn):
    from divekit.mx.gluon.data.vision.colors import hue_turned

    pixels = torch.rand(50, 3)
    pixels[0] = 0.5  # grey stays
    expected = []
    for red, green, blue in pixels.tolist():
        hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        expected.append(colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value))
    torch.testing.assert_close(hue_turned(pixels, turn), torch.tensor(expected))


def test_jitter_and_lighting():
    npx.random.seed(0)
    one = picture()
    same = transforms.RandomColorJitter()(one)
    assert same.tolist() == one.tolist()
    jitter = transforms.RandomColorJitter(0.5, 0.5, 0.5, 0.5)
    results = [jitter(one) for _ in range(3)]
    assert all(found.dtype is numpy.uint8 for found in results)
    assert results[0].tolist() != results[1].tolist()
    assert transforms.RandomLighting(0)(one).tolist() == one.tolist()
    lit = transforms.RandomLighting(0.5)(one.astype("float32")).asnumpy() - one.asnumpy()
    numpy.testing.assert_allclose(lit, numpy.broadcast_to(lit[0, 0], lit.shape), atol=1e-3)
    assert numpy.abs(lit).max() > 0.1
    assert transforms.RandomApply(transforms.Cast("float32"), 1.0)(one).dtype is numpy.float32


def test_composed_in_order_and_by_batch():
    change = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])
    assert change.takes_batches
    assert change(picture()).shape == (3, 6, 8)
    assert len(change[:1]) == 1
    drawn = transforms.Compose([transforms.RandomFlipLeftRight(), transforms.ToTensor()])
    assert not drawn.takes_batches
    assert transforms.HybridCompose([transforms.ToTensor()])(picture()).shape == (3, 6, 8)
    books = [transforms.ToTensor()]
    books.insert(0, transforms.Resize(9))
    assert transforms.Compose(books)(picture(28, 28, 1)).shape == (1, 9, 9)


# Files


def test_files_are_read_red_first(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    one = picture(4, 5)
    Image.fromarray(one.asnumpy()).save(tmp_path / "one.png")
    assert image.imread(str(tmp_path / "one.png")).tolist() == one.tolist()
    blue_first = image.imread(tmp_path / "one.png", to_rgb=False)
    assert blue_first.tolist() == one.asnumpy()[..., ::-1].tolist()
    assert image.imread(tmp_path / "one.png", flag=0).shape == (4, 5, 1)
    data = (tmp_path / "one.png").read_bytes()
    assert image.imdecode(data).tolist() == one.tolist()
    assert image.imdecode(np.array(numpy.frombuffer(data, "uint8"))).tolist() == one.tolist()
    grey = Image.fromarray(one.asnumpy()[..., 0])
    grey.save(tmp_path / "grey.png")
    assert image.imread(tmp_path / "grey.png").shape == (4, 5, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    Image.fromarray(one.asnumpy()).save(tmp_path / "turned.png", exif=exif)
    assert image.imread(tmp_path / "turned.png").shape == (5, 4, 3)
    (tmp_path / "broken.png").write_bytes(data[:40])
    with pytest.raises(BadDataError, match=r"broken\.png"):
        image.imread(tmp_path / "broken.png")
    with pytest.raises(BadDataError, match="no such file"):
        image.imread(tmp_path / "nowhere.png")


def test_a_folder_for_each_class(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    for name, level in (("dog/b.png", 20), ("cat/a.jpg", 10), ("cat/z.PNG", 30)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 3), (level, level, level)).save(tmp_path / name)
    (tmp_path / "cat" / "notes.txt").write_text("not a picture")
    folder = vision.ImageFolderDataset(str(tmp_path))
    assert folder.synsets == ["cat", "dog"]
    found = [(x[0, 0, 0].item(), x.shape, y) for x, y in (folder[i] for i in range(len(folder)))]
    assert found == [(10, (3, 4, 3), 0), (30, (3, 4, 3), 0), (20, (3, 4, 3), 1)]
    loader = gdata.DataLoader(folder.transform_first(transforms.ToTensor()), 2, num_workers=2)
    assert [x.shape for x, _ in loader] == [(2, 3, 3, 4), (1, 3, 3, 4)]
    assert vision.ImageFolderDataset(tmp_path, 0, lambda x, y: x)[0].shape == (3, 4, 1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadDataError, match="make one for each class"):
        vision.ImageFolderDataset(tmp_path / "empty")
    with pytest.raises(BadDataError, match="no such folder"):
        vision.ImageFolderDataset(tmp_path / "nowhere")


@pytest.fixture
def digits(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    pixels = rng.integers(0, 256, (20, 28, 28)).astype("uint8")
    labels = rng.integers(0, 10, 20).astype("uint8")
    for part in ("train", "t10k"):
        header = struct.pack(">HBBIII", 0, 8, 3, 20, 28, 28)
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz", "wb") as file:
            file.write(header + pixels.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(
            struct.pack(">HBBI", 0, 8, 1, 20) + labels.tobytes()
        )
    monkeypatch.setenv("DIVEKIT_DATA", str(folder.parent))
    return pixels, labels


def test_digits_by_number_slice_and_batch(digits):
    pixels, labels = digits
    mnist = vision.MNIST(train=True)
    x, y = mnist[3]
    assert (len(mnist), x.shape, x.dtype, y.dtype) == (20, (28, 28, 1), numpy.uint8, "int32")
    assert x.asnumpy()[..., 0].tolist() == pixels[3].tolist()
    images, numbers = mnist[5:9]
    assert images.shape == (4, 28, 28, 1)
    assert numbers.tolist() == labels[5:9].tolist()
    everything, numbers = mnist[:]
    assert everything.asnumpy()[numbers == numbers[0]].shape[1:] == (28, 28, 1)
    loader = gdata.DataLoader(mnist.transform_first(transforms.ToTensor()), 8)
    batch, numbers = next(iter(loader))
    assert (batch.shape, batch.dtype, numbers.dtype) == (
        (8, 1, 28, 28),
        numpy.float32,
        numpy.int32,
    )
    halves = vision.MNIST(
        train=False, transform=lambda x, y: (np.floor(x.astype("float32") / 128).squeeze(-1), y)
    )
    x, y = halves[2]
    assert x.shape == (28, 28)
    assert set(numpy.unique(x.asnumpy())) == {0, 1}
    assert halves[10:12][0].shape == (2, 28, 28)
    assert next(iter(gdata.DataLoader(halves, 4)))[0].shape == (4, 28, 28)


def test_files_that_do_not_belong_together(digits, tmp_path):
    labels = tmp_path / "data" / "mnist" / "train-labels-idx1-ubyte"
    labels.write_bytes(struct.pack(">HBBI", 0, 8, 1, 3) + bytes(3))
    with pytest.raises(BadDataError, match="as many"):
        vision.MNIST()


def test_without_files_the_places_are_named():
    with pytest.raises(DataNotFoundError, match="mnist/train-images"):
        vision.MNIST()
    with pytest.raises(DataNotFoundError, match="cifar-10"):
        vision.CIFAR10()
    with pytest.raises(NotImplementedError, match="CIFAR100"):
        vision.CIFAR100  # noqa: B018


def test_cifar_from_its_records(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "cifar-10" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    rows = rng.integers(0, 256, (4, 3073)).astype("uint8")
    rows[:, 0] = [3, 1, 9, 0]
    for number in range(1, 6):
        rows.tofile(folder / f"data_batch_{number}.bin")
    rows[:2].tofile(folder / "test_batch.bin")
    monkeypatch.setenv("DIVEKIT_DATA", str(tmp_path / "data"))
    train, test = vision.CIFAR10(train=True), vision.CIFAR10(train=False)
    assert (len(train), len(test)) == (20, 2)
    x, y = train[1]
    assert (x.shape, int(y)) == ((32, 32, 3), 1)
    assert x[2, 5].tolist() == [rows[1, 1 + channel * 1024 + 2 * 32 + 5] for channel in range(3)]
    rows[:, 0] = 77
    rows.tofile(folder / "test_batch.bin")
    with pytest.raises(BadDataError, match="records"):
        vision.CIFAR10(train=False)


@pytest.mark.real
def test_the_real_clothing():
    clothing = vision.FashionMNIST(train=False)
    assert len(clothing) == 10_000
    x, y = clothing[0]
    assert (x.shape, x.dtype, int(y)) == ((28, 28, 1), numpy.uint8, 9)
    assert numpy.bincount(clothing[:][1]).tolist() == [1000] * 10
