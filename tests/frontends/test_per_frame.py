import pickle

import numpy as np
import pytest
import torch
from torch import nn

from skrnn.engine import pack
from skrnn.frontends import PerFrame, encode
from skrnn.training._decay import decayed
from tests.cell_settings import assert_same, unpack_all

RNG = np.random.default_rng(0)
COLOUR = [RNG.normal(size=(n, 7, 9, 2)) for n in (3, 5, 1)]
TWO = nn.Sequential(nn.Conv2d(2, 3, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 5 * 7, 4))


def built(frontend, X, seed=0):
    encoding = frontend.learn(X)
    sequences = encode(X, encoding)
    return frontend.build(sequences.n_features, torch.Generator().manual_seed(seed), encoding), pack(sequences, dtype=torch.float64)


@pytest.mark.parametrize("frontend", [PerFrame(size=6, n_filters=3), PerFrame(TWO)], ids=["small CNN", "given"])
@pytest.mark.parametrize("colours", [True, False])
def test_outputs_are_those_of_a_loop_over_frames(frontend, colours):
    if not colours and frontend.module is not None:
        pytest.skip("is for two colours")
    X = COLOUR if colours else [x[..., 0] for x in COLOUR]
    net, batch = built(frontend, X)
    net = net.double().eval()
    for x, found in zip(X, unpack_all(net(batch)), strict=True):
        frames = [torch.tensor(frame if colours else frame[..., None]).permute(2, 0, 1) for frame in x]
        assert_same([found], [torch.cat([net.module_(frame[None]) for frame in frames])], 1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 4), (12, 9), (3, 3, 3)])
def test_the_small_cnn_takes_pictures_of_any_size(shape):
    net, batch = built(PerFrame(size=3), [RNG.normal(size=(2, *shape))])
    out = net.double()(batch).data
    assert out.shape == (2, 3)
    assert out.isfinite().all()


def test_predictions_do_not_depend_on_their_company():
    """Not in the last bit, in single precision, for any number of pictures beside them and any place among them."""
    net, batch = built(PerFrame(), [RNG.normal(size=(74, 8, 8))])
    net, pixels = net.eval(), batch.data.float()

    def alone(rows):
        return net(batch._replace(data=rows, batch_sizes=torch.ones(len(rows), dtype=torch.int64))).data

    with torch.no_grad():
        whole = alone(pixels)
        for n in (1, 2, 31, 33):
            assert torch.equal(alone(pixels[:n]), whole[:n])
            assert torch.equal(alone(pixels[-n:]), whole[-n:])
        order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
        assert torch.equal(alone(pixels[order]), whole[order])


def test_weights_are_drawn_by_their_fan_in_and_others_stay():
    module = nn.Sequential(nn.Conv2d(2, 50, 3), nn.BatchNorm2d(50), nn.Flatten(), nn.Linear(50 * 35, 8), nn.LayerNorm(8), nn.Linear(8, 2))
    module[5].requires_grad_(False)
    with torch.no_grad():
        module[1].weight.fill_(3)
        module[4].bias.fill_(2)
    kept = [w.clone() for w in module.parameters()]
    net, _ = built(PerFrame(module, redraw=True), COLOUR)
    conv, norm, _, linear, layer_norm, frozen = net.module_
    for weights, fan_in in ((conv.weight, 18), (conv.bias, 18), (linear.weight, 50 * 35), (linear.bias, 50 * 35)):
        assert 0.5 * fan_in**-0.5 < weights.abs().max() <= fan_in**-0.5
        assert weights.flatten()[0] != weights.flatten()[1]
    assert (norm.weight == 3).all()
    assert (layer_norm.bias == 2).all()
    assert torch.equal(frozen.weight, module[5].weight)
    assert not frozen.weight.requires_grad
    assert all(torch.equal(a, b) for a, b in zip(kept, module.parameters(), strict=True))
    assert not {w.data_ptr() for w in module.parameters()} & {w.data_ptr() for w in net.parameters()}


def test_weights_of_a_trained_module_may_be_kept():
    net, _ = built(PerFrame(TWO), COLOUR)
    assert all(torch.equal(a, b) for a, b in zip(TWO.parameters(), net.parameters(), strict=True))


