#include "prune/plan/plan.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "core/error.h"

namespace coppice {
namespace {

// What a replay doesn't need.
constexpr std::pair<const char*, std::string Plan::*> kToldOnly[] = {
    {"budget", &Plan::budget},
    {"version", &Plan::version},
    {"command", &Plan::command},
    {"structure", &Plan::structure}};

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
  std::string text = "plan: tensor '" + slice.tensor + "', axis " + std::to_string(slice.axis);
  if (slice.use) {
    text += ", as input " + std::to_string(slice.use->input) + " of node '" + slice.use->node + "'";
  }
  return text;
}

ValueId original_of(const Graph& graph, ValueId id) {
  const ValueId original = graph.value(id).copy_of;
  return original == kNoValue ? id : original;
}

// A constant and its copies, the constant first.
using Families = std::map<ValueId, std::vector<ValueId>>;

Families families_of(const Graph& graph) {
  Families families;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    if (!value.constant || value.copy_of == kNoValue) continue;
    std::vector<ValueId>& family = families[value.copy_of];
    if (family.empty() && graph.value(value.copy_of).constant) family.push_back(value.copy_of);
    family.push_back(static_cast<ValueId>(i));
  }
  return families;
}

// `readers`: the nodes that read `id`, in order, once per use.
std::vector<Use> uses_of(const Graph& graph, ValueId id, const std::vector<int32_t>& readers) {
  std::vector<Use> uses;
  for (size_t r = 0; r < readers.size(); ++r) {
    if (r > 0 && readers[r] == readers[r - 1]) continue;
    const Node& node = graph.nodes[readers[r]];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != id || node.outputs.empty() || node.outputs[0] == kNoValue) continue;
      uses.push_back({graph.value(node.outputs[0]).name, static_cast<int64_t>(i)});
    }
  }
  return uses;
}

PlanSlice slice_of(const Graph& graph, ValueId id, int64_t axis, const Leaving& leaving) {
  PlanSlice slice;
  slice.tensor = graph.value(original_of(graph, id)).name;
  slice.axis = axis;
  slice.size = static_cast<int64_t>(leaving.dead.size());
  slice.fill = leaving.fill;
  for (int64_t i = 0; i < slice.size; ++i) {
    if (!leaving.dead[i]) slice.keep.push_back(i);
  }
  return slice;
}

// Whether all of the family lose the same.
bool agree(const std::vector<ValueId>& family, int64_t axis, const LeavingByAxis& leaving) {
  const auto first = leaving.find({family.front(), axis});
  return first != leaving.end() && std::ranges::all_of(family, [&](ValueId id) {
           const auto other = leaving.find({id, axis});
           return other != leaving.end() && other->second.dead == first->second.dead &&
                  other->second.fill == first->second.fill;
         });
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

ChannelOrder order_of(const Json& entry) {
  ChannelOrder order{entry.at("tensor"), integer(entry.at("axis"), "axis"), {}};
  for (const Json& index : entry.at("order")) order.order.push_back(integer(index, "order"));
  return order;
}

// Who a slice is about, checked against the model's shapes: a constant and its copies, or those of
// them that are used so.
class Resolver {
 public:
  explicit Resolver(const Graph& graph) : graph_(graph), families_(families_of(graph)) {
    for (size_t i = 0; i < graph.values.size(); ++i) {
      if (graph.values[i].constant) names_.emplace(graph.values[i].name, static_cast<ValueId>(i));
    }
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      const auto& outputs = graph.nodes[n].outputs;
      if (!outputs.empty() && outputs[0] != kNoValue) {
        nodes_.emplace(graph.value(outputs[0]).name, static_cast<int32_t>(n));
      }
    }
  }

  std::vector<ValueId> tensors_of(const PlanSlice& slice) const {
    const auto found = names_.find(slice.tensor);
    if (found == names_.end()) {
      fail_input(describe(slice) + ": the model has no such tensor; is this another model's plan?");
    }
    const Tensor& tensor = *graph_.value(found->second).constant;
    if (slice.axis < 0 || slice.axis >= tensor.rank() || tensor.shape()[slice.axis] != slice.size) {
      fail_input(describe(slice) + ": the plan expects size " + std::to_string(slice.size) +
                 ", the model's tensor has shape " + to_string(tensor.shape()) +
                 "; is this another model's plan?");
    }
    if (slice.use) return {used_so(slice, found->second)};
    const auto family = families_.find(found->second);
    return family == families_.end() ? std::vector{found->second} : family->second;
  }

 private:
  ValueId used_so(const PlanSlice& slice, ValueId original) const {
    const auto node = nodes_.find(slice.use->node);
    if (node != nodes_.end()) {
      const std::vector<ValueId>& inputs = graph_.nodes[node->second].inputs;
      const int64_t input = slice.use->input;
      if (input >= 0 && input < std::ssize(inputs) && inputs[input] != kNoValue &&
          original_of(graph_, inputs[input]) == original) {
        return inputs[input];
      }
    }
    fail_input(describe(slice) + ": no such node reads it there; is this another model's plan?");
  }

  const Graph& graph_;
  Families families_;
  std::unordered_map<std::string, ValueId> names_;
  std::unordered_map<std::string, int32_t> nodes_;
};

}  // namespace

