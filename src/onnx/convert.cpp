#include "onnx/convert.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "onnx/sizes_for_a_run.h"

namespace coppice {
namespace {

std::string quoted(const onnx::TensorProto& proto) { return "tensor '" + proto.name() + "'"; }

Shape shape_of(const onnx::TensorProto& proto) {
  return within(quoted(proto), [&] {
    Shape shape(proto.dims().begin(), proto.dims().end());
    element_count(shape);  // throws for what is negative or too large
    return shape;
  });
}

// Elements that lie in one of the typed fields, narrowed to the tensor's own width.
template <typename T, typename Field>
Tensor from_field(const onnx::TensorProto& proto, const Field& field) {
  const auto dtype = static_cast<DType>(proto.data_type());
  Shape shape = shape_of(proto);
  const int64_t count = element_count(shape);
  if (count != static_cast<int64_t>(field.size())) {
    fail_input(quoted(proto) + ": has " + std::to_string(field.size()) + " elements, its shape " +
               to_string(shape) + " expects " + std::to_string(count));
  }
  Tensor tensor = Tensor::zeros(dtype, std::move(shape));
  std::byte* target = tensor.mutate_bytes().data();
  for (const auto element : field) {
    const T narrow = static_cast<T>(element);
    std::memcpy(target, &narrow, sizeof(T));
    target += sizeof(T);
  }
  return tensor;
}

Tensor from_typed_data(const onnx::TensorProto& proto) {
  switch (static_cast<DType>(proto.data_type())) {
    case DType::f32: return from_field<float>(proto, proto.float_data());
    case DType::f64: return from_field<double>(proto, proto.double_data());
    case DType::i64: return from_field<int64_t>(proto, proto.int64_data());
    case DType::u64: return from_field<uint64_t>(proto, proto.uint64_data());
    case DType::u32: return from_field<uint32_t>(proto, proto.uint64_data());
    case DType::i32: return from_field<int32_t>(proto, proto.int32_data());
    case DType::i16:
    case DType::u16:
    case DType::f16:
    case DType::bf16: return from_field<uint16_t>(proto, proto.int32_data());
    case DType::i8:
    case DType::u8:
    case DType::boolean: return from_field<uint8_t>(proto, proto.int32_data());
    default: {
      // Strings and types we don't know are carried as the message they came in.
      auto bytes = std::make_shared<std::string>(bytes_of(proto));
      const auto span = std::as_bytes(std::span(*bytes));
      return Tensor::view(static_cast<DType>(proto.data_type()), shape_of(proto), bytes, span);
    }
  }
}

template <typename T, typename Field>
std::vector<T> list(const Field& field) {
  return {field.begin(), field.end()};
}

}  // namespace

std::string bytes_of(const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializePartialToCodedStream(&coded);
  }
  return bytes;
}

Tensor tensor_from(const onnx::TensorProto& proto, std::shared_ptr<const void> owner,
                   std::optional<std::span<const std::byte>> raw) {
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    fail_input(
        quoted(proto) +
        ": its data lie in another file, which is read for initialisers only; save the model "
        "with its weights inside");
  }
  const auto dtype = static_cast<DType>(proto.data_type());
  if (!raw || size_of(dtype) == 0) return from_typed_data(proto);
  return within(quoted(proto), [&] {
    Tensor tensor = Tensor::view(dtype, shape_of(proto), std::move(owner), *raw);
    if (misalignment(dtype, raw->data()) == 0) return tensor;
    Tensor copy = Tensor::zeros(dtype, tensor.shape());
    if (!raw->empty()) std::memcpy(copy.mutate_bytes().data(), raw->data(), raw->size());
    return copy;
  });
}

size_t misalignment(DType dtype, const std::byte* data) {
  const size_t width = std::clamp<size_t>(size_of(dtype), 1, 8);
  return reinterpret_cast<uintptr_t>(data) % width;
}

Tensor tensor_from(const onnx::TensorProto& proto) {
  if (!proto.has_raw_data()) return tensor_from(proto, nullptr, std::nullopt);
  auto raw = std::make_shared<std::string>(proto.raw_data());
  const auto span = std::as_bytes(std::span(*raw));
  return tensor_from(proto, raw, span);
}

void fill_header(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
  for (const int64_t size : tensor.shape()) proto.add_dims(size);
  proto.set_data_type(static_cast<int32_t>(tensor.dtype()));
  if (!name.empty()) proto.set_name(name);
}

