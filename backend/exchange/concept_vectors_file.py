"""Concept vectors of one layer as a file that other programs read: ``.safetensors`` or ``.npz``.

Both hold the same. The vectors are float32 (c, d), norm 1, one row a concept, under the name ``vectors``.
What they are is said by texts: the metadata of the ``.safetensors`` file, string arrays of the ``.npz``. Each
text marked *JSON* is to be parsed; lists are parallel to the rows.

=======================  ===================================================================================
``format``               ``neuron-prism concept vectors 1``
``model``                architecture: a torchvision name, ``timm:NAME``, FILE.py:CALLABLE, ``demo``; or
                         ``imported``: activations computed elsewhere, by a network that is not known
``weights_sha256``       hash of the model's weights; empty if the network is not known
``layer``                name of the layer; its channels are the columns
``preprocessing``        JSON: how images became the model's input; null if the network is not known
``extraction``           JSON: when, with which pooling, precision and software the activations were computed;
                         ``precision_check``: what another precision than float32 was found to change;
                         ``outdated``: what of images and network changed since then, a sentence each
``parameters``           JSON, a list: the parameters of the method for each row
``neurons``              JSON, a list: the neuron that each row was found in
``clusters``             JSON, a list: the cluster's number in its neuron, −1 if it has none
``names``, ``notes``     JSON, lists of what the user wrote; empty texts where nothing was
``members``              JSON, a list of lists: the images that the row is the mean of, as paths relative to
                         the images' folder, strongest first
``by_hand``              JSON, a list: ``own concept`` (a person chose its members), ``adjusted neuron`` (a
                         person moved images of its neuron), or empty: the method's own
``excluded_images``      JSON, a list: the images that a person took out of the analysis
``versions``             JSON: package → version
``origin``               JSON: the file that the layer's activations were imported from, or null
=======================  ===================================================================================
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from backend.errors import ExportError
from backend.exchange.atomic_file import write_bytes

FORMAT = "neuron-prism concept vectors 1"

_SUFFIXES = (".safetensors", ".npz")
_LISTS = ("parameters", "neurons", "clusters", "names", "notes", "members")


@dataclass(frozen=True)
class ExportedConcept:
    """One row of the file.

    Attributes
    ----------
    neuron, cluster
        Where it was found; −1 for a cluster that is not known (any more).
    vector
        float (d,), norm 1.
    members
        Paths of the images that it is the mean of.
    parameters
        Of the method, as plain JSON values.
    name, notes
        What the user wrote.
    by_hand
        What a person changed, as in the file.
    """

    neuron: int
    cluster: int
    vector: NDArray[np.floating[Any]]
    members: tuple[str, ...]
    parameters: Mapping[str, Any]
    name: str = ""
    notes: str = ""
    by_hand: str = ""


@dataclass(frozen=True)
class ConceptVectors:
    """What a file of concept vectors holds.

    Attributes
    ----------
    model, weights_sha256, layer, preprocessing, versions, extraction, origin, excluded_images
        As in the file.
    concepts
        One for each row, all of the same dimension.
    n_neurons
        That dimension d.
    """

    model: str
    weights_sha256: str
    layer: str
    preprocessing: Mapping[str, Any] | None
    concepts: Sequence[ExportedConcept]
    n_neurons: int
    versions: Mapping[str, str] = field(default_factory=dict)
    extraction: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] | None = None
    excluded_images: tuple[str, ...] = ()

    @property
    def vectors(self) -> NDArray[np.float32]:
        """float32 (c, d): one row a concept."""
        rows = [np.asarray(concept.vector, dtype=np.float32) for concept in self.concepts]
        return np.stack(rows) if rows else np.empty((0, self.n_neurons), dtype=np.float32)


def save_concept_vectors(path: Path, concepts: ConceptVectors) -> None:
    """Write concept vectors, whole or not at all.

    Parameters
    ----------
    path
        Ends in ``.safetensors`` or ``.npz``, which says the format.

    Raises
    ------
    ExportError
        If the suffix is another or the file cannot be written.
    """
    texts = _texts(concepts)
    if path.suffix == ".safetensors":
        write_bytes(path, save({"vectors": concepts.vectors}, metadata=texts))
    elif path.suffix == ".npz":
        buffer = io.BytesIO()
        arrays = {"vectors": concepts.vectors, **{key: np.array(text) for key, text in texts.items()}}
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        write_bytes(path, buffer.getvalue())
    else:
        raise ExportError(f"{path} must end in {' or '.join(_SUFFIXES)}, which says the format of the file.")


def load_concept_vectors(path: Path) -> ConceptVectors:
    """Read a file written by :func:`save_concept_vectors`.

    Raises
    ------
    ExportError
        If the file is missing, damaged, or no file of concept vectors.
    """
    try:
        vectors, texts = _read_safetensors(path) if path.suffix == ".safetensors" else _read_npz(path)
        if texts["format"] != FORMAT:
            raise ExportError(f"{path} is of another version ({texts['format']}), which cannot be read.")
        return _concept_vectors(vectors, texts)
    except FileNotFoundError as error:
        raise ExportError(f"There is no file {path}.") from error
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (KeyError, ValueError, TypeError, SafetensorError, zipfile.BadZipFile, struct.error) as error:
        raise ExportError(f"{path} is damaged or holds no concept vectors ({error}).") from error


def _texts(concepts: ConceptVectors) -> dict[str, str]:
    rows = concepts.concepts
    return {
        "format": FORMAT,
        "model": concepts.model,
        "weights_sha256": concepts.weights_sha256,
        "layer": concepts.layer,
        "preprocessing": _json_or_null(concepts.preprocessing),
        "parameters": json.dumps([dict(one.parameters) for one in rows]),
        "neurons": json.dumps([one.neuron for one in rows]),
        "clusters": json.dumps([one.cluster for one in rows]),
        "names": json.dumps([one.name for one in rows]),
        "notes": json.dumps([one.notes for one in rows]),
        "members": json.dumps([list(one.members) for one in rows]),
        "by_hand": json.dumps([one.by_hand for one in rows]),
        "excluded_images": json.dumps(list(concepts.excluded_images)),
        "versions": json.dumps(dict(concepts.versions)),
        "extraction": json.dumps(dict(concepts.extraction)),
        "origin": _json_or_null(concepts.origin),
    }


def _json_or_null(values: Mapping[str, Any] | None) -> str:
    return json.dumps(None if values is None else dict(values))


def _read_safetensors(path: Path) -> tuple[NDArray[np.float32], dict[str, str]]:
    content = path.read_bytes()
    vectors: NDArray[np.float32] = load(content)["vectors"]
    # The header: its length as eight little-endian bytes, then JSON.
    (length,) = struct.unpack_from("<Q", content)
    return vectors, json.loads(content[8 : 8 + length])["__metadata__"]


def _read_npz(path: Path) -> tuple[NDArray[np.float32], dict[str, str]]:
    with np.load(path, allow_pickle=False) as file:
        texts = {key: str(file[key]) for key in file.files if key != "vectors"}
        return file["vectors"], texts


def _concept_vectors(vectors: NDArray[np.float32], texts: Mapping[str, str]) -> ConceptVectors:
    lists = {key: json.loads(texts[key]) for key in _LISTS}
    if vectors.ndim != 2 or any(len(values) != len(vectors) for values in lists.values()):
        raise ValueError("its lists do not belong to its vectors")
    # Files that were written before concepts could be adjusted by hand lack it.
    by_hand = json.loads(texts["by_hand"]) if "by_hand" in texts else [""] * len(vectors)
    rows = zip(vectors, *(lists[key] for key in _LISTS), by_hand, strict=True)
    return ConceptVectors(
        model=texts["model"],
        weights_sha256=texts["weights_sha256"],
        layer=texts["layer"],
        preprocessing=json.loads(texts["preprocessing"]),
        concepts=tuple(
            ExportedConcept(neuron, cluster, vector, tuple(members), parameters, name, notes, hand)
            for vector, parameters, neuron, cluster, name, notes, members, hand in rows
        ),
        n_neurons=vectors.shape[1],
        versions=json.loads(texts["versions"]),
        extraction=json.loads(texts["extraction"]),
        # Files that were written before there were imports lack it.
        origin=json.loads(texts.get("origin", "null")),
        excluded_images=tuple(json.loads(texts.get("excluded_images", "[]"))),
    )
