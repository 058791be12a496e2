// All methods: one line each. To add one, see CONTRIBUTING.md.

#include "core/error.h"
#include "methods/methods.h"

namespace coppice {
namespace {

constexpr char kOnlyTheModel[] = "nothing but the model";
constexpr Method::Kind kStructured = Method::Kind::structured;

constexpr Method kMethods[] = {
    {"l1", "Li et al., Pruning Filters for Efficient ConvNets, ICLR 2017, arXiv:1608.08710",
     "drops the filters with the smallest sum of absolute weights", kOnlyTheModel, kStructured,
     "l1"},
    {"l2", "He et al., Soft Filter Pruning, IJCAI 2018, arXiv:1808.06866 (its criterion)",
     "drops the filters with the smallest Euclidean norm", kOnlyTheModel, kStructured, "l2"},
    {"fpgm", "He et al., Filter Pruning via Geometric Median, CVPR 2019, arXiv:1811.00250",
     "drops the filters that the others of their layer can best stand in for", kOnlyTheModel,
     kStructured, "fpgm"},
    {"bn-scale", "Liu et al., Network Slimming, ICCV 2017, arXiv:1708.06519 (its ranking)",
     "drops the channels with the smallest BatchNormalization scale of the whole network",
     "BatchNormalization in the model", kStructured, "bn-scale"},
    {"slimming", "Liu et al., Network Slimming, ICCV 2017, arXiv:1708.06519",
     "trains with a penalty on BatchNormalization's scales, then drops the smallest channels",
     "training data, BatchNormalization", kStructured, "bn-scale", Method::Training::part},
    {"magnitude", "Han et al., Learning both Weights and Connections, NIPS 2015, arXiv:1506.02626",
     "zeroes the smallest weights one by one; shapes stay", kOnlyTheModel,
     Method::Kind::unstructured, nullptr},
    {"deep-compression", "Han et al., Deep Compression, ICLR 2016, arXiv:1510.00149",
     "zeroes small weights in rounds with training, then lets the rest share few values",
     "training data", Method::Kind::unstructured, nullptr, Method::Training::part},
    {"dsd", "Han et al., DSD: Dense-Sparse-Dense Training, ICLR 2017, arXiv:1607.04381",
     "trains with small weights masked, then with all again: a better dense model", "training data",
     Method::Kind::dense, nullptr, Method::Training::part},
    {"random", "the control that every criterion must beat", "drops filters at random, by --seed",
     kOnlyTheModel, kStructured, "random"},
};

}  // namespace

std::span<const Method> methods() { return kMethods; }

const Method& find_method(const std::string& name) {
  std::string names;
  for (const Method& method : kMethods) {
    if (method.name == name) return method;
    names += (names.empty() ? "" : ", ") + std::string(method.name);
  }
  fail_usage("unknown method '" + name + "', expected one of " + names +
             "; 'coppice methods' says what each does");
}

}  // namespace coppice
