// The program that Node runs to time models in a package.
#pragma once

namespace coppice {

// Arguments: the package, then folders from which it is looked for. One JSON object a line:
//   first, unasked   {ready: version} or {missing: reason}
//   {models: [{path, inputs: [{name, dtype, shape}]}], threads, seconds, min_runs, max_runs, seed}
//                    -> {done, total} as it goes, then {times: [[[ms, core_ms], ...], ...]}
// or {error: message, model: index of the one that was refused, if it was one}.
extern const char kNodeScript[];

}  // namespace coppice
