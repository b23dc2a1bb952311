import numpy as np
import pytest

from backend.evaluation import projections as projections_module
from backend.evaluation.projections import max_projecting, project
from backend.task import Cancelled, SilentTask
from tests.backend.realistic_activations import realistic_activations


def test_projection_is_the_dot_product_whatever_the_block_size(monkeypatch: pytest.MonkeyPatch) -> None:
    activations = realistic_activations(501, 32)
    vectors = np.random.default_rng(0).normal(size=(3, 32))
    expected = np.array([[float(np.dot(x.astype(float), v)) for x in activations] for v in vectors])
    np.testing.assert_allclose(project(activations, vectors), expected, rtol=1e-4, atol=1e-4)
    monkeypatch.setattr(projections_module, "_BLOCK_BYTES", 4 * 32 * 100)
    np.testing.assert_allclose(project(activations, vectors), expected, rtol=1e-4, atol=1e-4)


def test_rows_that_could_not_be_read_project_to_nan_and_are_never_picked() -> None:
    activations = np.ones((5, 3), dtype=np.float32)
    activations[2] = np.nan
    row = project(activations, np.eye(3)[:1])[0]
    assert np.isnan(row).tolist() == [False, False, True, False, False]
    assert max_projecting(row, 10).images.tolist() == [0, 1, 3, 4]


def test_largest_first_ties_by_row_and_rows_left_out() -> None:
    values = np.array([1, 5, 3, 5, 4, 3], dtype=np.float32)
    assert max_projecting(values, 4).images.tolist() == [1, 3, 4, 2]
    assert max_projecting(values, 4).projections.tolist() == [5, 5, 4, 3]
    held_out = max_projecting(values, 3, exclude=np.array([1, 4]))
    assert held_out.images.tolist() == [3, 2, 5]
    assert max_projecting(values, 2, exclude=np.arange(6)).images.tolist() == []


def test_ties_at_the_cut_are_decided_by_row() -> None:
    values = np.tile(np.array([2, 1], dtype=np.float32), 500)
    assert max_projecting(values, 300).images.tolist() == list(range(0, 600, 2))


def test_it_can_be_cancelled() -> None:
    class Stopped(SilentTask):
        def check_cancelled(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        project(np.ones((3, 2), dtype=np.float32), np.eye(2), task=Stopped())
