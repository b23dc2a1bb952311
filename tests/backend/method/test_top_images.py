import numpy as np

from backend.method.top_images import top_images


def test_strongest_first_and_ties_by_row() -> None:
    activations = np.zeros((6, 2), dtype=np.float32)
    activations[:, 1] = [0.5, 2.0, 0.0, 2.0, 1.0, 0.5]
    top = top_images(activations, 1, 5)
    assert top.images.tolist() == [1, 3, 4, 0, 5]
    assert top.activations.tolist() == [2.0, 2.0, 1.0, 0.5, 0.5]
    assert top.n_active == 5


def test_rows_that_are_not_finite_are_never_ranked() -> None:
    activations = np.array([[1, 9], [2, np.nan], [np.inf, 8], [3, 7]], dtype=np.float32)
    top = top_images(activations, 0, 10)
    assert top.images.tolist() == [3, 0]
    assert top.n_invalid == 2


def test_results_cannot_be_written_to() -> None:
    top = top_images(np.ones((3, 1), dtype=np.float32), 0, 2)
    assert not top.images.flags.writeable
    assert not top.activations.flags.writeable
