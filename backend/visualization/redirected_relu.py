"""Gradients through rectifiers that are silent: a picture that excites nothing must still find its way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class RedirectedReLU(torch.autograd.Function):
    """``min(max(x, 0), upper)`` whose gradient reaches an example even if it is zero everywhere.

    As in Lucid: where nothing at all gets through for an example of the batch, the gradient is passed to
    those negative inputs that it would raise; every other example keeps the true gradient.
    """

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, upper: float, in_place: bool) -> torch.Tensor:
        """Rectify, in place if asked to."""
        if in_place:
            ctx.mark_dirty(values)
        rectified = values.clamp_(0, upper) if in_place else values.clamp(0, upper)
        ctx.upper = upper
        ctx.save_for_backward(rectified)
        return rectified

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """Return the true gradient of each example, or the redirected one where that is zero."""
        (gradient,) = gradients
        (rectified,) = ctx.saved_tensors
        silent = rectified <= 0
        through = gradient.masked_fill(silent | (rectified >= ctx.upper), 0)
        reaches = through.flatten(1).any(dim=1).view(-1, *(1,) * (gradient.dim() - 1))
        # The loss falls along −gradient: inputs with a negative gradient would rise.
        redirected = gradient.masked_fill(~silent | (gradient >= 0), 0)
        return torch.where(reaches, through, redirected), None, None


class RedirectRectifiers(TorchFunctionMode):
    """Within it, every ReLU and ReLU6 of a network, module or function, is a :class:`RedirectedReLU`."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Replace the rectifiers, leave everything else."""
        kwargs = dict(kwargs or {})
        rectifier = _RECTIFIERS.get(func)
        replaced = rectifier(*args, **kwargs) if rectifier is not None else None
        return func(*args, **kwargs) if replaced is None else replaced


def _relu(input: torch.Tensor, inplace: bool = False) -> torch.Tensor:
    return _redirect(input, float("inf"), inplace)


def _relu_in_place(input: torch.Tensor) -> torch.Tensor:
    return _redirect(input, float("inf"), True)


def _relu6(input: torch.Tensor, inplace: bool = False) -> torch.Tensor:
    return _redirect(input, 6.0, inplace)


def _hardtanh(
    input: torch.Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> torch.Tensor | None:
    return _redirect(input, max_val, inplace) if min_val == 0 else None


def _redirect(values: torch.Tensor, upper: float, in_place: bool) -> torch.Tensor:
    rectified: torch.Tensor = RedirectedReLU.apply(values, upper, in_place)  # type: ignore[no-untyped-call]
    return rectified


_RECTIFIERS: dict[Callable[..., Any], Callable[..., torch.Tensor | None]] = {
    functional.relu: _relu,
    torch.relu: _relu,
    torch.Tensor.relu: _relu,
    functional.relu_: _relu_in_place,
    torch.relu_: _relu_in_place,
    torch.Tensor.relu_: _relu_in_place,
    functional.relu6: _relu6,
    functional.hardtanh: _hardtanh,
}
