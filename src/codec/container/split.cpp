// See split.h.
#include "codec/container/split.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "onnx/onnx.h"
#include "onnx/wire.h"

namespace coppice::codec {
namespace {

std::string_view view(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Splitter {
 public:
  explicit Splitter(const Graph& graph) : graph_(graph) {
    for (size_t i = 0; i < graph.values.size(); ++i) {
      const auto& constant = graph.values[i].constant;
      if (!constant || size_of(constant->dtype()) == 0) continue;
      if (constant->bytes().size() < kLeastTensorBytes) continue;
      by_address_.emplace(constant->bytes().data(), static_cast<ValueId>(i));
    }
    for (const auto& [id, message] : graph.foreign.tensors) {
      if (is_large(id)) carried_[message.size()].push_back(id);
    }
    for (const Node& node : graph.nodes) {
      const bool constant = node.op_type == "Constant" && node.outputs.size() == 1;
      if (constant && is_large(node.outputs[0])) of_nodes_.push_back(node.outputs[0]);
    }
  }

  void take(std::span<const std::byte> piece) {
    result_.file_bytes += piece.size();
    const auto found = by_address_.find(piece.data());
    if (found != by_address_.end() && tensor(found->second).size() == piece.size()) {
      return add_hole(found->second);
    }
    if (const ValueId id = carried_in(piece); id != kNoValue) return take_out(piece, {id});
    if (!of_nodes_.empty() && piece.size() >= kLeastTensorBytes) return take_out(piece, of_nodes_);
    keep(piece);
  }

  // A whole file: fields of the model, of its graphs, and of their initialisers.
  void take_file(std::span<const std::byte> file) {
    constexpr int kModelGraph = 7, kGraphInitialiser = 5;
    name_values();
    result_.file_bytes = file.size();
    for_each_field(file, [&](const WireField& field) {
      if (field.number != kModelGraph || !field.delimited) return keep(field.whole);
      keep(start_of(field));
      for_each_field(field.payload, [&](const WireField& inner) {
        if (inner.number == kGraphInitialiser && inner.delimited) return take_initialiser(inner);
        take_out(inner.whole, of_nodes_);
      });
    });
  }

  SplitFile finish() { return std::move(result_); }

 private:
  void name_values() {
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      const auto id = static_cast<ValueId>(i);
      if (is_large(id)) by_name_.emplace(graph_.values[i].name, id);
    }
  }
  static std::span<const std::byte> start_of(const WireField& field) {
    return field.whole.first(field.whole.size() - field.payload.size());
  }

  // Its data may be raw or packed numbers; either are the tensor's bytes.
  void take_initialiser(const WireField& initialiser) {
    constexpr int kTensorName = 8;
    ValueId id = kNoValue;
    for_each_field(initialiser.payload, [&](const WireField& field) {
      if (field.number != kTensorName || !field.delimited) return;
      const auto found = by_name_.find(view(field.payload));
      if (found != by_name_.end()) id = found->second;
    });
    keep(start_of(initialiser));
    for_each_field(initialiser.payload, [&](const WireField& field) {
      const bool data = id != kNoValue && field.delimited && field.number != kTensorName &&
                        view(field.payload) == view(tensor(id));
      if (!data) return keep(field.whole);
      keep(start_of(field));
      add_hole(id);
    });
  }

  bool is_large(ValueId id) const {
    if (id == kNoValue) return false;
    const auto& constant = graph_.value(id).constant;
    return constant && size_of(constant->dtype()) > 0 &&
           constant->bytes().size() >= kLeastTensorBytes;
  }
  std::span<const std::byte> tensor(ValueId id) const { return graph_.value(id).constant->bytes(); }

  // The tensor whose whole message ends the piece, after at most a tag and a length.
  ValueId carried_in(std::span<const std::byte> piece) const {
    constexpr size_t kLongestPrefix = 11;
    for (size_t prefix = 0; prefix <= std::min(kLongestPrefix, piece.size()); ++prefix) {
      const auto candidates = carried_.find(piece.size() - prefix);
      if (candidates == carried_.end()) continue;
      for (const ValueId id : candidates->second) {
        if (view(piece.subspan(prefix)) == graph_.foreign.tensors.at(id)) return id;
      }
    }
    return kNoValue;
  }

  // Those of the tensors whose bytes lie in the piece, each after the one before.
  void take_out(std::span<const std::byte> piece, const std::vector<ValueId>& ids) {
    for (const ValueId id : ids) {
      const size_t at = view(piece).find(view(tensor(id)));
      if (at == std::string_view::npos) continue;
      keep(piece.first(at));
      add_hole(id);
      piece = piece.subspan(at + tensor(id).size());
    }
    keep(piece);
  }

  void keep(std::span<const std::byte> bytes) {
    append(result_.rest, bytes);
    since_hole_ += bytes.size();
  }
  void add_hole(ValueId id) {
    result_.holes.push_back({since_hole_, id});
    since_hole_ = 0;
  }

  const Graph& graph_;
  std::unordered_map<const std::byte*, ValueId> by_address_;
  std::unordered_map<size_t, std::vector<ValueId>> carried_;  // by the message's size
  std::unordered_map<std::string_view, ValueId> by_name_;     // large tensors
  std::vector<ValueId> of_nodes_;                             // tensors of Constant nodes, in order
  SplitFile result_;
  uint64_t since_hole_ = 0;
};

}  // namespace

SplitFile split_file(const Graph& graph) {
  Splitter splitter(graph);
  serialise_onnx(graph, [&](std::span<const std::byte> piece) { splitter.take(piece); });
  return splitter.finish();
}

SplitFile split_file(const Graph& graph, std::span<const std::byte> file) {
  Splitter splitter(graph);
  splitter.take_file(file);
  return splitter.finish();
}

}  // namespace coppice::codec
