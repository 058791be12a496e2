#include "prune/plan.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "core/error.h"

namespace coppice {
namespace {

using Json = nlohmann::ordered_json;

struct Leaving {
  std::vector<char> dead;  // by index
  float fill = 0;
};

// By (tensor, axis): what the units take with them.
using LeavingByAxis = std::map<std::pair<ValueId, int64_t>, Leaving>;

LeavingByAxis leaving_of(const Graph& graph, const Groups& groups, const Removal& removal) {
  LeavingByAxis leaving;
  for (const Group& group : groups.free) {
    for (const Slice& slice : group.slices) {
      for (int64_t u = 0; u < group.units(); ++u) {
        if (!removal[group.first_unit + u]) continue;
        Leaving& entry = leaving[{slice.tensor, slice.axis}];
        entry.dead.resize(graph.value(slice.tensor).constant->shape()[slice.axis], 0);
        entry.fill = slice.role == Role::divisor ? 1.0f : 0.0f;
        for (const int64_t index : slice.indices[u]) entry.dead[index] = 1;
      }
    }
  }
  return leaving;
}

std::string describe(const PlanSlice& slice) {
  return "plan: tensor '" + slice.tensor + "', axis " + std::to_string(slice.axis);
}

[[noreturn]] void fail_json(const std::string& reason) {
  fail_input("not a plan that coppice wrote: " + reason);
}

// The library would round 1.5 and wrap what is too large.
int64_t integer(const Json& json, const char* what) {
  const bool fits = json.is_number_integer() &&
                    (!json.is_number_unsigned() || json.get<uint64_t>() <= uint64_t{INT64_MAX});
  if (!fits) {
    // Writing what is nested deeply would need as much stack.
    const std::string found = json.is_structured() ? json.type_name() : json.dump();
    fail_json(std::string("'") + what + "' is " + found + ", expected an integer");
  }
  return json.get<int64_t>();
}

// A plan from somebody else names files beside itself and no others.
MaskFile mask_file_of(const Json& entry) {
  MaskFile mask;
  mask.tensor = entry.at("tensor");
  mask.nonzeros = integer(entry.at("nonzeros"), "nonzeros");
  mask.file = entry.at("file");
  const std::filesystem::path path = mask.file;
  const bool beside =
      !path.empty() && path.is_relative() && std::ranges::find(path, "..") == path.end();
  if (!beside || mask.file.find('\0') != std::string::npos) {
    fail_json("the mask of tensor '" + mask.tensor + "' lies in '" + mask.file +
              "', expected a relative path without '..'");
  }
  return mask;
}

ValueId tensor_of(const Graph& graph, const PlanSlice& slice,
                  const std::unordered_map<std::string, ValueId>& names) {
  const auto found = names.find(slice.tensor);
  if (found == names.end()) {
    fail_input(describe(slice) + ": the model has no such tensor; is this another model's plan?");
  }
  const Tensor& tensor = *graph.value(found->second).constant;
  if (slice.axis < 0 || slice.axis >= tensor.rank() || tensor.shape()[slice.axis] != slice.size) {
    fail_input(describe(slice) + ": the plan expects size " + std::to_string(slice.size) +
               ", the model's tensor has shape " + to_string(tensor.shape()) +
               "; is this another model's plan?");
  }
  return found->second;
}

}  // namespace

Plan plan_of(const Graph& graph, const Groups& groups, const Removal& removal) {
  Plan plan;
  for (const auto& [where, leaving] : leaving_of(graph, groups, removal)) {
    PlanSlice slice;
    slice.tensor = graph.value(where.first).name;
    slice.axis = where.second;
    slice.size = static_cast<int64_t>(leaving.dead.size());
    slice.fill = leaving.fill;
    for (int64_t i = 0; i < slice.size; ++i) {
      if (!leaving.dead[i]) slice.keep.push_back(i);
    }
    plan.slices.push_back(std::move(slice));
  }
  return plan;
}

Removal removal_of(const Graph& graph, const Groups& groups, const Plan& plan) {
  std::unordered_map<std::string, ValueId> names;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant) names.emplace(graph.values[i].name, static_cast<ValueId>(i));
  }
  std::map<std::pair<ValueId, int64_t>, std::vector<char>> dead;
  for (const PlanSlice& slice : plan.slices) {
    const ValueId tensor = tensor_of(graph, slice, names);
    if (dead.contains({tensor, slice.axis})) fail_input(describe(slice) + ": is listed twice");
    std::vector<char> flags(slice.size, 1);
    for (const int64_t index : slice.keep) {
      if (index < 0 || index >= slice.size) {
        fail_input(describe(slice) + ": keeps index " + std::to_string(index) + ", expected 0 to " +
                   std::to_string(slice.size - 1));
      }
      flags[index] = 0;
    }
    dead[{tensor, slice.axis}] = std::move(flags);
  }
  // A unit leaves if all that is its own leaves; overlapping kinds are told apart by that.
  Removal removal(groups.unit_count, 0);
  for (const Group& group : groups.free) {
    for (int64_t u = 0; u < group.units(); ++u) {
      removal[group.first_unit + u] = std::ranges::all_of(group.slices, [&](const Slice& slice) {
        const auto found = dead.find({slice.tensor, slice.axis});
        return found != dead.end() && std::ranges::all_of(slice.indices[u], [&](int64_t index) {
                 return found->second[index] != 0;
               });
      });
    }
  }
  const LeavingByAxis leaving = leaving_of(graph, groups, removal);
  for (const PlanSlice& slice : plan.slices) {
    const std::pair where{names.at(slice.tensor), slice.axis};
    const auto found = leaving.find(where);
    const bool empty = static_cast<int64_t>(slice.keep.size()) == slice.size;
    if (found == leaving.end() ? !empty : found->second.dead != dead.at(where)) {
      fail_input(describe(slice) +
                 ": the indices it removes can't leave this model, whose ties are different; is "
                 "this another model's plan?");
    }
  }
  return removal;
}

