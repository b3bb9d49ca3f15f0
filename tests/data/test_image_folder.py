import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from divekit import fit, recipes
from divekit.data import ImageFolder, photos, use_samples
from divekit.data.photos import read_photo
from divekit.errors import BadDataError, UsageError
from divekit.mx.image import imread
from divekit.runs import with_data

MODES = {
    "L": "png", "RGB": "jpg", "RGBA": "png", "P": "gif", "1": "bmp", "CMYK": "tiff", "LA": "png",
    "YCbCr": "jpg", "I;16": "png", "I": "tiff", "F": "tiff",
}  # fmt: skip


def draw(shape, seed, mode="RGB", size=(40, 30)):
    """Draw a bright disc or a dark square somewhere."""
    place = np.random.default_rng(seed).integers(0, 8, 2)
    image = Image.new("L", size, 120)
    box = (*place.tolist(), *(place + 20).tolist())
    pen = ImageDraw.Draw(image)
    pen.ellipse(box, fill=250) if shape == "disc" else pen.rectangle(box, fill=5)
    if mode in ("I;16", "I"):
        return Image.fromarray(
            (np.asarray(image).astype(np.uint16) * 257).astype(
                np.uint16 if mode == "I;16" else np.int32
            )
        )
    if mode == "F":
        return Image.fromarray(np.asarray(image).astype(np.float32) / 255)
    return image.convert(mode)


def shapes(root, count=12, modes=("RGB",)):
    for shape in ("disc", "square"):
        for number in range(count):
            mode = modes[number % len(modes)]
            path = Path(root) / shape / f"{number:02}.{MODES[mode]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw(shape, number, mode).save(path)
    return str(root)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_read_as_the_same_picture(tmp_path, mode):
    draw("disc", 3, mode).save(tmp_path / f"x.{MODES[mode]}")
    draw("disc", 3, "L").save(tmp_path / "plain.png")
    plain = read_photo(tmp_path / "plain.png", 16, 16, 1).astype(int)
    pixels = read_photo(tmp_path / f"x.{MODES[mode]}", 16, 16, 1).astype(int)
    assert pixels.shape == (1, 16, 16)
    lost = 120 if mode == "1" else 8  # two levels dither what was grey; JPEG and CMYK round
    assert abs(pixels - plain).max() <= lost
    assert read_photo(tmp_path / f"x.{MODES[mode]}", 16, 16).shape[0] == 1  # no pixel has a colour
    assert read_photo(tmp_path / f"x.{MODES[mode]}", 16, 16, 3).shape[0] == 3


