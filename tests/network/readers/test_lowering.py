"""Lowered convolutions and pools equal scipy's correlation and torch's own functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate

from loihi_gym.errors import NetworkImportError
from loihi_gym.network.readers.linear_chain import LinearChain
from loihi_gym.network.readers.lowering import Sliding, convolution, pooling, same_padding
from loihi_gym.network.readers.steps import Step, relu_layers
from tests.toys import examples

torch = pytest.importorskip("torch", reason="needs the extra 'train'")
nn = torch.nn
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def convolutions(draw):
    """A convolution of 1 or 2 dimensions, (weight, shape, window, groups)."""
    dimensions = draw(st.integers(1, 2))
    each = lambda least, most: tuple(draw(st.integers(least, most)) for _ in range(dimensions))  # noqa: E731
    groups, inner, outer = (draw(st.integers(1, 3)) for _ in range(3))
    kernel, stride, dilation, pad = each(1, 4), each(1, 3), each(1, 3), each(0, 3)
    span = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    spatial = tuple(
        draw(st.integers(max(s - 2 * p, 1), s + 6)) for s, p in zip(span, pad, strict=True)
    )
    rng = np.random.default_rng(draw(SEEDS))
    weight = rng.normal(0, 1, (groups * outer, inner, *kernel))
    weight[rng.random(weight.shape) < 0.2] = 0
    window = Sliding(kernel, stride, [(p, p) for p in pad], dilation)
    return weight, (groups * inner, *spatial), window, groups


@given(convolutions(), SEEDS)
@examples(150)
def test_a_convolution_is_torchs(drawn, seed):
    weight, shape, window, groups = drawn
    matrix, out = convolution(weight, shape, window, groups)
    signal = np.random.default_rng(seed).normal(0, 1, shape)
    apply = nn.functional.conv1d if len(shape) == 2 else nn.functional.conv2d
    padding = tuple(before for before, _ in window.padding)
    wanted = apply(
        *(torch.from_numpy(signal)[None], torch.from_numpy(weight), None),
        *(window.stride, padding, window.dilation, groups),
    )[0].numpy()
    assert out == wanted.shape
    np.testing.assert_allclose((matrix @ signal.ravel()).reshape(out), wanted, atol=1e-12)
    assert matrix.has_sorted_indices
    assert (matrix.data != 0).all()
    masked, _ = convolution(weight, shape, window, groups, np.ones(weight.shape, bool))
    assert masked.nnz == int(window.taps(shape[1:])[1].sum()) * weight.shape[0] * weight.shape[1]
    assert np.abs(masked - matrix).sum() == 0


@given(SEEDS, st.integers(1, 3), st.integers(1, 4), st.integers(0, 5), st.integers(0, 5))
@examples(40)
def test_a_convolution_is_scipys_correlation(seed, channels, kernel, more, wider):
    rng = np.random.default_rng(seed)
    signal = rng.normal(0, 1, (channels, kernel + more, kernel + wider))
    weight = rng.normal(0, 1, (2, channels, kernel, kernel))
    window = Sliding((kernel,) * 2, (1, 1), [(0, 0)] * 2, (1, 1))
    matrix, out = convolution(weight, signal.shape, window)
    wanted = np.array([correlate(signal, one, "valid")[0] for one in weight])
    np.testing.assert_allclose((matrix @ signal.ravel()).reshape(out), wanted, atol=1e-12)


@given(convolutions(), SEEDS, st.booleans())
@examples(80)
def test_pooling_is_torchs(drawn, seed, with_padding):
    _, shape, window, _ = drawn
    if any(d > 1 for d in window.dilation) or any(
        2 * pad[0] > k for pad, k in zip(window.padding, window.kernel, strict=True)
    ):
        return  # torch's pools have none of these
    signal = np.random.default_rng(seed).normal(0, 1, shape)
    pool = nn.AvgPool1d if len(shape) == 2 else nn.AvgPool2d
    padding = tuple(before for before, _ in window.padding)
    module = pool(window.kernel, window.stride, padding, count_include_pad=with_padding)
    wanted = module(torch.from_numpy(signal)[None])[0].numpy()
    matrix, out = pooling(shape, window, with_padding=with_padding)
    np.testing.assert_allclose((matrix @ signal.ravel()).reshape(out), wanted, atol=1e-12)
    sums, _ = pooling(shape, window, divisor=1.0)
    taps = np.prod(window.kernel)
    averages, _ = pooling(shape, window)
    np.testing.assert_allclose((sums - averages * taps).toarray(), 0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_is_torchs(kernel, dilation):
    rng = np.random.default_rng(0)
    weight, signal = rng.normal(0, 1, (1, 1, kernel)), rng.normal(0, 1, (1, 11))
    window = Sliding((kernel,), (1,), same_padding((kernel,), (dilation,)), (dilation,))
    matrix, out = convolution(weight, signal.shape, window)
    wanted = nn.functional.conv1d(
        torch.from_numpy(signal)[None], torch.from_numpy(weight), padding="same", dilation=dilation
    )
    np.testing.assert_allclose(matrix @ signal.ravel(), wanted[0, 0].numpy(), atol=1e-12)
    assert out == (1, 11)


def models():
    torch.manual_seed(0)
    bn1, bn2 = nn.BatchNorm2d(4), nn.BatchNorm1d(12)
    for bn in (bn1, bn2):
        with torch.no_grad():
            for part in (bn.running_mean, bn.weight, bn.bias):
                part.copy_(torch.randn(len(part)))
            bn.running_var.copy_(torch.rand(len(bn.running_var)) + 0.5)
    return {
        "conv, norm, pool": (
            nn.Sequential(
                *(nn.Conv2d(2, 4, 3, padding=1, stride=2), bn1, nn.ReLU(), nn.AvgPool2d(2)),
                *(nn.Flatten(), nn.Linear(16, 12), bn2, nn.ReLU(), nn.Linear(12, 3)),
            ),
            (2, 8, 8),
        ),
        "norm ahead of a padded conv": (
            nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 4, 3, padding=1), bn1, nn.ReLU()),
            (2, 5, 5),
        ),
        "pool of the input": (
            nn.Sequential(nn.AvgPool2d(3, 2, 1), nn.Flatten(), nn.Linear(8, 3)),
            (2, 4, 4),
        ),
        "two linears": (nn.Sequential(nn.Linear(9, 5), nn.Dropout(), nn.Linear(5, 7)), (9,)),
        "depthwise, adaptive": (
            nn.Sequential(
                *(nn.Conv1d(4, 8, 3, groups=4, dilation=2), nn.ReLU(), nn.AdaptiveAvgPool1d(2)),
                *(nn.Flatten(), nn.Linear(16, 3), nn.Softmax(1)),
            ),
            (4, 12),
        ),
        "unflatten, nested": (
            nn.Sequential(
                nn.Unflatten(1, (2, 3, 3)),
                nn.Sequential(nn.Conv2d(2, 3, 2), nn.ReLU()),
                nn.Flatten(),
            ),
            (18,),
        ),
    }


@pytest.mark.parametrize("name", models())
def test_layers_of_a_model_compute_what_it_does(name):
    from loihi_gym.network.readers.torch_sequential import _steps

    model, shape = models()[name]
    layers, _ = relu_layers(_steps(model.double().eval(), ""), shape)
    signal = np.random.default_rng(1).normal(0, 1, (5, *shape))
    values = signal.reshape(5, -1)
    for number, layer in enumerate(layers):
        values = np.maximum(values, 0) if number else values
        values = (layer.weights @ values.T).T + layer.bias
    with torch.no_grad():
        *body, last = model
        kept = body if isinstance(last, nn.Softmax | nn.Flatten) else [*body, last]
        wanted = torch.from_numpy(signal)
        for module in kept:
            wanted = module(wanted)
    if name in ("norm ahead of a padded conv", "unflatten, nested"):
        values = np.maximum(values, 0)
    np.testing.assert_allclose(values, wanted.numpy().reshape(5, -1), atol=1e-10)


def step(kind: str, settings: dict | None = None, **arrays: np.ndarray) -> Step:
    return Step("a", kind, arrays, settings or {})


WEIGHT = np.ones((2, 1, 3, 3))
REFUSED = {
    "max pooling": (step("MaxPool2d"), "layer a (MaxPool2d): supported are Linear, Conv1d"),
    "activation": (step("GELU"), "layer a (GELU): supported are"),
    "padding mode": (step("Conv2d", {"padding_mode": "circular"}, weight=WEIGHT), "'circular'"),
    "kernel too large": (step("Conv2d", weight=np.ones((1, 1, 9, 9))), "does not fit on (4, 4)"),
    "channels": (step("Conv2d", weight=np.ones((2, 3, 3, 3))), "a signal of shape (1, 4, 4)"),
    "not finite": (step("Conv2d", weight=WEIGHT * np.nan), "not all finite"),
    "biases": (step("Conv2d", weight=WEIGHT, bias=np.ones(3)), "biases are (3,), not (2,)"),
    "no weights": (step("Conv2d"), "it lacks 'weight'"),
    "dimensions": (step("Conv1d", weight=WEIGHT), "weights are (2, 1, 3, 3)"),
    "ceil": (step("AvgPool2d", {"kernel_size": 2, "ceil_mode": True}), "ceil_mode"),
    "no kernel": (step("AvgPool2d"), "it lacks 'kernel_size'"),
    "adaptive": (step("AdaptiveAvgPool2d", {"output_size": 3}), "no multiple of (3, 3)"),
    "batch statistics": (step("BatchNorm2d"), "keeps no running mean"),
    "other channels": (
        step("BatchNorm2d", running_mean=np.ones(3), running_var=np.ones(3)),
        "3 factors for a signal of shape (1, 4, 4)",
    ),
    "batch flattened": (step("Flatten", {"start_dim": 0}), "flattens the batch"),
    "unflatten": (step("Unflatten", {"dim": 1, "unflattened_size": (3,)}), "cannot become"),
    "relu first": (step("ReLU"), "layer a (ReLU): it does not follow"),
}


@pytest.mark.parametrize(("given", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_lowered_is_named(given, message):
    with pytest.raises(NetworkImportError) as caught:
        relu_layers([given], (1, 4, 4))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_softmax_ends_goes_no_further():
    linear = step("Linear", weight=np.ones((3, 16)))
    assert "Softmax at the end is left out" in relu_layers([linear, step("Softmax")], (16,))[1][0]
    with pytest.raises(NetworkImportError, match="it follows Softmax"):
        relu_layers([linear, step("Softmax"), linear], (16,))


def test_a_flat_signal_has_no_channels():
    with pytest.raises(NetworkImportError, match=r"\(time steps, channels, height, width\)"):
        relu_layers([step("Conv2d", weight=WEIGHT)], (16,))


def test_a_product_that_would_not_fit_in_memory_is_refused():
    chain = LinearChain((1,))
    chain.linear("a", "Linear", np.ones((30_000, 1)))
    chain.linear("b", "Linear", np.ones((2, 30_000)))
    assert chain.width == 2
    wide = LinearChain((20_000,))
    wide.linear("a", "Linear", np.ones((1, 20_000)))
    with pytest.raises(ValueError, match="at most"):
        wide.linear("b", "Linear", np.ones((20_000, 1)))
