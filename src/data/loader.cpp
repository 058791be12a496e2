// See loader.h. Batches ahead are futures: each is made from its (epoch, batch) alone, so nothing
// depends on which of them is ready first.
#include "data/loader.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <future>

#include "core/error.h"
#include "core/random.h"
#include "data/batch.h"

namespace coppice {
namespace {

constexpr size_t kAhead = 2;
constexpr uint64_t kOrder = 0x0d, kHeldOut = 0x40;

}  // namespace

struct Loader::State {
  const Dataset& dataset;
  LoaderOptions options;
  int64_t epoch = 0, batch = 0;  // the next one to be begun
  int64_t shuffled_epoch = -1;
  std::vector<int64_t> order;
  std::deque<std::future<Batch>> ahead;

  int64_t batches() const { return static_cast<int64_t>(options.indices.size()) / options.batch; }

  void begin_one() {
    if (shuffled_epoch != epoch) {
      Random random = Random::stream(options.seed, {kOrder, static_cast<uint64_t>(epoch)});
      order = random.permutation(static_cast<int64_t>(options.indices.size()));
      shuffled_epoch = epoch;
    }
    std::vector<int64_t> pictures(options.batch);
    for (int64_t i = 0; i < options.batch; ++i) {
      pictures[i] = options.indices[order[batch * options.batch + i]];
    }
    ahead.push_back(
        std::async(std::launch::async, [this, pictures = std::move(pictures), now = epoch] {
          return make(pictures, static_cast<uint64_t>(now));
        }));
    if (++batch < batches()) return;
    batch = 0;
    ++epoch;
  }

  Batch make(const std::vector<int64_t>& pictures, uint64_t now) const {
    Shape shape = options.input;
    shape.insert(shape.begin(), options.batch);
    Batch made{Tensor::zeros(DType::f32, shape), std::vector<int64_t>(options.batch)};
    const auto change = [&](const Tensor& pixels, int64_t index) {
      return augment(pixels, options.augmentation,
                     {options.seed, now, static_cast<uint64_t>(index)});
    };
    load_batch(dataset, options.preprocessing, pictures, made.images, made.labels, change);
    return made;
  }
};

Loader::Loader(const Dataset& dataset, LoaderOptions options)
    : state_(new State{dataset, std::move(options), 0, 0, -1, {}, {}}) {
  if (state_->batches() > 0) return;
  fail_input("data set '" + dataset.name() + "' has " +
             std::to_string(state_->options.indices.size()) +
             " pictures to train on, expected at least one batch of " +
             std::to_string(state_->options.batch) + "; give a smaller --batch");
}

Loader::~Loader() = default;

int64_t Loader::batches() const { return state_->batches(); }

void Loader::start(int64_t epoch, int64_t batch) {
  state_->ahead.clear();
  state_->epoch = epoch + batch / batches();
  state_->batch = batch % batches();
}

Batch Loader::next() {
  while (state_->ahead.size() <= kAhead) state_->begin_one();
  std::future<Batch> due = std::move(state_->ahead.front());
  state_->ahead.pop_front();
  return due.get();
}

HeldOut hold_out(int64_t count, double share, uint64_t seed) {
  const auto out = static_cast<int64_t>(std::llround(static_cast<double>(count) * share));
  std::vector<int64_t> order = Random::stream(seed, {kHeldOut}).permutation(count);
  HeldOut parts{{order.begin() + out, order.end()}, {order.begin(), order.begin() + out}};
  std::ranges::sort(parts.training);
  std::ranges::sort(parts.held_out);
  return parts;
}

}  // namespace coppice
