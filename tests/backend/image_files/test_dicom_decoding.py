import importlib.util
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.errors import ImageError
from backend.images import ImageUnreachableError, decode_image, find_images, preprocess_image
from backend.networks.model_source import Preprocessing

needs_pydicom = pytest.mark.skipif(
    importlib.util.find_spec("pydicom") is None,
    reason="pydicom is not installed: pip install neuron-prism[dicom]",
)
# pydicom warns of values that a test writes on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

CT = np.array([[0, 1000, 1024, 1100, 4095]], np.uint16)  # −1024 to 3071 Hounsfield units


def _write(path: Path, pixels: np.ndarray, *, preamble: bool = True, **elements: Any) -> Path:
    """Write a DICOM file: pixels (rows, columns), (frames, rows, columns), or uint8 (rows, columns, 3)."""
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset

    dataset = Dataset()
    in_colour = pixels.ndim == 3 and pixels.shape[-1] == 3 and pixels.dtype == np.uint8
    rows, columns = pixels.shape[:2] if in_colour else pixels.shape[-2:]
    n_bits = pixels.dtype.itemsize * 8
    dataset.update(
        {
            "Rows": rows,
            "Columns": columns,
            "SamplesPerPixel": 3 if in_colour else 1,
            "PhotometricInterpretation": "RGB" if in_colour else "MONOCHROME2",
            "BitsAllocated": n_bits,
            "BitsStored": n_bits,
            "HighBit": n_bits - 1,
            "PixelRepresentation": int(pixels.dtype.kind == "i"),
        }
    )
    if in_colour:
        dataset.PlanarConfiguration = 0
    elif pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(dataset, name, value)
    if not preamble:
        dataset.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False)
        return path
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.save_as(path, enforce_file_format=True)
    return path


def _greys(path: Path, **options: Any) -> list[int]:
    pixels = np.asarray(decode_image(path, **options))
    assert (pixels[:, :, 0] == pixels[:, :, 2]).all()
    return pixels[0, :, 0].tolist()


def _linear(values: np.ndarray, centre: float, width: float) -> list[int]:
    """Apply the formula of DICOM PS3.3 C.11.2.1.2.1, value by value."""
    greys = []
    for x in values.ravel():
        if x <= centre - 0.5 - (width - 1) / 2:
            greys.append(0)
        elif x > centre - 0.5 + (width - 1) / 2:
            greys.append(255)
        else:
            greys.append(round(((x - (centre - 0.5)) / (width - 1) + 0.5) * 255))
    return greys


@needs_pydicom
@pytest.mark.parametrize(("centre", "width"), [(40, 400), (0, 2000), (50.5, 80), (1000, 2)])
def test_the_window_is_applied_to_rescaled_values(tmp_path: Path, centre: float, width: float) -> None:
    path = _write(
        tmp_path / "a.dcm",
        CT,
        BitsStored=12,
        HighBit=11,
        RescaleSlope=1,
        RescaleIntercept=-1024,
        WindowCenter=centre,
        WindowWidth=width,
    )
    hounsfield = CT.astype(float) - 1024
    for scaling in ("full_range", "min_max"):  # which are for files without a window
        assert _greys(path, grey_scaling=scaling) == _linear(hounsfield, centre, width)


@needs_pydicom
def test_windows_of_other_shapes_follow_the_standard(tmp_path: Path) -> None:
    values = np.array([[0, 50, 100, 150, 200]], np.uint16)
    window = {"WindowCenter": 100, "WindowWidth": 100}
    exact = _write(tmp_path / "exact.dcm", values, VOILUTFunction="LINEAR_EXACT", **window)
    assert _greys(exact) == [0, 0, 128, 255, 255]
    sigmoid = _write(tmp_path / "sigmoid.dcm", values, VOILUTFunction="SIGMOID", **window)
    assert _greys(sigmoid) == [round(255 / (1 + np.exp(-4 * (x - 100) / 100))) for x in values[0].tolist()]
    threshold = _write(tmp_path / "threshold.dcm", values, WindowCenter=100, WindowWidth=1)
    assert _greys(threshold) == [0, 0, 255, 255, 255]


