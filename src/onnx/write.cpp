// A Graph to ONNX bytes.
//
// Everything but the initialisers is one small protobuf message; their data follow it piece by
// piece, straight from the tensors. A message's fields may come in any order, so the file reads as
// if it had been written at once.

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "core/error.h"
#include "graph/passes/fold_weights.h"
#include "graph/passes/halves.h"
#include "onnx/convert.h"
#include "onnx/data_files.h"
#include "onnx/functions.h"
#include "onnx/onnx.h"

namespace coppice {
namespace {

using Coded = google::protobuf::io::CodedOutputStream;
using Sink = std::function<void(std::span<const std::byte>)>;

// Tags of length-delimited fields (number << 3 | 2).
constexpr uint8_t kModelGraphTag = 7 << 3 | 2, kGraphInitialiserTag = 5 << 3 | 2,
                  kTensorRawDataTag = 9 << 3 | 2;
constexpr int64_t kInitialisersAlone = 4;  // IR versions from here on don't list them as inputs
constexpr int64_t kOwnIrVersion = 7;  // of models that Coppice builds: opset 13 belongs to IR 7

std::span<const std::byte> view(const std::string& bytes) {
  return std::as_bytes(std::span(bytes));
}

// Tag and length that stand before a field of `length` bytes.
std::string prefix(uint8_t tag, size_t length) {
  std::array<uint8_t, 11> bytes{tag};
  const uint8_t* end = Coded::WriteVarint64ToArray(length, bytes.data() + 1);
  return {reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(end - bytes.data())};
}

// One initialiser: `head` holds all but the data, which are `raw`.
struct Piece {
  std::string head;
  std::span<const std::byte> raw;
  size_t size() const { return head.size() + raw.size(); }
};

Piece piece_of(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  Piece piece;
  const auto kept = graph.foreign.tensors.find(id);
  onnx::TensorProto proto;
  if (kept != graph.foreign.tensors.end() && proto.ParsePartialFromString(kept->second) &&
      tensor_from(proto) == *value.constant) {
    piece.head = kept->second;
  } else {
    proto.Clear();
    if (size_of(value.constant->dtype()) == 0) {
      fill_tensor(*value.constant, value.name, proto);
    } else {
      fill_header(*value.constant, value.name, proto);
      piece.raw = value.constant->bytes();
    }
    piece.head = bytes_of(proto);
    if (size_of(value.constant->dtype()) != 0) {
      piece.head += prefix(kTensorRawDataTag, piece.raw.size());
    }
  }
  piece.head = prefix(kGraphInitialiserTag, piece.size()) + piece.head;
  return piece;
}

// The file's initialisers in its order, then new ones that somebody reads.
std::vector<ValueId> initialisers_of(const Graph& graph) {
  std::vector<char> skip(graph.values.size(), 0), read(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) skip[id] = 1;  // the tensor of a Constant node
    }
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) read[id] = 1;
    }
    for (const ValueId id : node.captures) read[id] = 1;
  }
  for (const ValueId id : graph.outputs) read[id] = 1;
  std::vector<ValueId> ids;
  for (const ValueId id : graph.foreign.initialisers) {
    if (graph.value(id).constant && !skip[id]) {
      ids.push_back(id);
      skip[id] = 1;
    }
  }
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant && read[i] && !skip[i]) ids.push_back(static_cast<ValueId>(i));
  }
  return ids;
}

void fill_node_attribute(const std::string& name, const AttributeValue& value,
                         const onnx::NodeProto& rest, onnx::NodeProto& proto) {
  for (const auto& kept : rest.attribute()) {
    if (kept.name() == name && attribute_from(kept) == value) {
      *proto.add_attribute() = kept;
      return;
    }
  }
  fill_attribute(name, value, *proto.add_attribute());
}

void fill_node(const Graph& graph, const Node& node, onnx::NodeProto& proto) {
  onnx::NodeProto rest;
  COPPICE_CHECK(rest.ParsePartialFromString(node.foreign), "a carried node is damaged");
  proto = rest;
  proto.clear_attribute();
  const auto name_of_value = [&](ValueId id) { return id == kNoValue ? "" : graph.value(id).name; };
  for (const ValueId id : node.inputs) proto.add_input(name_of_value(id));
  for (const ValueId id : node.outputs) proto.add_output(name_of_value(id));
  if (!node.name.empty()) proto.set_name(node.name);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  proto.set_op_type(node.op_type);
  for (const auto& [name, value] : node.attributes.entries()) {
    fill_node_attribute(name, value, rest, proto);
  }
  const bool constant = node.op_type == "Constant" && node.op && node.outputs.size() == 1 &&
                        node.outputs[0] != kNoValue;
  if (constant && graph.value(node.outputs[0]).constant) {
    fill_node_attribute("value", *graph.value(node.outputs[0]).constant, rest, proto);
  }
}

