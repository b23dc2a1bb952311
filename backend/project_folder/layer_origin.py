"""Where a layer's activations came from, if they were computed elsewhere and imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from backend.project_folder.file_content import file_sha256
from backend.project_folder.file_state import FileState

OriginState = Literal["unchanged", "touched", "changed", "missing"]
"""What became of the file: as it was; of the same size with another date; of another size; not there."""


_OF_THIS_MACHINE = frozenset({"path", "size", "mtime_ns"})
_EXACT_IN_FLOAT32 = frozenset({"float16", "bfloat16", "int8", "uint8", "int16", "uint16"})


@dataclass(frozen=True)
class NetworkAgreement:
    """How well a network gives the imported activations, on a sample of the images.

    Attributes
    ----------
    n_images
        Images compared.
    mean_cosine, worst_cosine
        Cosine of an image's activations as imported and as the network gives them: mean over the images, and
        that of the image with the smallest.
    relative_error, worst_relative_error
        Norm of the difference divided by the norm of what was imported: over all images together, and that of
        the image with the largest.
    """

    n_images: int
    mean_cosine: float
    worst_cosine: float
    relative_error: float
    worst_relative_error: float

    def text(self) -> str:
        """Return the figures as a phrase for people."""
        images = "1 image" if self.n_images == 1 else f"{self.n_images} images"
        return (
            f"on {images} mean cosine {self.mean_cosine:.4f} (worst {self.worst_cosine:.4f}), relative error "
            f"{self.relative_error:.2g} (worst {self.worst_relative_error:.2g})"
        )


@dataclass(frozen=True)
class LayerOrigin:
    """The file that a layer was imported from.

    Attributes
    ----------
    file, path
        Its name, and where it was: absolute.
    size, mtime_ns, sha256
        Its length in bytes, time of modification (nanoseconds since 1970) and hash when it was imported.
    array
        Name of the array in it; None for a file that holds one without a name.
    dtype, shape
        Of the array: ``float16``, (images, neurons) or (images, channels, height, width).
    pooling
        What was applied on the way: ``mean`` or ``max`` over space; None: nothing.
    image_list
        Name of the file that says which row is which image.
    imported
        When (ISO 8601, UTC).
    n_not_finite, first_not_finite
        How many rows hold NaN or an infinity, and the first of them; None until the import is complete (the
        second also if there are none). All of such a row is NaN in the layer.
    network_check
        How well the network that the user named gives these activations; None: none was named.
    """

    file: str
    path: str
    size: int
    mtime_ns: int
    sha256: str
    array: str | None
    dtype: str
    shape: tuple[int, ...]
    pooling: Literal["mean", "max"] | None
    image_list: str
    imported: str
    n_not_finite: int | None = None
    first_not_finite: int | None = None
    network_check: NetworkAgreement | None = None

    @property
    def file_state(self) -> FileState:
        """Size and time of modification of the file when it was imported."""
        return FileState(self.size, self.mtime_ns)

    def moved_to(self, path: Path, state: FileState) -> LayerOrigin:
        """Return the same origin with another copy of its file."""
        return replace(self, file=path.name, path=str(path), size=state.size, mtime_ns=state.mtime_ns)

    def state(self) -> OriginState:
        """Look at the file's size and date, not into it."""
        found = FileState.of(Path(self.path))
        if found is None:
            return "missing"
        if found == self.file_state:
            return "unchanged"
        return "touched" if found.size == self.size else "changed"

    def is_same_source(self, other: LayerOrigin) -> bool:
        """Return whether another import would give the same activations."""
        return (self.sha256, self.array, self.pooling) == (other.sha256, other.array, other.pooling)

    def description(self) -> str:
        """Return a phrase for people: file, array, type, shape, pooling, date."""
        array = "" if self.array is None else f", array {self.array}"
        shape = " × ".join(f"{length:,}" for length in self.shape)
        pooled = "" if self.pooling is None else f", {self.pooling} over space"
        day = self.imported.partition("T")[0]
        return f"{self.file} (SHA-256 {self.sha256[:12]}…{array}, {self.dtype}, {shape}{pooled}), {day}"

    def content_changed(self) -> bool:
        """Return whether the file is there with another content; one of another date is read to find out."""
        state = self.state()
        if state != "touched":
            return state == "changed"
        return file_sha256(Path(self.path)) not in (None, self.sha256)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values that :meth:`from_dict` reads."""
        return {**asdict(self), "shape": list(self.shape)}

    def to_export(self) -> dict[str, Any]:
        """Return JSON-ready values for others, who have the file in another place."""
        return {key: value for key, value in self.to_dict().items() if key not in _OF_THIS_MACHINE}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LayerOrigin:
        """Build from what :meth:`to_dict` returned; TypeError or KeyError if values are missing."""
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        known["shape"] = tuple(int(length) for length in values["shape"])
        check = known.get("network_check")
        known["network_check"] = None if check is None else NetworkAgreement(**check)
        return cls(**known)


def conversion_of(dtype: str) -> str:
    """Say what becomes of values of a type as float32; "" where every one stays as it is."""
    if dtype == "float32":
        return ""
    if dtype == "float64":
        return "The values are float64, rounded to float32."
    if dtype in _EXACT_IN_FLOAT32:
        return f"The values are {dtype}, each exact in float32."
    return f"The values are {dtype}, exact in float32 up to 16,777,216."


def origin_facts(layer: str, origin: LayerOrigin) -> tuple[str, ...]:
    """Say where a layer was imported from, what was done to its values, and what network gives it."""
    sentences = [f"{layer} was imported from {origin.description()}."]
    if conversion := conversion_of(origin.dtype):
        sentences.append(conversion)
    if origin.n_not_finite:
        rows = "1 row that is" if origin.n_not_finite == 1 else f"{origin.n_not_finite:,} rows that are"
        sentences.append(f"It has {rows} not finite, the first is row {origin.first_not_finite}.")
    if origin.network_check is not None:
        sentences.append(f"The network gives it: {origin.network_check.text()}.")
    return tuple(sentences)


def origin_sentences(layer: str, origin: LayerOrigin, *, content: bool = True) -> tuple[str, ...]:
    """Return :func:`origin_facts`, and what became of the file since.

    Parameters
    ----------
    content
        Whether a file of another date, but the same size, is read to tell whether it is another.
    """
    state, news = origin.state(), ""
    if state == "missing":
        news = f"{origin.path} is not there now; the project does not need it."
    elif state == "touched" and not content:
        news = f"{origin.path} has another date since; its content was not compared."
    elif state != "unchanged" and origin.content_changed():
        news = f"{origin.path} was changed since: the layer holds what it was before."
    return (*origin_facts(layer, origin), *([news] if news else []))
