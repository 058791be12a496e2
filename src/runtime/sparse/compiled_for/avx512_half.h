// From here to any.h functions are compiled for AVX2 with the registers of AVX-512, whatever the
// rest is compiled for; nothing of them is called without a look at the processor (available_isas).
// Not included once.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512vl"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593, in its own header
#pragma GCC target("avx2,fma,avx512f,avx512vl")
#endif
