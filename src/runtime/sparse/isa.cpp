// Which tiles this processor runs.

#include <oneapi/dnnl/dnnl.hpp>

#include "core/error.h"
#include "runtime/sparse/tiles.h"

namespace coppice::runtime {

// oneDNN looks at the processor and at ONEDNN_MAX_CPU_ISA, so that what a test leaves to it, it
// leaves to us.
std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  const auto allowed = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto has = [&](dnnl::cpu_isa isa) {
    return (allowed & static_cast<unsigned>(isa)) == static_cast<unsigned>(isa);
  };
  if (has(dnnl::cpu_isa::avx512_core) && avx512_tiles()) {
    isas.push_back(Isa::avx512);
    isas.push_back(Isa::avx512_half);
  }
  if (has(dnnl::cpu_isa::avx2) && avx2_tiles()) isas.push_back(Isa::avx2);
  isas.push_back(Isa::portable);
  return isas;
}

const TileSet& tiles_of(Isa isa) {
  switch (isa) {
    case Isa::portable: break;
    case Isa::avx2: return *avx2_tiles();
    case Isa::avx512_half: return *avx512_half_tiles();
    case Isa::avx512: return *avx512_tiles();
  }
  return portable_tiles();
}

std::string name_of(Isa isa) {
  switch (isa) {
    case Isa::portable: return "portable";
    case Isa::avx2: return "AVX2";
    case Isa::avx512_half: return "AVX-512 by halves";
    case Isa::avx512: return "AVX-512";
  }
  COPPICE_CHECK(false, "no such instruction set");
}

}  // namespace coppice::runtime
