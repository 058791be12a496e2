// The algebra of labels: each rule alone on hand-made axes, and the property that all of it stands
// on: whatever is removed among the free tags, every statement ever made still holds.

#include "groups/tracing/labels.h"

#include <gtest/gtest.h>

#include <set>

#include "core/random.h"

namespace coppice {
namespace {

const Pin kReason{PinKind::meaning, "because", 3};

std::vector<Axis> factor(Labels& labels, const Axis& axis, const std::vector<int64_t>& sizes) {
  return labels.factor(axis, sizes, kReason);
}

Axis always(size_t count) { return Axis(count, kAlways); }

Axis concatenated(Axis a, const Axis& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Axis canonical(Labels& labels, Axis axis) {
  for (Label& label : axis) label = labels.canonical(label);
  return axis;
}

std::vector<Label> tags(Labels& labels, Label label) {
  const auto span = labels.tags(label);
  return {span.begin(), span.end()};
}

bool pinned(Labels& labels, Label label) {
  for (const Label tag : tags(labels, label)) {
    if (labels.pin_of(tag)) return true;
  }
  return false;
}

// The free tags on an axis: what may leave from it.
std::set<Label> free_tags(Labels& labels, const Axis& axis) {
  std::set<Label> found;
  for (const Label label : axis) {
    for (const Label tag : tags(labels, label)) {
      if (!labels.pin_of(tag)) found.insert(tag);
    }
  }
  return found;
}

TEST(Labels, fresh_tags_are_different_and_free) {
  Labels labels;
  const Axis axis = labels.fresh(3);
  EXPECT_EQ(free_tags(labels, axis).size(), 3u);
  EXPECT_EQ(labels.family(axis[0]), labels.family(axis[2]));
  EXPECT_NE(labels.family(axis[0]), labels.family(labels.fresh(1)[0]));
  EXPECT_TRUE(labels.fresh(0).empty());
}

TEST(Labels, unify_makes_tags_equal_and_merges_families) {
  Labels labels;
  const Axis a = labels.fresh(3), b = labels.fresh(3);
  labels.unify(a, b, kReason);
  EXPECT_EQ(canonical(labels, a), canonical(labels, b));
  EXPECT_EQ(free_tags(labels, b).size(), 3u);
  EXPECT_EQ(labels.family(a[0]), labels.family(b[0]));
}

TEST(Labels, the_oldest_tag_of_a_class_stands_for_it) {
  Labels labels;
  const Axis old = labels.fresh(1), young = labels.fresh(1);
  labels.unify(young, old, kReason);
  EXPECT_EQ(labels.canonical(young[0]), old[0]);
}

TEST(Labels, a_tag_that_meets_nothing_is_pinned_with_reason_and_node) {
  Labels labels;
  const Axis a = labels.fresh(2);
  labels.unify(a, {a[0], kAlways}, kReason);
  EXPECT_FALSE(pinned(labels, a[0]));
  ASSERT_TRUE(labels.pin_of(a[1]));
  EXPECT_EQ(labels.pin_of(a[1])->why, "because");
  EXPECT_EQ(labels.pin_of(a[1])->node, 3);
}

TEST(Labels, the_first_pin_stays) {
  Labels labels;
  const Axis a = labels.fresh(1);
  labels.pin(a, {PinKind::statistics, "first", 1});
  labels.pin(a, {PinKind::meaning, "second", 2});
  EXPECT_EQ(labels.pin_of(a[0])->why, "first");
  EXPECT_EQ(labels.pin_of(a[0])->kind, PinKind::statistics);
}

TEST(Labels, pins_survive_unions_from_either_side) {
  for (const size_t pinned_side : {0u, 1u}) {
    Labels labels;
    const Axis sides[] = {labels.fresh(1), labels.fresh(1)};
    labels.pin(sides[pinned_side], kReason);
    labels.unify(sides[0], sides[1], kReason);
    EXPECT_TRUE(pinned(labels, sides[0][0]));
    EXPECT_TRUE(pinned(labels, sides[1][0]));
  }
}

TEST(Labels, pinning_a_conjunction_pins_all_its_tags) {
  Labels labels;
  const Axis a = labels.fresh(1), b = labels.fresh(1);
  labels.pin(labels.join(a, b), kReason);
  EXPECT_TRUE(pinned(labels, a[0]));
  EXPECT_TRUE(pinned(labels, b[0]));
}

TEST(Labels, a_pinned_tag_that_is_defined_passes_its_pin_on) {
  Labels labels;
  const Axis a = labels.fresh(4);
  labels.pin({a[3]}, kReason);
  const auto parts = factor(labels, a, {2, 2});
  EXPECT_TRUE(pinned(labels, parts[0][1]));
  EXPECT_TRUE(pinned(labels, parts[1][1]));
  EXPECT_FALSE(pinned(labels, parts[0][0]));
  EXPECT_FALSE(pinned(labels, parts[1][0]));
}

TEST(Labels, join_is_the_row_major_product) {
  Labels labels;
  const Axis a = labels.fresh(2), b = labels.fresh(3);
  const Axis product = labels.join(a, b);
  ASSERT_EQ(product.size(), 6u);
  EXPECT_EQ(tags(labels, product[4]), (std::vector<Label>{a[1], b[1]}));
  EXPECT_EQ(product, labels.join(a, b)) << "equal conjunctions are one label";
}

TEST(Labels, join_with_nothing_repeats_the_other_side) {
  Labels labels;
  const Axis a = labels.fresh(2);
  EXPECT_EQ(labels.join(a, always(2)), (Axis{a[0], a[0], a[1], a[1]}));
  EXPECT_EQ(labels.join(always(2), a), (Axis{a[0], a[1], a[0], a[1]}));
}

TEST(Labels, factor_undoes_join_without_new_tags) {
  Labels labels;
  const Axis a = labels.fresh(2), pixels = always(3);
  EXPECT_EQ(factor(labels, labels.join(a, pixels), {2, 3}), (std::vector<Axis>{a, pixels}));
  EXPECT_EQ(factor(labels, labels.join(pixels, a), {3, 2}), (std::vector<Axis>{pixels, a}));
  const Axis b = labels.fresh(3);
  EXPECT_EQ(factor(labels, labels.join(a, b), {2, 3}), (std::vector<Axis>{a, b}));
}

TEST(Labels, factor_of_fresh_tags_defines_them_as_rows_and_columns) {
  Labels labels;
  const Axis axis = labels.fresh(6);
  const auto parts = factor(labels, axis, {2, 3});
  EXPECT_EQ(free_tags(labels, axis).size(), 5u);  // 2 rows and 3 columns
  EXPECT_EQ(canonical(labels, labels.join(parts[0], parts[1])), canonical(labels, axis));
}

TEST(Labels, factor_into_three_gives_three_axes) {
  Labels labels;
  const Axis axis = labels.fresh(24);
  const auto parts = factor(labels, axis, {2, 3, 4});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[1].size(), 3u);
  EXPECT_EQ(free_tags(labels, axis).size(), 9u);
}

TEST(Labels, factoring_again_gives_the_same_parts) {
  Labels labels;
  const Axis axis = labels.fresh(8);
  const auto once = factor(labels, axis, {2, 4}), twice = factor(labels, axis, {2, 4});
  EXPECT_EQ(canonical(labels, once[0]), canonical(labels, twice[0]));
  EXPECT_EQ(canonical(labels, once[1]), canonical(labels, twice[1]));
}

TEST(Labels, two_factorisations_meet_in_their_common_refinement) {
  Labels labels;
  const Axis axis = labels.fresh(16);
  factor(labels, axis, {4, 4});
  factor(labels, axis, {2, 8});
  EXPECT_EQ(free_tags(labels, axis).size(), 2u + 2u + 4u);
  EXPECT_EQ(tags(labels, axis[0]).size(), 3u);
  EXPECT_EQ(labels.coarse(), 0);
}

TEST(Labels, a_ragged_block_pins_the_row_and_the_column_of_its_hole) {
  Labels labels;
  Axis axis = labels.fresh(6);
  axis[5] = kAlways;
  const auto parts = factor(labels, axis, {2, 3});
  EXPECT_TRUE(pinned(labels, parts[0][1]));
  EXPECT_TRUE(pinned(labels, parts[1][2]));
  EXPECT_EQ(free_tags(labels, axis).size(), 1u + 2u);
}

TEST(Labels, of_two_tags_that_cut_across_one_cell_the_finer_is_kept) {
  Labels labels;
  // Each cell carries a tag of its own, and in two cells of different rows and columns a third.
  const Axis cells = labels.fresh(4), coarse = labels.fresh(1);
  const Label both = coarse[0];
  const Axis axis{labels.join({cells[0]}, {both})[0], cells[1], cells[2],
                  labels.join({cells[3]}, {both})[0]};
  factor(labels, axis, {2, 2});
  EXPECT_TRUE(pinned(labels, both));
  EXPECT_EQ(free_tags(labels, axis).size(), 4u);
}

TEST(Labels, heads_unify_with_heads_and_positions_with_positions) {
  Labels labels;
  const Axis q = labels.fresh(6), k = labels.fresh(6);
  const auto q_parts = factor(labels, q, {2, 3}), k_parts = factor(labels, k, {2, 3});
  labels.unify(q, k, kReason);
  EXPECT_EQ(canonical(labels, q_parts[0]), canonical(labels, k_parts[0]));
  EXPECT_EQ(canonical(labels, q_parts[1]), canonical(labels, k_parts[1]));
  EXPECT_EQ(free_tags(labels, q).size(), 5u);
  EXPECT_EQ(labels.coarse(), 0);
}

TEST(Labels, a_plain_axis_takes_the_other_sides_conjunctions_as_definitions) {
  Labels labels;
  const Axis plain = labels.fresh(6), factored = labels.fresh(6);
  const auto parts = factor(labels, factored, {2, 3});
  labels.unify(plain, factored, kReason);
  EXPECT_EQ(tags(labels, plain[4]), tags(labels, factored[4]));
  EXPECT_EQ(free_tags(labels, plain).size(), 5u);
}

TEST(Labels, a_tag_that_meets_itself_with_company_pins_the_company) {
  Labels labels;
  const Axis a = labels.fresh(1), b = labels.fresh(1);
  labels.unify(a, labels.join(a, b), kReason);
  EXPECT_FALSE(pinned(labels, a[0]));
  EXPECT_TRUE(pinned(labels, b[0]));
}

TEST(Labels, a_plain_axis_that_faces_pairs_of_tags_stands_for_both) {
  Labels labels;
  const Axis plain = labels.fresh(3), stream = labels.fresh(3), own = labels.fresh(3);
  Axis both;
  for (int i = 0; i < 3; ++i) both.push_back(labels.join({stream[i]}, {own[i]})[0]);
  labels.unify(plain, both, kReason);
  EXPECT_EQ(tags(labels, plain[1]), (std::vector<Label>{stream[1], own[1]}));
  EXPECT_EQ(free_tags(labels, plain).size(), 6u);
}

TEST(Labels, pairs_of_tags_that_share_one_tie_the_others) {
  Labels labels;
  const Axis stream = labels.fresh(2), p = labels.fresh(2), q = labels.fresh(2);
  Axis x, y;
  for (int i = 0; i < 2; ++i) {
    x.push_back(labels.join({stream[i]}, {p[i]})[0]);
    y.push_back(labels.join({stream[i]}, {q[i]})[0]);
  }
  labels.unify(x, y, kReason);
  EXPECT_EQ(canonical(labels, p), canonical(labels, q));
  EXPECT_EQ(free_tags(labels, x).size(), 4u);
}

TEST(Labels, conjunctions_tie_only_what_they_do_not_have_in_common) {
  Labels labels;
  const Axis p = labels.fresh(2), m = labels.fresh(2), r = labels.fresh(2), c = labels.fresh(4);
  labels.unify(labels.join(labels.join(p, m), r), labels.join(p, c), kReason);
  EXPECT_EQ(tags(labels, c[1]), (std::vector<Label>{m[0], r[1]}));
  EXPECT_EQ(free_tags(labels, labels.join(p, c)).size(), 6u);
  EXPECT_EQ(labels.coarse(), 0);
}

TEST(Labels, conjunctions_that_positions_do_not_tell_apart_are_tied_tightly_and_counted) {
  Labels labels;
  const auto three = [&] {
    return labels.join(labels.join(labels.fresh(1), labels.fresh(1)), labels.fresh(1));
  };
  const Axis x = three(), y = three();
  EXPECT_EQ(labels.coarse(), 0);
  labels.unify(x, y, kReason);
  EXPECT_EQ(canonical(labels, x), canonical(labels, y));
  EXPECT_EQ(labels.coarse(), 1);
}

TEST(Labels, expansion_is_the_same_however_deep_the_definitions_nest) {
  Labels labels;
  Axis axis = labels.fresh(64);
  const Axis original = axis;
  for (const int64_t rows : {2, 4, 8, 16, 32}) factor(labels, original, {rows, 64 / rows});
  EXPECT_EQ(free_tags(labels, original).size(), 12u);  // six axes of two
  EXPECT_EQ(tags(labels, original[0]).size(), 6u);
}

// Statements as they were made, to be asked again at the end.
struct Statement {
  Axis left, right, third;  // third empty: left = right; else left = product of right and third
};

class RandomStatements {
 public:
  explicit RandomStatements(uint64_t seed) : random_(seed) {
    for (int i = 0; i < 3; ++i) axes_.push_back(labels_.fresh(12));
    for (int i = 0; i < 14; ++i) step();
  }

