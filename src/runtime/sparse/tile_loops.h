// The loops behind a TileSet, over any vector type V. Included by one file an instruction set, each
// of which compiles them for its own: hence nothing here may be seen outside of that file, and what
// it needs of the standard library is included before the instructions change.

namespace coppice::runtime {
namespace {

template <class V>
typename V::Type finished(typename V::Type value, const Finish& f, int64_t at) {
  switch (f.kind) {
    case Finish::Kind::relu:
      if (f.alpha == 0) return V::max(value, V::all(0));
      return V::fma(V::min(value, V::all(0)), V::all(f.alpha), V::max(value, V::all(0)));
    case Finish::Kind::linear: return V::fma(value, V::all(f.alpha), V::all(f.beta));
    case Finish::Kind::clip: return V::min(V::max(value, V::all(f.alpha)), V::all(f.beta));
    case Finish::Kind::hard_swish: {
      const auto gate = V::fma(value, V::all(1.0f / 6), V::all(0.5f));
      return V::mul(value, V::min(V::max(gate, V::all(0)), V::all(1)));
    }
    case Finish::Kind::magnitude: return V::max(value, V::mul(value, V::all(-1)));
    case Finish::Kind::add: return V::add(value, V::load(f.operand + at));
  }
  return value;
}

// One row's sums: where they begin, and what becomes of them.
template <class V, int P>
void begin_row(const TileJob& job, int64_t row, typename V::Type* sums) {
  const int64_t at = row * job.y_plane;
  if (!job.first_chunk) {
    for (int p = 0; p < P; ++p) sums[p] = V::load(job.y + at + p * V::kLanes);
    return;
  }
  const auto bias = V::all(job.bias[row]);
  for (int p = 0; p < P; ++p) {
    sums[p] = job.start ? V::add(V::load(job.start + at + p * V::kLanes), bias) : bias;
  }
}

template <class V, int P>
void end_row(const TileJob& job, int64_t row, typename V::Type* sums) {
  const int64_t at = row * job.y_plane;
  if (job.last_chunk) {
    for (const Finish& f : job.finish) {
      for (int p = 0; p < P; ++p) {
        sums[p] = finished<V>(sums[p], f, job.place + at + p * V::kLanes);
      }
    }
    for (int p = 0; p < P; ++p) sums[p] = V::masked(sums[p], job.mask + p * V::kLanes);
  }
  for (int p = 0; p < P; ++p) V::store(job.y + at + p * V::kLanes, sums[p]);
}

template <class V, int B, int P>
void tile(const TileJob& job) {
  const auto* const stream = static_cast<const StreamEntry<B>*>(job.stream);
  for (int64_t group = job.first_group; group < job.last_group; ++group) {
    const int32_t* const rows = job.rows + group * B;
    typename V::Type sums[B][P];
    for (int b = 0; b < B; ++b) begin_row<V, P>(job, rows[b], sums[b]);
    const StreamEntry<B>* const end = stream + job.begins[group + 1];
    for (const StreamEntry<B>* entry = stream + job.begins[group]; entry != end; ++entry) {
      const char* const bytes = reinterpret_cast<const char*>(job.x) + entry->offset;
      const float* const x = reinterpret_cast<const float*>(bytes);
      typename V::Type values[P];
      for (int p = 0; p < P; ++p) values[p] = V::load(x + p * V::kLanes);
      for (int b = 0; b < B; ++b) {
        const auto weight = V::all(entry->weights[b]);
        for (int p = 0; p < P; ++p) sums[b][p] = V::fma(values[p], weight, sums[b][p]);
      }
    }
    for (int b = 0; b < B; ++b) end_row<V, P>(job, rows[b], sums[b]);
  }
}

template <class V, int B, int Most>
constexpr void fill(TileSet& set) {
  set.most_vectors[B == 4 ? 2 : B - 1] = Most;
  [&]<int... P>(std::integer_sequence<int, P...>) {
    ((set.functions[B == 4 ? 2 : B - 1][P + 1] = tile<V, B, P + 1>), ...);
  }
  (std::make_integer_sequence<int, Most>());
}

template <class V>
void every_second(const float* from, float* to, int64_t count) {
  int64_t i = 0;
  // A vector's worth reads one float more than it needs, which is there but behind the last one.
  for (; i + V::kLanes < count; i += V::kLanes) V::store(to + i, V::evens(from + 2 * i));
  for (; i < count; ++i) to[i] = from[2 * i];
}

template <class V>
float multiply(int64_t rounds) {
  typename V::Type sums[kSumsAtOnce];
  for (int i = 0; i < kSumsAtOnce; ++i) sums[i] = V::all(static_cast<float>(1 + i));
  const auto factor = V::all(0.75f), term = V::all(0.25f);
  for (int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < kSumsAtOnce; ++i) sums[i] = V::fma(sums[i], factor, term);
  }
  float stored[V::kLanes];
  for (int i = 1; i < kSumsAtOnce; ++i) sums[0] = V::add(sums[0], sums[i]);
  V::store(stored, sums[0]);
  return stored[0];
}

template <class V, int One, int Two, int Four>
constexpr TileSet tile_set() {
  TileSet set{V::kLanes, {}, {}, every_second<V>, multiply<V>};
  fill<V, 1, One>(set);
  fill<V, 2, Two>(set);
  fill<V, 4, Four>(set);
  return set;
}

}  // namespace
}  // namespace coppice::runtime