@needs_pydicom
def test_of_several_windows_the_first_is_taken(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.dcm", CT, WindowCenter=[1040, 600], WindowWidth=[400, 1500])
    assert _greys(path) == _linear(CT.astype(float), 1040, 400)


@needs_pydicom
@pytest.mark.parametrize(
    ("values", "elements", "scaling", "expected"),
    [
        (CT, {"BitsStored": 12, "HighBit": 11}, "full_range", [0, 62, 64, 68, 255]),
        (CT, {}, "full_range", [0, 4, 4, 4, 16]),
        (
            np.array([[-2048, 0, 2047]], np.int16),
            {"BitsStored": 12, "HighBit": 11},
            "full_range",
            [0, 128, 255],
        ),
        (CT, {}, "min_max", [0, 62, 64, 68, 255]),
        (np.array([[500, 600, 700]], np.uint16), {"RescaleSlope": -2}, "min_max", [255, 128, 0]),
        (np.array([[3, 3]], np.uint16), {}, "min_max", [0, 0]),
        (np.array([[0, 100, 255]], np.uint8), {}, "full_range", [0, 100, 255]),
    ],
)
def test_without_a_window_all_that_the_bits_can_hold_is_shown(
    tmp_path: Path, values: np.ndarray, elements: dict[str, Any], scaling: str, expected: list[int]
) -> None:
    if "RescaleSlope" in elements:
        elements = {**elements, "RescaleIntercept": 0}
    values = values if values.shape[1] % 2 == 0 or values.itemsize > 1 else np.repeat(values, 2, axis=0)
    path = _write(tmp_path / "a.dcm", values, **elements)
    assert _greys(path, grey_scaling=scaling) == expected


@needs_pydicom
def test_monochrome_1_is_inverted_after_the_window(tmp_path: Path) -> None:
    values = np.array([[0, 50, 100, 200]], np.uint16)
    path = _write(
        tmp_path / "a.dcm",
        values,
        PhotometricInterpretation="MONOCHROME1",
        WindowCenter=100.5,
        WindowWidth=201,
    )
    assert _greys(path) == [255 - grey for grey in _linear(values.astype(float), 100.5, 201)]


@needs_pydicom
def test_lookup_tables_are_applied(tmp_path: Path) -> None:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    table = Dataset()
    table.LUTDescriptor = [4, 10, 8]
    table.LUTData = np.array([0, 20, 200, 255], np.uint16).tobytes()
    path = _write(
        tmp_path / "a.dcm",
        np.array([[0, 10, 11, 12, 13, 99]], np.uint16),
        VOILUTSequence=Sequence([table]),
        WindowCenter=5,
        WindowWidth=2,
    )
    assert _greys(path) == [0, 0, 20, 200, 255, 255]


@needs_pydicom
def test_colours_stay_and_palettes_become_colours(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(decode_image(_write(tmp_path / "a.dcm", colours))), colours)
    tables = {
        f"{name}PaletteColorLookupTable{what}": value
        for name, entries in (
            ("Red", [0, 65535, 0, 256]),
            ("Green", [0, 0, 65535, 256]),
            ("Blue", [0, 0, 0, 256]),
        )
        for what, value in (("Descriptor", [4, 0, 16]), ("Data", np.array(entries, np.uint16).tobytes()))
    }
    path = _write(
        tmp_path / "b.dcm",
        np.array([[0, 1, 2, 3]], np.uint8),
        PhotometricInterpretation="PALETTE COLOR",
        **tables,
    )
    assert np.asarray(decode_image(path))[0].tolist() == [[0, 0, 0], [255, 0, 0], [0, 255, 0], [1, 1, 1]]


@needs_pydicom
def test_frames_are_images_each_with_its_own_window(tmp_path: Path) -> None:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    def group(name: str, **elements: float) -> Dataset:
        inner, outer = Dataset(), Dataset()
        for element, value in elements.items():
            setattr(inner, element, value)
        setattr(outer, name, Sequence([inner]))
        return outer

    frames = np.stack([np.array([[0, 100, 200, 300]], np.uint16)] * 3)
    path = _write(
        tmp_path / "cine.dcm",
        frames,
        SharedFunctionalGroupsSequence=Sequence(
            [group("PixelValueTransformationSequence", RescaleSlope=2, RescaleIntercept=10)]
        ),
        PerFrameFunctionalGroupsSequence=Sequence(
            [group("FrameVOILUTSequence", WindowCenter=centre, WindowWidth=201) for centre in (110, 310, 510)]
        ),
    )
    images = find_images(tmp_path)
    assert images.paths == tuple(f"cine.dcm#frame={frame}" for frame in (1, 2, 3))
    for image, centre in zip(images.paths, (110, 310, 510), strict=True):
        assert _greys(tmp_path / image) == _linear(frames[0].astype(float) * 2 + 10, centre, 201)
    assert _greys(path) == _greys(tmp_path / images.paths[0])
    with pytest.raises(ImageError, match="has 3 images, and none with the number 4"):
        decode_image(tmp_path / "cine.dcm#frame=4")


@needs_pydicom
def test_files_without_a_suffix_are_known_by_how_they_begin(tmp_path: Path) -> None:
    for name in ("IM0001", "1.2.840.113619.2.5", "scan.DCM", "head.ima"):
        _write(tmp_path / name, CT)
    (tmp_path / "README").write_text("no image")
    (tmp_path / "notes.txt").write_bytes(b"\0" * 128 + b"DICM")
    (tmp_path / "results.2024").write_text("numbers")
    (tmp_path / "short").write_bytes(b"\0" * 129)
    images = find_images(tmp_path)
    assert images.paths == ("1.2.840.113619.2.5", "IM0001", "head.ima", "scan.DCM")
    assert images.skipped == ()
    for path in images.paths:
        assert decode_image(tmp_path / path).size == (5, 1)


@needs_pydicom
def test_old_files_without_a_preamble_are_read(tmp_path: Path) -> None:
    path = _write(tmp_path / "old.dcm", CT, preamble=False, WindowCenter=1040, WindowWidth=400)
    assert find_images(tmp_path).paths == ("old.dcm",)
    assert _greys(path) == _linear(CT.astype(float), 1040, 400)


@needs_pydicom
def test_the_network_sees_what_the_thumbnail_shows(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 4096, (20, 30), dtype=np.uint16)
    path = _write(tmp_path / "a.dcm", values, BitsStored=12, HighBit=11)
    pixels = preprocess_image(path, Preprocessing(20, 20, grey_scaling="min_max"))
    assert np.array_equal(pixels, np.asarray(decode_image(path, grey_scaling="min_max"))[:, 5:25])


@needs_pydicom
def test_compressed_pixels_are_decoded_or_named(tmp_path: Path) -> None:
    import pydicom
    from pydicom.encaps import encapsulate

    picture = Image.fromarray(np.tile(np.arange(0, 256, 8, dtype=np.uint8), (16, 1)))
    picture.save(tmp_path / "a.jpg", quality=95)
    path = _write(tmp_path / "a.dcm", np.asarray(picture))
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([(tmp_path / "a.jpg").read_bytes()])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    dataset.save_as(path)
    assert np.abs(np.asarray(decode_image(path))[:, :, 0].astype(int) - np.asarray(picture)).max() <= 4
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEGLSLossless
    dataset.save_as(path)
    with pytest.raises(ImageError, match=r"is compressed \(JPEG-LS Lossless.*decoder for it is installed"):
        decode_image(path)


@needs_pydicom
@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"Rows": 4000}, "cannot be decoded; it may be damaged"),
        ({"Rows": 60_000, "Columns": 60_000}, "promises 60000 × 60000 pixels, and at most 178 million"),
        ({"Rows": 0}, "promises 5 × 0 pixels"),
        ({"BitsAllocated": 13}, "cannot be decoded; it may be damaged"),
        (
            {"PhotometricInterpretation": "nonsense"},
            "Unknown .* 'Photometric Interpretation' value 'nonsense'",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, elements: dict[str, Any], message: str) -> None:
    path = _write(tmp_path / "a.dcm", CT, **elements)
    with pytest.raises(ImageError, match=message):
        decode_image(path)


