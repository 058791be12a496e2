"""Runs models with OpenCV's dnn module, as tests/onnxruntime/judge.mjs does with ONNX Runtime.

One JSON object a line on standard input, one a line back on standard output, in order:
  first, unasked                  {"ready": version}, or {"missing": reason} where there is no OpenCV
  {"model", "inputs", "outputs_dir"}
                                  {"outputs": [{"name", "dtype", "shape", "file"}]}
or {"error": message}. `inputs` looks like `outputs`; a file holds raw little-endian floats.
"""
import json
import os
import sys


def answer(what):
    print(json.dumps(what), flush=True)


# What OpenCV itself prints goes to standard error.
out = os.dup(1)
os.dup2(2, 1)
sys.stdout = os.fdopen(out, 'w')

try:
    import cv2
    import numpy
except ImportError as error:
    answer({'missing': str(error)})
    sys.exit()


def run(request):
    net = cv2.dnn.readNetFromONNX(request['model'])
    for given in request['inputs']:
        if given['dtype'] != 'float32':
            raise ValueError(f"input '{given['name']}': element type {given['dtype']} is not supported")
        blob = numpy.fromfile(given['file'], numpy.float32).reshape(given['shape'])
        net.setInput(blob, given['name'])
    outputs = []
    for name, array in zip(names := net.getUnconnectedOutLayersNames(), net.forward(names)):
        path = os.path.join(request['outputs_dir'], f'output{len(outputs)}.bin')
        array.astype(numpy.float32).tofile(path)
        outputs.append({'name': name, 'dtype': 'float32', 'shape': list(array.shape), 'file': path})
    return {'outputs': outputs}


answer({'ready': cv2.__version__})
for line in sys.stdin:
    try:
        answer(run(json.loads(line)))
    except Exception as error:  # OpenCV's own are plain ones
        answer({'error': ' '.join(str(error).split())})