def test_lazy_layers_see_their_sizes_and_are_drawn():
    module = nn.Sequential(nn.LazyConv2d(4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(5))
    nets = [built(PerFrame(module, redraw=redraw), COLOUR, seed)[0] for redraw, seed in ((True, 3), (False, 3), (True, 4))]
    for net in nets:
        assert net.output_size == 5
        assert (net.module_[1].weight == 1).all()
        assert net.module_[3].weight.shape == (5, 4 * 5 * 7)
    first, again, other = ([w.flatten()[0].item() for w in net.parameters() if w.ndim > 1] for net in nets)
    assert first == again != other
    assert isinstance(module[3].weight, nn.UninitializedParameter)


def test_weights_that_are_shared_stay_shared_in_a_pickle():
    module = nn.Sequential(nn.Flatten(), nn.Linear(126, 126), nn.Linear(126, 126))
    module[2].weight = module[1].weight
    net, batch = built(PerFrame(module), COLOUR)
    twin = pickle.loads(pickle.dumps(net))
    assert twin.module_[2].weight is twin.module_[1].weight
    assert twin.module[2].weight is twin.module[1].weight
    assert torch.equal(twin.double()(batch).data, net.double()(batch).data)


@pytest.mark.parametrize("dropout", [nn.Dropout(0.4), nn.Dropout2d(0.4), nn.Sequential(nn.Dropout(0.4))], ids=repr)
def test_dropout_draws_from_the_generator(dropout):
    net, batch = built(PerFrame(dropout), [RNG.normal(size=(200, 4, 5, 2)) + 9])
    net.train()
    found = [net.draw_from(torch.Generator().manual_seed(seed))(batch).data for seed in (1, 1, 2)]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert 0.3 < (found[0] == 0).double().mean() < 0.5
    assert torch.allclose(found[0][found[0] != 0].mean(), torch.tensor(9 / 0.6, dtype=torch.float64), rtol=0.02)
    by_colour = (found[0].view(200, 2, 20) == 0).double().mean(2)
    assert bool(((by_colour == 0) | (by_colour == 1)).all()) == isinstance(dropout, nn.Dropout2d)
    assert torch.equal(net.eval()(batch).data.view(200, 2, 20).transpose(1, 2).flatten(1), batch.data)


def test_batch_norm_is_over_all_pictures_while_training_and_over_none_after():
    X = [RNG.normal(size=(50, 4, 5)), RNG.normal(size=(20, 4, 5))]
    net, batch = built(PerFrame(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(20))), X)
    out = net.double().train()(batch).data
    assert_same([out.mean(0)], [torch.zeros(20)], 1e-12)
    net.eval()
    with torch.no_grad():
        assert_same([net(batch).data[:1]], [net(batch._replace(data=batch.data[:1], batch_sizes=torch.tensor([1]))).data], 1e-12)
    assert int(net.module_[1].num_batches_tracked) == 1


@pytest.mark.parametrize(
    ("frontend", "message"),
    [
        (PerFrame(3), r"'module' parameter of PerFrame must be a torch.nn.Module or None; got 3"),
        (PerFrame(size=0), r"'size' parameter of PerFrame must be a whole number of at least 1; got 0"),
        (PerFrame(n_filters=0), r"'n_filters' parameter of PerFrame must be a whole number"),
        (
            PerFrame(nn.Sequential(nn.Flatten(), nn.AlphaDropout(0.5))),
            r"holds AlphaDropout\(.*draws from torch's global generator: use one of",
        ),
        (PerFrame(nn.RReLU()), r"holds RReLU\(.*draws from torch's global generator"),
        (PerFrame(nn.BatchNorm2d(2, track_running_stats=False)), r"answers depend on their company: use track_running_stats=True"),
        (PerFrame(nn.Conv2d(3, 1, 2)), r"the module cannot take an input of shape \(1, 2, 7, 9\), colours first as torch has them"),
        (PerFrame(nn.Flatten(0)), r"the module must make numbers of each input by itself; of an input of shape \(1, 2, 7, 9\) it made \(126,\)"),
    ],
)
def test_what_cannot_be_built_is_refused(frontend, message):
    with pytest.raises(ValueError, match=message):
        built(frontend, COLOUR)


def test_a_module_in_double_precision_is_taken():
    assert built(PerFrame(nn.Sequential(nn.Flatten(), nn.Linear(126, 3)).double()), COLOUR)[0].output_size == 3


def test_only_matrices_of_a_module_decay():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.basis, self.gate = nn.Parameter(torch.ones(126, 4)), nn.Parameter(torch.ones(4))
            self.norm, self.line = nn.LayerNorm(4), nn.Linear(4, 2)

        def forward(self, x):
            return self.line(self.norm(x.flatten(1) @ self.basis * self.gate))

    net, _ = built(PerFrame(Scaled()), COLOUR)
    kept = {id(p) for p in decayed(net)}
    assert {name for name, p in net.named_parameters() if id(p) in kept} == {"module_.basis", "module_.line.weight"}


def test_pictures_have_to_be_known():
    with pytest.raises(ValueError, match=r"PerFrame is built for pictures of a known shape"):
        PerFrame().build(20)
    with pytest.raises(ValueError, match=r"PerFrame is built for pictures of a known shape"):
        PerFrame().build(20, encoding=PerFrame().learn(COLOUR))
