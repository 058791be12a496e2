// See random_search.h.
#include "search/random_search.h"

namespace coppice {

constexpr uint64_t kRandomSearchStream = 0x72736561;  // "rsea": no other stream of the seed is so

RandomSearch::RandomSearch(SearchSpace space, int64_t trials, uint64_t seed)
    : space_(std::move(space)),
      trials_(trials),
      random_(Random::stream(seed, {kRandomSearchStream})) {}

std::vector<Widths> RandomSearch::ask() {
  std::vector<Widths> drawn;
  if (asked_) return drawn;
  asked_ = true;
  Unseen unseen;
  while (std::ssize(drawn) < trials_) {
    auto widths = unseen.from([&] {
      Widths any = drawn_anyhow(space_, random_);
      bring_within(space_, any, random_);
      return any;
    });
    if (!widths) break;
    drawn.push_back(std::move(*widths));
  }
  return drawn;
}

}  // namespace coppice