def test_a_small_picture_keeps_its_pixels_and_a_long_one_its_middle(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert (read_photo(tmp_path / "x.png", 8, 8) == pixels.transpose(2, 0, 1)).all()
    long = np.zeros((8, 24), dtype=np.uint8)
    long[:, 8:16] = pixels[:, :, 0]
    Image.fromarray(long).save(tmp_path / "y.png")
    assert (read_photo(tmp_path / "y.png", 8, 8) == pixels[:, :, 0]).all()


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_the_cameras_turn_is_undone(tmp_path, turn):
    upright = np.zeros((16, 16), dtype=np.uint8)
    upright[:8, :4] = 255
    # What a camera held that way stores: the inverse of what EXIF says to do.
    quarter = {1: 0, 3: 2, 6: 1, 8: 3}[turn]
    image = Image.fromarray(np.rot90(upright, quarter))
    exif = Image.Exif()
    exif[0x0112] = turn
    image.save(tmp_path / "x.png", exif=exif)
    assert (read_photo(tmp_path / "x.png", 16, 16)[0] == upright).all()


def test_transparency_is_laid_on_white(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "x.png")
    assert (read_photo(tmp_path / "x.png", 8, 8) == 255).all()


def test_a_folder_of_drawn_shapes_is_learned(tmp_path):
    folder = shapes(tmp_path / "shapes", 40, tuple(MODES)[:4])
    data = ImageFolder(folder, resize=12)
    assert data.facts.input_shape == (1, 12, 12)
    assert data.facts.class_names == ("disc", "square")
    run = fit(with_data(recipes.softmax_regression(lr=0.05, epochs=20), data), callbacks=[])
    assert run.metrics["test_accuracy"] > 0.9
    draw("square", 99).save(tmp_path / "new.png")
    assert run.predict(str(tmp_path / "new.png")).labels == ["square"]


def test_one_pixel_of_colour_makes_three_channels(tmp_path):
    folder = shapes(tmp_path / "x", 4)
    assert ImageFolder(folder, resize=8).facts.input_shape == (1, 8, 8)
    assert ImageFolder(folder, resize=8, channels=3).facts.input_shape == (3, 8, 8)
    image = draw("disc", 0)
    image.putpixel((20, 15), (255, 0, 0))
    image.save(Path(folder) / "disc/00.png")
    data = ImageFolder(folder, resize=24)
    assert data.facts.input_shape == (3, 24, 24)
    assert ImageFolder(folder, resize=8, channels=1).facts.input_shape == (1, 8, 8)
    pixels = torch.cat([data.open().train.tensors[0], data.open().test.tensors[0]])
    assert pixels.dtype == torch.uint8
    coloured = (pixels != pixels[:, :1]).flatten(1).any(dim=1).sum().item()
    assert coloured == 1


@pytest.mark.parametrize("name", ["test", "val", "valid", "validation", "Test"])
def test_a_split_of_your_own_is_kept(tmp_path, name):
    shapes(tmp_path / "x/train", 6)
    shapes(tmp_path / "x" / name, 2)
    data = ImageFolder(str(tmp_path / "x"), resize=8)
    opened = data.open()
    assert (opened.train.num_examples, opened.test.num_examples) == (12, 4)
    assert f"4 in {name}/ to validate on" in data.describe()[0]


def test_of_validation_and_test_the_test_is_left_alone_with_a_word(tmp_path):
    for part, count in (("train", 6), ("val", 3), ("test", 2)):
        shapes(tmp_path / "x" / part, count)
    data = ImageFolder(str(tmp_path / "x"), resize=8)
    assert data.open().test.num_examples == 6
    assert any("not used: test/" in line for line in data.describe())


def test_a_class_may_be_called_train(tmp_path):
    shapes(tmp_path / "x", 4)
    (tmp_path / "x/disc").rename(tmp_path / "x/train")
    (tmp_path / "x/square").rename(tmp_path / "x/tram")
    assert ImageFolder(str(tmp_path / "x")).facts.class_names == ("train", "tram")


def test_clutter_is_passed_over_and_other_files_are_named(tmp_path):
    folder = Path(shapes(tmp_path / "x", 4))
    for name in (".DS_Store", "Thumbs.db", ".hidden/x.png", "__MACOSX/._00.jpg", "disc/._00.jpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"clutter")
    (folder / "disc/notes.txt").write_text("notes")
    (folder / "disc/IMG.HEIC").write_text("photo")
    (folder / "disc/more").mkdir()
    draw("disc", 50).save(folder / "disc/more/DEEP.PNG")
    data = ImageFolder(str(folder), resize=8)
    assert data.describe()[0].endswith("9 images of 2 classes, of which 0.2 to validate on")
    assert "left alone: IMG.HEIC, notes.txt" in data.describe()[-1]
    assert data.facts.class_names == ("disc", "square")


@pytest.mark.skipif(os.name == "nt", reason="links take rights on Windows")
def test_links_are_followed_but_not_in_circles(tmp_path):
    folder = Path(shapes(tmp_path / "x", 4))
    (folder / "disc/again").symlink_to(folder)
    (folder / "disc/self").symlink_to(folder / "disc")
    shapes(tmp_path / "elsewhere", 3)
    (folder / "linked").symlink_to(tmp_path / "elsewhere/disc")
    assert len(ImageFolder(str(folder), resize=8).describe()) == 2
    (folder / "square/gone.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(BadDataError, match=r"gone\.png: .*a link that leads nowhere"):
        ImageFolder(str(folder)).facts  # noqa: B018


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda whole: b"", "an empty file"),
        (lambda whole: b"GIF89a", "not an image that can be read"),
        (lambda whole: b"<html>", "not an image that can be read"),
        (lambda whole: whole[: len(whole) // 2], "not an image that can be read"),
        (lambda whole: whole[:40] + bytes(40) + whole[80:], "not an image that can be read"),
    ],
    ids=["empty", "header", "html", "truncated", "corrupt"],
)
def test_an_unreadable_image_stops_with_its_name_or_is_left_out(tmp_path, data, message, caplog):
    folder = Path(shapes(tmp_path / "x", 5))
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    bad = folder / "disc/bad.png"
    bad.write_bytes(data((tmp_path / "whole.png").read_bytes()))
    with pytest.raises(BadDataError) as caught:
        ImageFolder(str(folder)).facts  # noqa: B018
    assert str(caught.value).startswith(f"{bad}: {message}")
    opened = ImageFolder(str(folder), resize=8, skip_unreadable=True).open()
    labels = torch.cat([opened.train.tensors[1], opened.test.tensors[1]])
    assert labels.bincount().tolist() == [5, 5]
    assert "left out, since unreadable: 1 images" in caplog.text
    assert "bad.png" in caplog.text


def test_a_giant_image_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    Image.new("1", (12_000, 10_000)).save(tmp_path / "giant.png")
    with pytest.raises(BadDataError, match=r"giant\.png: 12,000 x 10,000 pixels, more than"):
        read_photo(tmp_path / "giant.png", 8, 8)
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(BadDataError, match=r"bomb\.png: more than 80,000,000 pixels"):
        read_photo(tmp_path / "bomb.png", 8, 8)
    monkeypatch.setattr(photos, "MOST_PIXELS", 100)
    with pytest.raises(BadDataError, match="more than 100"):
        read_photo(Path(shapes(tmp_path / "x", 1)) / "disc/00.jpg", 8, 8)


def test_float_pixels_beyond_their_range_are_refused(tmp_path):
    Image.fromarray(np.full((4, 4), 3.5, dtype=np.float32)).save(tmp_path / "x.tiff")
    with pytest.raises(BadDataError, match=r"x\.tiff: pixels from 3\.5 to 3\.5; 0 to 1"):
        read_photo(tmp_path / "x.tiff", 8, 8)


def stray(root):
    shapes(root, 2)
    draw("disc", 1).save(root / "stray.png")


def unknown_class(root):
    shapes(root / "train", 3)
    shapes(root / "test", 2)
    (root / "train/disc").rename(root / "train/ring")


def empty_class(root):
    shapes(root, 4)
    (root / "empty").mkdir()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "no such folder"),
        (lambda root: root.write_text("x"), "a file, not a folder"),
        (lambda root: root.mkdir(), "no folder in it"),
        (empty_class, "empty: no image in this class"),
        (lambda root: write(root / "cat/a.heic", b"x"), r"cat: no image in .*it holds a\.heic"),
        (stray, r"stray\.png: an image outside"),
        (lambda root: shapes(root / "only", 2), "only one class, 'only'"),
        (lambda root: shapes(root, 1), "disc: 1 image of class 'disc'"),
        (unknown_class, "disc: a class that .*train does not have .*ring, square"),
    ],
)
def test_a_folder_that_cannot_be_used_is_named_with_what_is_wrong(tmp_path, make, message):
    make(tmp_path / "x")
    with pytest.raises(BadDataError, match=message) as caught:
        ImageFolder(str(tmp_path / "x"), resize=8).facts  # noqa: B018
    assert str(tmp_path / "x") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_memory_is_limited_before_anything_is_read(tmp_path, monkeypatch):
    folder = shapes(tmp_path / "x", 4)
    monkeypatch.setattr("divekit.data.image_folder.read_photos", lambda *_: pytest.fail("read"))
    with pytest.raises(UsageError, match=r"8 images of 3 x 64 x 64 take 98\.3 kB, over data\.mem"):
        ImageFolder(folder, memory=1e-5).facts  # noqa: B018


