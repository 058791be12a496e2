#!/usr/bin/env python3
"""Exports small nets with PyTorch's exporter of torch.export graphs (torch.onnx.export, dynamo=True).

    python3 tests/exports/export_dynamo.py FOLDER

Written for PyTorch 2.11. One file for each net, opset and kind of sizes: NET-OPSET-static.onnx has the
batch of its example, NET-OPSET-dynamic.onnx an open one. Weights are random but fixed. What could not be
exported is named on standard error, and the exit status is then 1.
"""
import os
import sys

import torch
from torch import nn

OPSETS = (18, 20, 21, 23)


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.short = nn.Identity()
        if before != after:
            self.short = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        y = torch.relu(self.norm1(self.first(x)))
        return torch.relu(self.norm2(self.second(y)) + self.short(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2), Block(16, 16, 1))
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return self.head(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1))


class Attention(nn.Module):
    """A vision transformer of one layer: patches, a class token, attention written with
    scaled_dot_product_attention, as current models have it."""

    def __init__(self, width=32, heads=4):
        super().__init__()
        self.heads = heads
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, 17, width) * 0.02)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 64), nn.Linear(64, width)
        self.head = nn.Linear(width, 10)

    def attend(self, x):
        n, length, width = x.shape
        q, k, v = (part.reshape(n, length, self.heads, -1).transpose(1, 2)
                   for part in self.qkv(x).chunk(3, -1))
        y = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(n, length, width))

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        x = x + self.attend(self.norm1(x))
        x = x + self.down(nn.functional.gelu(self.up(self.norm2(x))))
        return self.head(self.norm3(x)[:, 0])


class Encoder(nn.Module):
    """torch.nn's own encoder layer, over patches."""

    def __init__(self, width=32):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.layer = nn.TransformerEncoderLayer(width, 4, 64, batch_first=True, norm_first=True)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.layer(self.patches(x).flatten(2).transpose(1, 2))
        return self.head(x.mean(1))


class Norms(nn.Module):
    """GroupNorm, LayerNorm over channels (as ConvNeXt has it), SiLU, a squeeze and excitation."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2, 1)
        self.group = nn.GroupNorm(4, 16)
        self.deep = nn.Conv2d(16, 16, 7, 1, 3, groups=16)
        self.layer = nn.LayerNorm(16)
        self.up, self.down = nn.Linear(16, 48), nn.Linear(48, 16)
        self.scale = nn.Parameter(torch.ones(16))
        self.squeeze, self.excite = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = nn.functional.silu(self.group(self.stem(x)))
        y = self.layer(self.deep(x).permute(0, 2, 3, 1))
        y = self.scale * self.down(nn.functional.gelu(self.up(y)))
        x = x + y.permute(0, 3, 1, 2)
        gate = self.excite(nn.functional.silu(self.squeeze(x.mean((2, 3), keepdim=True))))
        return self.head((x * torch.sigmoid(gate)).mean((2, 3)))


class Separable(nn.Module):
    """Depthwise separable layers with hard activations, upsampled and joined with an earlier value:
    a small segmenter, whose output is an image."""

    def __init__(self):
        super().__init__()

        def layer(before, after, stride):
            return nn.Sequential(
                nn.Conv2d(before, before, 3, stride, 1, groups=before, bias=False),
                nn.BatchNorm2d(before), nn.ReLU6(),
                nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after), nn.Hardswish())

        self.stem = nn.Conv2d(3, 8, 3, 1, 1)
        self.down, self.middle = layer(8, 16, 2), layer(16, 16, 1)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.nearest = nn.Upsample(scale_factor=2, mode="nearest")
        self.merge = layer(40, 12, 1)
        self.head = nn.Conv2d(12, 4, 1)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        y = self.middle(self.down(x))
        y = torch.cat([x, self.up(y), self.nearest(y)], 1)
        return self.head(self.merge(y))


NETS = {"resnet": ResNet, "attention": Attention, "encoder": Encoder, "norms": Norms,
        "separable": Separable}


def randomized(net):
    """Statistics and scales that differ from channel to channel: a wrong one would go unseen."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
        if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
    return net.eval()


def export(net, path, opset, dynamic):
    shapes = ({0: torch.export.Dim("batch")},) if dynamic else None
    torch.onnx.export(net, (torch.randn(2, 3, 16, 16),), path, dynamo=True, opset_version=opset,
                      dynamic_shapes=shapes, external_data=False, verbose=False)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    failed = 0
    for name, make in NETS.items():
        torch.manual_seed(1)
        net = randomized(make())
        for opset in OPSETS:
            for kind in ("static", "dynamic"):
                path = os.path.join(folder, f"{name}-{opset}-{kind}.onnx")
                try:
                    export(net, path, opset, kind == "dynamic")
                except Exception as error:  # each file by itself
                    failed += 1
                    print(f"{path}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
