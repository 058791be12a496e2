// Protobuf messages to Coppice's types and back, one message at a time. Private to `onnx`.
#pragma once

#include <google/protobuf/message_lite.h>

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "graph/graph.h"
#include "onnx.pb.h"

namespace coppice {

// A TensorProto whose raw_data, if it had any, stays in `raw` (owned by `owner`) unless it is
// misaligned: then it is copied. Throws
// Error::input, naming the tensor, for sizes that don't fit or for data in another file.
Tensor tensor_from(const onnx::TensorProto& proto, std::shared_ptr<const void> owner,
                   std::optional<std::span<const std::byte>> raw);
// Bytes from the nearest address below at which elements of `dtype` may lie.
size_t misalignment(DType dtype, const std::byte* data);
// A TensorProto that holds its data itself.
Tensor tensor_from(const onnx::TensorProto& proto);

// Everything but the data.
void fill_header(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);
// With the data as raw_data.
void fill_tensor(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);

AttributeValue attribute_from(const onnx::AttributeProto& proto);
void fill_attribute(const std::string& name, const AttributeValue& value,
                    onnx::AttributeProto& proto);

// Type and declared sizes of a ValueInfoProto; leaves them unset for what is no tensor.
void read_info(const onnx::ValueInfoProto& info, Value& value);
// `info` brought up to date with the value's name, type and declared sizes.
void update_info(const Value& value, onnx::ValueInfoProto& info);

std::string bytes_of(const google::protobuf::MessageLite& message);  // deterministic

}  // namespace coppice