Plan plan_of(const Graph& graph, const Groups& groups, const Removal& removal) {
  Plan plan;
  const LeavingByAxis leaving = leaving_of(graph, groups, removal);
  const Families families = families_of(graph);
  const std::vector<std::vector<int32_t>> readers = consumers(graph);
  std::set<std::pair<ValueId, int64_t>> done;  // (original, axis) that all uses lose alike
  for (const auto& [where, what] : leaving) {
    const auto& [id, axis] = where;
    const ValueId original = original_of(graph, id);
    const auto family = families.find(original);
    if (family == families.end()) {
      plan.slices.push_back(slice_of(graph, id, axis, what));
    } else if (agree(family->second, axis, leaving)) {
      if (done.emplace(original, axis).second) {
        plan.slices.push_back(slice_of(graph, id, axis, what));
      }
    } else {
      for (const Use& use : uses_of(graph, id, readers[id])) {
        plan.slices.push_back(slice_of(graph, id, axis, what));
        plan.slices.back().use = use;
      }
    }
  }
  return plan;
}

Removal removal_of(const Graph& graph, const Groups& groups, const Plan& plan) {
  const Resolver resolver(graph);
  std::map<std::pair<ValueId, int64_t>, std::vector<char>> dead;
  std::set<std::pair<std::string, int64_t>> for_all;  // that a slice without a use was seen of
  const auto add = [&](const PlanSlice& slice) {
    std::vector<char> flags(slice.size, 1);
    for (const int64_t index : slice.keep) {
      if (index < 0 || index >= slice.size) {
        fail_input(describe(slice) + ": keeps index " + std::to_string(index) + ", expected 0 to " +
                   std::to_string(slice.size - 1));
      }
      flags[index] = 0;
    }
    bool any = false;
    for (const ValueId tensor : resolver.tensors_of(slice)) {
      any = dead.try_emplace({tensor, slice.axis}, flags).second || any;
      // Several places may read one copy.
      if (slice.use && dead.at({tensor, slice.axis}) == flags) any = true;
    }
    // What is said of all may be said otherwise of every single use (compose_plans.h).
    if (!slice.use) any = for_all.emplace(slice.tensor, slice.axis).second;
    if (!any) fail_input(describe(slice) + ": is listed twice");
  };
  // What is said of one use goes before what is said of all.
  for (const PlanSlice& slice : plan.slices) {
    if (slice.use) add(slice);
  }
  for (const PlanSlice& slice : plan.slices) {
    if (!slice.use) add(slice);
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
    for (const ValueId tensor : resolver.tensors_of(slice)) {
      const std::vector<char>& wanted = dead.at({tensor, slice.axis});
      const auto found = leaving.find({tensor, slice.axis});
      const bool nothing = std::ranges::count(wanted, 1) == 0;
      if (found == leaving.end() ? nothing : found->second.dead == wanted) continue;
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
  if (!plan.output.empty()) json["output"] = plan.output;
  json["method"] = plan.method;
  for (const auto& [key, text] : kToldOnly) {
    if (!(plan.*text).empty()) json[key] = plan.*text;
  }
  json["slices"] = Json::array();
  for (const PlanSlice& slice : plan.slices) {
    Json entry{
        {"tensor", slice.tensor}, {"axis", slice.axis}, {"size", slice.size}, {"keep", slice.keep}};
    if (slice.fill != 0) entry["fill"] = slice.fill;
    if (slice.use) entry["use"] = {{"node", slice.use->node}, {"input", slice.use->input}};
    json["slices"].push_back(std::move(entry));
  }
  for (const MaskFile& mask : plan.mask_files) {
    json["masks"].push_back(
        {{"tensor", mask.tensor}, {"nonzeros", mask.nonzeros}, {"file", mask.file}});
  }
  for (const ChannelOrder& order : plan.orders) {
    json["orders"].push_back(
        {{"tensor", order.tensor}, {"axis", order.axis}, {"order", order.order}});
  }
  if (plan.recovered) {
    json["recovered"] = {{"kept", plan.recovered->kept},
                         {"dropped", plan.recovered->dropped},
                         {"images", plan.recovered->images}};
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
    if (json.contains("output")) plan.output = json.at("output");
    plan.method = json.at("method");
    for (const auto& [key, told] : kToldOnly) plan.*told = json.value(key, "");
    for (const Json& entry : json.at("slices")) {
      PlanSlice slice;
      slice.tensor = entry.at("tensor");
      slice.axis = integer(entry.at("axis"), "axis");
      slice.size = integer(entry.at("size"), "size");
      for (const Json& index : entry.at("keep")) slice.keep.push_back(integer(index, "keep"));
      slice.fill = entry.value("fill", 0.0f);
      if (entry.contains("use")) {
        const Json& use = entry.at("use");
        slice.use = Use{use.at("node"), integer(use.at("input"), "input")};
      }
      plan.slices.push_back(std::move(slice));
    }
    if (json.contains("masks")) {
      for (const Json& entry : json.at("masks")) plan.mask_files.push_back(mask_file_of(entry));
    }
    if (json.contains("orders")) {
      for (const Json& entry : json.at("orders")) plan.orders.push_back(order_of(entry));
    }
    if (json.contains("recovered")) {
      const Json& entry = json.at("recovered");
      plan.recovered = PlanRecovery{entry.at("kept"), entry.at("dropped"),
                                    integer(entry.at("images"), "images")};
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
