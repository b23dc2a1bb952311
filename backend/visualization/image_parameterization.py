"""The picture as the optimiser sees it: decorrelated Fourier coefficients, or pixels."""

from __future__ import annotations

from collections.abc import Callable

import torch

from backend.visualization.lucent_import import color_correlation_normalized, rfft2d_freqs, to_valid_rgb
from backend.visualization.visualization_result import Parameterization

ImageFunction = Callable[[], torch.Tensor]
ParameterFunction = Callable[[], tuple[list[torch.Tensor], ImageFunction]]

_START_DEVIATION = 0.01
_FOURIER_AMPLITUDE = 0.25  # Lucid's constant: larger amplitudes saturate.


def image_parameterization(
    kind: Parameterization,
    n_images: int,
    n_channels: int,
    size: int,
    *,
    seed: int,
    device: torch.device,
) -> ParameterFunction:
    """Return Lucent's ``param_f`` for pictures with values between 0 and 1.

    The same parameterisations as ``lucent.optvis.param.image``, with three differences: the noise comes from
    a generator of its own, so that the global one is left alone; every picture starts from the same noise, so
    that it does not depend on its neighbours in the batch; and the device is the one that is asked for.

    Parameters
    ----------
    kind
        ``fft`` or ``pixel``; three channels are decorrelated as the colours of natural images are.
    n_images, n_channels, size
        Shape (n_images, n_channels, size, size) of the picture tensor.
    """
    noise = torch.Generator().manual_seed(seed)

    def parameters_and_image() -> tuple[list[torch.Tensor], ImageFunction]:
        make = _fourier_image if kind == "fft" else _pixel_image
        start, image = make(n_images, n_channels, size, noise, device)
        correlated = _correlate_colours(image, device) if n_channels == 3 else image
        return [start], to_valid_rgb(correlated, decorrelate=False)

    return parameters_and_image


def _pixel_image(
    n_images: int, n_channels: int, size: int, noise: torch.Generator, device: torch.device
) -> tuple[torch.Tensor, ImageFunction]:
    pixels = _same_start(n_images, (n_channels, size, size), noise, device)
    return pixels, lambda: pixels


def _fourier_image(
    n_images: int, n_channels: int, size: int, noise: torch.Generator, device: torch.device
) -> tuple[torch.Tensor, ImageFunction]:
    frequencies = torch.as_tensor(rfft2d_freqs(size, size), dtype=torch.float32)
    # Amplitudes fall with frequency as in natural images.
    scale = (_FOURIER_AMPLITUDE / frequencies.clamp(min=1 / size)).unsqueeze(-1).to(device)
    spectrum = _same_start(n_images, (n_channels, *frequencies.shape, 2), noise, device)

    def image() -> torch.Tensor:
        coefficients = torch.view_as_complex(spectrum * scale)
        waves: torch.Tensor = torch.fft.irfftn(coefficients, s=(size, size), norm="ortho")
        return waves

    return spectrum, image


def _same_start(
    n_images: int, shape: tuple[int, ...], noise: torch.Generator, device: torch.device
) -> torch.Tensor:
    start = torch.randn(shape, generator=noise) * _START_DEVIATION
    return start.expand(n_images, *shape).contiguous().to(device).requires_grad_(True)


def _correlate_colours(image: ImageFunction, device: torch.device) -> ImageFunction:
    correlation = torch.as_tensor(color_correlation_normalized, device=device)
    return lambda: torch.einsum("bchw,dc->bdhw", image(), correlation)
