#!/usr/bin/python3
"""A training step of a zoo net in eager PyTorch, for train_bench --peer.

    peer_torch_train.py MODEL default|channels_last BATCH THREADS STEPS sgd|adam

MODEL: resnet20, resnet56, lenet300-100 or lenet5.
Prints the seconds of a step, the median of STEPS after two to warm up. The nets are the zoo's:
the ResNets with option A shortcuts and 16-32-64 channels, LeNet-5 in Caffe's version. As a user
would write it: images arrive row-major, gradients are set to None, and the loss and the hits are
read in every step.
"""
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional

WARM_UP = 2


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.stride, self.zeros = stride, (after - before) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        if self.stride != 1:
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.zeros, self.zeros))
        y += x
        return self.relu(y)


def make_resnet(blocks):
    layers = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    before = 16
    for after in (16, 32, 64):
        for block in range(blocks):
            layers.append(Block(before, after, 2 if block == 0 and after > 16 else 1))
            before = after
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(*layers)


def make_lenet300_100():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.ReLU(inplace=True),
                         nn.Linear(300, 100), nn.ReLU(inplace=True), nn.Linear(100, 10))


def make_lenet5():
    return nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(800, 500),
                         nn.ReLU(inplace=True), nn.Linear(500, 10))


NETS = {
    "resnet20": (lambda: make_resnet(3), (3, 32, 32)),
    "resnet56": (lambda: make_resnet(9), (3, 32, 32)),
    "lenet300-100": (make_lenet300_100, (1, 28, 28)),
    "lenet5": (make_lenet5, (1, 28, 28)),
}


def groups(net):
    """Weight decay on weights alone, as ours."""
    decayed = [p for p in net.parameters() if p.dim() > 1]
    others = [p for p in net.parameters() if p.dim() <= 1]
    return [{"params": decayed, "weight_decay": 5e-4}, {"params": others}]


model, layout, batch, threads, steps = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
torch.set_num_threads(threads)
torch.manual_seed(0)
form = {"default": torch.contiguous_format, "channels_last": torch.channels_last}[layout]
make, shape = NETS[model]
net = make().train().to(memory_format=form)
if sys.argv[6] == "adam":
    optimizer = torch.optim.Adam(net.parameters(), lr=0.0012)
else:
    optimizer = torch.optim.SGD(groups(net), lr=0.01, momentum=0.9, nesterov=True)
images = torch.randn(batch, *shape)
labels = torch.randint(10, (batch,))
seconds = []
for step in range(WARM_UP + steps):
    start = time.perf_counter()
    scores = net(images.to(memory_format=form))
    loss = functional.cross_entropy(scores, labels)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    loss.item(), scores.argmax(1).eq(labels).sum().item()
    if step >= WARM_UP:
        seconds.append(time.perf_counter() - start)
print(statistics.median(seconds))
