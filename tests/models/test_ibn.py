import importlib

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.host import reid
from reidar_plugin.models.backbones import build_backbone
from reidar_plugin.models.ibn import FusedIBN, FusedInstanceNorm2d, fuse_ibn

pytestmark = pytest.mark.usefixtures("quick_weights")


def host_ibn(channels: int, seed: int = 0) -> nn.Module:
    """The host's own layer with weights and running statistics that are not those of a fresh one."""
    layer = importlib.import_module(f"{reid.models.__name__}.resnet_ibn_a").IBN(channels)
    generator = torch.Generator().manual_seed(seed)
    for tensor in (layer.IN.weight, layer.IN.bias, layer.BN.weight, layer.BN.bias, layer.BN.running_mean):
        tensor.data.normal_(generator=generator)
    layer.BN.running_var.uniform_(0.5, 2, generator=generator)
    return layer


def fused(layer: nn.Module) -> nn.Module:
    copy = host_ibn(layer.IN.num_features + layer.BN.num_features)
    copy.load_state_dict(layer.state_dict())
    copy.to(layer.IN.weight.dtype)
    holder = nn.Sequential(copy).train(layer.training)
    assert fuse_ibn(holder) == 1
    return holder[0]


def maps(*shape: int, dtype: torch.dtype = torch.float32, last: bool = True) -> Tensor:
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(1)) * 2 + 3
    drawn = drawn.to(dtype)
    return drawn.contiguous(memory_format=torch.channels_last) if last else drawn


def definition(x: list, weight: list, bias: list, split: int, eps: float) -> list:
    """IBN-a in training, one value at a time."""
    count, channels = len(x), len(x[0])
    out = [[[[0.0 for _ in row] for row in x[n][c]] for c in range(channels)] for n in range(count)]
    for c in range(channels):
        groups = [[n] for n in range(count)] if c < split else [list(range(count))]
        for group in groups:
            values = [v for n in group for row in x[n][c] for v in row]
            mean = sum(values) / len(values)
            var = sum((v - mean) ** 2 for v in values) / len(values)
            for n in group:
                for i, row in enumerate(x[n][c]):
                    for j, v in enumerate(row):
                        out[n][c][i][j] = (v - mean) / (var + eps) ** 0.5 * weight[c] + bias[c]
    return out


def test_matches_the_definition() -> None:
    layer = fused(host_ibn(4).double())
    x = maps(3, 4, 2, 3, dtype=torch.float64)
    weight = [*layer.IN.weight.tolist(), *layer.BN.weight.tolist()]
    bias = [*layer.IN.bias.tolist(), *layer.BN.bias.tolist()]
    expected = torch.tensor(definition(x.tolist(), weight, bias, split=2, eps=1e-5), dtype=torch.float64)
    assert expected.abs().max() > 1
    torch.testing.assert_close(layer(x).detach(), expected)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("last", [True, False], ids=["channels_last", "contiguous"])
def test_equals_the_host(training: bool, last: bool) -> None:
    theirs = host_ibn(64).train(training)
    ours = fused(theirs)
    x, y = (maps(6, 64, 9, 5, last=last).requires_grad_() for _ in range(2))
    probe = torch.randn(6, 64, 9, 5, generator=torch.Generator().manual_seed(2))
    (theirs(x) * probe).sum().backward()
    (ours(y) * probe).sum().backward()
    torch.testing.assert_close(ours(y), theirs(x), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(y.grad, x.grad, rtol=1e-4, atol=1e-5)
    for (name, expected), found in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-3, msg=name)
    for (name, expected), found in zip(theirs.named_buffers(), ours.buffers(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6, msg=name)
    assert theirs.BN.num_batches_tracked == (2 if training else 0)


def test_cumulative_average_equals_the_host() -> None:
    theirs = host_ibn(8)
    theirs.BN.momentum = None
    ours = fused(host_ibn(8))
    ours.BN.momentum = None
    for step in range(3):
        x = maps(4, 8, 5, 5) * (step + 1)
        theirs(x)
        ours(x)
    torch.testing.assert_close(ours.BN.running_var, theirs.BN.running_var)
    torch.testing.assert_close(ours.BN.running_mean, theirs.BN.running_mean)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_gradient(training: bool) -> None:
    layer = fused(host_ibn(4).double()).train(training)
    x = maps(3, 4, 2, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(layer, (x,))
    parameters = tuple(p.detach().clone().requires_grad_() for p in layer.parameters())
    names = [name for name, _ in layer.named_parameters()]

    def of_parameters(*values: Tensor) -> Tensor:
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x.detach(),))

    assert torch.autograd.gradcheck(of_parameters, parameters)


