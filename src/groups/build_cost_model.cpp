// Terms are found by asking each operator's `macs` at a few lengths: where doubling an axis doubles
// the count (or multiplies it by 4 or 8, or leaves it), and the product so found is right at other
// lengths, too, it is a product. Recurrent layers aren't.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "graph/fitted.h"
#include "groups/cost_model.h"

namespace coppice {
namespace {

// 0 to 3 for a count that doubling an axis multiplies by 1, 2, 4 or 8.
std::optional<int> exponent_of(int64_t count, int64_t doubled) {
  for (int exponent = 0; exponent <= 3; ++exponent) {
    if (doubled == count << exponent) return exponent;
  }
  return std::nullopt;
}

}  // namespace

// Fills a model, axis by axis as terms come to speak of them.
class CostModel::Builder {
 public:
  Builder(CostModel& model, const Graph& graph, const Groups& groups, const Inferred& inferred)
      : model_(model),
        graph_(graph),
        groups_(groups),
        inferred_(inferred),
        shapes_(shape_table(inferred)) {
    for (const Group& group : groups.free) {
      const auto units = static_cast<int32_t>(group.units());
      model.ranges_.emplace_back(group.first_unit, group.first_unit + units);
    }
  }

  void run() {
    count_parameters();
    for (const Node& node : graph_.nodes) count_macs(node);
    for (auto& [axes, coefficient] : macs_) model_.macs_.push_back({coefficient, axes});
    for (auto& [axes, coefficient] : parameters_) model_.parameters_.push_back({coefficient, axes});
    model_.linear_ =
        model_.families_.empty() &&
        std::ranges::all_of(model_.axes_, [](const Axis& axis) { return axis.linear; });
  }

 private:
  using Sums = std::map<std::vector<int32_t>, int64_t>;  // axes, sorted -> coefficient

  // The axis in the model, made when it is first met.
  int32_t number_of(int32_t pooled, int64_t size) {
    if (pooled < 0) return -1;
    const auto [entry, added] =
        numbers_.try_emplace({pooled, size}, static_cast<int32_t>(model_.axes_.size()));
    if (added) {
      model_.axes_.push_back(axis_of(groups_.axis_pool[pooled], size));
      lengths_.push_back(size);
    }
    return entry->second;
  }

  // Linear where no index has two units, and all units of a group have as many indices.
  Axis axis_of(const AxisUnits& units, int64_t size) const {
    Axis axis;
    axis.size = size;
    axis.traced = std::ssize(units.offsets) - 1;
    axis.units = units;
    std::map<int32_t, std::map<int32_t, int64_t>> indices;  // by group, by unit
    for (size_t i = 0; i + 1 < units.offsets.size(); ++i) {
      const int32_t first = units.offsets[i], count = units.offsets[i + 1] - first;
      if (count > 1) return axis;
      if (count == 0) {
        ++axis.fixed;
      } else {
        const int32_t unit = units.units[first];
        ++indices[static_cast<int32_t>(group_of(groups_, unit))][unit];
      }
    }
    for (const auto& [group, by_unit] : indices) {
      const int64_t each = by_unit.begin()->second;
      const bool alike =
          std::ssize(by_unit) == groups_.free[group].units() &&
          std::ranges::all_of(by_unit, [&](const auto& unit) { return unit.second == each; });
      if (!alike) return axis;
      axis.parts.push_back({group, each});
    }
    axis.linear = true;
    return axis;
  }

  // Of the value, -1 where nothing can go.
  std::vector<int32_t> axes_of(ValueId id) {
    const std::vector<int32_t>& pooled = groups_.axes[id];
    std::vector<int32_t> axes(shapes_[id].size(), -1);
    for (size_t axis = 0; axis < std::min(axes.size(), pooled.size()); ++axis) {
      axes[axis] = number_of(pooled[axis], shapes_[id][axis]);
    }
    return axes;
  }

  Term term_of(ValueId id, const std::vector<int32_t>& axes) const {
    Term term{1, {}};
    const Shape& shape = shapes_[id];
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (axes[axis] >= 0) {
        term.axes.push_back(axes[axis]);
      } else {
        term.coefficient *= shape[axis];
      }
    }
    std::ranges::sort(term.axes);
    return term;
  }

