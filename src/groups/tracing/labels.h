// The algebra of labels (graph/relations.h): which indices are there together.
//
// A label is a tag (one removable thing) or a conjunction of tags ("there iff all of these are").
// Tags live in a union-find; a tag may later be *defined* as a conjunction of newer tags, when a
// Reshape shows that it was a product. Labels are brought to their canonical form whenever they are
// read, so axes that were labelled earlier see every refinement at once. A tag may be pinned, with
// the first reason given; pins survive unions and definitions.
//
// Soundness needs one pass only: each statement is an equality "a is there iff b is there", and
// later unions, definitions and pins keep every earlier equality true.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/relations.h"

namespace coppice {

struct Pin {
  PinKind kind = PinKind::meaning;
  std::string why;
  int32_t node = -1;  // index of the node that gave the reason; -1 for none
};

class Labels {
 public:
  // Room for so many tags, which saves moving them as they come.
  void reserve(size_t tags) { entries_.reserve(tags + 1); }
  // New tags of one new family.
  Axis fresh(int64_t count);
  void unify(const Axis& a, const Axis& b, const Pin& reason);
  void pin(const Axis& axis, const Pin& reason);
  std::vector<Axis> factor(const Axis& axis, std::span<const int64_t> sizes, const Pin& reason);
  Axis join(const Axis& a, const Axis& b);

  // kAlways, a tag that is neither merged nor defined further, or an interned conjunction of such:
  // equal labels have equal canonical forms.
  Label canonical(Label label);
  // The tags of a label, canonical and sorted; empty for kAlways. Valid until the next call of
  // anything that makes labels (fresh, factor, join, canonical, tags of another label).
  std::span<const Label> tags(Label label);
  const Pin* pin_of(Label tag) const;  // null: free
  int32_t family(Label tag);
  // How often two different conjunctions had to be tied more tightly than needed.
  int64_t coarse() const { return coarse_; }

 private:
  // Sixteen bytes, since there are as many as indices of all weights' axes.
  struct Entry {
    Label parent = 0;      // of a tag: union-find
    Label definition = 0;  // of a root tag: the conjunction it stands for
    int32_t family = -1;   // of a tag; kConjunction: the entry is conjunctions_[parent]
    int32_t pin = -1;      // of a root tag: index into pins_
  };
  static constexpr int32_t kConjunction = -2;

  struct HashOfTags {
    size_t operator()(const std::vector<Label>& tags) const;
  };

  // What a conjunction, or a defined tag, comes to at some version.
  struct Memo {
    uint64_t version = 0;
    Label canonical = 0;
    std::vector<Label> tags;
  };

  Memo& memo_of(Label label);
  Label root(Label tag);
  bool is_plain(Label label);
  bool is_conjunction(Label canonical) const { return entries_[canonical].family == kConjunction; }
  Label intern(std::vector<Label> tags);
  const Memo& refresh(Label label);
  void unite(Label a, Label b);
  void define(Label tag, Label conjunction);
  void pin_tag(Label tag, const Pin& reason);
  void unite_by_position(const Axis& a, const Axis& b);
  void unify_index(Label a, Label b, const Pin& reason);
  std::pair<Axis, Axis> factor_matrix(const Axis& axis, int64_t rows, int64_t columns,
                                      const Pin& reason);
  int32_t family_root(int32_t family);

  std::vector<Entry> entries_{Entry{}};  // entry 0 is kAlways
  std::vector<int32_t> families_;        // union-find
  std::vector<Pin> pins_;
  std::vector<std::vector<Label>> conjunctions_;                        // as they were made
  std::unordered_map<std::vector<Label>, Label, HashOfTags> interned_;  // looked up, never walked
  std::vector<int32_t> memo_of_;  // by label: index into memos_; -1 for none
  std::deque<Memo> memos_;
  uint64_t version_ = 1;  // grows with every union and definition
  int64_t coarse_ = 0;
};

}  // namespace coppice
