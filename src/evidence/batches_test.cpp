#include "evidence/batches.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "evidence/collector.h"
#include "evidence/plain_loops.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

const EvidenceRequest kGates{"a", Reduction::gate_gradients},
    kScale{"s", Reduction::scale_saliency}, kWeight{"w", Reduction::weight_gradients};

Evidence batch_of(const std::vector<double>& gates, const std::vector<double>& saliency,
                  const std::vector<float>& gradients) {
  Evidence evidence;
  evidence.add(kGates, Tensor::of<double>({std::ssize(gates) / 2, 2}, gates));
  evidence.add(kScale, Tensor::of<double>({2}, saliency));
  evidence.add(kWeight, Tensor::of<float>({2, 1}, gradients));
  return evidence;
}

TEST(EvidenceOfBatches, follows_each_other_by_image_and_is_averaged_over_images_or_batches) {
  EvidenceOfBatches batches;
  batches.add(batch_of({1, 2, 3, 4, 5, 6}, {1, 4}, {1, 2}), 3);
  batches.add(batch_of({7, 8}, {3, 0}, {5, -2}), 1);
  const Evidence all = batches.finish();
  EXPECT_EQ(all.at(kGates), Tensor::of<double>({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(all.at(kScale), Tensor::of<double>({2}, {2, 2}));
  EXPECT_EQ(all.at(kWeight), Tensor::of<float>({2, 1}, {2, 1}));
}

TEST(EvidenceOfBatches, has_a_row_for_each_batch_where_it_is_asked_for_those) {
  const EvidenceRequest rows{"a", Reduction::batch_gate_gradients};
  EvidenceOfBatches batches;
  for (const double x : {1.0, 3.0, 5.0}) {
    Evidence batch;
    batch.add(rows, Tensor::of<double>({1, 2}, {x, -x}));
    batches.add(batch, 7);
  }
  EXPECT_EQ(batches.finish().at(rows), Tensor::of<double>({3, 2}, {1, -1, 3, -3, 5, -5}));
}

TEST(EvidenceOfBatches, of_weights_stays_in_double_where_it_came_so) {
  const EvidenceRequest hessian{"w", Reduction::weight_hessian_gradients};
  EvidenceOfBatches batches;
  for (const double x : {1e60, 3e60}) {
    Evidence batch;
    batch.add(hessian, Tensor::of<double>({2}, {x, 1 + 1e-12}));
    batches.add(batch, 4);
  }
  EXPECT_EQ(batches.finish().at(hessian), Tensor::of<double>({2}, {2e60, 1 + 1e-12}));
}

TEST(EvidenceOfBatches, names_the_channel_that_is_not_finite) {
  EvidenceOfBatches batches;
  batches.add(batch_of({1, 2, 3, std::numeric_limits<double>::infinity()}, {1, 1}, {1, 1}), 2);
  try {
    batches.finish();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("'a', channel 1"), std::string::npos) << error.what();
  }
}

TEST(EvidenceOfBatches, is_what_the_plain_loops_say_of_hand_made_numbers) {
  const Tensor a = Tensor::of<float>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Tensor g = Tensor::of<float>({2, 2, 2}, {1, 0, 0, 1, -1, 1, 2, 2});
  EXPECT_EQ(plain::gate_gradients({a}, {g}, {"a", Reduction::gate_gradients}),
            (std::vector<double>{2, 8, 2, 60}));
  EXPECT_EQ(plain::gate_gradients({a}, {g}, {"a", Reduction::mean_gate_gradients}),
            (std::vector<double>{1, 4, 1, 30}));
  EXPECT_EQ(plain::gate_gradients({a}, {g}, {"a", Reduction::gate_gradients, 2}),
            (std::vector<double>{2, 8, 18, 44}));
  EXPECT_EQ(plain::gate_gradients({a, a}, {g, g}, {"a", Reduction::batch_gate_gradients}),
            (std::vector<double>{2, 34, 2, 34}));
  const Tensor scale = Tensor::of<float>({2}, {2, 1}), shift = Tensor::of<float>({2}, {1, -1});
  const Tensor one = Tensor::of<float>({2}, {1, 1}), two = Tensor::of<float>({2}, {2, 0});
  EXPECT_EQ(plain::scale_saliency({scale, scale}, {one, two}, {shift, shift}, {one, one}),
            (std::vector<double>{17, 0.5}));
  EXPECT_EQ(plain::weight_gradients({one, two}, {3, 1}), (std::vector<double>{1.25, 0.75}));
}

TEST(EvidenceOfBatches, needs_gradients_which_the_runtime_refuses_by_name) {
  const Graph graph = parse_text_graph("input x float32 [N, 4]\na = Relu(x)\noutput a");
  const std::vector<EvidenceRequest> requests{kGates};
  try {
    Collector collector(graph, requests);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("'a': it needs gradients"), std::string::npos);
  }
}

}  // namespace
}  // namespace coppice
