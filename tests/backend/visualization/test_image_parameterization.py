import pytest
import torch

from backend.visualization import lucent_import  # noqa: F401  (makes lucent importable everywhere)
from backend.visualization.image_parameterization import image_parameterization

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", ["fft", "pixel"])
@pytest.mark.parametrize("size", [32, 33])
@pytest.mark.parametrize("channels", [None, 1])
def test_the_picture_is_lucents_for_the_same_parameters(kind, size, channels):
    from lucent.optvis import param

    parameters, image = image_parameterization(kind, 2, channels or 3, size, seed=3, device=CPU)()
    with torch.random.fork_rng(devices=[]):
        theirs, their_image = param.image(size, batch=2, fft=kind == "fft", channels=channels)
    values = torch.randn(theirs[0].shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        theirs[0].copy_(values)
        parameters[0].copy_(values)
    torch.testing.assert_close(image(), their_image(), rtol=1e-5, atol=1e-6)


def test_every_picture_starts_alike_however_many_there_are():
    _, one = image_parameterization("fft", 1, 3, 24, seed=5, device=CPU)()
    _, three = image_parameterization("fft", 3, 3, 24, seed=5, device=CPU)()
    for picture in three():
        torch.testing.assert_close(picture, one()[0], rtol=0, atol=0)
    _, other = image_parameterization("fft", 1, 3, 24, seed=6, device=CPU)()
    assert not torch.equal(other(), one())


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    image_parameterization("pixel", 1, 3, 16, seed=0, device=CPU)()
    assert torch.equal(before, torch.get_rng_state())
