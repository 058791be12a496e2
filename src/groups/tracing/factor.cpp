// factor: an axis of a*b indices seen as a matrix of labels, rows by columns.
//
// A tag that fills whole rows belongs to the rows, one that fills whole columns to the columns. One
// that does neither (a fresh tag sits in a single cell) is *defined* as P_row AND Q_column, with
// one new family P and one Q; where it has several cells, their P's and their Q's are tied. A cell
// without such a tag pins its P and Q, since nothing could leave there. If two tags of one cell
// both cut across, the finer is kept and the coarser pinned: without that rule, channel shuffles
// tie everything.

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "groups/tracing/labels.h"

namespace coppice {
namespace {

enum class Side { row, column, across };

struct Cells {
  std::vector<int64_t> places;  // row * columns + column, ascending
  Side side = Side::across;
};

Side side_of(const std::vector<int64_t>& places, int64_t rows, int64_t columns) {
  std::map<int64_t, int64_t> by_row, by_column;
  for (const int64_t place : places) {
    ++by_row[place / columns];
    ++by_column[place % columns];
  }
  const auto all = [](const std::map<int64_t, int64_t>& counts, int64_t full) {
    return std::all_of(counts.begin(), counts.end(), [&](auto& c) { return c.second == full; });
  };
  if (all(by_row, columns)) return Side::row;
  if (all(by_column, rows)) return Side::column;
  return Side::across;
}

}  // namespace

std::vector<Axis> Labels::factor(const Axis& axis, std::span<const int64_t> sizes,
                                 const Pin& reason) {
  COPPICE_CHECK(!sizes.empty(), "factor into nothing");
  std::vector<Axis> parts;
  Axis rest = axis;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    const auto columns = static_cast<int64_t>(rest.size()) / sizes[i];
    COPPICE_CHECK(sizes[i] * columns == static_cast<int64_t>(rest.size()),
                  "factor sizes don't fit");
    auto [row, column] = factor_matrix(rest, sizes[i], columns, reason);
    parts.push_back(std::move(row));
    rest = std::move(column);
  }
  parts.push_back(std::move(rest));
  return parts;
}

std::pair<Axis, Axis> Labels::factor_matrix(const Axis& axis, int64_t rows, int64_t columns,
                                            const Pin& reason) {
  Axis cells(axis.size());
  std::transform(axis.begin(), axis.end(), cells.begin(), [&](Label l) { return canonical(l); });
  bool rows_alike = true, rows_constant = true;
  for (int64_t i = 0; i < static_cast<int64_t>(cells.size()); ++i) {
    rows_alike = rows_alike && cells[i] == cells[i % columns];
    rows_constant = rows_constant && cells[i] == cells[i / columns * columns];
  }
  const auto always = [](int64_t count) { return Axis(static_cast<size_t>(count), kAlways); };
  if (rows_alike) return {always(rows), Axis(cells.begin(), cells.begin() + columns)};
  if (rows_constant) {
    Axis row;
    for (int64_t r = 0; r < rows; ++r) row.push_back(cells[r * columns]);
    return {std::move(row), always(columns)};
  }

  std::map<Label, Cells> by_tag;
  for (size_t i = 0; i < cells.size(); ++i) {
    for (const Label tag : tags(cells[i])) by_tag[tag].places.push_back(static_cast<int64_t>(i));
  }
  std::vector<std::vector<Label>> row_tags(rows), column_tags(columns);
  std::vector<std::pair<size_t, Label>> across;  // by number of cells, so the finer come first
  for (auto& [tag, where] : by_tag) {
    where.side = side_of(where.places, rows, columns);
    if (where.side == Side::across) {
      across.emplace_back(where.places.size(), tag);
      continue;
    }
    for (const int64_t place : where.places) {
      auto& list =
          where.side == Side::row ? row_tags[place / columns] : column_tags[place % columns];
      if (list.empty() || list.back() != tag) list.push_back(tag);
    }
  }
  if (!across.empty()) {
    std::sort(across.begin(), across.end());
    const Axis p = fresh(rows), q = fresh(columns);
    std::vector<char> covered(cells.size(), 0);
    for (const auto& [count, tag] : across) {
      const std::vector<int64_t>& places = by_tag[tag].places;
      if (std::any_of(places.begin(), places.end(), [&](int64_t i) { return covered[i]; })) {
        pin_tag(tag, reason);
        continue;
      }
      for (const int64_t place : places) {
        covered[place] = 1;
        unite(p[places[0] / columns], p[place / columns]);
        unite(q[places[0] % columns], q[place % columns]);
      }
      define(tag, intern({p[places[0] / columns], q[places[0] % columns]}));
    }
    for (size_t i = 0; i < cells.size(); ++i) {
      if (covered[i]) continue;
      pin_tag(p[i / columns], reason);
      pin_tag(q[i % columns], reason);
    }
    for (int64_t r = 0; r < rows; ++r) row_tags[r].push_back(p[r]);
    for (int64_t c = 0; c < columns; ++c) column_tags[c].push_back(q[c]);
  }
  const auto labels = [&](std::vector<std::vector<Label>>& lists) {
    Axis result;
    for (std::vector<Label>& list : lists) result.push_back(intern(std::move(list)));
    return result;
  };
  Axis row = labels(row_tags);
  return {std::move(row), labels(column_tags)};
}

}  // namespace coppice
