#!/usr/bin/python3
"""What Torch-Pruning makes of the networks of export_torchvision.py, for docs/coverage.md.

  peer_torch_pruning.py OUT.tsv [name ...]

Half of every group goes, by L2 norm; the layers that give the outputs are ignored, as its documentation asks
for. A line a network: its name, the MACs left in percent, seconds for trace and prune (without building the
model), and what went wrong. Each network has a process of its own and three minutes. Needs Debian's
python3-torchvision and Torch-Pruning on PYTHONPATH.
"""
import subprocess
import sys
import time
import warnings

warnings.filterwarnings('ignore')
import torch
import torch_pruning

from export_torchvision import CLASSIFIERS, SEGMENTERS, SIZES, build
from nets import NETS

LIMIT = 180


def last_layers(name, net, example):
    """The modules whose outputs are the network's, or go to its parameterless end."""
    if name in ('yolov5_shaped', 'yolov8_shaped'):
        return [net.head]
    layers = []
    hooks = [m.register_forward_hook(lambda module, *_: layers.append(module)) for m in net.modules()
             if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d))]
    with torch.no_grad():
        net(example)
    for hook in hooks:
        hook.remove()
    # LR-ASPP adds up two classifiers.
    return layers[-2:] if name.startswith('lraspp') else layers[-1:]


def prune(name):
    net = build(name).eval()
    size = SIZES.get(name, 224)
    example = torch.randn(1, 3, size, size)
    with torch.no_grad():
        shape = net(example).shape
    before, _ = torch_pruning.utils.count_ops_and_params(net, example)
    ignored = last_layers(name, net, example)
    start = time.perf_counter()
    pruner = torch_pruning.pruner.MagnitudePruner(net, example, importance=torch_pruning.importance.MagnitudeImportance(p=2),
                                                  pruning_ratio=0.5, ignored_layers=ignored)
    pruner.step()
    seconds = time.perf_counter() - start
    with torch.no_grad():
        found = net(example).shape
    assert found == shape, f'output {tuple(shape)} became {tuple(found)}'
    after, _ = torch_pruning.utils.count_ops_and_params(net, example)
    print(f'{100 * after / before:.1f}\t{seconds:.2f}\t')


def reason(process):
    lines = [line for line in process.stderr.strip().splitlines() if line.strip()]
    return lines[-1].replace('|', '/').replace('\t', ' ')[:90] if lines else f'exit code {process.returncode}'


def main():
    if sys.argv[1] == '--one':
        return prune(sys.argv[2])
    names = sys.argv[2:] or CLASSIFIERS + SEGMENTERS + list(NETS)
    with open(sys.argv[1], 'w') as out:
        for name in names:
            try:
                process = subprocess.run([sys.executable, __file__, '--one', name], capture_output=True, text=True, timeout=LIMIT)
                line = process.stdout.splitlines()[-1] if process.returncode == 0 else f'-\t-\t{reason(process)}'
            except subprocess.TimeoutExpired:
                line = f'-\t-\tmore than {LIMIT} s'
            print(f'{name}\t{line}', file=out, flush=True)
            print(f'{name}\t{line}', file=sys.stderr, flush=True)


if __name__ == '__main__':
    main()
