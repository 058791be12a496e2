#!/usr/bin/python3
"""Ten steps of PyTorch's optimizers, for src/libtorch/optimizer/optimizer_test.cpp.

    train_steps.py > train_steps.txt     (Debian's python3-torch 1.13.1)

One line a tensor: its name, then its elements. The net stands in the test as text, too.
"""
import torch
from torch import nn

STEPS, BATCH, CLASSES = 10, 8, 4


def emit(name, tensor):
    print(name, *(f"{x:.9g}" for x in tensor.detach().reshape(-1).tolist()))


def make_net():
    """No bias before a normalisation: its gradient is rounding alone, which Adam would scale up."""
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU(),
                        nn.Flatten(), nn.Linear(3 * 4 * 4, CLASSES))
    with torch.no_grad():
        net[1].weight.uniform_(0.5, 1.5)
        net[1].bias.uniform_(-0.5, 0.5)
    return net


def tensors(net):
    return {"w1": net[0].weight, "scale": net[1].weight, "shift": net[1].bias,
            "mean": net[1].running_mean, "variance": net[1].running_var,
            "w2": net[4].weight, "b2": net[4].bias}


def decayed(net, everything=False):
    """Weight decay on the weights alone, unless on everything."""
    named = tensors(net)
    others = [named[name] for name in ("scale", "shift", "b2")]
    return [{"params": [named["w1"], named["w2"]]},
            {"params": others, **({} if everything else {"weight_decay": 0})}]


CASES = {  # name: (optimizer of a net, largest norm of the gradients)
    "nesterov": (lambda net: torch.optim.SGD(decayed(net), lr=0.1, momentum=0.9, nesterov=True,
                                             weight_decay=0.05), None),
    "momentum": (lambda net: torch.optim.SGD(decayed(net, everything=True), lr=0.1, momentum=0.8,
                                             weight_decay=0.05), None),
    "clipped": (lambda net: torch.optim.SGD(decayed(net), lr=0.1), 0.5),
    "adam": (lambda net: torch.optim.Adam(decayed(net), lr=0.1, betas=(0.8, 0.95), eps=1e-3,
                                          weight_decay=0.05), None),
}

torch.manual_seed(2)
# Few digits keep the file small; they are exact because they are rounded before they are used.
images = (torch.randn(STEPS, BATCH, 2, 4, 4) * 100).round() / 100
labels = torch.randint(CLASSES, (STEPS, BATCH))
emit("images", images)
emit("labels", labels)
for name, tensor in tensors(make_net()).items():
    emit("initial." + name, tensor)
for case, (make_optimizer, norm) in CASES.items():
    net = make_net()
    optimizer = make_optimizer(net)
    losses = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / (1 + step)
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(images[step]), labels[step], label_smoothing=0.1)
        loss.backward()
        if norm:
            nn.utils.clip_grad_norm_(net.parameters(), norm)
        optimizer.step()
        losses.append(loss.item())
    emit(case + ".losses", torch.tensor(losses, dtype=torch.float64))
    for name, tensor in tensors(net).items():
        emit(f"{case}.{name}", tensor)