  void expect_to_hold() {
    std::set<Label> free;
    for (const Axis& axis : axes_) free.merge(free_tags(labels_, axis));
    for (int round = 0; round < 20; ++round) {
      std::set<Label> removed;
      for (const Label tag : free) {
        if (random_.below(4) == 0) removed.insert(tag);
      }
      for (const Statement& statement : statements_) expect_to_hold(statement, removed);
    }
  }
  size_t free_count() {
    std::set<Label> free;
    for (const Axis& axis : axes_) free.merge(free_tags(labels_, axis));
    return free.size();
  }

 private:
  const Axis& any() { return axes_[random_.below(axes_.size())]; }

  void step() {
    const Axis a = any(), b = any();
    switch (random_.below(7)) {
      case 0: axes_.push_back(labels_.fresh(12)); break;
      case 1:
        labels_.unify(a, b, kReason);
        statements_.push_back({a, b, {}});
        break;
      case 2: labels_.pin({a[random_.below(12)]}, kReason); break;
      case 3: {  // a concatenation of halves
        Axis halves = concatenated({a.begin(), a.begin() + 6}, {b.begin() + 6, b.end()});
        axes_.push_back(std::move(halves));
        break;
      }
      case 4: {  // a shuffle
        Axis shuffled;
        for (const int64_t i : random_.permutation(12)) shuffled.push_back(a[i]);
        axes_.push_back(std::move(shuffled));
        break;
      }
      default: {
        const int64_t rows = std::vector<int64_t>{2, 3, 4, 6}[random_.below(4)];
        const auto parts = factor(labels_, a, {rows, 12 / rows});
        statements_.push_back({a, parts[0], parts[1]});
        axes_.push_back(labels_.join(parts[1], parts[0]));  // transposed
        break;
      }
    }
  }

  bool alive(Label label, const std::set<Label>& removed) {
    for (const Label tag : tags(labels_, label)) {
      if (removed.contains(tag)) return false;
    }
    return true;
  }

  void expect_to_hold(const Statement& s, const std::set<Label>& removed) {
    for (size_t i = 0; i < s.left.size(); ++i) {
      const bool right = s.third.empty() ? alive(s.right[i], removed)
                                         : alive(s.right[i / s.third.size()], removed) &&
                                               alive(s.third[i % s.third.size()], removed);
      ASSERT_EQ(alive(s.left[i], removed), right) << "index " << i;
    }
  }

  Labels labels_;
  Random random_;
  std::vector<Axis> axes_;
  std::vector<Statement> statements_;
};

TEST(Labels, every_statement_holds_whatever_is_removed) {
  size_t free = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomStatements statements(seed);
    ASSERT_NO_FATAL_FAILURE(statements.expect_to_hold());
    free += statements.free_count();
  }
  EXPECT_GT(free, 400u) << "all pinned would hold trivially";
}

}  // namespace
}  // namespace coppice