@needs_pydicom
def test_what_holds_no_image_is_listed_with_the_reason(tmp_path: Path) -> None:
    import pydicom

    _write(tmp_path / "a.dcm", CT)
    report = pydicom.dcmread(tmp_path / "a.dcm")
    for name in ("Rows", "Columns", "PixelData"):
        delattr(report, name)
    report.save_as(tmp_path / "report.dcm")
    (tmp_path / "text.dcm").write_text("This is a note about a patient, not an image of one. " * 9)
    (tmp_path / "empty.dcm").touch()
    images = find_images(tmp_path)
    assert images.paths == ("a.dcm",)
    reasons = {file.path: file.reason for file in images.skipped}
    assert set(reasons) == {"report.dcm", "text.dcm", "empty.dcm"}
    assert "holds no image" in reasons["report.dcm"]
    for path, reason in reasons.items():
        assert reason.endswith((".", ")."))
        with pytest.raises(ImageError):
            decode_image(tmp_path / path)
    with pytest.raises(ImageUnreachableError, match="no longer there"):
        decode_image(tmp_path / "gone.dcm")


@needs_pydicom
def test_damaged_files_give_an_image_or_a_sentence(tmp_path: Path) -> None:
    chance = random.Random(0)
    original = _write(tmp_path / "a.dcm", CT, WindowCenter=40, WindowWidth=400).read_bytes()
    path, n_refused = tmp_path / "damaged.dcm", 0
    for _ in range(200):
        contents = bytearray(original)
        for _ in range(chance.choice([1, 4, 20])):
            contents[chance.randrange(128, len(contents))] = chance.randrange(256)
        path.write_bytes(contents[: chance.randrange(len(contents)) if chance.random() < 0.3 else None])
        try:
            assert decode_image(path).mode == "RGB"
        except ImageError as error:
            assert not isinstance(error, ImageUnreachableError)
            assert str(error).endswith((".", ")."))
            n_refused += 1
        find_images(tmp_path)
    assert 20 < n_refused < 195


def test_without_pydicom_files_are_listed_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.dcm").write_bytes(b"\0" * 128 + b"DICM")
    (tmp_path / "IM1").write_bytes(b"\0" * 128 + b"DICM")
    Image.new("L", (2, 2)).save(tmp_path / "b.png")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None)
    images = find_images(tmp_path)
    assert images.paths == ("b.png",)
    assert [file.path for file in images.skipped] == ["IM1", "a.dcm"]
    for file in images.skipped:
        assert (
            "need the package pydicom, which is not installed (python -m pip install pydicom)" in file.reason
        )
    with pytest.raises(ImageError, match="need the package pydicom"):
        decode_image(tmp_path / "a.dcm")
    (tmp_path / "b.png").unlink()
    with pytest.raises(
        ImageError, match="2 were left out, the first because: DICOM files need the package pyd"
    ):
        find_images(tmp_path)