def test_a_folder_has_no_sample(tmp_path):
    with use_samples(), pytest.raises(UsageError, match="there is no sample"):
        ImageFolder(shapes(tmp_path / "x", 2)).open()


@pytest.mark.skipif(os.name == "nt", reason="links take rights on Windows")
def test_no_folder_is_entered_twice_however_many_links_lead_to_it(tmp_path):
    folder = Path(shapes(tmp_path / "x", 4))
    for number in range(60):  # two links to the next in each: 2**60 ways to the last
        (folder / f"disc/{number}").mkdir()
        for name in "ab":
            (folder / f"disc/{number}/{name}").symlink_to(folder / f"disc/{number + 1}")
    shapes(tmp_path / "elsewhere", 3)
    (tmp_path / "elsewhere/disc").rename(folder / "disc/60")
    assert "disc (7), square (4)" in ImageFolder(str(folder), resize=8).describe()[1]


def test_folders_nested_very_deep_are_refused(tmp_path):
    folder = Path(shapes(tmp_path / "x", 4))
    (folder / "disc" / "/".join("d" * 500)).mkdir(parents=True)
    with pytest.raises(BadDataError, match="more than 100 folders in each other"):
        ImageFolder(str(folder)).describe()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("name", [b"disc/\xff.png", b"\xff"])
def test_a_name_that_is_no_text_is_refused(tmp_path, name):
    folder = Path(shapes(tmp_path / "x", 4))
    old = next((folder / "disc").iterdir()) if name.endswith(b".png") else folder / "disc"
    old.rename(os.fsdecode(os.fsencode(folder) + b"/" + name))
    with pytest.raises(BadDataError, match="not text in UTF-8") as caught:
        ImageFolder(str(folder), resize=8).facts  # noqa: B018
    assert str(caught.value).isprintable()


def test_only_the_kinds_of_images_that_are_promised_are_read(tmp_path, monkeypatch):
    """Pillow would hand PostScript to Ghostscript, whatever the file is called."""
    Image.new("RGB", (9, 9)).save(tmp_path / "x.eps")
    (tmp_path / "x.eps").rename(tmp_path / "x.png")
    from PIL import EpsImagePlugin

    def run(*given, **also):
        raise AssertionError("Ghostscript was called")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", run)
    with pytest.raises(BadDataError, match=r"x\.png: not an image that can be read$"):
        read_photo(tmp_path / "x.png", 8, 8)
    with pytest.raises(
        BadDataError, match=r"x\.png: not an image that can be read \(cannot identify"
    ):
        imread(tmp_path / "x.png")
