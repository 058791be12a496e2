// A text by its hash.
#pragma once

#include <string>
#include <string_view>

namespace coppice {

// Its SHA-256, as 64 lower-case hexadecimal digits.
std::string hash_of(std::string_view text);

}  // namespace coppice
