// See loader.h. Batches are numbered through all epochs, so a place is one number. One worker makes
// them in order, each on all threads (load_batch), and waits while enough are ready: its pace can't
// change what they are.
#include "data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "data/batch.h"

namespace coppice {
namespace {

// Names as numbers: no other stream of the seed is like these.
constexpr uint64_t kOrderStream = 0x6f72646572;     // "order"
constexpr uint64_t kSampleStream = 0x73616d706c65;  // "sample"
// One to hand over and one more to even out a slow one.
constexpr size_t kMostReady = 2;

// The images of one epoch as the model is to see them, until there is a request to stop.
class AugmentedDataset : public Dataset {
 public:
  AugmentedDataset(const Dataset& dataset, const LoaderOptions& options, uint64_t epoch,
                   std::stop_token stop)
      : dataset_(dataset), options_(options), epoch_(epoch), stop_(std::move(stop)) {}

  int64_t size() const override { return dataset_.size(); }
  int64_t classes() const override { return dataset_.classes(); }
  std::string name() const override { return dataset_.name(); }
  Split split() const override { return dataset_.split(); }
  std::optional<Preprocessing> own_preprocessing() const override {
    return dataset_.own_preprocessing();
  }

  Sample read(int64_t index) const override {
    if (stop_.stop_requested()) throw Error(ErrorKind::interrupted, "no longer wanted");
    Sample sample = dataset_.read(index);
    const Shape& shape = sample.pixels.shape();
    sample.pixels = augment(
        sample.pixels, options_.augmentation, {options_.seed, epoch_, static_cast<uint64_t>(index)},
        window_size({shape[1], shape[2]}, options_.preprocessing, options_.input));
    return sample;
  }

 private:
  const Dataset& dataset_;
  const LoaderOptions& options_;
  uint64_t epoch_;
  std::stop_token stop_;
};

std::vector<int64_t> epoch_order(const LoaderOptions& options, uint64_t epoch) {
  std::vector<int64_t> order = Random::stream(options.seed, {kOrderStream, epoch})
                                   .permutation(static_cast<int64_t>(options.indices.size()));
  for (int64_t& place : order) place = options.indices[place];
  return order;
}

Batch make_batch(const Dataset& dataset, const LoaderOptions& options,
                 std::span<const int64_t> indices) {
  Shape shape = options.input;
  shape.insert(shape.begin(), options.batch);
  Batch batch{Tensor::zeros(DType::f32, shape), std::vector<int64_t>(indices.size())};
  Preprocessing how = options.preprocessing;
  if (options.augmentation.least_area < 1) how.resize = 0;  // windows have the model's size
  load_batch(dataset, how, indices, batch.images, batch.labels);
  return batch;
}

// What the worker hands over: a batch, or why there is none.
struct Made {
  Batch batch;
  std::exception_ptr error;
};

}  // namespace

class Loader::State {
 public:
  State(const Dataset& dataset, LoaderOptions options)
      : dataset_(dataset), options_(std::move(options)) {}

  int64_t batches() const { return static_cast<int64_t>(options_.indices.size()) / options_.batch; }

  void start(int64_t number) {
    worker_.reset();  // waits for no more than the images that are being read
    ready_.clear();
    worker_.emplace([this, number](const std::stop_token& stop) { work(stop, number); });
  }

  Batch next() {
    if (!worker_) start(0);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty(); });
    Made made = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
    if (made.error) std::rethrow_exception(made.error);
    return std::move(made.batch);
  }

 private:
  void work(const std::stop_token& stop, int64_t number) {
    for (; !stop.stop_requested(); ++number) {
      Made made = make(stop, number);
      std::unique_lock lock(mutex_);
      ready_.push_back(std::move(made));
      changed_.notify_all();
      changed_.wait(lock, stop, [&] { return ready_.size() < kMostReady; });
    }
  }

  Made make(const std::stop_token& stop, int64_t number) {
    try {
      const int64_t epoch = number / batches();
      if (epoch != ordered_epoch_) order_ = epoch_order(options_, static_cast<uint64_t>(epoch));
      ordered_epoch_ = epoch;
      const std::span<const int64_t> indices = std::span(order_).subspan(
          number % batches() * options_.batch, static_cast<size_t>(options_.batch));
      const AugmentedDataset images(dataset_, options_, static_cast<uint64_t>(epoch), stop);
      return {make_batch(images, options_, indices), nullptr};
    } catch (...) {
      return {{}, std::current_exception()};
    }
  }

  const Dataset& dataset_;
  const LoaderOptions options_;
  std::vector<int64_t> order_;  // of ordered_epoch_; the worker's alone
  int64_t ordered_epoch_ = -1;
  std::mutex mutex_;  // of ready_
  std::condition_variable_any changed_;
  std::deque<Made> ready_;
  std::optional<std::jthread> worker_;  // the last member: it ends before what it uses
};

Loader::Loader(const Dataset& dataset, LoaderOptions options) {
  const int64_t count = static_cast<int64_t>(options.indices.size());
  COPPICE_CHECK(options.batch > 0, "batches of " + std::to_string(options.batch));
  for (const int64_t index : options.indices) {
    COPPICE_CHECK(index >= 0 && index < dataset.size(), "image " + std::to_string(index));
  }
  if (count < options.batch) {
    fail_input("data set '" + dataset.name() + "': " + std::to_string(count) +
                   " images to train with, expected at least one batch of " +
                   std::to_string(options.batch),
               {option_hint("batch", std::to_string(std::max<int64_t>(1, count)), "is the most")});
  }
  state_ = std::make_unique<State>(dataset, std::move(options));
}

Loader::~Loader() = default;

int64_t Loader::batches() const { return state_->batches(); }

void Loader::start(int64_t epoch, int64_t batch) {
  COPPICE_CHECK(epoch >= 0 && batch >= 0 && batch <= batches(),
                "start at batch " + std::to_string(batch) + " of " + std::to_string(batches()) +
                    ", epoch " + std::to_string(epoch));
  state_->start(epoch * batches() + batch);
}

Batch Loader::next() { return state_->next(); }

std::vector<int64_t> sample_images(int64_t count, int64_t wanted) {
  std::vector<int64_t> order = Random::stream(0, {kSampleStream}).permutation(count);
  order.resize(static_cast<size_t>(std::clamp<int64_t>(wanted, 0, count)));
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace coppice
