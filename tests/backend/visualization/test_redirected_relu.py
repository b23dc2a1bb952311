import pytest
import torch
from torch import nn
from torch.nn import functional

from backend.visualization.redirected_relu import RedirectRectifiers

RECTIFIERS = {
    "relu": functional.relu,
    "torch.relu": torch.relu,
    "method": lambda x: x.relu(),
    "in place": lambda x: functional.relu(x * 1, inplace=True),
    "in place, result unused": lambda x: _in_place(x * 1),
    "module": nn.ReLU(),
    "relu6": functional.relu6,
    "ReLU6": nn.ReLU6(),
    "ReLU6 in place": lambda x: nn.ReLU6(inplace=True)(x * 1),
}


def _in_place(values):
    values.relu_()
    return values


@pytest.mark.parametrize("name", RECTIFIERS)
def test_values_and_live_gradients_are_the_rectifiers_own(name):
    values = torch.tensor([[-1.0, 2.0, 7.0, 0.0], [-2.0, -1.0, 3.0, 8.0]], requires_grad=True)
    weights = torch.tensor([[1.0, -2.0, 3.0, 4.0], [5.0, -6.0, 7.0, 8.0]])
    rectify = RECTIFIERS[name]
    expected = rectify(values)
    (gradient,) = torch.autograd.grad((expected * weights).sum(), values)
    with RedirectRectifiers():
        output = rectify(values)
    (redirected,) = torch.autograd.grad((output * weights).sum(), values)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(redirected, gradient)


@pytest.mark.parametrize("name", RECTIFIERS)
def test_a_silent_example_gets_the_gradient_that_would_wake_it(name):
    values = torch.tensor([[-1.0, -2.0], [1.0, -2.0]], requires_grad=True)
    with RedirectRectifiers():
        output = RECTIFIERS[name](values)
    # The loss falls when the first unit rises, and when the second falls.
    loss = (output * torch.tensor([[-1.0, 1.0], [-1.0, 1.0]])).sum()
    (gradient,) = torch.autograd.grad(loss, values)
    torch.testing.assert_close(gradient, torch.tensor([[-1.0, 0.0], [-1.0, 0.0]]))


def test_other_clipping_is_left_as_it_is():
    values = torch.tensor([[-2.0, 0.5]], requires_grad=True)
    with RedirectRectifiers():
        output = functional.hardtanh(values)
    torch.testing.assert_close(output, torch.tensor([[-1.0, 0.5]]))
