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


def gradient_of(rectify, values, weights, asleep):
    values = values.clone().requires_grad_(True)
    with RedirectRectifiers(asleep):
        output = rectify(values)
    (gradient,) = torch.autograd.grad((output * weights).sum(), values)
    return output, gradient


@pytest.mark.parametrize("name", RECTIFIERS)
@pytest.mark.parametrize("asleep", [False, True])
def test_values_and_live_gradients_are_the_rectifiers_own(name, asleep):
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(2, 3, 5, 5, generator=generator) * 5
    weights = torch.randn(2, 3, 5, 5, generator=generator)
    plain = values.clone().requires_grad_(True)
    expected = RECTIFIERS[name](plain)
    (gradient,) = torch.autograd.grad((expected * weights).sum(), plain)
    output, redirected = gradient_of(RECTIFIERS[name], values, weights, torch.tensor([asleep, asleep]))
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(redirected, gradient)


@pytest.mark.parametrize("name", RECTIFIERS)
def test_a_silent_channel_gets_the_gradient_that_would_wake_it(name):
    # Two examples, two channels, two positions; the second example is awake.
    values = torch.tensor([[[[-1.0, -2.0]], [[1.0, -2.0]]], [[[-1.0, -2.0]], [[1.0, -2.0]]]])
    # The loss falls where the first position rises and the second falls.
    weights = torch.tensor([-1.0, 1.0]).expand(2, 2, 1, 2)
    _, gradient = gradient_of(RECTIFIERS[name], values, weights, torch.tensor([True, False]))
    expected = [[[[-1.0, 0.0]], [[-1.0, 0.0]]], [[[0.0, 0.0]], [[-1.0, 0.0]]]]
    torch.testing.assert_close(gradient, torch.tensor(expected))


def test_pooled_values_have_channels_without_space():
    values = torch.tensor([[-1.0, -1.0, 2.0]])
    weights = torch.tensor([[-1.0, 1.0, 1.0]])
    _, gradient = gradient_of(torch.relu, values, weights, torch.tensor([True]))
    torch.testing.assert_close(gradient, torch.tensor([[-1.0, 0.0, 1.0]]))


def test_examples_that_were_taken_apart_keep_their_gradient():
    asleep = torch.tensor([True, True])
    _, gradient = gradient_of(torch.relu, -torch.ones(6, 2), -torch.ones(6, 2), asleep)
    assert not gradient.any()


def test_other_clipping_is_left_as_it_is():
    values = torch.tensor([[-2.0, 0.5]], requires_grad=True)
    with RedirectRectifiers(torch.tensor([True])):
        output = functional.hardtanh(values)
    torch.testing.assert_close(output, torch.tensor([[-1.0, 0.5]]))
