// See context_positions.h.
#include "codec/coders/context_positions.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "codec/coders/range_coder.h"
#include "core/error.h"

namespace coppice::codec {
namespace {

constexpr size_t kLevels = 20, kNeighbours = 4;
constexpr uint32_t kRowShift = 5, kColumnMemory = 64;
constexpr uint32_t kOne = 65535;  // density 1

// Level of a density, by its ten high bits.
constexpr std::array<uint8_t, 1024> make_levels() {
  std::array<uint8_t, 1024> levels{};
  for (uint32_t i = 0; i < 1024; ++i) {
    const uint32_t low = std::min(i, 1023 - i);  // 0 to 511
    const int octave = std::bit_width(low);      // 0 to 9
    levels[i] = static_cast<uint8_t>(i < 512 ? octave : 19 - octave);
  }
  return levels;
}
constexpr std::array<uint8_t, 1024> kLevelOf = make_levels();

// What is known while the weights go by. The methods are small and inlined: this is the loop that
// decides how fast a model loads.
class Surroundings {
 public:
  Surroundings(uint64_t nonzeros, uint64_t elements, const Geometry& geometry)
      : start_(static_cast<uint32_t>(
            nonzeros * 65536 / elements > kOne ? kOne : nonzeros * 65536 / elements)),
        second_shift_(geometry.has_kernels() ? static_cast<int>(geometry.width) - 1 : 1),
        columns_(geometry.columns, static_cast<uint16_t>(start_)),
        masks_(neighbour_masks(geometry)),
        models_(kLevels * kLevels * kNeighbours, AdaptiveBit(start_, 1)) {}

  void begin_row(uint64_t row) {
    column_rate_ =
        65536 * 2 / (2 * static_cast<uint32_t>(std::min<uint64_t>(row, kColumnMemory)) + 3);
    row_ = start_;
    history_ = 0;
  }
  AdaptiveBit& model(uint64_t column) {
    const size_t near = (static_cast<uint32_t>(history_) & 1) |
                        (static_cast<uint32_t>(history_ >> second_shift_) & 1) << 1;
    const size_t levels = kLevelOf[columns_[column] >> 6] * kLevels + kLevelOf[row_ >> 6];
    return models_[levels * kNeighbours + (near & masks_[column])];
  }
  void saw_zero(uint64_t column) {
    const uint32_t density = columns_[column];
    columns_[column] = static_cast<uint16_t>(density - (density * column_rate_ >> 16));
    row_ -= row_ >> kRowShift;
    history_ <<= 1;
  }
  void saw_one(uint64_t column) {
    const uint32_t density = columns_[column];
    columns_[column] = static_cast<uint16_t>(density + ((kOne - density) * column_rate_ >> 16));
    row_ += (kOne - row_) >> kRowShift;
    history_ = history_ << 1 | 1;
  }

 private:
  uint32_t start_;
  int second_shift_;
  uint32_t column_rate_ = 0;  // of 65536
  uint32_t row_ = 0;
  uint64_t history_ = 0;  // of the row: the weight just before is bit 0
  std::vector<uint16_t> columns_;
  std::vector<uint8_t> masks_;
  std::vector<AdaptiveBit> models_;
};

}  // namespace

Bytes encode_context_positions(std::span<const uint32_t> positions, uint64_t elements,
                               const Geometry& geometry) {
  Surroundings around(positions.size(), elements, geometry);
  RangeEncoder encoder;
  auto next = positions.begin();
  uint64_t base = 0;
  for (uint64_t row = 0; base < elements; ++row, base += geometry.columns) {
    around.begin_row(row);
    for (uint64_t column = 0; column < geometry.columns; ++column) {
      const bool one = next != positions.end() && *next == base + column;
      encoder.put(around.model(column), one);
      if (one) {
        ++next;
        around.saw_one(column);
      } else {
        around.saw_zero(column);
      }
    }
  }
  return encoder.finish();
}

PositionList decode_context_positions(std::span<const std::byte> bytes, uint64_t count,
                                      uint64_t elements, const Geometry& geometry) {
  Surroundings around(count, elements, geometry);
  RangeDecoder decoder(bytes);
  PositionList list(count);
  const auto positions = list.span();
  uint64_t found = 0, base = 0;
  for (uint64_t row = 0; base < elements; ++row, base += geometry.columns) {
    around.begin_row(row);
    for (uint64_t column = 0; column < geometry.columns; ++column) {
      if (!decoder.get_skewed(around.model(column))) {
        around.saw_zero(column);
        continue;
      }
      around.saw_one(column);
      if (found == count) {
        fail_input("more than " + std::to_string(count) + " nonzero positions, expected so many");
      }
      positions[found++] = static_cast<uint32_t>(base + column);
    }
  }
  if (found < count) {
    fail_input(std::to_string(found) + " nonzero positions, expected " + std::to_string(count));
  }
  return list;
}

}  // namespace coppice::codec
