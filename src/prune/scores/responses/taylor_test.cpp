// Both Taylor criteria against loops over images, channels and positions.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/random.h"
#include "evidence/plain_loops.h"
#include "prune/scores/group_views.h"
#include "prune/scores/responses/responses.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// A layer with a BatchNormalization of its own, a stream that two layers read at two values, and
// channels that a Gemm reads as four columns each.
constexpr char kNet[] = R"(
  input x float32 [N, 2, 6, 6]
  const w float32 [3, 2, 3, 3] random
  const scale float32 [3] positive
  const shift float32 [3] random
  const mean float32 [3] random
  const variance float32 [3] positive
  const u float32 [5, 3, 1, 1] random
  const t float32 [4, 5, 1, 1] random
  const v float32 [5, 4, 1, 1] random
  const k float32 [2, 5, 3, 3] random
  const f float32 [8, 2] random
  c = Conv(x, w)
  n = BatchNormalization(c, scale, shift, mean, variance)
  r = Relu(n)
  s = Conv(r, u)
  a = Conv(s, t)
  b = Relu(a)
  d = Conv(b, v)
  p = Add(s, d)
  e = Conv(p, k)
  h = Flatten(e)
  y = Gemm(h, f)
  output y)";
constexpr int64_t kImages = 3, kBatches = 2;

struct Gradients {
  Graph graph = parse_text_graph(kNet);
  Groups groups = find_groups(graph);
  std::map<std::string, plain::Values> values, gradients;  // by name: batch after batch

  Gradients() {
    uint64_t seed = 1;
    const std::map<std::string, Shape> shapes = {{"r", {kImages, 3, 4, 4}},
                                                 {"s", {kImages, 5, 4, 4}},
                                                 {"b", {kImages, 4, 4, 4}},
                                                 {"p", {kImages, 5, 4, 4}},
                                                 {"h", {kImages, 8}},
                                                 {"scale", {3}},
                                                 {"shift", {3}}};
    for (const auto& [name, shape] : shapes) {
      for (int64_t batch = 0; batch < kBatches; ++batch) {
        for (auto* into : {&values, &gradients}) {
          Tensor drawn = Tensor::zeros(DType::f32, shape);
          Random(seed++).fill_normal(drawn.mutate<float>(), 1);
          (*into)[name].push_back(drawn);
        }
      }
    }
  }
  Tensor answer(const EvidenceRequest& request, const std::vector<int64_t>& batches) const {
    const auto of = [&](const auto& all, const std::string& name) {
      plain::Values chosen;
      for (const int64_t batch : batches) chosen.push_back(all.at(name)[batch]);
      return chosen;
    };
    const std::string& name = request.value;
    const auto v = of(values, name), g = of(gradients, name);
    if (request.reduction == Reduction::scale_saliency) {
      return Tensor::of<double>(
          {3}, plain::scale_saliency(v, g, of(values, "shift"), of(gradients, "shift")));
    }
    const bool of_batch = request.reduction == Reduction::batch_gate_gradients;
    return Tensor::of<double>({std::ssize(batches) * (of_batch ? 1 : kImages), v[0].shape()[1]},
                              plain::gate_gradients(v, g, request));
  }
  Evidence evidence(std::span<const EvidenceRequest> requests,
                    const std::vector<int64_t>& batches) const {
    Evidence evidence;
    for (const EvidenceRequest& request : requests) evidence.add(request, answer(request, batches));
    return evidence;
  }
  ScoreOptions options(const std::string& criterion,
                       const std::map<std::string, std::string>& given) const {
    Settings own(find_criterion(criterion).options);
    for (const OptionUse& use : own.options()) {
      if (given.contains(use.option->name())) own.set(*use.option, given.at(use.option->name()));
    }
    ScoreOptions options{.aggregate = Aggregate::sum, .own = own};
    options.measure = [this](const Graph&, std::span<const EvidenceRequest> requests) {
      return evidence(requests, {0, 1});
    };
    return options;
  }
  std::vector<float> scores_of(const std::string& criterion,
                               const std::map<std::string, std::string>& given = {}) const {
    return score_units(graph, groups, find_criterion(criterion), options(criterion, given)).units;
  }
  const Group& group(const std::string& name) const {
    return *std::ranges::find(groups.free, name, &Group::name);
  }
  // Of image n of a batch: dC/dgate of the channels from `first` on, as many as a unit has.
  double gate(const std::string& value, int64_t batch, int64_t n, int64_t first,
              int64_t channels) const {
    const Tensor &z = values.at(value)[batch], &g = gradients.at(value)[batch];
    const int64_t positions = z.size() / z.shape()[0] / z.shape()[1];
    double sum = 0;
    for (int64_t c = first; c < first + channels; ++c) {
      for (int64_t m = 0; m < positions; ++m) {
        const int64_t at = (n * z.shape()[1] + c) * positions + m;
        sum += double{z.as<float>()[at]} * g.as<float>()[at] * kImages;
      }
    }
    return sum;
  }
  // The mean over images of the absolute mean over a unit's `positions`.
  double theta(const std::string& value, int64_t first, int64_t channels, double positions) const {
    double sum = 0;
    for (int64_t batch = 0; batch < kBatches; ++batch) {
      for (int64_t n = 0; n < kImages; ++n) {
        sum += std::fabs(gate(value, batch, n, first, channels) / positions);
      }
    }
    return sum / (kBatches * kImages);
  }
};

