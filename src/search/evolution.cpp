// See evolution.h.
#include "search/evolution.h"

#include <algorithm>

namespace coppice {
namespace {

constexpr uint64_t kEvolutionStream = 0x65766f6c;  // "evol": no other stream of the seed is like it

}  // namespace

Evolution::Evolution(SearchSpace space, const EvolutionOptions& options)
    : space_(std::move(space)),
      options_(options),
      random_(Random::stream(options.seed, {kEvolutionStream})) {}

Widths Evolution::drawn() {
  Widths widths = drawn_anyhow(space_, random_);
  bring_within(space_, widths, random_);
  return widths;
}

const Widths& Evolution::parent() { return parents_[random_.below(parents_.size())].widths; }

Widths Evolution::mutated() {
  Widths widths = parent();
  for (const size_t g : space_.genes()) {
    if (random_.uniform() >= options_.mutation) continue;
    const Widths& choices = space_.choices[g];
    const auto now = std::ranges::lower_bound(choices, widths[g]) - choices.begin();
    const auto further = 1 + static_cast<int64_t>(random_.below(choices.size() - 1));
    widths[g] = choices[(now + further) % std::ssize(choices)];
  }
  bring_within(space_, widths, random_);
  return widths;
}

Widths Evolution::crossed() {
  const size_t first = random_.below(parents_.size());
  const size_t other = (first + 1 + random_.below(parents_.size() - 1)) % parents_.size();
  Widths widths = parents_[first].widths;
  for (const size_t g : space_.genes()) {
    if (random_.below(2) == 0) widths[g] = parents_[other].widths[g];
  }
  bring_within(space_, widths, random_);
  return widths;
}

void Evolution::add(std::vector<Widths>& to, Widths (Evolution::*make)(), int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    auto widths = unseen_.from([&] { return (this->*make)(); });
    if (!widths) return;
    to.push_back(std::move(*widths));
  }
}

std::vector<Widths> Evolution::ask() {
  asked_.clear();
  if (generation_++ == options_.generations) return asked_;
  if (!parents_.empty()) add(asked_, &Evolution::mutated, options_.population / 2);
  if (parents_.size() > 1) add(asked_, &Evolution::crossed, options_.population / 2);
  add(asked_, &Evolution::drawn, options_.population - std::ssize(asked_));
  return asked_;
}

void Evolution::tell(std::span<const std::optional<double>> scores) {
  for (size_t i = 0; i < scores.size(); ++i) {
    if (scores[i]) parents_.push_back({asked_[i], *scores[i]});
  }
  std::ranges::stable_sort(parents_, std::ranges::greater(), &Judged::score);
  const auto most = static_cast<size_t>(options_.parents);
  if (parents_.size() > most) parents_.erase(parents_.begin() + options_.parents, parents_.end());
}

}  // namespace coppice
