#include "core/words/hash_of.h"

#include "core/files.h"

namespace coppice {

std::string hash_of(std::string_view text) {
  Sha256 sum;
  sum.update(std::as_bytes(std::span(text)));
  return sum.hex();
}

}  // namespace coppice
