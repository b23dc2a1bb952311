import numpy as np
import torch

from backend.visualization.view_transforms import normalise_by, random_view, resize_to


def centre_of_mass(image):
    weights = image[0, 0].numpy() - 0.5
    return np.array([np.average(np.arange(len(weights)), weights=weights.sum(axis=axis)) for axis in (1, 0)])


def bright_spot(size):
    spot = torch.full((1, 1, size, size), 0.5)
    middle = size // 2
    spot[..., middle - 3 : middle + 3, middle - 3 : middle + 3] = 1.0
    return spot


def test_a_view_is_moved_a_little_and_never_far():
    size, spot = 112, bright_spot(112)
    views = random_view(size, seed=0)
    shifts = [centre_of_mass(views(spot)) - centre_of_mass(spot) for _ in range(60)]
    distances = np.abs(shifts)
    # 6 of 224 pixels, plus at most 1.1 times that by the scale, and half a pixel of sampling.
    assert distances.max() < 6 / 224 * size * 1.15 + 0.5
    assert distances.max() > 1.0
    assert np.linalg.norm(np.mean(shifts, axis=0)) < 1.0


def test_the_same_seed_sees_the_same_views_and_numpy_is_left_alone():
    images = torch.rand(2, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    before = np.random.get_state()[1].copy()
    first, second, other = random_view(32, 4), random_view(32, 4), random_view(32, 5)
    for _ in range(3):
        assert torch.equal(first(images), second(images))
    assert not torch.equal(first(images), other(images))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_views_have_the_models_size_and_grey_outside():
    views = [random_view(32, seed)(torch.zeros(1, 1, 64, 64)) for seed in range(30)]
    assert all(view.shape == (1, 1, 32, 32) for view in views)
    corners = torch.stack([view[0, 0, [0, 0, -1, -1], [0, -1, 0, -1]] for view in views])
    torch.testing.assert_close(corners.max(), torch.tensor(0.5))
    assert corners.min() >= -1e-6


def test_resizing_leaves_the_right_size_untouched():
    images = torch.rand(1, 3, 20, 20)
    assert resize_to(20)(images) is images
    assert resize_to(10)(images).shape == (1, 3, 10, 10)
    plain = torch.full((1, 3, 20, 20), 0.3)
    torch.testing.assert_close(resize_to(10)(plain), plain[..., :10, :10])


def test_normalisation_is_torchvisions():
    from backend.networks.torchvision_import import import_torchvision

    import_torchvision()
    from torchvision.transforms import Normalize

    images = torch.rand(2, 3, 8, 8)
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    ours = normalise_by(mean, std, torch.device("cpu"))(images)
    torch.testing.assert_close(ours, Normalize(mean, std)(images))
