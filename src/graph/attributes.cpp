#include "graph/attributes.h"

#include "core/error.h"

namespace coppice {
namespace {

template <typename T>
const T* get(const Attributes& attributes, const std::string& name, const char* kind) {
  const AttributeValue* value = attributes.find(name);
  if (!value) return nullptr;
  const T* typed = std::get_if<T>(value);
  if (!typed) fail_input("attribute '" + name + "' is not of kind " + kind);
  return typed;
}

}  // namespace

const AttributeValue* Attributes::find(const std::string& name) const {
  for (const auto& [key, value] : entries_) {
    if (key == name) return &value;
  }
  return nullptr;
}

int64_t Attributes::integer(const std::string& name, int64_t otherwise) const {
  const int64_t* value = get<int64_t>(*this, name, "int");
  return value ? *value : otherwise;
}

float Attributes::real(const std::string& name, float otherwise) const {
  const float* value = get<float>(*this, name, "float");
  return value ? *value : otherwise;
}

std::string Attributes::text(const std::string& name, const std::string& otherwise) const {
  const std::string* value = get<std::string>(*this, name, "string");
  return value ? *value : otherwise;
}

std::optional<std::vector<int64_t>> Attributes::integers(const std::string& name) const {
  const auto* value = get<std::vector<int64_t>>(*this, name, "ints");
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<std::vector<float>> Attributes::reals(const std::string& name) const {
  const auto* value = get<std::vector<float>>(*this, name, "floats");
  return value ? std::optional(*value) : std::nullopt;
}

const Tensor* Attributes::tensor(const std::string& name) const {
  return get<Tensor>(*this, name, "tensor");
}

void Attributes::set(const std::string& name, AttributeValue value) {
  for (auto& entry : entries_) {
    if (entry.first == name) {
      entry.second = std::move(value);
      return;
    }
  }
  entries_.emplace_back(name, std::move(value));
}

void Attributes::erase(const std::string& name) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.first == name; });
}

}  // namespace coppice
