// A node's attributes, in the file's order. Kinds that Coppice doesn't look into (graphs, sparse
// tensors, references) are carried as the bytes of their AttributeProto.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/tensor.h"

namespace coppice {

struct OpaqueAttribute {
  std::string bytes;
  friend bool operator==(const OpaqueAttribute&, const OpaqueAttribute&) = default;
};

using AttributeValue =
    std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                 std::vector<std::string>, Tensor, OpaqueAttribute>;

class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<std::string, AttributeValue>> entries)
      : entries_(entries) {}

  const AttributeValue* find(const std::string& name) const;
  bool has(const std::string& name) const { return find(name) != nullptr; }
  // The value, or the operator's default. Throws Error::input when it has another kind.
  int64_t integer(const std::string& name, int64_t otherwise) const;
  float real(const std::string& name, float otherwise) const;
  std::string text(const std::string& name, const std::string& otherwise) const;
  std::optional<std::vector<int64_t>> integers(const std::string& name) const;
  std::optional<std::vector<float>> reals(const std::string& name) const;
  const Tensor* tensor(const std::string& name) const;  // null where absent

  void set(const std::string& name, AttributeValue value);
  void erase(const std::string& name);

  const std::vector<std::pair<std::string, AttributeValue>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, AttributeValue>> entries_;
};

}  // namespace coppice
