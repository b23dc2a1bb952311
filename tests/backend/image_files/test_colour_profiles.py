from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from backend.image_files.colour_profiles import to_srgb
from backend.images import decode_image, preprocess_image
from backend.networks.model_source import Preprocessing

# Primaries and white of two spaces, and the exponent of their curves, from which the truth is computed.
SRGB_TO_XYZ = np.array([[0.4360, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
WIDE_TO_XYZ = np.array([[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7446]])
GAMMA = 563 / 256


def _fixed(value: float) -> bytes:
    return round(value * 65536).to_bytes(4, "big", signed=True)


def _profile(space: str, tags: dict[str, bytes]) -> bytes:
    """Write an ICC profile, version 2, of a display."""
    offset, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, contents in tags.items():
        contents += b"\0" * (-len(contents) % 4)
        table += name.encode() + (offset + len(body)).to_bytes(4, "big") + len(contents).to_bytes(4, "big")
        body += contents
    total = offset + len(body)
    header = total.to_bytes(4, "big") + b"\0" * 4 + b"\x02\x40\0\0" + b"mntr" + space.encode() + b"XYZ "
    header += bytes.fromhex("07e80001000100000000 0000".replace(" ", "")) + b"acsp" + b"\0" * 28
    white = _fixed(0.9642) + _fixed(1.0) + _fixed(0.8249)
    header = header.ljust(68, b"\0") + white
    return header.ljust(128, b"\0") + len(tags).to_bytes(4, "big") + table + body


def _text(words: str) -> bytes:
    contents = words.encode() + b"\0"
    return b"desc" + b"\0" * 4 + len(contents).to_bytes(4, "big") + contents + b"\0" * 78


def _curve(gamma: float) -> bytes:
    return b"curv" + b"\0" * 4 + (1).to_bytes(4, "big") + round(gamma * 256).to_bytes(2, "big")


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ " + b"\0" * 4 + b"".join(_fixed(float(value)) for value in values)


WHITE = _xyz(np.array([0.9642, 1.0, 0.8249]))
WIDE_GAMUT = _profile(
    "RGB ",
    {
        "desc": _text("wide"),
        "cprt": b"text" + b"\0" * 8,
        "wtpt": WHITE,
        **{f"{channel}XYZ": _xyz(WIDE_TO_XYZ[:, i]) for i, channel in enumerate("rgb")},
        **{f"{channel}TRC": _curve(GAMMA) for channel in "rgb"},
    },
)
GREY_GAMMA = 1.5
BRIGHT_GREY = _profile(
    "GRAY", {"desc": _text("bright"), "cprt": b"text" + b"\0" * 8, "wtpt": WHITE, "kTRC": _curve(GREY_GAMMA)}
)


def _encoded(linear: np.ndarray) -> np.ndarray:
    """Apply the curve of sRGB (IEC 61966-2-1)."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255


def _truth(pixels: np.ndarray) -> np.ndarray:
    linear = (pixels / 255) ** GAMMA
    return _encoded(linear @ (np.linalg.inv(SRGB_TO_XYZ) @ WIDE_TO_XYZ).T)


def _colours(seed: int = 0) -> np.ndarray:
    """Return muted colours, all of which sRGB has too."""
    return np.random.default_rng(seed).integers(90, 170, (24, 24, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
def test_colours_of_a_profile_become_those_of_srgb(tmp_path: Path, suffix: str) -> None:
    pixels = np.kron(_colours()[:4, :4], np.ones((16, 16, 1), np.uint8))
    options = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    options = {"lossless": True} if suffix == "webp" else options
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", icc_profile=WIDE_GAMUT, **options)
    expected = _truth(pixels)
    assert np.abs(expected - pixels).max() > 10
    shown = np.asarray(decode_image(tmp_path / f"a.{suffix}")).astype(float)
    assert np.abs(shown - expected).max() <= (5 if suffix == "jpg" else 2)
    read = preprocess_image(tmp_path / f"a.{suffix}", Preprocessing(64, 64)).astype(float)
    assert np.abs(read - shown).max() <= 1


def test_grey_has_profiles_too(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    Image.fromarray(ramp).save(tmp_path / "a.png", icc_profile=BRIGHT_GREY)
    shown = np.asarray(decode_image(tmp_path / "a.png"))[0]
    assert (shown[:, 0] == shown[:, 2]).all()
    assert np.abs(shown - ramp[0][:, None].astype(int)).max() > 10
    assert np.abs(shown[:, 0] - _encoded((ramp[0] / 255) ** GREY_GAMMA)).max() <= 2
    grey = Preprocessing(16, 16, (0.5,), (0.5,), channels=1)
    Image.new("L", (16, 16), 64).save(tmp_path / "b.png", icc_profile=BRIGHT_GREY)
    assert (
        abs(
            int(preprocess_image(tmp_path / "b.png", grey)[3, 3, 0])
            - _encoded(np.array(64 / 255) ** GREY_GAMMA)
        )
        <= 2
    )


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA"])
def test_transparency_stays_beside_a_profile(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(_colours()[:2, :2]).convert("RGBA")
    image.putpixel((0, 0), (100, 100, 100, 0))
    profile = BRIGHT_GREY if mode == "LA" else WIDE_GAMUT
    saved = image.quantize(8) if mode == "P" else image.convert(mode)
    saved.save(tmp_path / "a.png", icc_profile=profile)
    shown = decode_image(tmp_path / "a.png")
    assert shown.getpixel((0, 0)) == (255, 255, 255)
    with Image.open(tmp_path / "a.png") as stored:
        opaque = np.asarray(stored.convert("RGB"))[1, 1]
    expected = _encoded((opaque / 255) ** GREY_GAMMA) if mode == "LA" else _truth(opaque)
    assert np.abs(np.asarray(shown)[1, 1] - expected).max() <= 2
    assert not np.array_equal(np.asarray(shown)[1, 1], opaque)


def test_a_profile_of_srgb_changes_nothing(tmp_path: Path) -> None:
    buffer = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(_colours()).save(tmp_path / "a.png", icc_profile=buffer)
    assert np.array_equal(np.asarray(decode_image(tmp_path / "a.png")), _colours())


@pytest.mark.parametrize(
    "profile", [b"", b"no profile at all", WIDE_GAMUT[:200], BRIGHT_GREY, WIDE_GAMUT[:128] + b"\xff" * 400]
)
def test_a_profile_that_cannot_be_used_is_passed_over(tmp_path: Path, profile: bytes) -> None:
    Image.fromarray(_colours()).save(tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(np.asarray(decode_image(tmp_path / "a.png")), _colours())


def test_deep_grey_values_are_measurements_and_keep_to_their_rule(tmp_path: Path) -> None:
    Image.fromarray(np.full((2, 2), 32768, np.uint16)).save(tmp_path / "a.png", icc_profile=BRIGHT_GREY)
    assert decode_image(tmp_path / "a.png").getpixel((0, 0)) == (128, 128, 128)


def test_a_page_without_a_profile_has_not_that_of_the_first(tmp_path: Path) -> None:
    first, second = Image.fromarray(_colours(1)), Image.fromarray(_colours(2))
    with TiffImagePlugin.AppendingTiffWriter(str(tmp_path / "a.tif"), new=True) as file:
        first.save(file, "TIFF", icc_profile=WIDE_GAMUT)
        file.newFrame()
        second.save(file, "TIFF")
        file.newFrame()
    assert np.array_equal(np.asarray(decode_image(tmp_path / "a.tif#page=2")), _colours(2))
    assert not np.array_equal(np.asarray(decode_image(tmp_path / "a.tif#page=1")), _colours(1))


def test_many_threads_convert_at_once() -> None:
    image = Image.fromarray(_colours())
    image.info["icc_profile"] = WIDE_GAMUT
    expected = np.asarray(to_srgb(image))
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda _: np.asarray(to_srgb(image)), range(200))
        assert all(np.array_equal(result, expected) for result in results)
