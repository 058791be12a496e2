"""Nets that torchvision lacks, with the idioms of well-known families: a U-Net, and detectors shaped like YOLOv5 and YOLOv8.

Untrained and small. What matters is the graph: transposed convolutions and skips; SiLU, C3 and C2f with
reused chunks, SPPF, and heads whose anchors, strides and bins (DFL) are constants in the graph.
"""
import torch
from torch import nn


class DoubleConv(nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
                         nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class UNet(nn.Module):
    def __init__(self, widths=(32, 64, 128, 256), classes=21):
        super().__init__()
        self.down = nn.ModuleList(DoubleConv(a, b) for a, b in zip((3,) + widths, widths))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in zip(widths, widths[1:]))
        self.merge = nn.ModuleList(DoubleConv(2 * a, a) for a in widths[:-1])
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, x):
        skips = []
        for i, down in enumerate(self.down):
            x = down(x if i == 0 else nn.functional.max_pool2d(x, 2))
            skips.append(x)
        for i in reversed(range(len(self.up))):
            x = self.merge[i](torch.cat([skips[i], self.up[i](x)], 1))
        return self.head(x)


class ConvUnit(nn.Sequential):
    def __init__(self, inputs, outputs, kernel=1, stride=1):
        super().__init__(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
                         nn.BatchNorm2d(outputs), nn.SiLU())


class Bottleneck(nn.Module):
    def __init__(self, width, shortcut):
        super().__init__()
        self.first, self.second, self.shortcut = ConvUnit(width, width, 3), ConvUnit(width, width, 3), shortcut

    def forward(self, x):
        y = self.second(self.first(x))
        return x + y if self.shortcut else y


class C3(nn.Module):
    def __init__(self, inputs, outputs, depth, shortcut=True):
        super().__init__()
        half = outputs // 2
        self.left, self.right, self.out = ConvUnit(inputs, half), ConvUnit(inputs, half), ConvUnit(2 * half, outputs)
        self.blocks = nn.Sequential(*(Bottleneck(half, shortcut) for _ in range(depth)))

    def forward(self, x):
        return self.out(torch.cat([self.blocks(self.left(x)), self.right(x)], 1))


class C2f(nn.Module):
    def __init__(self, inputs, outputs, depth, shortcut=True):
        super().__init__()
        self.half = outputs // 2
        self.first, self.out = ConvUnit(inputs, outputs), ConvUnit((2 + depth) * self.half, outputs)
        self.blocks = nn.ModuleList(Bottleneck(self.half, shortcut) for _ in range(depth))

    def forward(self, x):
        pieces = list(self.first(x).chunk(2, 1))
        for block in self.blocks:
            pieces.append(block(pieces[-1]))
        return self.out(torch.cat(pieces, 1))