void fill_tensor(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
  if (size_of(tensor.dtype()) == 0) {
    COPPICE_CHECK(
        proto.ParsePartialFromArray(tensor.bytes().data(), static_cast<int>(tensor.bytes().size())),
        "a carried tensor can't be read back");
    return;
  }
  fill_header(tensor, name, proto);
  proto.set_raw_data(tensor.bytes().data(), tensor.bytes().size());
}

AttributeValue attribute_from(const onnx::AttributeProto& proto) {
  using Proto = onnx::AttributeProto;
  // Files of the first IR versions leave the type out; then the field that is there decides.
  Proto::AttributeType type = proto.type();
  if (type == Proto::UNDEFINED) {
    if (proto.has_f()) type = Proto::FLOAT;
    if (proto.has_i()) type = Proto::INT;
    if (proto.has_s()) type = Proto::STRING;
    if (proto.has_t()) type = Proto::TENSOR;
    if (proto.floats_size()) type = Proto::FLOATS;
    if (proto.ints_size()) type = Proto::INTS;
    if (proto.strings_size()) type = Proto::STRINGS;
  }
  if (!proto.ref_attr_name().empty()) return OpaqueAttribute{bytes_of(proto)};
  switch (type) {
    case Proto::FLOAT: return proto.f();
    case Proto::INT: return proto.i();
    case Proto::STRING: return proto.s();
    case Proto::TENSOR: return tensor_from(proto.t());
    case Proto::FLOATS: return list<float>(proto.floats());
    case Proto::INTS: return list<int64_t>(proto.ints());
    case Proto::STRINGS: return list<std::string>(proto.strings());
    default: return OpaqueAttribute{bytes_of(proto)};
  }
}

void fill_attribute(const std::string& name, const AttributeValue& value,
                    onnx::AttributeProto& proto) {
  using Proto = onnx::AttributeProto;
  if (const auto* opaque = std::get_if<OpaqueAttribute>(&value)) {
    COPPICE_CHECK(proto.ParsePartialFromString(opaque->bytes), "a carried attribute is damaged");
    return;
  }
  proto.set_name(name);
  if (const auto* i = std::get_if<int64_t>(&value)) {
    proto.set_type(Proto::INT);
    proto.set_i(*i);
  } else if (const auto* f = std::get_if<float>(&value)) {
    proto.set_type(Proto::FLOAT);
    proto.set_f(*f);
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    proto.set_type(Proto::STRING);
    proto.set_s(*s);
  } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
    proto.set_type(Proto::INTS);
    for (const int64_t element : *ints) proto.add_ints(element);
  } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
    proto.set_type(Proto::FLOATS);
    for (const float element : *floats) proto.add_floats(element);
  } else if (const auto* strings = std::get_if<std::vector<std::string>>(&value)) {
    proto.set_type(Proto::STRINGS);
    for (const std::string& element : *strings) proto.add_strings(element);
  } else {
    proto.set_type(Proto::TENSOR);
    fill_tensor(std::get<Tensor>(value), "", *proto.mutable_t());
  }
}

void read_info(const onnx::ValueInfoProto& info, Value& value) {
  if (!info.type().has_tensor_type()) return;
  const auto& type = info.type().tensor_type();
  value.dtype = static_cast<DType>(type.elem_type());
  if (!type.has_shape()) return;
  Dims dims;
  for (const auto& proto : type.shape().dim()) {
    Dim dim;
    if (proto.has_dim_value() && proto.dim_value() >= 0) dim.size = proto.dim_value();
    if (proto.has_dim_param()) dim.symbol = proto.dim_param();
    dims.push_back(std::move(dim));
  }
  value.declared = std::move(dims);
}

void update_info(const Value& value, onnx::ValueInfoProto& info) {
  Value now;
  read_info(info, now);
  if (info.name() == value.name && now.dtype == value.dtype && now.declared == value.declared) {
    return;
  }
  info.set_name(value.name);
  auto* type = info.mutable_type()->mutable_tensor_type();
  type->set_elem_type(static_cast<int32_t>(value.dtype));
  if (!value.declared) return;
  auto* shape = type->mutable_shape();
  while (shape->dim_size() > static_cast<int>(value.declared->size())) {
    shape->mutable_dim()->RemoveLast();
  }
  for (size_t i = 0; i < value.declared->size(); ++i) {
    auto* dim = static_cast<int>(i) < shape->dim_size() ? shape->mutable_dim(static_cast<int>(i))
                                                        : shape->add_dim();
    const Dim& declared = (*value.declared)[i];
    if (declared.fixed() && declared.symbol.empty()) {
      dim->set_dim_value(declared.size);
    } else if (!declared.symbol.empty() && declared.symbol != kUnnamedSize) {
      dim->set_dim_param(declared.symbol);
    }
  }
}

}  // namespace coppice
