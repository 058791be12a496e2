// See node_script.h. What runs fit into the time is as in runtime/latency.cpp.
#include "tasks/parts/engines/node_script.h"

namespace coppice {

const char kNodeScript[] = R"js(
const { createRequire } = require('node:module');
const { readFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { dirname, join } = require('node:path');

const [name, ...folders] = process.argv.slice(1);
const answer = (object) => process.stdout.write(JSON.stringify(object) + '\n');

function load() {
  let reason = '';
  for (const folder of [...folders, join(dirname(process.execPath), '../lib')]) {
    try {
      return createRequire(join(folder, 'x'))(name);
    } catch (error) {
      reason = error.message;
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  answer({ missing: reason });
  process.exit();
}

let state = 1;
function uniform() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state + 1) / 4294967297;
}
const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());

const arrays = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, int64: BigInt64Array,
  uint64: BigUint64Array, int32: Int32Array, uint32: Uint32Array, int16: Int16Array,
  uint16: Uint16Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array,
};

const ort = load();
const web = name === 'onnxruntime-web';

function tensor({ name: input, dtype, shape }, session) {
  const declared = (session.inputMetadata ?? []).find?.((one) => one.name === input)?.type;
  const type = declared in arrays ? declared : dtype;
  if (!arrays[type]) throw new Error(`input '${input}' is of type ${type}`);
  const data = new arrays[type](shape.reduce((a, b) => a * b, 1));
  if (type === 'float32') for (let i = 0; i < data.length; ++i) data[i] = normal();
  return new ort.Tensor(type, data, shape);
}

async function contestant({ path, inputs }, threads, seed) {
  const session = await ort.InferenceSession.create(web ? readFileSync(path) : path, {
    intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 4,
  });
  state = seed;
  const feeds = Object.fromEntries(inputs.map((one) => [one.name, tensor(one, session)]));
  const run = async () => {
    const before = process.cpuUsage(), start = performance.now();
    await session.run(feeds);
    const ms = performance.now() - start, used = process.cpuUsage(before);
    return [ms, (used.user + used.system) / 1e3];
  };
  await run();
  return { run, warm: (await run())[0], times: [] };
}

async function measure(request) {
  if (web) ort.env.wasm.numThreads = request.threads;
  const contestants = [];
  for (const model of request.models) {
    try {
      contestants.push(await contestant(model, request.threads, request.seed));
    } catch (error) {
      return { error: String(error.message ?? error), model: contestants.length };
    }
  }
  const round = contestants.reduce((sum, one) => sum + one.warm, 0);
  const budget = 1e3 * request.seconds * contestants.length;
  const fitting = Math.floor(budget / Math.max(round, 1e-6));
  const total = Math.min(Math.max(fitting, request.min_runs), request.max_runs);
  const start = performance.now();
  let shown = start;
  for (let done = 0; done < total; ++done) {
    if (done >= request.min_runs && performance.now() - start > 2 * budget) break;
    for (const one of contestants) one.times.push(await one.run());
    if (performance.now() - shown < 100) continue;
    shown = performance.now();
    answer({ done: done + 1, total });
  }
  return { times: contestants.map((one) => one.times) };
}

answer({ ready: ort.env?.versions?.[web ? 'web' : 'node'] ?? ort.env?.versions?.common ?? '' });
(async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      answer(await measure(JSON.parse(line)));
    } catch (error) {
      answer({ error: String(error.message ?? error) });
    }
  }
})();
)js";

}  // namespace coppice
