#include "groups/tracing/labels.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "core/error.h"

namespace coppice {

Axis Labels::fresh(int64_t count) {
  const auto family = static_cast<int32_t>(families_.size());
  families_.push_back(family);
  Axis axis;
  axis.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    axis.push_back(static_cast<Label>(entries_.size()));
    entries_.push_back({axis.back(), 0, family, -1});
  }
  return axis;
}

int32_t Labels::family_root(int32_t family) {
  while (families_[family] != family) family = families_[family] = families_[families_[family]];
  return family;
}

int32_t Labels::family(Label tag) { return family_root(entries_[root(tag)].family); }

Label Labels::root(Label tag) {
  while (entries_[tag].parent != tag) {
    tag = entries_[tag].parent = entries_[entries_[tag].parent].parent;
  }
  return tag;
}

// A tag that stands for itself: nearly all are, and need no memo.
bool Labels::is_plain(Label label) {
  return entries_[label].family != kConjunction && entries_[root(label)].definition == 0;
}

Label Labels::intern(std::vector<Label> tags) {
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  if (tags.empty()) return kAlways;
  if (tags.size() == 1) return tags[0];
  const auto [found, added] = interned_.try_emplace(tags, static_cast<Label>(entries_.size()));
  if (added) {
    entries_.push_back({static_cast<Label>(conjunctions_.size()), 0, kConjunction, -1});
    conjunctions_.push_back(std::move(tags));
  }
  return found->second;
}

size_t Labels::HashOfTags::operator()(const std::vector<Label>& tags) const {
  uint64_t hash = tags.size();
  for (const Label tag : tags) hash = (hash ^ static_cast<uint64_t>(tag)) * 0x9e3779b97f4a7c15u;
  return static_cast<size_t>(hash ^ hash >> 32);
}

Labels::Memo& Labels::memo_of(Label label) {
  if (static_cast<size_t>(label) >= memo_of_.size()) memo_of_.resize(entries_.size(), -1);
  if (memo_of_[label] < 0) {
    memo_of_[label] = static_cast<int32_t>(memos_.size());
    memos_.emplace_back();
  }
  return memos_[memo_of_[label]];
}

// Definitions nest as deep as reshapes follow each other, so this walks them with a stack of its
// own.
const Labels::Memo& Labels::refresh(Label label) {
  if (const Memo& known = memo_of(label); known.version == version_) return known;
  std::vector<Label> open{label}, tags;
  while (!open.empty()) {
    const Label next = open.back();
    open.pop_back();
    if (entries_[next].family == kConjunction) {
      const std::vector<Label>& parts = conjunctions_[entries_[next].parent];
      open.insert(open.end(), parts.begin(), parts.end());
      continue;
    }
    const Label top = root(next);
    if (entries_[top].definition != 0) {
      open.push_back(entries_[top].definition);
    } else {
      tags.push_back(top);
    }
  }
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  const Label canonical = intern(tags);
  Memo& memo = memo_of(label);
  memo.canonical = canonical;
  memo.tags = std::move(tags);
  memo.version = version_;
  return memo;
}

Label Labels::canonical(Label label) {
  if (label == kAlways) return kAlways;
  if (is_plain(label)) return root(label);
  return refresh(label).canonical;
}

std::span<const Label> Labels::tags(Label label) {
  if (label == kAlways) return {};
  if (is_plain(label)) return {&entries_[root(label)].parent, 1};  // a root is its own parent
  return refresh(label).tags;
}

const Pin* Labels::pin_of(Label tag) const {
  const int32_t pin = entries_[tag].pin;
  return pin < 0 ? nullptr : &pins_[pin];
}

void Labels::pin_tag(Label tag, const Pin& reason) {
  Entry& entry = entries_[root(tag)];
  if (entry.pin >= 0) return;
  // Consecutive tags are mostly pinned for one reason; it is stored once.
  const bool same = !pins_.empty() && pins_.back().node == reason.node &&
                    pins_.back().kind == reason.kind && pins_.back().why == reason.why;
  if (!same) pins_.push_back(reason);
  entry.pin = static_cast<int32_t>(pins_.size()) - 1;
}

void Labels::pin(const Axis& axis, const Pin& reason) {
  for (const Label label : axis) {
    for (const Label tag : tags(label)) pin_tag(tag, reason);
  }
}

void Labels::unite(Label a, Label b) {
  a = root(a);
  b = root(b);
  if (a == b) return;
  if (b < a)
    std::swap(a, b);  // the older one leads, so names and order don't depend on later nodes
  entries_[b].parent = a;
  if (entries_[a].pin < 0) entries_[a].pin = entries_[b].pin;
  const int32_t x = family_root(entries_[a].family), y = family_root(entries_[b].family);
  families_[std::max(x, y)] = std::min(x, y);
  ++version_;
}