// A constant says what it is, whatever the file said of it: files that other tools have cut list
// initialisers with the shapes of before.
Value declared_as_it_is(const Value& constant) {
  Value value = constant;
  const Shape& shape = constant.constant->shape();
  value.dtype = constant.constant->dtype();
  if (!value.declared || value.declared->size() != shape.size()) {
    value.declared = Dims(shape.size());
    for (size_t i = 0; i < shape.size(); ++i) (*value.declared)[i].size = shape[i];
  }
  for (size_t i = 0; i < shape.size(); ++i) {
    Dim& dim = (*value.declared)[i];
    if (dim.fixed()) dim.size = shape[i];
  }
  return value;
}

void fill_info(const Graph& graph, ValueId id, onnx::ValueInfoProto& proto) {
  const auto kept = graph.foreign.infos.find(id);
  if (kept != graph.foreign.infos.end()) {
    COPPICE_CHECK(proto.ParsePartialFromString(kept->second), "a carried value_info is damaged");
    if (!proto.type().has_tensor_type() && proto.has_type()) return;  // a sequence, a map
  }
  update_info(graph.value(id).constant ? declared_as_it_is(graph.value(id)) : graph.value(id),
              proto);
}

onnx::ModelProto header_of(const Graph& graph) {
  onnx::ModelProto model;
  if (graph.foreign.model.empty()) {
    model.set_ir_version(kOwnIrVersion);
    model.set_producer_name("coppice");
    model.add_opset_import()->set_version(graph.opset);
    model.mutable_opset_import(0)->set_domain("");
    std::set<std::string> domains{"", "ai.onnx"};
    for (const Node& node : graph.nodes) {
      if (!domains.insert(node.domain).second) continue;
      auto* import = model.add_opset_import();
      import->set_domain(node.domain);
      import->set_version(1);
    }
  } else {
    COPPICE_CHECK(model.ParsePartialFromString(graph.foreign.model), "a carried model is damaged");
    for (auto& import : *model.mutable_opset_import()) {
      if (import.domain().empty() || import.domain() == "ai.onnx") {
        import.set_version(graph.opset);  // it may have been lowered
      }
    }
  }
  for (const auto& [key, value] : graph.metadata) {
    auto* entry = model.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  return model;
}

std::vector<char> flags_of(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<char> flags(graph.values.size(), 0);
  for (const ValueId id : ids) flags[id] = 1;
  return flags;
}

// Files of the first IR versions list initialisers among the inputs, too: also those that we made.
void list_new_initialisers(const Graph& graph, onnx::GraphProto& proto) {
  const std::vector<char> listed = flags_of(graph, graph.foreign.listed_inputs);
  for (const ValueId id : initialisers_of(graph)) {
    if (!listed[id]) fill_info(graph, id, *proto.add_input());
  }
}

void fill_graph(const Graph& graph, int64_t ir_version, onnx::GraphProto& proto) {
  if (!graph.name.empty()) proto.set_name(graph.name);
  for (const Node& node : with_calls(graph)) fill_node(graph, node, *proto.add_node());
  const auto& listed = graph.foreign.listed_inputs;
  const std::vector<char> fed = flags_of(graph, graph.inputs);
  for (const ValueId id : listed.empty() ? graph.inputs : listed) {
    // An initialiser that was listed as an input, and that nobody reads any more, goes with it.
    if (fed[id] || graph.value(id).constant) fill_info(graph, id, *proto.add_input());
  }
  if (ir_version < kInitialisersAlone) list_new_initialisers(graph, proto);
  for (const ValueId id : graph.outputs) fill_info(graph, id, *proto.add_output());
  if (graph.foreign.value_infos.empty()) return;
  const std::vector<int32_t> producer = producers(graph);
  for (const ValueId id : graph.foreign.value_infos) {
    const bool alive = producer[id] >= 0 || graph.value(id).constant;
    if (alive) fill_info(graph, id, *proto.add_value_info());
  }
}

// All but the initialisers, and those: as pieces that know their sizes.
struct Parts {
  std::string model, graph;
  std::vector<Piece> pieces;

  size_t graph_size() const {
    size_t size = graph.size();
    for (const Piece& piece : pieces) size += piece.size();
    return size;
  }
};

Parts parts_of(const Graph& graph) {
  onnx::ModelProto model = header_of(graph);
  onnx::GraphProto proto = std::move(*model.mutable_graph());
  model.clear_graph();
  fill_graph(graph, model.ir_version(), proto);
  Parts parts{bytes_of(model), bytes_of(proto), {}};
  for (const ValueId id : initialisers_of(graph)) parts.pieces.push_back(piece_of(graph, id));
  return parts;
}

void write_parts(const Parts& parts, const Sink& sink) {
  const std::string graph_prefix = prefix(kModelGraphTag, parts.graph_size());
  sink(view(parts.model));
  sink(view(graph_prefix));
  sink(view(parts.graph));
  for (const Piece& piece : parts.pieces) {
    sink(view(piece.head));
    if (!piece.raw.empty()) sink(piece.raw);
  }
}

constexpr size_t kMostInside = size_t{1} << 31;  // protobuf, and so every other reader, ends here
constexpr size_t kLeastBeside = 1024;  // sizes and scalars are of use to who infers shapes
constexpr size_t kAlignment = 4096;    // so that readers can map the tensors

// A tensor's message with its data at `offset` of the file `location`.
std::string head_beside(const Graph& graph, ValueId id, const std::string& location,
                        size_t offset) {
  const Tensor& tensor = *graph.value(id).constant;
  onnx::TensorProto proto;
  fill_header(tensor, graph.value(id).name, proto);
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [&](const char* key, const std::string& value) {
    auto* entry = proto.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  add("location", location);
  add("offset", std::to_string(offset));
  add("length", std::to_string(tensor.bytes().size()));
  const std::string body = bytes_of(proto);
  return prefix(kGraphInitialiserTag, body.size()) + body;
}

// Moves the data of larger tensors to the companion.
void move_beside(const Graph& graph, AtomicFile& data, Parts& parts) {
  const std::string location = data.target().filename().string();
  const std::vector<ValueId> ids = initialisers_of(graph);
  size_t offset = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    Piece& piece = parts.pieces[i];
    if (piece.raw.size() < kLeastBeside) continue;
    const size_t start = (offset + kAlignment - 1) / kAlignment * kAlignment;
    data.write(std::string(start - offset, '\0'));
    data.write(piece.raw);
    offset = start + piece.raw.size();
    piece = {head_beside(graph, ids[i], location, start), {}};
  }
}

}  // namespace

