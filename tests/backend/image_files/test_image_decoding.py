import io
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from backend.errors import ImageError
from backend.images import ImageUnreachableError, decode_image

# pytest sets its own filters of warnings; what reaches a user is tested in a process of its own below.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")


def _picture(width: int = 60, height: int = 40) -> Image.Image:
    """Smooth colours, so that lossy formats change them little."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=2).astype(np.uint8))


def _pixels(image: Image.Image) -> np.ndarray:
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


def _saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "ppm"])
def test_lossless_formats_come_back_exactly(tmp_path: Path, suffix: str) -> None:
    path = _saved(_picture(), tmp_path / f"a.{suffix}")
    assert np.array_equal(_pixels(decode_image(path)), _pixels(_picture()))


@pytest.mark.parametrize(
    ("suffix", "mode", "options"),
    [
        ("jpg", "RGB", {"quality": 95}),
        ("jpg", "RGB", {"quality": 95, "progressive": True}),
        ("jpg", "CMYK", {"quality": 95}),
        ("tif", "CMYK", {}),
        ("tif", "RGB", {"compression": "tiff_lzw"}),
        ("webp", "RGB", {"quality": 95}),
        ("gif", "P", {}),
        ("png", "P", {}),
    ],
)
def test_other_formats_and_modes_look_the_same(
    tmp_path: Path, suffix: str, mode: str, options: dict[str, object]
) -> None:
    picture = _picture().quantize(256).convert("P") if mode == "P" else _picture().convert(mode)
    path = _saved(picture, tmp_path / f"a.{suffix}", **options)
    difference = np.abs(_pixels(decode_image(path)) - _pixels(_picture()))
    assert difference.mean() < 6
    assert difference.max() < 40


def test_lab_becomes_rgb(tmp_path: Path) -> None:
    lab = Image.merge("LAB", [Image.new("L", (4, 4), value) for value in (255, 128, 128)])  # white
    assert _pixels(decode_image(_saved(lab, tmp_path / "a.tif"))).min() >= 253


@pytest.mark.parametrize("mode", ["1", "L"])
def test_black_and_white_and_grey_get_three_equal_channels(tmp_path: Path, mode: str) -> None:
    picture = _picture().convert(mode)
    pixels = _pixels(decode_image(_saved(picture, tmp_path / "a.png")))
    assert np.array_equal(pixels, np.repeat(np.asarray(picture.convert("L"))[:, :, None], 3, axis=2))


def test_transparent_parts_lie_on_white(tmp_path: Path) -> None:
    half = _picture().convert("RGBA")
    half.putalpha(Image.new("L", half.size, 128))
    expected = np.rint(_pixels(_picture()) * (128 / 255) + 255 * (127 / 255))
    assert np.abs(_pixels(decode_image(_saved(half, tmp_path / "half.png"))) - expected).max() <= 1

    grey = Image.merge("LA", [Image.new("L", (4, 4), 10), Image.new("L", (4, 4), 0)])
    assert _pixels(decode_image(_saved(grey, tmp_path / "grey.png"))).min() == 255

    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    path = _saved(palette, tmp_path / "palette.png", transparency=0)
    assert _pixels(decode_image(path)).tolist() == [[[255, 255, 255], [0, 0, 255]]]

    keyed = Image.new("RGB", (2, 1), (1, 2, 3))
    keyed.putpixel((1, 0), (9, 9, 9))
    path = _saved(keyed, tmp_path / "keyed.png", transparency=(1, 2, 3))
    assert _pixels(decode_image(path)).tolist() == [[[255, 255, 255], [9, 9, 9]]]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_of_sixteen_bits_the_upper_eight_are_taken(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 255, 256, 1000], [4095, 32768, 65279, 65535]], dtype=np.uint16)
    pixels = _pixels(decode_image(_saved(Image.fromarray(values), tmp_path / f"a.{suffix}")))
    assert pixels[:, :, 0].tolist() == [[0, 0, 1, 3], [15, 128, 254, 255]]
    assert np.array_equal(pixels[:, :, 0], pixels[:, :, 2])


def test_sixteen_bits_in_the_other_byte_order(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"P5 2 1 65535\n" + struct.pack(">HH", 300, 65535))
    assert _pixels(decode_image(tmp_path / "a.pgm"))[0, :, 0].tolist() == [1, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 2.4, 255.0]], np.float32), [0, 2, 255]),
        (np.array([[-100.0, 0.0, 300.0]], np.float32), [0, 64, 255]),
        (np.array([[np.nan, 0.0, np.inf, 0.5]], np.float32), [0, 0, 128, 128]),
        (np.array([[np.nan, np.nan]], np.float32), [0, 0]),
        (np.array([[-7.0, -7.0]], np.float32), [0, 0]),
        (np.array([[0, 256, 65535]], np.int32), [0, 1, 255]),
        (np.array([[0, 100_000, 200_000]], np.int32), [0, 128, 255]),
        (np.array([[-50, 10, 50]], np.int32), [0, 153, 255]),
    ],
)
def test_wider_values_follow_the_stated_rule(tmp_path: Path, values: np.ndarray, expected: list[int]) -> None:
    pixels = _pixels(decode_image(_saved(Image.fromarray(values), tmp_path / "a.tif")))
    assert pixels[0, :, 0].tolist() == expected


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = _saved(
        _picture(), tmp_path / f"a.{suffix}", exif=exif, **({"quality": 98} if suffix != "tif" else {})
    )
    stored = _picture()
    stored.getexif()[0x0112] = orientation
    expected = ImageOps.exif_transpose(stored)
    for image in (decode_image(path), decode_image(path, max_side=30)):
        assert image.size == tuple(side * image.width // expected.width for side in expected.size)
        assert np.abs(_pixels(image) - _pixels(expected.resize(image.size))).max() < 30


def test_a_damaged_exif_block_does_not_matter(tmp_path: Path) -> None:
    path = _saved(_picture(), tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x09")
    assert decode_image(path).size == (60, 40)


def test_the_first_image_of_an_animation_and_of_several_pages_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    for name in ("a.gif", "a.webp", "a.tif", "a.png"):
        options = {} if name == "a.tif" else {"duration": 50}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        assert np.abs(_pixels(decode_image(tmp_path / name)) - [255, 0, 0]).max() <= 2


@pytest.mark.parametrize("size", [(500, 300), (300, 500), (64, 64), (700, 1), (3, 2)])
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_shrinking_keeps_the_proportions_and_never_enlarges(
    tmp_path: Path, suffix: str, size: tuple[int, int]
) -> None:
    options = {"quality": 98, "subsampling": 0} if suffix == "jpg" else {}
    path = _saved(_picture(*size), tmp_path / f"a.{suffix}", **options)
    image = decode_image(path, max_side=64)
    assert max(image.size) == min(64, max(size))
    factor = max(image.size) / max(size)
    assert all(abs(side - max(1, factor * full)) <= 0.5 for side, full in zip(image.size, size, strict=True))
    expected = _picture(*size).resize(image.size, Image.Resampling.BOX)
    assert np.abs(_pixels(image) - _pixels(expected)).mean() < 6


def _truncated(path: Path, share: float) -> None:
    contents = path.read_bytes()
    path.write_bytes(contents[: int(len(contents) * share)])


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "tif", "ppm"])
def test_a_truncated_file_says_so(tmp_path: Path, suffix: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8))
    path = _saved(noise, tmp_path / f"a.{suffix}")
    _truncated(path, 0.6)
    with pytest.raises(ImageError, match=rf"a\.{suffix}' is truncated: its end is missing"):
        decode_image(path)
    with pytest.raises(ImageError):
        decode_image(path, max_side=16)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", r"a\.png' is empty \(0 bytes\)"),
        (b"\0", "is not an image in any format"),
        (b"<html>not found</html>", "is not an image in any format"),
        (b"\x89PNG\r\n\x1a\n", "is not an image|is truncated|is damaged"),
    ],
)
def test_what_is_no_image_is_named(tmp_path: Path, contents: bytes, message: str) -> None:
    (tmp_path / "a.png").write_bytes(contents)
    with pytest.raises(ImageError, match=message) as caught:
        decode_image(tmp_path / "a.png")
    assert not isinstance(caught.value, ImageUnreachableError)


def test_an_unreachable_file_is_told_from_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImageUnreachableError, match=r"gone\.png' is no longer there"):
        decode_image(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="is a folder, not an image"):
        decode_image(tmp_path)
    path = _saved(_picture(), tmp_path / "a.png")
    for error, message in (
        (PermissionError(13, "Permission denied"), "may not be read: permission is denied"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
    ):

        def refuse(*_arguments: object, error: OSError = error, **_named: object) -> None:
            raise error

        monkeypatch.setattr("builtins.open", refuse)
        with pytest.raises(ImageUnreachableError, match=message):
            decode_image(path)
        monkeypatch.undo()


def _png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((100_000, 100_000), "not decoded: its header promises too many pixels"),
        ((178_100, 1000), "not decoded: its header promises 178100 × 1000 pixels"),
    ],
)
def test_an_absurdly_large_image_is_refused_by_its_header(
    tmp_path: Path, size: tuple[int, int], message: str
) -> None:
    (tmp_path / "a.png").write_bytes(_png_header(*size))
    with pytest.raises(ImageError, match=message):
        decode_image(tmp_path / "a.png", max_side=64)


def test_pillows_warnings_stay_inside(tmp_path: Path) -> None:
    """In a process of its own, because pytest sets its filters of warnings anew for every test."""
    (tmp_path / "large.png").write_bytes(
        _png_header(12_000, 10_000)
    )  # Pillow warns from 89 million pixels on
    bad_exif = _saved(
        _picture(), tmp_path / "exif.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x09"
    )
    code = f"""
