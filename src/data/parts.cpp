// The parts are cut one after the other from one shuffled order. By class, that order is dealt so
// that any beginning of it has its share of every class.
#include "data/parts.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace coppice {
namespace {

constexpr uint64_t kSeed = 0x5eed;
constexpr uint64_t kHoldOutStream = 0x686f6c646f7574;  // "holdout": no other stream is like it

// Image k of a class of n, in the order, stands where (k + 1/2) / n of the class are done.
void deal_by_class(const Dataset& dataset, std::vector<int64_t>& order) {
  std::map<int64_t, double> count, seen;
  std::vector<int64_t> labels(order.size());
  for (const int64_t image : order) ++count[labels[image] = dataset.label(image)];
  std::vector<double> place(order.size());
  for (const int64_t image : order) {
    const int64_t label = labels[image];
    place[image] = (seen[label]++ + 0.5) / count[label];
  }
  std::ranges::stable_sort(order, {}, [&](int64_t image) { return place[image]; });
}

}  // namespace

const char* name_of(Part part) {
  switch (part) {
    case Part::training: return "training";
    case Part::recalibration: return "recalibration";
    case Part::search: return "search";
    case Part::held_out: return "held_out";
  }
  return "";
}

Parts parts_of(const Dataset& dataset, const PartShares& shares) {
  const double least = std::min({shares.held_out, shares.search, shares.recalibration});
  const double all = shares.held_out + shares.search + shares.recalibration;
  COPPICE_CHECK(least >= 0 && all <= 1, "parts of " + std::to_string(all) + " of the images");
  std::vector<int64_t> order = Random::stream(kSeed, {kHoldOutStream}).permutation(dataset.size());
  if (shares.drawn == PartShares::Drawn::by_class) deal_by_class(dataset, order);
  Parts parts;
  auto begin = order.begin();
  const auto cut = [&](Part part, double share) {
    const int64_t wanted = std::llround(share * static_cast<double>(order.size()));
    const auto end = begin + std::min<int64_t>(wanted, order.end() - begin);
    parts[part].assign(begin, end);
    std::ranges::sort(parts[part]);
    begin = end;
  };
  cut(Part::held_out, shares.held_out);
  cut(Part::search, shares.search);
  cut(Part::recalibration, shares.recalibration);
  cut(Part::training, 1);
  return parts;
}

}  // namespace coppice
