// Which outputs can be followed, and why the others can't.
#include "training/output_gradients.h"

#include <gtest/gtest.h>

#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
  input x float32 [N, 3]
  const w float32 [3, 4] random
  h = MatMul(x, w)
)";

// "y: followed; z: output 'z' is behind ..."
std::string told(const std::string& text) {
  const Graph graph = parse_text_graph(kNet + text);
  const auto found = outputs_not_followed(graph);
  std::string all;
  for (size_t o = 0; o < found.size(); ++o) {
    all += (o == 0 ? "" : "; ") + (found[o] ? found[o]->reason : std::string("followed"));
  }
  return all;
}

TEST(OutputsNotFollowed, a_layers_output_is_followed) {
  EXPECT_EQ(told("y = Relu(h)\nc = Cast(h) {to=1}\noutput y h c"), "followed; followed; followed");
}

TEST(OutputsNotFollowed, no_gradient_comes_through_comparing_and_counting) {
  EXPECT_EQ(told("y = ArgMax(h) {axis=1}\nz = Cast(y) {to=1}\noutput z h"),
            "output 'z' is behind node 'y' (ArgMax), through which no gradient comes; followed");
  EXPECT_EQ(told("const k int64 [1] = 2\nv, i = TopK(h, k)\noutput v\noutput i int64"),
            "followed; output 'i' is behind node 'v' (TopK), through which no gradient comes");
  EXPECT_EQ(told("y = Cast(h) {to=7}\noutput y int64"),
            "output 'y' is behind node 'y' (Cast), through which no gradient comes");
}

TEST(OutputsNotFollowed, rows_that_are_chosen_at_run_time_are_not_even_where_a_path_leads) {
  const std::string nms =
      "const best int64 [1] = 5\nb = Relu(h)\nn = NonMaxSuppression(b, h, best)\n"
      "g = Gather(h, n)\noutput g h";
  EXPECT_EQ(told(nms),
            "output 'g' is behind node 'n' (NonMaxSuppression), which chooses rows by what is in "
            "them; followed");
  const Graph graph = parse_text_graph(kNet + nms);
  const auto found = outputs_not_followed(graph);
  EXPECT_EQ(found[0]->values, NotFollowed::Values::unknown_size);
  EXPECT_EQ(found[0]->stop, "NonMaxSuppression");
}

TEST(OutputsNotFollowed, an_output_without_weights_is_none) {
  EXPECT_EQ(told("y = Relu(x)\noutput h y"),
            "followed; output 'y' depends on no weight that is trained");
}

}  // namespace
}  // namespace coppice
