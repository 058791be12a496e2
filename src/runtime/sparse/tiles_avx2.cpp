// Tiles for AVX2 with FMA: 8 floats a vector, 16 registers.

#include <utility>

#include "runtime/sparse/tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>

// From here on for this instruction set alone; nothing of it is called without a look at the
// processor (available_isas).
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593, in its own header
#pragma GCC target("avx2,fma")
#endif
#include "runtime/sparse/eight_lanes.h"
#include "runtime/sparse/tile_loops.h"

namespace coppice::runtime {
namespace {

constexpr TileSet kTiles = tile_set<Vector, 12, 5, 3>();

}  // namespace
}  // namespace coppice::runtime

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace coppice::runtime {
const TileSet* avx2_tiles() { return &kTiles; }
}  // namespace coppice::runtime

#else
namespace coppice::runtime {
const TileSet* avx2_tiles() { return nullptr; }
}  // namespace coppice::runtime
#endif