std::string to_json(const Plan& plan) {
  Json json;
  json["model"] = {{"file", plan.model_file}, {"sha256", plan.model_sha256}};
  json["method"] = plan.method;
  json["slices"] = Json::array();
  for (const PlanSlice& slice : plan.slices) {
    Json entry{
        {"tensor", slice.tensor}, {"axis", slice.axis}, {"size", slice.size}, {"keep", slice.keep}};
    if (slice.fill != 0) entry["fill"] = slice.fill;
    json["slices"].push_back(std::move(entry));
  }
  for (const MaskFile& mask : plan.mask_files) {
    json["masks"].push_back(
        {{"tensor", mask.tensor}, {"nonzeros", mask.nonzeros}, {"file", mask.file}});
  }
  try {
    return json.dump() + "\n";
  } catch (const nlohmann::json::exception&) {
    fail_input("a plan can't name the model's tensors: one of their names isn't UTF-8");
  }
}

Plan plan_from_json(const std::string& text) {
  Plan plan;
  try {
    const Json json = Json::parse(text);
    plan.model_file = json.at("model").at("file");
    plan.model_sha256 = json.at("model").at("sha256");
    plan.method = json.at("method");
    for (const Json& entry : json.at("slices")) {
      PlanSlice slice;
      slice.tensor = entry.at("tensor");
      slice.axis = integer(entry.at("axis"), "axis");
      slice.size = integer(entry.at("size"), "size");
      for (const Json& index : entry.at("keep")) slice.keep.push_back(integer(index, "keep"));
      slice.fill = entry.value("fill", 0.0f);
      plan.slices.push_back(std::move(slice));
    }
    if (json.contains("masks")) {
      for (const Json& entry : json.at("masks")) plan.mask_files.push_back(mask_file_of(entry));
    }
  } catch (const nlohmann::json::exception& error) {
    std::string reason = error.what();  // "[json.exception.out_of_range.403] key 'x' not found"
    if (const size_t end = reason.find("] "); end != std::string::npos) reason.erase(0, end + 2);
    fail_json(reason);
  }
  return plan;
}

int64_t nonzeros_of(const Tensor& mask) {
  return std::ranges::count_if(mask.as<float>(), [](float stays) { return stays != 0; });
}

void add_mask(Plan& plan, const MaskFile& file, const Tensor& array) {
  const std::string where = "mask of tensor '" + file.tensor + "' in '" + file.file + "': ";
  if (array.dtype() != DType::u8) {
    fail_input(where + "elements of " + name_of(array.dtype()) + ", expected uint8");
  }
  Tensor mask = Tensor::zeros(DType::f32, array.shape());
  const std::span<float> stays = mask.mutate<float>();
  for (size_t i = 0; i < stays.size(); ++i) {
    const uint8_t element = array.as<uint8_t>()[i];
    if (element > 1) {
      fail_input(where + "element " + std::to_string(i) + " is " + std::to_string(element) +
                 ", expected 0 or 1");
    }
    stays[i] = element;
  }
  if (const int64_t found = nonzeros_of(mask); found != file.nonzeros) {
    fail_input(where + "it has " + std::to_string(found) + " nonzeros, the plan says " +
               std::to_string(file.nonzeros) + "; is the file of another plan?");
  }
  if (!plan.masks.emplace(file.tensor, std::move(mask)).second) {
    fail_input(where + "the tensor is listed twice, expected one mask for each");
  }
}

}  // namespace coppice
