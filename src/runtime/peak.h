// How fast this processor multiplies and adds where nothing has to be loaded or stored: what the
// speed of a layer is a share of.
#pragma once

namespace coppice {

// In 10^9 operations a second, a multiplication and an addition each one, of so many threads
// together, with the widest vectors that the runtime uses. Takes a few milliseconds; the best of
// several tries, as processors change their pace.
double peak_gflops(int threads);

}  // namespace coppice