  void count_parameters() {
    const std::vector<char> counts = parameter_flags(graph_);
    std::vector<ValueId> original(graph_.values.size(), kNoValue);
    for (size_t i = 0; i < original.size(); ++i) {
      const ValueId of = graph_.values[i].copy_of;
      if (of != kNoValue) original[i] = original[of] = of;
    }
    std::map<ValueId, std::map<std::vector<int32_t>, Term>> families;  // members that differ
    for (size_t i = 0; i < original.size(); ++i) {
      if (!counts[i]) continue;
      const auto id = static_cast<ValueId>(i);
      const std::vector<int32_t> axes = axes_of(id);
      const Term term = term_of(id, axes);
      if (original[i] == kNoValue) {
        parameters_[term.axes] += term.coefficient;
      } else {
        families[original[i]].emplace(axes, term);
      }
    }
    for (const auto& [of, members] : families) add_family(members);
  }

  void add_family(const std::map<std::vector<int32_t>, Term>& members) {
    Family family;
    for (const auto& [axes, term] : members) {
      family.axes.push_back(axes);
      family.members.push_back(term);
    }
    if (family.members.size() > 1) {
      model_.families_.push_back(std::move(family));
    } else {
      parameters_[family.members[0].axes] += family.members[0].coefficient;
    }
  }

  // A node's values, numbered from 0, so that it can be asked at other lengths.
  Asked asked_of(const Node& node) {
    Asked asked{node, {}, {}};
    const auto renumber = [&](ValueId& id) {
      if (id == kNoValue) return;
      asked.shapes.push_back(shapes_[id]);
      asked.axes.push_back(axes_of(id));
      id = static_cast<ValueId>(asked.shapes.size()) - 1;
    };
    for (ValueId& id : asked.node.inputs) renumber(id);
    for (ValueId& id : asked.node.outputs) renumber(id);
    return asked;
  }

  void count_macs(const Node& node) {
    if (has_unknown_cost(graph_, node, inferred_)) {
      ++model_.unknown_;
      return;
    }
    if (!node.op || !node.op->macs) return;
    Asked asked = asked_of(node);
    std::set<int32_t> axes;
    for (const std::vector<int32_t>& of_value : asked.axes)
      axes.insert(of_value.begin(), of_value.end());
    axes.erase(-1);
    const int64_t macs = asked.macs(lengths_);
    if (!axes.empty()) model_.prunable_macs_ += macs;
    if (const auto term = product_of(asked, macs, axes)) {
      if (term->coefficient != 0) macs_[term->axes] += term->coefficient;
    } else {
      model_.asked_.push_back(std::move(asked));
    }
  }

  // Nothing where the count is no product of lengths.
  std::optional<Term> product_of(const Asked& asked, int64_t macs, const std::set<int32_t>& axes) {
    Term term{macs, {}};
    std::vector<int64_t> probe = lengths_;
    for (const int32_t axis : axes) {
      probe[axis] = 2 * lengths_[axis];
      const auto exponent = exponent_of(macs, asked.macs(probe));
      probe[axis] = lengths_[axis];
      if (!exponent) return std::nullopt;
      for (int i = 0; macs > 0 && i < *exponent; ++i) {
        if (term.coefficient % lengths_[axis] != 0) return std::nullopt;
        term.coefficient /= lengths_[axis];
        term.axes.push_back(axis);
      }
    }
    int64_t expected = term.coefficient, length = 3;
    for (const int32_t axis : axes) probe[axis] = length++;
    for (const int32_t axis : term.axes) expected *= probe[axis];
    if (asked.macs(probe) != expected) return std::nullopt;
    return term;
  }

  CostModel& model_;
  const Graph& graph_;
  const Groups& groups_;
  const Inferred& inferred_;
  std::map<std::pair<int32_t, int64_t>, int32_t> numbers_;  // (axis in the pool, its size)
  std::vector<int64_t> lengths_;  // by axis of the model: before anything leaves
  std::vector<Shape> shapes_;
  Sums macs_, parameters_;
};

CostModel::CostModel(const Graph& graph, const Groups& groups, const Inferred& inferred) {
  Builder(*this, graph, groups, inferred).run();
  all_ = after(Removal(groups.unit_count, 0));
}

}  // namespace coppice
