// Ends what another header of this folder began. Not included once.
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