from backend.images import decode_image
from backend.errors import ImageError
decode_image({str(bad_exif)!r})
try:
    decode_image({str(tmp_path / "large.png")!r})
except ImageError as error:
    print(error)
"""
    command = [sys.executable, "-W", "always", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    assert "truncated" in result.stdout


def test_damaged_files_give_an_image_or_a_sentence(tmp_path: Path) -> None:
    chance = random.Random(0)
    originals = []
    for kind, options in (
        ("JPEG", {}),
        ("PNG", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("WEBP", {}),
        ("TIFF", {}),
        ("PPM", {}),
    ):
        buffer = io.BytesIO()
        _picture(24, 16).save(buffer, kind, **options)
        originals.append(buffer.getvalue())
    path, n_refused = tmp_path / "damaged", 0
    for _ in range(400):
        contents = bytearray(chance.choice(originals))
        for _ in range(chance.choice([1, 3, 20])):
            contents[chance.randrange(min(len(contents), chance.choice([40, 10_000])))] = chance.randrange(
                256
            )
        path.write_bytes(contents[: chance.randrange(len(contents)) if chance.random() < 0.3 else None])
        try:
            assert decode_image(path, max_side=chance.choice([None, 16])).mode == "RGB"
        except ImageError as error:
            assert not isinstance(error, ImageUnreachableError)
            assert str(error).endswith((".", ")."))
            n_refused += 1
    assert 80 < n_refused < 380


def _n_open_files() -> int:
    descriptors = Path("/proc/self/fd")  # of Linux; elsewhere there is nothing to count
    return len(list(descriptors.iterdir())) if descriptors.is_dir() else 0


def test_files_are_closed(tmp_path: Path) -> None:
    path = _saved(_picture(), tmp_path / "a.tif")
    truncated = _saved(_picture(), tmp_path / "b.png")
    _truncated(truncated, 0.5)
    before = _n_open_files()
    kept = [decode_image(path) for _ in range(5)]
    for _ in range(5):
        with pytest.raises(ImageError):
            decode_image(truncated)
    assert len(kept) == 5
    assert _n_open_files() == before
