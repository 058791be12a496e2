// The inner loops of sparse convolutions: for some groups of rows (output channels), all pixels of
// one tile are computed while they stay in registers, by running through the rows' non-zeros. Which
// loops there are depends on the processor's vector instructions; what they compute doesn't.
//
// A group is B rows that share the places of their non-zeros: B = 1 for unstructured zeros, 2 or 4
// for blocks of output channels. An entry of its stream says where the pixels lie that it
// multiplies, as bytes from the tile's first pixel in channel 0, and the B weights.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace coppice::runtime {

template <int B>
struct StreamEntry {
  int32_t offset;
  float weights[B];
};

// What happens to a sum before it is stored.
struct Finish {
  enum class Kind { relu, linear, clip, hard_swish, magnitude, add };
  Kind kind;
  float alpha = 0, beta = 0;       // as oneDNN has them: relu's slope, alpha x + beta, bounds
  const float* operand = nullptr;  // add: lies as the output does
};

struct TileJob {
  const void* stream;     // StreamEntry<B>, of one chunk of channels
  const int32_t* begins;  // [groups + 1], places in the stream
  const int32_t* rows;    // [groups * B], the output channel of each row
  int64_t first_group, last_group;
  const float* x;
  float* y;
  int64_t y_plane;       // floats from one output channel to the next
  const float* bias;     // by output channel
  const uint32_t* mask;  // of the tile's pixels: zeros between rows stay zeros
  const float* start;  // what sums begin with besides the bias, lying as y does; may be y. Or null
  std::span<const Finish> finish;
  int64_t place;  // floats from finish's operands to the tile
  bool first_chunk, last_chunk;
};
using TileFunction = void (*)(const TileJob&);

// avx512_half: the registers of AVX-512 with vectors of half its width, of which more lie within a
// line where taps don't begin at one.
enum class Isa { portable, avx2, avx512_half, avx512 };

inline constexpr int kMostVectors = 16;
// Of which none waits for another: twice as many as any processor's products take cycles.
inline constexpr int kSumsAtOnce = 10;
struct TileSet {
  int lanes;
  int most_vectors[3];                          // by block: 1, 2, 4 rows
  TileFunction functions[3][kMostVectors + 1];  // by block and vectors a tile has
  // to[i] = from[2 i]
  void (*every_second)(const float* from, float* to, int64_t count);
  // So many times kSumsAtOnce products of a vector each, in registers alone; what they sum up to.
  float (*multiply)(int64_t rounds);
};
inline int block_index(int rows) { return rows == 4 ? 2 : rows - 1; }

const TileSet& portable_tiles();
// Null where they weren't compiled.
const TileSet* avx2_tiles();
const TileSet* avx512_half_tiles();
const TileSet* avx512_tiles();

// Best first; only what this processor has, and oneDNN may use (ONEDNN_MAX_CPU_ISA).
std::vector<Isa> available_isas();
const TileSet& tiles_of(Isa isa);
std::string name_of(Isa isa);

}  // namespace coppice::runtime
