// Nets, as text graphs, that more than one test is about.
#pragma once

namespace coppice {

// A split parts what w1 gives, two by two by four; w2 gives the same all at once.
inline constexpr char kSplitNet[] = R"(
    input x float32 [N, 3]
    const sizes int64 [3] = 2 2 4
    const w1 float32 [3, 8] random
    const w2 float32 [3, 8] random
    const w3 float32 [8, 2] random
    a = MatMul(x, w1)
    p, q, r = Split(a, sizes) {axis=1}
    s = Concat(r, q, p) {axis=1}
    b = MatMul(x, w2)
    c = Add(s, b)
    y = MatMul(c, w3)
    output y)";

}  // namespace coppice