def test_a_second_derivative_is_refused_not_wrong() -> None:
    x = maps(3, 4, 2, 2, dtype=torch.float64).requires_grad_()
    (first,) = torch.autograd.grad(fused(host_ibn(4).double())(x).pow(3).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError):
        torch.autograd.grad(first.square().sum(), x)


def test_instance_norm_equals_torch() -> None:
    theirs = nn.InstanceNorm2d(6, affine=True)
    theirs.weight.data.uniform_(0.5, 2)
    theirs.bias.data.normal_()
    holder = nn.Sequential(nn.InstanceNorm2d(6, affine=True))
    holder[0].load_state_dict(theirs.state_dict())
    assert fuse_ibn(holder) == 1
    assert isinstance(holder[0], FusedInstanceNorm2d)
    x, y = (maps(3, 6, 5, 4).requires_grad_() for _ in range(2))
    probe = torch.randn(3, 6, 5, 4)
    (theirs(x) * probe).sum().backward()
    (holder(y) * probe).sum().backward()
    torch.testing.assert_close(holder(y), theirs(x))
    torch.testing.assert_close(y.grad, x.grad, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(holder[0].weight.grad, theirs.weight.grad, rtol=1e-4, atol=1e-4)
    assert holder(y).is_contiguous(memory_format=torch.channels_last)
    assert torch.autograd.gradcheck(holder.double(), (y.detach().double().requires_grad_(),))


def test_leaves_other_instance_norms_alone() -> None:
    holder = nn.Sequential(nn.InstanceNorm2d(4), nn.InstanceNorm2d(4, affine=True, track_running_stats=True))
    assert fuse_ibn(holder) == 0


def test_low_precision_is_computed_in_float32() -> None:
    layer = fused(host_ibn(16))
    x = maps(4, 16, 12, 6, dtype=torch.bfloat16)
    found = layer(x)
    assert found.dtype == torch.bfloat16
    expected = fused(host_ibn(16))(x.float())
    torch.testing.assert_close(found, expected.to(torch.bfloat16), rtol=2**-7, atol=0)
    torch.testing.assert_close(layer.BN.running_var, fused_running_var(x.float()))


def fused_running_var(x: Tensor) -> Tensor:
    layer = host_ibn(16)
    layer(x)
    return layer.BN.running_var


def test_keeps_names_and_counts_of_the_host() -> None:
    module = importlib.import_module(f"{reid.models.__name__}.resnet_ibn_a")
    theirs = module.resnet50_ibn_a(num_classes=1)
    names = [name for name in theirs.state_dict() if not name.startswith("classifier")]
    network = build_backbone("resnet50_ibn_a", frame_size=(64, 32)).network
    assert list(network.state_dict()) == names
    assert sum(isinstance(layer, FusedIBN) for layer in network.modules()) == 13
    assert not any(isinstance(layer, module.IBN) for layer in network.modules())


@pytest.mark.parametrize("name", ["resnet50_ibn_a", "resnet50_ibn_b", "osnet_ain_x0_25"])
def test_every_layer_keeps_channels_last(name: str) -> None:
    network = build_backbone(name, frame_size=(64, 32)).network.to(memory_format=torch.channels_last)
    seen: dict[str, bool] = {}

    def note(layer: str) -> object:
        def hook(module: nn.Module, inputs: object, output: Tensor) -> None:
            if torch.is_tensor(output) and output.dim() == 4 and output.shape[2:].numel() > 1:
                seen[layer] = output.is_contiguous(memory_format=torch.channels_last)

        return hook

    for layer, module in network.named_modules():
        module.register_forward_hook(note(layer))
    network.featuremaps(maps(2, 3, 64, 32))
    blocks = [layer for layer in seen if layer.count(".") == 1 and layer.startswith("layer")]
    assert len(blocks) == (16 if name.startswith("resnet50") else 0)
    assert len(seen) > 50
    assert all(seen.values()), [layer for layer, kept in seen.items() if not kept]


def test_gradients_keep_channels_last() -> None:
    x = maps(4, 16, 8, 4).requires_grad_()
    fused(host_ibn(16))(x).square().sum().backward()
    assert x.grad.is_contiguous(memory_format=torch.channels_last)


def test_keeps_only_its_input_for_the_backward_pass() -> None:
    kept: list[Tensor] = []
    x = maps(4, 16, 32, 16).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        fused(host_ibn(16))(x)
    large = [t for t in kept if t.numel() >= x.numel()]
    assert [t.data_ptr() for t in large] == [x.data_ptr()]


def test_refuses_halves_that_cannot_share_a_pass() -> None:
    with pytest.raises(ValueError, match=r"need the same eps, got 1e-05 and 0\.001"):
        FusedIBN(nn.InstanceNorm2d(2, affine=True), nn.BatchNorm2d(2, eps=1e-3))
