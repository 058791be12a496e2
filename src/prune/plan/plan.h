// A plan: what was cut, in the original model's names, so that it can be replayed, reviewed,
// compared, and carried back to the framework the model came from. Written as JSON:
//
//   {"model": {"file", "sha256"}, "output"?: "small.onnx", "method": "...",
//    "budget"?: "--keep-macs 0.5", "version"?: of coppice, "command"?: that made it,
//    "structure"?: "predefined" or "automatic",
//    "slices": [{"tensor", "axis", "size", "keep": [...], "fill"?: 1, "use"?: {"node", "input"}}],
//    "masks"?: [{"tensor", "nonzeros", "file"}],
//    "orders"?: [{"tensor", "axis", "order": [...]}],
//    "recovered"?: {"kept": ["bias", ...], "dropped": [...], "images": 500}}
//
// Setting every index that is not in `keep` to 0 (to `fill` where given) in the original model
// gives the cut model's outputs. A vector that several layers read may be cut otherwise for each of
// them (exporters merge equal vectors): `use` then says for whom, by the name of that node's first
// output and the number of its input; a slice without a use holds for all uses that have no slice
// of their own on that axis. A mask lies in a file of its own: an array of uint8 in the
// weight's shape, 1 where the weight stays, in NumPy's npy format, its path relative to the plan's.
// Where channels were brought into another order (blocks of zeros want filters to be neighbours),
// masks still speak of the original; then index i of an axis gets what lay at order[i].
// What was recovered is only told of: a plan cuts, and what makes up for it is asked for anew.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "groups/permute.h"
#include "prune/masks/masks.h"

namespace coppice {

// One place where a tensor is read.
struct Use {
  std::string node;  // the name of the node's first output
  int64_t input = 0;
  friend bool operator==(const Use&, const Use&) = default;
};

struct PlanSlice {
  std::string tensor;
  int64_t axis = 0, size = 0;
  std::vector<int64_t> keep;    // ascending
  float fill = 0;               // the neutral value of what is masked
  std::optional<Use> use = {};  // empty: every use of the tensor
  friend bool operator==(const PlanSlice&, const PlanSlice&) = default;
};

struct MaskFile {
  std::string tensor;
  int64_t nonzeros = 0;
  std::string file;  // relative to the plan
  friend bool operator==(const MaskFile&, const MaskFile&) = default;
};

// Which steps (prune/compensate/recover.h) were kept and which weren't, and how many images they
// looked at.
struct PlanRecovery {
  std::vector<std::string> kept, dropped;
  int64_t images = 0;
  friend bool operator==(const PlanRecovery&, const PlanRecovery&) = default;
};

struct Plan {
  std::string model_file, model_sha256, method;
  std::string output;             // the name of the file that was written by it; empty: unknown
  std::vector<PlanSlice> slices;  // tensors in the model's order, then axes
  Masks masks;                    // in memory; to be applied before slices are cut
  // For what is written, after masks (methods/unstructured/reorder.h); never beside slices.
  std::vector<ChannelOrder> orders = {};
  std::vector<MaskFile> mask_files;  // in JSON: where whoever writes or reads files has the masks
  std::optional<PlanRecovery> recovered = {};
  std::string structure = {};  // whether the widths were said beforehand or found; empty: unknown
  std::string budget = {}, version = {}, command = {};  // that made it; empty: unknown
  friend bool operator==(const Plan&, const Plan&) = default;
};

// Copies of a vector (graph/passes/separate_vectors.h) are named as uses of their original.
Plan plan_of(const Graph& graph, const Groups& groups, const Removal& removal);

// The units that a plan removes from the graph it was made for, loosened as it was then. Throws
// Error::input, naming the tensor, where the plan and the graph don't fit, or where an index leaves
// that the graph's ties keep.
Removal removal_of(const Graph& graph, const Groups& groups, const Plan& plan);

std::string to_json(const Plan& plan);
// Throws Error::input naming the field that is missing or of the wrong kind.
Plan plan_from_json(const std::string& text);

int64_t nonzeros_of(const Tensor& mask);
// Puts what lay in a mask's file into plan.masks. Throws Error::input naming tensor and file unless
// it is an array of uint8 zeros and ones, as many ones as the plan says.
void add_mask(Plan& plan, const MaskFile& file, const Tensor& array);

}  // namespace coppice