std::string newer_than_known(const Graph& graph) {
  constexpr int64_t kNewestOpset = 26, kNewestIr = 13;
  const auto text = [](const char* what, int64_t found, int64_t known) {
    return std::string(what) + " " + std::to_string(found) + " is newer than " +
           std::to_string(known) +
           ", the newest that coppice knows: what it changed may be understood as before";
  };
  if (graph.opset > kNewestOpset) return text("opset", graph.opset, kNewestOpset);
  const int64_t ir = header_of(graph).ir_version();
  return ir > kNewestIr ? text("IR version", ir, kNewestIr) : std::string();
}

void serialise_onnx(const Graph& graph, const Sink& sink, Halves halves) {
  if (halves == Halves::as_computed || !holds_halves(graph)) {
    return write_parts(parts_of(graph), sink);
  }
  Graph narrow = graph;
  narrow_halves(narrow);
  write_parts(parts_of(narrow), sink);
}

void write_onnx(const Graph& computed, AtomicFile& file,
                const std::vector<std::filesystem::path>& taken) {
  Graph graph = computed;
  unfold_weights(graph);
  narrow_halves(graph);
  Parts parts = parts_of(graph);
  const bool beside = graph.foreign.storage == Foreign::Storage::beside ||
                      parts.model.size() + parts.graph_size() >= kMostInside;
  if (beside) move_beside(graph, file.companion(data_suffix(file.target(), taken)), parts);
  for (const auto& old : replaced_data(file.target(), taken)) file.removes_after(old);
  write_parts(parts, [&](std::span<const std::byte> bytes) { file.write(bytes); });
}

void write_onnx(const Graph& graph, const std::filesystem::path& path) {
  AtomicFile file(path);
  write_onnx(graph, file);
  file.commit();
}

size_t onnx_bytes(const Graph& graph, Halves halves) {
  size_t total = 0;
  serialise_onnx(
      graph, [&](std::span<const std::byte> bytes) { total += bytes.size(); }, halves);
  return total;
}

}  // namespace coppice
