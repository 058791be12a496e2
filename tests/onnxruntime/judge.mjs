// Runs models with ONNX Runtime, which knows nothing of Coppice: the outside judge of the tests and
// the yardstick of the benchmarks. tests/support/onnxruntime.cpp starts it and talks to it.
//
// One JSON object a line on standard input, one a line back on standard output, in order:
//   first, unasked         {ready: true}, or {missing: reason} where the package is not installed
//   {model, inputs, outputs_dir, optimisation?: "all" | "disable", threads?: 1}
//                          -> {outputs: [{name, dtype, shape, file}]}
//   {benchmark: {model, inputs, runs, threads?: 1}}
//                          -> {median_ms, p95_ms}
// or {error: message}. `inputs` looks like `outputs`; a file holds the raw little-endian elements.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const elements = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

const answer = (object) => process.stdout.write(JSON.stringify(object) + '\n');

const name = process.argv[2] ?? 'onnxruntime-node';
const web = name === 'onnxruntime-web';
let ort;
try {
  const found = await import(name);
  ort = found.default ?? found;
  if (web) ort.env.wasm.numThreads = 1;
} catch (error) {
  answer({ [error.code === 'ERR_MODULE_NOT_FOUND' ? 'missing' : 'error']: error.message });
  process.exit();
}

function read({ name, dtype, shape, file }) {
  const type = elements[dtype];
  if (!type) throw new Error(`input '${name}': element type ${dtype} is not supported`);
  // Copied: a typed array needs its bytes aligned, and Node's Buffer may be a slice of a pool.
  const bytes = new Uint8Array(readFileSync(file));
  return new ort.Tensor(dtype, new type(bytes.buffer), shape);
}

function write(name, tensor, file) {
  if (!elements[tensor.type]) {
    throw new Error(`output '${name}': element type ${tensor.type} is not supported`);
  }
  const { buffer, byteOffset, byteLength } = tensor.data;
  writeFileSync(file, new Uint8Array(buffer, byteOffset, byteLength));
  return { name, dtype: tensor.type, shape: tensor.dims, file };
}

// Calls use(session, feeds). Sessions are not kept: a test may rewrite a model under the same name.
async function withSession({ model, inputs, threads = 1, optimisation = 'all' }, use) {
  const session = await ort.InferenceSession.create(web ? readFileSync(model) : model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: optimisation === 'disable' ? 'disabled' : optimisation,
    logSeverityLevel: 4, // errors come back as answers
  });
  try {
    return await use(session, Object.fromEntries(inputs.map((input) => [input.name, read(input)])));
  } finally {
    await session.release();
  }
}

const run = (request) =>
  withSession(request, async (session, feeds) => {
    const results = await session.run(feeds);
    const outputs = session.outputNames.map((name, index) =>
      write(name, results[name], join(request.outputs_dir, `output${index}.bin`)),
    );
    return { outputs };
  });

const benchmark = (request) =>
  withSession(request, async (session, feeds) => {
    const times = [];
    const warmUps = Math.max(2, Math.ceil(request.runs / 10));
    for (let i = -warmUps; i < request.runs; ++i) {
      const start = performance.now();
      await session.run(feeds);
      if (i >= 0) times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
    return { median_ms: at(0.5), p95_ms: at(0.95) };
  });

answer({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const request = JSON.parse(line);
    answer(await (request.benchmark ? benchmark(request.benchmark) : run(request)));
  } catch (error) {
    answer({ error: error.message });
  }
}
