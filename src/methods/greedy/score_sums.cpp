#include "methods/greedy/score_sums.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace coppice {
namespace {

constexpr char kCounts[] = "counts", kSums[] = "sums ", kAverages[] = "averages ";

// A member is that of a value, where there is one for each of them.
std::string key_of(const UnitAddress& address, const GroupView& view, size_t member,
                   size_t members) {
  if (members != view.activations.size()) return address.key + " " + std::to_string(member);
  const Activation& activation = view.activations[member];
  return address.key + " " + activation.value + ":" + std::to_string(activation.axis);
}

void add_at(std::vector<double>& sums, const UnitAddress& address,
            const std::vector<double>& numbers) {
  for (size_t u = 0; u < numbers.size(); ++u) {
    const auto place = static_cast<size_t>(address.places[u]);
    if (place >= sums.size()) sums.resize(place + 1, 0);
    sums[place] += numbers[u];
  }
}

std::vector<double> taken(const std::vector<double>& from, const UnitAddress& address) {
  std::vector<double> numbers;
  for (const int64_t place : address.places) numbers.push_back(from.at(place));
  return numbers;
}

Tensor tensor_of(const std::vector<double>& numbers) {
  return Tensor::of<double>({std::ssize(numbers)}, numbers);
}

std::vector<double> numbers_of(const Tensor& tensor) {
  const auto numbers = tensor.as<double>();
  return {numbers.begin(), numbers.end()};
}

}  // namespace

ScoreSums::ScoreSums(const MethodState& kept) {
  for (const auto& [name, tensor] : kept.tensors) {
    if (name == kCounts) {
      updates_ = std::llround(tensor.as<double>()[0]);
      removed_ = std::llround(tensor.as<double>()[1]);
    } else if (name.starts_with(kSums)) {
      sums_[name.substr(sizeof(kSums) - 1)] = numbers_of(tensor);
    } else if (name.starts_with(kAverages)) {
      averages_[name.substr(sizeof(kAverages) - 1)] = numbers_of(tensor);
    }
  }
}

MethodState ScoreSums::kept() const {
  MethodState kept;
  kept.tensors[kCounts] = tensor_of({static_cast<double>(updates_), static_cast<double>(removed_)});
  for (const auto& [key, numbers] : sums_) kept.tensors[kSums + key] = tensor_of(numbers);
  for (const auto& [key, numbers] : averages_) kept.tensors[kAverages + key] = tensor_of(numbers);
  return kept;
}

void ScoreSums::add(const Groups& groups, const GroupViews& views, const Criterion& criterion,
                    const Evidence& evidence) {
  ++updates_;
  for (size_t g = 0; g < groups.free.size(); ++g) {
    const GroupView view = views.of(g, &evidence);
    const auto members = criterion.members(view);
    if (members.empty()) continue;
    const UnitAddress address = address_of(view.graph, view.group);
    for (size_t m = 0; m < members.size(); ++m) {
      add_at(sums_[key_of(address, view, m, members.size())], address, members[m]);
    }
  }
}

std::vector<std::vector<double>> ScoreSums::means(const GroupView& view,
                                                  const UnitAddress& address) const {
  const size_t values = view.activations.size();
  const bool by_value = values > 0 && sums_.contains(key_of(address, view, 0, values));
  const size_t members = by_value ? values : 1;
  std::vector<std::vector<double>> means;
  for (size_t m = 0; m < members; ++m) {
    const auto found = sums_.find(key_of(address, view, m, by_value ? values : values + 1));
    if (found == sums_.end()) return {};
    means.push_back(taken(found->second, address));
    for (double& score : means.back()) score /= static_cast<double>(updates_);
  }
  return means;
}

void ScoreSums::smooth(const UnitAddress& address, double smoothing, std::vector<float>& scores) {
  std::vector<double>& averages = averages_[address.key];
  for (size_t u = 0; u < scores.size(); ++u) {
    const auto place = static_cast<size_t>(address.places[u]);
    if (place >= averages.size()) averages.resize(place + 1, NAN);
    double& average = averages[place];
    const double now = scores[u];
    average = std::isnan(average) ? now : smoothing * average + (1 - smoothing) * now;
    scores[u] = static_cast<float>(average);
  }
}

Scores ScoreSums::scores(const Graph& graph, const Groups& groups, const GroupViews& views,
                         const Criterion& criterion, double smoothing) {
  Scores scores{std::vector<float>(groups.unit_count, 0), std::vector<char>(groups.free.size(), 0)};
  for (size_t g = 0; g < groups.free.size(); ++g) {
    const GroupView view = views.of(g, nullptr);
    const UnitAddress address = address_of(graph, view.group);
    auto members = means(view, address);
    std::vector<float> units =
        members.empty() ? std::vector<float>() : criterion.together(view, std::move(members));
    scores.unscored[g] = units.empty();
    if (smoothing > 0) smooth(address, smoothing, units);
    std::ranges::copy(units, scores.units.begin() + groups.free[g].first_unit);
  }
  return scores;
}

void ScoreSums::next_round(const Graph& graph, const Groups& groups, const Removal& removal) {
  std::set<std::string> done;  // groups may share a tensor's axis
  for (const Group& group : groups.free) {
    const UnitAddress address = address_of(graph, group);
    const auto found = averages_.find(address.key);
    if (found == averages_.end() || !done.insert(address.key).second) continue;
    const std::vector<char> stays = alive(groups, address.tensor, address.axis, removal);
    std::vector<double> left;
    for (size_t i = 0; i < found->second.size(); ++i) {
      if (stays.empty() || stays[i]) left.push_back(found->second[i]);
    }
    found->second = std::move(left);
  }
  removed_ += std::ranges::count(removal, 1);
  updates_ = 0;
  sums_.clear();
}

}  // namespace coppice
