"""Embeddings against scikit-learn's PCA, planted groups and hand-computed planes."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_info

from backend.errors import EmbeddingError, ParameterError
from backend.evaluation.embedding import embed, turned_onto
from backend.evaluation.embedding_result import METHOD_NAMES, EmbeddingSettings

METHODS = tuple(METHOD_NAMES)


def planted_groups(n_per_group: int = 25, d: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return three groups of points, far from each other beside their own spread, and their numbers."""
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(3), n_per_group)
    centres = rng.gamma(0.6, 3.0, (3, d))
    return (centres[groups] + rng.normal(0, 0.3, (len(groups), d))).astype(np.float32), groups


class TestPca:
    @pytest.mark.parametrize("shape", [(30, 200), (200, 30), (50, 50)])
    def test_it_is_that_of_scikit_learn_up_to_sign(self, shape):
        vectors = np.random.default_rng(0).gamma(1, 2, shape).astype(np.float32)
        reference = PCA(2, svd_solver="full").fit(vectors.astype(np.float64))
        expected = reference.transform(vectors.astype(np.float64))
        result = embed(vectors, "pca")
        np.testing.assert_allclose(np.abs(result.positions), np.abs(expected), atol=1e-4)
        signs = np.sign(result.positions) * np.sign(expected)
        assert (np.ptp(signs, axis=0) == 0).all()
        np.testing.assert_allclose(result.explained_variance, reference.explained_variance_ratio_, atol=1e-6)

    def test_the_largest_loading_of_each_axis_is_positive(self):
        # Spread along −e_0 (and a little e_1): the axes are e_0 and e_1 whatever way they are found.
        vectors = np.array([[0, 0, 1], [-4, 0, 1], [-8, 0, 1], [-4, 1, 1], [-4, -1, 1]], dtype=np.float32)
        positions = embed(vectors, "pca").positions
        np.testing.assert_allclose(positions, [[4, 0], [0, 0], [-4, 0], [0, 1], [0, -1]], atol=1e-5)

    def test_points_on_a_line_stay_on_a_line(self):
        vectors = np.outer(np.arange(6), [1.0, 2.0, 2.0])
        result = embed(vectors, "pca")
        np.testing.assert_allclose(result.positions[:, 0], 3 * (np.arange(6) - 2.5), atol=1e-5)
        assert (result.positions[:, 1] == 0).all()
        assert result.explained_variance == pytest.approx((1.0, 0.0))


class TestNeighbourhoods:
    @pytest.mark.parametrize("method", METHODS)
    def test_planted_groups_stay_apart(self, method):
        vectors, groups = planted_groups()
        positions = embed(vectors, method).positions
        _, nearest = NearestNeighbors(n_neighbors=1).fit(positions).kneighbors()
        assert (groups[nearest[:, 0]] == groups).all()
        assert silhouette_score(positions, groups) > 0.6

    @pytest.mark.parametrize("method", ["tsne", "umap"])
    def test_the_same_seed_gives_the_same_picture_and_another_another(self, method):
        vectors, _ = planted_groups()
        first, again = embed(vectors, method, seed=3), embed(vectors, method, seed=3)
        np.testing.assert_array_equal(first.positions, again.positions)
        if method == "umap":  # t-SNE draws nothing once it starts from PCA
            assert np.abs(first.positions - embed(vectors, method, seed=4).positions).max() > 0.01

    @pytest.mark.parametrize("method", ["tsne", "umap"])
    def test_it_is_turned_onto_pca(self, method):
        vectors, _ = planted_groups()
        positions = embed(vectors, method).positions.astype(np.float64)
        plane = embed(vectors, "pca").positions.astype(np.float64)
        overlap = positions.T @ plane  # symmetric and not negative: no turn brings them nearer
        assert overlap[0, 1] == pytest.approx(overlap[1, 0], rel=1e-3)
        assert (np.linalg.eigvalsh((overlap + overlap.T) / 2) > 0).all()

    def test_another_number_of_neighbours_is_another_picture(self):
        vectors, _ = planted_groups()
        few, many = (embed(vectors, "umap", settings=EmbeddingSettings(n_neighbors=k)) for k in (5, 40))
        assert np.abs(few.positions - many.positions).max() > 0.1
        assert (few.settings.n_neighbors, many.settings.n_neighbors) == (5, 40)


class TestTurning:
    def test_a_picture_that_was_turned_and_mirrored_is_turned_back(self):
        rng = np.random.default_rng(1)
        plane = rng.normal(size=(20, 2))
        plane -= plane.mean(axis=0)
        angle = 2.0
        turn = np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]])
        np.testing.assert_allclose(turned_onto(plane @ turn + [7, -3], plane), plane, atol=1e-12)

    def test_distances_stay(self):
        rng = np.random.default_rng(2)
        positions, onto = rng.normal(size=(2, 15, 2))
        np.testing.assert_allclose(pdist(turned_onto(positions, onto)), pdist(positions), atol=1e-12)