void Labels::define(Label tag, Label conjunction) {
  tag = root(tag);
  COPPICE_CHECK(entries_[tag].definition == 0, "a tag is defined twice");
  entries_[tag].definition = conjunction;
  if (entries_[tag].pin >= 0) {
    const Pin reason = pins_[entries_[tag].pin];
    for (const Label part : tags(conjunction)) pin_tag(part, reason);
  }
  ++version_;
}

Axis Labels::join(const Axis& a, const Axis& b) {
  Axis product;
  product.reserve(a.size() * b.size());
  for (const Label x : a) {
    for (const Label y : b) {
      if (x == kAlways || y == kAlways) {
        product.push_back(x == kAlways ? y : x);
        continue;
      }
      std::vector<Label> both(tags(x).begin(), tags(x).end());
      both.insert(both.end(), tags(y).begin(), tags(y).end());
      product.push_back(intern(std::move(both)));
    }
  }
  return product;
}

void Labels::unify(const Axis& a, const Axis& b, const Pin& reason) {
  COPPICE_CHECK(a.size() == b.size(), "axes of " + std::to_string(a.size()) + " and " +
                                          std::to_string(b.size()) + " indices are unified");
  bool conjunction = false;
  for (size_t i = 0; i < a.size(); ++i) {
    const Label x = canonical(a[i]), y = canonical(b[i]);
    conjunction = conjunction || (x != y && (is_conjunction(x) || is_conjunction(y)));
  }
  // Heads with heads, dims with dims, before anything is defined; without this, 23 ties in an audio
  // net came out coarser than needed.
  if (conjunction) unite_by_position(a, b);
  for (size_t i = 0; i < a.size(); ++i) unify_index(canonical(a[i]), canonical(b[i]), reason);
}

// Unites tags that occupy identical sets of positions on the two sides, beyond what they share.
// One tag that faces several is left alone: it stands for all of them (a selection's channel is
// there if the stream's is and nobody took it out), and uniting it with the first would pin the
// rest.
void Labels::unite_by_position(const Axis& a, const Axis& b) {
  const auto positions = [&](const Axis& axis) {
    std::map<Label, std::vector<int32_t>> places;
    for (size_t i = 0; i < axis.size(); ++i) {
      for (const Label tag : tags(axis[i])) places[tag].push_back(static_cast<int32_t>(i));
    }
    std::map<std::vector<int32_t>, std::vector<Label>> owners;  // tags ascending
    for (auto& [tag, where] : places) owners[std::move(where)].push_back(tag);
    return owners;
  };
  const auto left = positions(a), right = positions(b);
  std::vector<std::pair<Label, Label>> pairs;
  for (const auto& [where, x] : left) {
    const auto other = right.find(where);
    if (other == right.end()) continue;
    std::vector<Label> only_x, only_y;
    std::ranges::set_difference(x, other->second, std::back_inserter(only_x));
    std::ranges::set_difference(other->second, x, std::back_inserter(only_y));
    if (only_x.empty() || only_y.empty()) continue;
    if ((only_x.size() == 1) == (only_y.size() == 1)) pairs.emplace_back(only_x[0], only_y[0]);
  }
  for (const auto& [x, y] : pairs) unite(x, y);
}

void Labels::unify_index(Label a, Label b, const Pin& reason) {
  if (a == b) return;
  if (a != kAlways && b != kAlways && !is_conjunction(a) && !is_conjunction(b)) return unite(a, b);
  const std::vector<Label> x(tags(a).begin(), tags(a).end()), y(tags(b).begin(), tags(b).end());
  if (x.empty() || y.empty()) {
    for (const Label tag : x.empty() ? y : x) pin_tag(tag, reason);
    return;
  }
  std::vector<Label> only_x, only_y;
  std::ranges::set_difference(x, y, std::back_inserter(only_x));
  std::ranges::set_difference(y, x, std::back_inserter(only_y));
  if (only_x.empty() || only_y.empty()) {
    // a is there iff a and b are: then b is there whenever a is.
    for (const Label tag : only_x.empty() ? only_y : only_x) pin_tag(tag, reason);
    return;
  }
  // What both have in common needs no tie.
  if (only_x.size() == 1) return define(only_x[0], intern(only_y));
  if (only_y.size() == 1) return define(only_y[0], intern(only_x));
  ++coarse_;
  for (const Label tag : only_x) unite(tag, only_y[0]);
  for (const Label tag : only_y) unite(tag, only_x[0]);
}

}  // namespace coppice
