// ONNX bytes to a Graph.
//
// The model is walked one level deep (wire.h): initialisers stay in the buffer, all else is
// gathered into a lean message that protobuf parses. Then: values by name, nodes, subgraph
// captures, order.

#include <cstring>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "graph/op.h"
#include "graph/passes/halves.h"
#include "onnx/convert.h"
#include "onnx/data_files.h"
#include "onnx/files_beside.h"
#include "onnx/functions.h"
#include "onnx/onnx.h"
#include "onnx/wire.h"

namespace coppice {
namespace {

// Field numbers of onnx.proto.
constexpr int kModelGraph = 7, kGraphInitialiser = 5, kTensorRawData = 9;

struct Lean {
  std::string model, graph;                              // without the graph; without initialisers
  std::vector<std::span<const std::byte>> initialisers;  // TensorProto messages
};

void append(std::string& text, std::span<const std::byte> bytes) {
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Lean split(std::span<const std::byte> file) {
  Lean lean;
  bool found = false;
  for_each_field(file, [&](const WireField& field) {
    if (field.number != kModelGraph || !field.delimited) return append(lean.model, field.whole);
    found = true;
    for_each_field(field.payload, [&](const WireField& inner) {
      if (inner.number == kGraphInitialiser && inner.delimited) {
        lean.initialisers.push_back(inner.payload);
      } else {
        append(lean.graph, inner.whole);
      }
    });
  });
  if (!found) fail_input("not an ONNX model: it holds no graph");
  return lean;
}

template <typename Message>
Message parse(const std::string& bytes, const char* what) {
  Message message;
  if (!message.ParsePartialFromString(bytes)) {
    fail_input(std::string("not an ONNX model, or damaged: its ") + what + " can't be parsed");
  }
  return message;
}

class Reader {
 public:
  Reader(const Buffer& file, std::filesystem::path folder)
      : file_(file), beside_(std::move(folder)) {}

  Graph read() {
    const Lean lean = split(file_.bytes());
    auto model = parse<onnx::ModelProto>(lean.model, "header");
    auto proto = parse<onnx::GraphProto>(lean.graph, "graph");
    if (proto.sparse_initializer_size() > 0) {
      fail_input("the model holds sparse initialisers, which this version can't read");
    }
    for (const auto& bytes : lean.initialisers) read_initialiser(bytes);
    for (const auto& info : proto.input()) read_input(info);
    const Functions functions(model);
    std::vector<onnx::NodeProto> nodes;  // those of bodies in place of calls
    for (const auto& node : proto.node()) {
      if (functions.are_called_by(node)) {
        read_call(node, functions.body_of(node), nodes);
      } else {
        read_node(node);
        nodes.push_back(node);
      }
    }
    for (const auto& info : proto.output()) {
      graph_.outputs.push_back(read_value_info(info));
    }
    for (const auto& info : proto.value_info()) {
      graph_.foreign.value_infos.push_back(read_value_info(info));
    }
    for (size_t n = 0; n < graph_.nodes.size(); ++n) read_captures(nodes[n], n);
    keep_rest(model, proto);
    sort_nodes(graph_);
    verify(graph_);
    return std::move(graph_);
  }

 private:
  ValueId value_named(const std::string& name) {
    if (name.empty()) return kNoValue;
    const auto [entry, added] = ids_.try_emplace(name, static_cast<ValueId>(graph_.values.size()));
    if (added) add_value(graph_, name);
    return entry->second;
  }

  void read_initialiser(std::span<const std::byte> bytes) {
    std::string header;
    std::optional<std::span<const std::byte>> raw;
    for_each_field(bytes, [&](const WireField& field) {
      if (field.number == kTensorRawData && field.delimited) {
        raw = field.payload;
      } else {
        append(header, field.whole);
      }
    });
    auto proto = parse<onnx::TensorProto>(header, "initialiser");
    std::shared_ptr<const void> owner = file_.data;
    if (raw) raw = aligned(static_cast<DType>(proto.data_type()), *raw);
    if (proto.name().empty()) fail_input("an initialiser has no name; the file is damaged");
    if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
      std::tie(owner, raw) = beside_.data_of(proto);
      graph_.foreign.storage = Foreign::Storage::beside;
      proto.clear_data_location();
      proto.clear_external_data();
      header = bytes_of(proto);
    }
    const ValueId id = value_named(proto.name());
    Value& value = graph_.value(id);
    if (value.constant) {
      fail_input("initialiser '" + value.name + "' is given twice; expected one");
    }
    value.constant = tensor_from(proto, std::move(owner), raw);
    value.dtype = value.constant->dtype();
    graph_.foreign.initialisers.push_back(id);
    onnx::TensorProto plain;
    fill_header(*value.constant, value.name, plain);
    if (!raw || bytes_of(plain) != header) {
      keep_tensor(id, proto, raw);
    }
  }

  // Protobuf aligns nothing, and floats at odd addresses are undefined behaviour. The bytes before
  // a tensor's data (its tag and length) are read by now, so the data move down over them. Why not
  // copy: three of four tensors of a file lie misaligned; copies would double the memory.
  std::span<const std::byte> aligned(DType dtype, std::span<const std::byte> raw) {
    constexpr size_t kLongLength = 128;  // from here on tag and length take 3 bytes or more
    const size_t shift = misalignment(dtype, raw.data());
    if (shift == 0 || shift > 3 || raw.size() < kLongLength) return raw;
    std::byte* data = file_.data.get() + (raw.data() - file_.data.get());
    std::memmove(data - shift, data, raw.size());
    return {data - shift, raw.size()};
  }

  // A TensorProto that we would write otherwise (typed data, documentation) is carried whole.
  void keep_tensor(ValueId id, const onnx::TensorProto& header,
                   std::optional<std::span<const std::byte>> raw) {
    onnx::TensorProto whole = header;
    if (raw) whole.set_raw_data(raw->data(), raw->size());
    graph_.foreign.tensors[id] = bytes_of(whole);
  }

  ValueId read_value_info(const onnx::ValueInfoProto& info) {
    const ValueId id = value_named(info.name());
    if (id == kNoValue)
      fail_input("an input, output or value_info has no name; the file is damaged");
    Value& value = graph_.value(id);
    const bool constant = value.constant.has_value();
    Value declared = value;
    read_info(info, declared);
    value.declared = declared.declared;
    if (!constant) value.dtype = declared.dtype;
    graph_.foreign.infos.try_emplace(id, bytes_of(info));
    return id;
  }

  void read_input(const onnx::ValueInfoProto& info) {
    const ValueId id = read_value_info(info);
    graph_.foreign.listed_inputs.push_back(id);
    if (!graph_.value(id).constant) graph_.inputs.push_back(id);
  }

  void read_call(const onnx::NodeProto& proto, const std::vector<onnx::NodeProto>& body,
                 std::vector<onnx::NodeProto>& nodes) {
    FunctionCall call;
    read_node(proto);
    call.call = std::move(graph_.nodes.back());
    graph_.nodes.pop_back();
    for (const auto& node : body) {
      read_node(node);
      nodes.push_back(node);
      call.body.push_back(graph_.nodes.back());
      for (const ValueId id : graph_.nodes.back().outputs) {
        if (id == kNoValue || !graph_.value(id).constant) continue;
        call.constants.emplace_back(id, *graph_.value(id).constant);
      }
    }
    graph_.calls.push_back(std::move(call));
  }

  void read_node(const onnx::NodeProto& proto) {
    Node node;
    node.name = proto.name();
    node.domain = proto.domain();
    node.op_type = proto.op_type();
    node.op = find_operator(node.domain, node.op_type);
    for (const std::string& name : proto.input()) node.inputs.push_back(value_named(name));
    for (const std::string& name : proto.output()) node.outputs.push_back(value_named(name));
    onnx::NodeProto rest = proto;
    rest.clear_input();
    rest.clear_output();
    rest.clear_op_type();
    rest.clear_attribute();
    if (!node.name.empty()) rest.clear_name();
    if (!node.domain.empty()) rest.clear_domain();
    within(where(graph_, node), [&] {
      for (const auto& attribute : proto.attribute()) read_attribute(attribute, node, rest);
    });
    node.foreign = bytes_of(rest);
    graph_.nodes.push_back(std::move(node));
  }

  void read_attribute(const onnx::AttributeProto& proto, Node& node, onnx::NodeProto& rest) {
    AttributeValue value = attribute_from(proto);
    onnx::AttributeProto plain;
    fill_attribute(proto.name(), value, plain);
    if (bytes_of(plain) != bytes_of(proto)) *rest.add_attribute() = proto;
    const bool constant = node.op_type == "Constant" && proto.name() == "value" && node.op &&
                          node.outputs.size() == 1 && node.outputs[0] != kNoValue;
    if (constant && std::holds_alternative<Tensor>(value)) {
      Value& output = graph_.value(node.outputs[0]);
      output.constant = std::get<Tensor>(std::move(value));
      output.dtype = output.constant->dtype();
      return;
    }
    node.attributes.set(proto.name(), std::move(value));
  }

  // Names that a subgraph reads but doesn't define come from outside.
  void collect_captures(const onnx::GraphProto& sub, std::set<std::string> defined,
                        std::set<std::string>& captured, int depth) {
    if (depth > 64) fail_input("subgraphs are nested more than 64 deep");
    for (const auto& info : sub.input()) defined.insert(info.name());
    for (const auto& tensor : sub.initializer()) defined.insert(tensor.name());
    for (const auto& node : sub.node()) {
      for (const std::string& name : node.input()) {
        if (!name.empty() && !defined.contains(name)) captured.insert(name);
      }
      for (const auto& attribute : node.attribute()) {
        collect_captures(attribute, defined, captured, depth + 1);
      }
      for (const std::string& name : node.output()) defined.insert(name);
    }
    for (const auto& info : sub.output()) {
      if (!defined.contains(info.name())) captured.insert(info.name());
    }
  }
  void collect_captures(const onnx::AttributeProto& attribute, const std::set<std::string>& defined,
                        std::set<std::string>& captured, int depth) {
    if (attribute.has_g()) collect_captures(attribute.g(), defined, captured, depth);
    for (const auto& sub : attribute.graphs()) collect_captures(sub, defined, captured, depth);
  }

  void read_captures(const onnx::NodeProto& proto, size_t index) {
    std::set<std::string> captured;
    for (const auto& attribute : proto.attribute()) collect_captures(attribute, {}, captured, 0);
    for (const std::string& name : captured) {
      if (const auto known = ids_.find(name); known != ids_.end()) {
        graph_.nodes[index].captures.push_back(known->second);
      }
    }
  }

  void keep_rest(onnx::ModelProto& model, onnx::GraphProto& proto) {
    graph_.opset = 1;
    for (const auto& import : model.opset_import()) {
      if (import.domain().empty() || import.domain() == "ai.onnx") graph_.opset = import.version();
    }
    for (const auto& entry : model.metadata_props()) {
      graph_.metadata.emplace_back(entry.key(), entry.value());
    }
    model.clear_metadata_props();
    graph_.name = proto.name();
    proto.clear_name();
    proto.clear_node();
    proto.clear_input();
    proto.clear_output();
    proto.clear_value_info();
    *model.mutable_graph() = std::move(proto);
    graph_.foreign.model = bytes_of(model);
  }

  const Buffer& file_;
  FilesBeside beside_;
  Graph graph_;
  std::unordered_map<std::string, ValueId> ids_;
};

}  // namespace

Graph parse_onnx(const Buffer& file, const std::filesystem::path& folder) {
  if (file.size == 0) fail_input("the file is empty, expected an ONNX model");
  Graph graph = Reader(file, folder).read();
  widen_halves(graph);
  return graph;
}

Graph read_onnx(const std::filesystem::path& path) {
  const Buffer file = read_file(path);
  return within("'" + path.string() + "'", [&] { return parse_onnx(file, data_folder(path)); });
}

}  // namespace coppice
