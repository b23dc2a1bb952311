"""Gradients through rectifiers that are silent: a picture that excites nothing must still find its way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class RedirectedReLU(torch.autograd.Function):
    """``min(max(x, 0), upper)`` whose gradient wakes up silent channels of chosen examples.

    After Lucid, which passes a gradient on to negative inputs where nothing at all gets through for an
    example. That leaves pictures in which some unwanted channel speaks and the wanted ones are silent, so
    here the rule holds channel by channel: where nothing gets through for a channel, the gradient goes to
    those of its negative inputs that it would raise. Everything else keeps the true gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, values: torch.Tensor, upper: float, in_place: bool, asleep: torch.Tensor
    ) -> torch.Tensor:
        """Rectify, in place if asked to; ``asleep``, bool (B,), chooses the examples."""
        if in_place:
            ctx.mark_dirty(values)
        rectified = values.clamp_(0, upper) if in_place else values.clamp(0, upper)
        ctx.upper = upper
        ctx.save_for_backward(rectified, asleep)
        return rectified

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        """Return the true gradient, or the redirected one for silent channels of sleeping examples."""
        (gradient,) = gradients
        rectified, asleep = ctx.saved_tensors
        silent = rectified <= 0
        through = gradient.masked_fill(silent | (rectified >= ctx.upper), 0)
        if len(asleep) != len(gradient):
            # The network has taken the examples apart, so that they cannot be told here.
            return through, None, None, None
        space = tuple(range(2, gradient.dim()))
        reaches = (through != 0).any(dim=space, keepdim=True) if space else through != 0
        # The loss falls along −gradient: inputs with a negative gradient would rise.
        redirected = gradient.masked_fill(~silent | (gradient >= 0), 0)
        awake = ~asleep.view(-1, *(1,) * (gradient.dim() - 1))
        return torch.where(reaches | awake, through, redirected), None, None, None


class RedirectRectifiers(TorchFunctionMode):
    """Within it, every ReLU and ReLU6 of a network, module or function, is a :class:`RedirectedReLU`.

    Parameters
    ----------
    asleep
        bool (B,): the examples whose gradients are redirected.
    """

    def __init__(self, asleep: torch.Tensor) -> None:
        super().__init__()
        self._asleep = asleep

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
        replaced = None if rectifier is None else rectifier(self._asleep, *args, **kwargs)
        return func(*args, **kwargs) if replaced is None else replaced


def _relu(asleep: torch.Tensor, input: torch.Tensor, inplace: bool = False) -> torch.Tensor:
    return _redirect(input, float("inf"), inplace, asleep)


def _relu_in_place(asleep: torch.Tensor, input: torch.Tensor) -> torch.Tensor:
    return _redirect(input, float("inf"), True, asleep)


def _relu6(asleep: torch.Tensor, input: torch.Tensor, inplace: bool = False) -> torch.Tensor:
    return _redirect(input, 6.0, inplace, asleep)


def _hardtanh(
    asleep: torch.Tensor,
    input: torch.Tensor,
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,
) -> torch.Tensor | None:
    return _redirect(input, max_val, inplace, asleep) if min_val == 0 else None


def _redirect(values: torch.Tensor, upper: float, in_place: bool, asleep: torch.Tensor) -> torch.Tensor:
    apply: Callable[..., torch.Tensor] = RedirectedReLU.apply
    return apply(values, upper, in_place, asleep)


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
