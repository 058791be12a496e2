// For loops of our own beside LibTorch's: compiled once for each kind of vectors that x86-64 has,
// the best that the machine knows is taken when the library is loaded. A macro, since an attribute
// has no other name; elsewhere the compiler's own vectors have to do.
#pragma once

#if defined(__x86_64__)
#define COPPICE_VECTOR_CLONES [[gnu::target_clones("avx512f", "avx2", "default")]]
#else
#define COPPICE_VECTOR_CLONES
#endif
