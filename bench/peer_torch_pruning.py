#!/usr/bin/python3
"""Torch-Pruning's trace + prune of a torchvision model, for prune_bench --peer.

Needs Debian's python3-torchvision and Torch-Pruning on PYTHONPATH. Prints seconds, without imports
and without building the model: peer_torch_pruning.py resnet50 [ratio]
"""
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch
import torch_pruning
import torchvision

name = sys.argv[1] if len(sys.argv) > 1 else "resnet50"
ratio = float(sys.argv[2]) if len(sys.argv) > 2 else 0.3
model = getattr(torchvision.models, name)(weights=None).eval()
last = [m for m in model.modules() if isinstance(m, torch.nn.Linear)][-1]
example = torch.randn(1, 3, 224, 224)
start = time.perf_counter()
pruner = torch_pruning.pruner.MagnitudePruner(
    model, example, importance=torch_pruning.importance.MagnitudeImportance(p=2),
    pruning_ratio=ratio, ignored_layers=[last])
pruner.step()
print(time.perf_counter() - start)
