// Models of other frameworks, told by their first bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace coppice {

// What a file that is no ONNX model seems to be, and how it becomes one: "an HDF5 file, as Keras
// writes it; ...". Nothing where its first bytes are no such format's.
std::optional<std::string> other_format(std::span<const std::byte> file);

}  // namespace coppice
