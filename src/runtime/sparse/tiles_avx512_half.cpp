// Tiles of 8 floats a vector with the 32 registers of AVX-512.

#include <utility>

#include "runtime/sparse/tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "runtime/sparse/compiled_for/avx512_half.h"
#include "runtime/sparse/eight_lanes.h"
#include "runtime/sparse/tile_loops.h"

namespace coppice::runtime {
namespace {

constexpr TileSet kTiles = tile_set<Vector, 16, 10, 6>();

}  // namespace
}  // namespace coppice::runtime

#include "runtime/sparse/compiled_for/any.h"

namespace coppice::runtime {
const TileSet* avx512_half_tiles() { return &kTiles; }
}  // namespace coppice::runtime

#else
namespace coppice::runtime {
const TileSet* avx512_half_tiles() { return nullptr; }
}  // namespace coppice::runtime
#endif