class TestFewImages:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 15, 16])
    @pytest.mark.parametrize("d", [1, 40])
    def test_any_number_has_an_answer(self, method, n, d):
        vectors = np.random.default_rng(n).gamma(1, 1, (n, d))
        positions = embed(vectors, method).positions
        assert positions.shape == (n, 2)
        assert positions.dtype == np.float32
        assert np.isfinite(positions).all()

    @pytest.mark.parametrize("method", METHODS)
    def test_equal_images_lie_on_one_point_and_are_said_to(self, method):
        result = embed(np.full((10, 6), 2.5, dtype=np.float32), method)
        np.testing.assert_allclose(result.positions, 0, atol=1e-6)
        assert "All 10 images" in result.note

    @pytest.mark.parametrize("method", METHODS)
    def test_copies_of_a_few_images_are_no_trouble(self, method):
        vectors = np.repeat(np.random.default_rng(0).gamma(1, 1, (3, 20)), 12, axis=0)
        assert np.isfinite(embed(vectors, method).positions).all()

    def test_three_images_keep_their_distances_whatever_was_asked_for(self):
        vectors = np.random.default_rng(0).normal(size=(3, 50))
        result = embed(vectors, "umap")
        np.testing.assert_allclose(pdist(result.positions), pdist(vectors), rtol=1e-5)
        assert "UMAP needs 4 images" in result.note

    def test_neighbours_and_perplexity_are_as_many_as_there_can_be(self):
        vectors = np.random.default_rng(0).normal(size=(10, 5))
        assert embed(vectors, "umap").settings.n_neighbors == 9
        assert embed(vectors, "tsne").settings.perplexity == pytest.approx(3.0)


class TestWhatIsLeftAlone:
    @pytest.mark.parametrize("method", METHODS)
    def test_random_state_threads_and_input(self, method):
        import numba

        vectors, _ = planted_groups()
        vectors.setflags(write=False)
        before = np.random.get_state(), numba.get_num_threads(), threadpool_info()
        embed(vectors, method)
        np.testing.assert_array_equal(np.random.get_state()[1], before[0][1])
        assert numba.get_num_threads() == before[1]
        threads = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
        assert all(threads[pool["filepath"]] == pool["num_threads"] for pool in before[2])

    def test_nothing_large_is_imported_before_it_is_needed(self):
        code = (
            "import sys, numpy; from backend.evaluation.embedding import embed;"
            "embed(numpy.eye(9), 'pca'); print(*{'umap', 'numba', 'sklearn', 'torch'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == ""

    def test_a_result_is_read_only_also_after_it_went_through_a_pipe(self):
        result = embed(np.eye(5), "pca")
        for copy in (result, pickle.loads(pickle.dumps(result))):
            with pytest.raises(ValueError, match="read-only"):
                copy.positions[0, 0] = 1.0


class TestBadInput:
    @pytest.mark.parametrize(
        ("vectors", "words"),
        [
            (np.zeros((0, 5)), "no images"),
            (np.zeros(5), "shape"),
            (np.array([[1.0, np.nan], [0.0, 1.0]]), "not finite"),
        ],
    )
    def test_vectors(self, vectors, words):
        with pytest.raises(ParameterError, match=words):
            embed(vectors, "pca")

    def test_method_and_seed(self):
        with pytest.raises(ParameterError, match="umap, tsne, pca"):
            embed(np.eye(5), "mds")
        with pytest.raises(ParameterError, match="seed"):
            embed(np.eye(5), "tsne", seed=-1)

    @pytest.mark.parametrize(
        "settings", [{"n_neighbors": 1}, {"min_dist": 1.5}, {"min_dist": -0.1}, {"perplexity": 0.0}]
    )
    def test_settings(self, settings):
        with pytest.raises(ParameterError):
            EmbeddingSettings(**settings)

    def test_a_umap_that_cannot_be_loaded(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "umap", None)
        with pytest.raises(EmbeddingError, match="choose t-SNE or PCA"):
            embed(np.eye(8), "umap")


def test_what_is_said_beside_the_picture():
    vectors, _ = planted_groups(10)
    assert embed(vectors, "umap", 7).settings_text == "UMAP, 15 neighbours, min_dist 0.1, seed 7"
    assert embed(vectors, "tsne").settings_text == "t-SNE, perplexity 9.667, seed 0"
    line = embed(np.outer(np.arange(4), [2.0, 1.0]), "pca")
    assert line.settings_text == "PCA, 100 % and 0 % of the variance"