class Sppf(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.out = ConvUnit(width, width // 2), ConvUnit(2 * width, width)

    def forward(self, x):
        pieces = [self.first(x)]
        for _ in range(3):
            pieces.append(nn.functional.max_pool2d(pieces[-1], 5, 1, 2))
        return self.out(torch.cat(pieces, 1))


class AnchorDetect(nn.Module):
    """Boxes relative to anchors, as in YOLOv5."""

    def __init__(self, widths, strides, classes=80, anchors=3):
        super().__init__()
        self.anchors, self.values, self.strides = anchors, classes + 5, strides
        self.heads = nn.ModuleList(nn.Conv2d(w, anchors * self.values, 1) for w in widths)
        self.register_buffer('sizes', torch.rand(len(widths), 1, anchors, 1, 1, 2) * 90 + 10)

    def forward(self, features):
        rows = []
        for i, (head, x) in enumerate(zip(self.heads, features)):
            height, width = x.shape[2], x.shape[3]
            x = head(x).view(-1, self.anchors, self.values, height, width).permute(0, 1, 3, 4, 2)
            y, x_ = torch.meshgrid(torch.arange(int(height)), torch.arange(int(width)), indexing='ij')
            grid = torch.stack((x_, y), 2).float()
            xy, wh, rest = x.sigmoid().split((2, 2, self.values - 4), 4)
            xy = (xy * 2 + grid - 0.5) * self.strides[i]
            wh = (wh * 2) ** 2 * self.sizes[i]
            rows.append(torch.cat((xy, wh, rest), 4).reshape(-1, self.anchors * int(height) * int(width), self.values))
        return torch.cat(rows, 1)


class BinDetect(nn.Module):
    """Boxes as expectations over bins (DFL), as in YOLOv8."""

    def __init__(self, widths, strides, classes=80, bins=16):
        super().__init__()
        self.bins, self.classes, self.strides = bins, classes, strides
        self.boxes = nn.ModuleList(nn.Sequential(ConvUnit(w, 64, 3), ConvUnit(64, 64, 3), nn.Conv2d(64, 4 * bins, 1)) for w in widths)
        self.scores = nn.ModuleList(nn.Sequential(ConvUnit(w, 80, 3), ConvUnit(80, 80, 3), nn.Conv2d(80, classes, 1)) for w in widths)
        self.expectation = nn.Conv2d(bins, 1, 1, bias=False)
        self.expectation.weight.data[:] = torch.arange(bins, dtype=torch.float).view(1, bins, 1, 1)

    def forward(self, features):
        flat, points = [], []
        for box, score, stride, x in zip(self.boxes, self.scores, self.strides, features):
            flat.append(torch.cat((box(x), score(x)), 1).view(x.shape[0], 4 * self.bins + self.classes, -1))
            y, x_ = torch.meshgrid(torch.arange(int(x.shape[2])), torch.arange(int(x.shape[3])), indexing='ij')
            points.append((torch.stack((x_, y)).reshape(2, -1).float() + 0.5) * stride)
        box, scores = torch.cat(flat, 2).split((4 * self.bins, self.classes), 1)
        batch, _, rows = box.shape
        distances = self.expectation(box.view(batch, 4, self.bins, rows).transpose(2, 1).softmax(1)).view(batch, 4, rows)
        low, high = distances.chunk(2, 1)
        points = torch.cat(points, 1).unsqueeze(0)
        low, high = points - low, points + high
        return torch.cat((torch.cat(((low + high) / 2, high - low), 1), scores.sigmoid()), 1)


class Detector(nn.Module):
    """Backbone of four stages, SPPF, a neck that goes up and down again, three heads."""

    def __init__(self, block, head, widths=(16, 32, 64, 128, 256)):
        super().__init__()
        w = widths
        self.stem = ConvUnit(3, w[0], 6 if block is C3 else 3, 2)
        self.stem[0].padding = (2, 2) if block is C3 else (1, 1)
        self.stages = nn.ModuleList(nn.Sequential(ConvUnit(a, b, 3, 2), block(b, b, d))
                                    for a, b, d in zip(w, w[1:], (1, 2, 2, 1)))
        self.pool = Sppf(w[4])
        self.up = nn.ModuleList([block(w[4] + w[3], w[3], 1, False), block(w[3] + w[2], w[2], 1, False)])
        self.shrink = nn.ModuleList([ConvUnit(w[2], w[2], 3, 2), ConvUnit(w[3], w[3], 3, 2)])
        self.down = nn.ModuleList([block(w[2] + w[3], w[3], 1, False), block(w[3] + w[4], w[4], 1, False)])
        self.head = head(w[2:], (8., 16., 32.))

    def forward(self, x):
        features = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        grow = lambda t: nn.functional.interpolate(t, scale_factor=2.0, mode='nearest')
        large = self.pool(features[3])
        middle = self.up[0](torch.cat((grow(large), features[2]), 1))
        small = self.up[1](torch.cat((grow(middle), features[1]), 1))
        middle = self.down[0](torch.cat((self.shrink[0](small), middle), 1))
        large = self.down[1](torch.cat((self.shrink[1](middle), large), 1))
        return self.head((small, middle, large))


NETS = {
    'unet': UNet,
    'yolov5_shaped': lambda: Detector(C3, AnchorDetect),
    'yolov8_shaped': lambda: Detector(C2f, BinDetect),
}
