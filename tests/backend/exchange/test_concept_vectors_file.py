import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open

from backend.errors import ExportError
from backend.exchange.concept_vectors_file import (
    ConceptVectors,
    ExportedConcept,
    load_concept_vectors,
    save_concept_vectors,
)


@pytest.fixture
def concepts():
    rng = np.random.default_rng(0)
    rows = []
    for index in range(3):
        vector = rng.normal(size=7)
        rows.append(
            ExportedConcept(
                neuron=10 + index,
                cluster=index,
                vector=vector / np.linalg.norm(vector),
                members=(f"Äpfel/{index}.png", "b/2.jpg"),
                parameters={"top_n": 100, "linkage": "ward"},
                name="" if index else 'a "name"\nin two lines',
                notes="ñotes",
            )
        )
    return ConceptVectors(
        model="mobilenet_v2",
        weights_sha256="ab" * 32,
        layer="features.18",
        preprocessing={"input_size": 224, "mean": [0.1, 0.2, 0.3]},
        concepts=tuple(rows),
        n_neurons=7,
        versions={"torch": "2.6"},
        extraction={"pooling": "average"},
    )


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_everything_comes_back(concepts, tmp_path, suffix):
    path = tmp_path / f"vectors{suffix}"
    save_concept_vectors(path, concepts)
    back = load_concept_vectors(path)
    np.testing.assert_array_equal(back.vectors, concepts.vectors)
    for ours, theirs in zip(concepts.concepts, back.concepts, strict=True):
        assert replace(theirs, vector=None) == replace(ours, vector=None)
    assert replace(back, concepts=()) == replace(concepts, concepts=())


def test_other_programs_read_the_safetensors_file(concepts, tmp_path):
    save_concept_vectors(tmp_path / "vectors.safetensors", concepts)
    with safe_open(tmp_path / "vectors.safetensors", "np") as file:
        vectors, metadata = file.get_tensor("vectors"), file.metadata()
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 7)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    assert metadata["model"] == "mobilenet_v2"
    assert metadata["weights_sha256"] == "ab" * 32
    assert metadata["layer"] == "features.18"
    assert json.loads(metadata["preprocessing"])["input_size"] == 224
    assert json.loads(metadata["parameters"])[0]["top_n"] == 100
    assert json.loads(metadata["neurons"]) == [10, 11, 12]
    assert json.loads(metadata["members"])[1] == ["Äpfel/1.png", "b/2.jpg"]
    assert json.loads(metadata["names"])[0] == 'a "name"\nin two lines'
    assert json.loads(metadata["versions"]) == {"torch": "2.6"}


def test_other_programs_read_the_npz_file_without_pickle(concepts, tmp_path):
    save_concept_vectors(tmp_path / "vectors.npz", concepts)
    with np.load(tmp_path / "vectors.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["vectors"], concepts.vectors)
        assert json.loads(str(file["clusters"])) == [0, 1, 2]


def test_a_layer_without_concepts_is_an_empty_table(concepts, tmp_path):
    save_concept_vectors(tmp_path / "none.safetensors", replace(concepts, concepts=()))
    assert load_concept_vectors(tmp_path / "none.safetensors").vectors.shape == (0, 7)


def test_what_cannot_be_read_is_said(concepts, tmp_path):
    with pytest.raises(ExportError, match="There is no file"):
        load_concept_vectors(tmp_path / "missing.npz")
    with pytest.raises(ExportError, match="must end in"):
        save_concept_vectors(tmp_path / "vectors.txt", concepts)
    for suffix in (".safetensors", ".npz"):
        path = tmp_path / f"vectors{suffix}"
        path.write_bytes(b"not a file of vectors")
        with pytest.raises(ExportError, match="damaged"):
            load_concept_vectors(path)
        save_concept_vectors(path, concepts)
        path.write_bytes(path.read_bytes()[:300])
        with pytest.raises(ExportError, match="damaged"):
            load_concept_vectors(path)
    np.savez(tmp_path / "other.npz", vectors=np.ones((2, 2)))
    with pytest.raises(ExportError, match="damaged or holds no concept vectors"):
        load_concept_vectors(tmp_path / "other.npz")
