#!/usr/bin/python3
"""Exports torchvision's networks, and a few more (nets.py), with random weights to ONNX.

  export_torchvision.py OUTDIR [--fresh] [--folded] [--fixed] [--opset N] [name ...]
  export_torchvision.py --list

All names where none is given. Structures only: nothing is downloaded. Needs Debian's python3-torchvision and
python3-onnx. By default BatchNormalization stays and no two vectors are alike. --fresh: as initialised, so
the exporter merges equal vectors; --folded: BatchNormalization folded and constants folded, as users
export; --fixed: batch 1 instead of a symbol.
"""
import argparse
import os
import sys
import time
import warnings

warnings.filterwarnings('ignore')
import torch
import torchvision

from nets import NETS

CLASSIFIERS = """
alexnet vgg11 vgg16_bn resnet18 resnet34 resnet50 resnext50_32x4d wide_resnet50_2 densenet121 densenet169
googlenet inception_v3 squeezenet1_0 squeezenet1_1 shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5
shufflenet_v2_x2_0 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large mnasnet0_5 mnasnet1_0 efficientnet_b0
efficientnet_b1 efficientnet_v2_s regnet_x_400mf regnet_y_400mf convnext_tiny vit_b_16 swin_t swin_s swin_b
maxvit_t
""".split()
SEGMENTERS = ['fcn_resnet50', 'deeplabv3_resnet50', 'deeplabv3_mobilenet_v3_large', 'lraspp_mobilenet_v3_large']
SIZES = {'inception_v3': 299, 'unet': 64, 'yolov5_shaped': 128, 'yolov8_shaped': 128}
OPSETS = (13, 16)  # the first that works


class Segmentation(torch.nn.Module):
    """Segmentation nets return a dictionary; ONNX wants a tensor."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)['out']


def build(name):
    torch.manual_seed(0)
    if name in NETS:
        return NETS[name]()
    if name in SEGMENTERS:
        return Segmentation(getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None))
    aux = dict(aux_logits=False, init_weights=False) if name in ('googlenet', 'inception_v3') else {}
    return getattr(torchvision.models, name)(weights=None, **aux)


def randomise(net):
    """No two vectors alike, and layer scales large enough to be seen in the output."""
    generator = torch.Generator().manual_seed(1)

    def uniform(tensor, low, high):
        tensor.data.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)

    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            uniform(module.running_mean, -.2, .2)
            uniform(module.running_var, .5, 1.5)
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)):
            uniform(module.weight, .5, 1.5)
            uniform(module.bias, -.2, .2)
        elif isinstance(getattr(module, 'bias', None), torch.nn.Parameter):
            uniform(module.bias, -.1, .1)
        if isinstance(getattr(module, 'layer_scale', None), torch.nn.Parameter):
            uniform(module.layer_scale, .5, 1.5)
    for name, parameter in net.named_parameters():
        if name.endswith('heads.head.weight'):  # ViT's head begins as zeros
            parameter.data.normal_(0, .05, generator=generator)


def export(name, path, options, opset):
    net = build(name)
    if not options.fresh:
        randomise(net)
    net.eval()
    size = SIZES.get(name, 224)
    preserve = {} if options.folded else dict(do_constant_folding=False,
                                             training=torch.onnx.TrainingMode.PRESERVE)
    axes = {} if options.fixed else {'input': {0: 'N'}, 'output': {0: 'N'}}
    torch.onnx.export(net, torch.zeros(1 if options.fixed else 2, 3, size, size), path, opset_version=opset,
                      input_names=['input'], output_names=['output'], dynamic_axes=axes, **preserve)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', nargs='?')
    parser.add_argument('names', nargs='*')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--fresh', action='store_true')
    parser.add_argument('--folded', action='store_true')
    parser.add_argument('--fixed', action='store_true')
    parser.add_argument('--opset', type=int)
    options = parser.parse_args()
    everything = CLASSIFIERS + SEGMENTERS + list(NETS)
    if options.list or not options.out:
        print('\n'.join(everything))
        return
    torch.set_num_threads(1)
    os.makedirs(options.out, exist_ok=True)
    failed = 0
    for name in options.names or everything:
        path = os.path.join(options.out, name + '.onnx')
        if os.path.exists(path):
            continue
        start = time.time()
        for opset in [options.opset] if options.opset else OPSETS:
            try:
                export(name, path + '.part', options, opset)
                os.rename(path + '.part', path)
                print(f'{name}: opset {opset}, {os.path.getsize(path) / 1e6:.1f} MB, {time.time() - start:.0f} s', flush=True)
                break
            except Exception as error:
                print(f'{name}: opset {opset}: {str(error).splitlines()[0][:160]}', file=sys.stderr, flush=True)
        failed += not os.path.exists(path)
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
