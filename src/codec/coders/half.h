// float16 as bits: the floats that it holds exactly. IEEE 754 binary16 and binary32.
#pragma once

#include <cstdint>
#include <optional>

namespace coppice::codec {

uint32_t float_of_half(uint16_t half);
// Nothing where float16 can't hold the float bit by bit (NaNs keep their payload).
std::optional<uint16_t> half_of_float(uint32_t pattern);

}  // namespace coppice::codec