TEST(Taylor, is_the_mean_over_images_of_the_absolute_mean_over_positions) {
  const Gradients net;
  const auto scores = net.scores_of("taylor", {{"layer-norm", "none"}});
  for (int64_t u = 0; u < 3; ++u) {
    EXPECT_NEAR(scores[net.group("w").first_unit + u], net.theta("r", u, 1, 16), 1e-6);
  }
  for (int64_t u = 0; u < 5; ++u) {
    EXPECT_NEAR(scores[net.group("u").first_unit + u],
                net.theta("s", u, 1, 16) + net.theta("p", u, 1, 16), 1e-6);
  }
  for (int64_t u = 0; u < 2; ++u) {
    EXPECT_NEAR(scores[net.group("k").first_unit + u], net.theta("h", 4 * u, 4, 4), 1e-6);
  }
}

TEST(Taylor, each_layers_scores_are_over_their_euclidean_norm) {
  const Gradients net;
  const auto scores = net.scores_of("taylor");
  double squares = 0;
  for (int64_t u = 0; u < 3; ++u) squares += std::pow(net.theta("r", u, 1, 16), 2);
  for (int64_t u = 0; u < 3; ++u) {
    EXPECT_NEAR(scores[net.group("w").first_unit + u],
                net.theta("r", u, 1, 16) / std::sqrt(squares), 1e-6);
  }
}

TEST(Taylor, a_map_that_costs_more_loses_more) {
  const Gradients net;
  const auto plain = net.scores_of("taylor"),
             less = net.scores_of("taylor", {{"flops-weight", "2"}});
  const auto lost = [&](const char* group) {
    const auto first = static_cast<size_t>(net.group(group).first_unit);
    return plain[first] - less[first];
  };
  EXPECT_NEAR(lost("w"), 2 * 2 * 16 * 2 * 9 / 1e6, 1e-6);    // 4x4 positions, 3x3 of 2
  EXPECT_NEAR(lost("u"), 2 * 2 * 16 * (3 + 4) / 1e6, 1e-6);  // of both coupled layers
  EXPECT_NEAR(lost("k"), 2 * 2 * 4 * 5 * 9 / 1e6, 1e-6);
}

TEST(TaylorFo, behind_a_normalisation_of_its_own_is_the_mean_square_of_its_gate) {
  const Gradients net;
  const auto scores = net.scores_of("taylor-fo");
  for (int64_t u = 0; u < 3; ++u) {
    double expected = 0;
    for (int64_t batch = 0; batch < kBatches; ++batch) {
      const auto product = [&](const char* name) {
        return double{net.values.at(name)[batch].as<float>()[u]} *
               net.gradients.at(name)[batch].as<float>()[u];
      };
      expected += std::pow(product("scale") + product("shift"), 2) / kBatches;
    }
    EXPECT_NEAR(scores[net.group("w").first_unit + u], expected, 1e-6);
  }
}

TEST(TaylorFo, of_several_values_is_that_of_one_gate_over_their_number) {
  const Gradients net;
  const std::map<std::string, double> divisors = {{"none", 1}, {"gates", 2}, {"square", 4}};
  for (const auto& [name, divisor] : divisors) {
    SCOPED_TRACE(name);
    const auto scores = net.scores_of("taylor-fo", {{"gate-divisor", name}});
    for (int64_t u = 0; u < 5; ++u) {
      double expected = 0;
      for (int64_t batch = 0; batch < kBatches; ++batch) {
        double gate = 0;  // of the batch's loss
        for (int64_t n = 0; n < kImages; ++n) {
          gate += (net.gate("s", batch, n, u, 1) + net.gate("p", batch, n, u, 1)) / kImages;
        }
        expected += gate * gate / kBatches;
      }
      EXPECT_NEAR(scores[net.group("u").first_unit + u], expected / divisor, 1e-4);
    }
  }
}

TEST(TaylorCriteria, added_up_batch_by_batch_are_those_of_all_images) {
  const Gradients net;
  for (const char* name : {"taylor", "taylor-fo"}) {
    SCOPED_TRACE(name);
    const Criterion& criterion = find_criterion(name);
    const ScoreOptions options = net.options(name, {});
    const GroupViews views(net.graph, net.groups, criterion, options);
    const auto requests = views.requests();
    const auto whole = net.scores_of(name);
    for (size_t g = 0; g < net.groups.free.size(); ++g) {
      const Evidence one = net.evidence(requests, {0}), other = net.evidence(requests, {1});
      auto members = criterion.members(views.of(g, &one));
      const auto more = criterion.members(views.of(g, &other));
      for (size_t m = 0; m < members.size(); ++m) {
        for (size_t u = 0; u < members[m].size(); ++u) {
          members[m][u] = (members[m][u] + more[m][u]) / 2;
        }
      }
      const auto scores = criterion.together(views.of(g, nullptr), members);
      for (size_t u = 0; u < scores.size(); ++u) {
        EXPECT_NEAR(scores[u], whole[net.groups.free[g].first_unit + u], 1e-6);
      }
    }
  }
}

}  // namespace
}  // namespace coppice
