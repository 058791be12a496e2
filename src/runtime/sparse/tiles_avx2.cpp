// Tiles for AVX2 with FMA: 8 floats a vector, 16 registers.

#include <utility>

#include "runtime/sparse/tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "runtime/sparse/compiled_for/avx2.h"
#include "runtime/sparse/eight_lanes.h"
#include "runtime/sparse/tile_loops.h"

namespace coppice::runtime {
namespace {

constexpr TileSet kTiles = tile_set<Vector, 12, 5, 3>();

}  // namespace
}  // namespace coppice::runtime

#include "runtime/sparse/compiled_for/any.h"

namespace coppice::runtime {
const TileSet* avx2_tiles() { return &kTiles; }
}  // namespace coppice::runtime

#else
namespace coppice::runtime {
const TileSet* avx2_tiles() { return nullptr; }
}  // namespace coppice::runtime
#endif
