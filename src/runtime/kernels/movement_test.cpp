// Slice, Split, Concat, Pad, Transpose and reshaping, in row-major and blocked layouts: compiled
// equals reference.

#include "support/test_net.h"

namespace coppice {
namespace {

// A value in a layout blocked by channels.
ValueId blocked(TestNet& net, const Shape& shape) {
  return net.conv(net.input(shape), shape[1], 1);
}

void for_each_layout(const Shape& shape, const std::function<void(TestNet&, ValueId)>& build) {
  for (const bool plain : {true, false}) {
    SCOPED_TRACE(to_string(shape) + (plain ? " plain" : " blocked"));
    TestNet net(7);
    build(net, plain ? net.input(shape) : blocked(net, shape));
    expect_fast_equals_reference(net.graph);
  }
}

ValueId slice(TestNet& net, ValueId x, const Shape& starts, const Shape& ends, const Shape& axes,
              const Shape& steps) {
  return net.add("Slice", {x, net.ints(starts), net.ints(ends), net.ints(axes), net.ints(steps)});
}

TEST(FastMovement, slices_pixels_and_channels) {
  for (const int64_t channels : {7, 8, 20, 24}) {
    for_each_layout({2, channels, 9, 8}, [&](TestNet& net, ValueId x) {
      net.output(slice(net, x, {0, 0}, {INT64_MAX, INT64_MAX}, {2, 3}, {2, 2}));
      net.output(slice(net, x, {1, 5}, {-1, 1}, {2, 3}, {1, -2}));
      net.output(slice(net, x, {2}, {6}, {1}, {1}));
      net.output(slice(net, x, {0}, {INT64_MAX}, {1}, {3}));
      if (channels > 8) net.output(slice(net, x, {8}, {INT64_MAX}, {1}, {1}));
      if (channels > 16) net.output(slice(net, x, {8}, {16}, {1}, {1}));
      net.output(slice(net, x, {1}, {2}, {0}, {1}));
    });
  }
}

TEST(FastMovement, splits_channels) {
  for (const Shape& sizes : {Shape{3, 5}, Shape{8, 8}, Shape{16, 4}, Shape{1, 16, 7}}) {
    int64_t channels = 0;
    for (const int64_t size : sizes) channels += size;
    for_each_layout({2, channels, 3, 5}, [&](TestNet& net, ValueId x) {
      std::vector<ValueId> pieces;
      for (size_t i = 0; i < sizes.size(); ++i) {
        pieces.push_back(add_value(net.graph, "piece" + std::to_string(i), DType::f32));
        net.output(pieces.back());
      }
      add_node(net.graph, "Split", {x, net.ints(sizes)}, pieces, {{"axis", int64_t{1}}}, "split");
    });
  }
}

TEST(FastMovement, concatenates_channels_of_any_number) {
  for (const Shape& widths : {Shape{8, 16}, Shape{8, 5}, Shape{5, 8}, Shape{3, 7, 10}}) {
    for (const bool mixed : {false, true}) {
      TestNet net(3);
      std::vector<ValueId> pieces;
      for (const int64_t width : widths) pieces.push_back(blocked(net, {2, width, 4, 3}));
      if (mixed) pieces.push_back(net.input({2, 3, 4, 3}));
      const ValueId y = net.add("Concat", pieces, {{"axis", int64_t{1}}});
      net.output(net.conv(y, 9, 3));
      expect_fast_equals_reference(net.graph);
    }
  }
}

TEST(FastMovement, concatenates_along_other_axes_and_a_value_with_itself) {
  for (const int64_t axis : {0, 2, -1}) {
    TestNet net(3);
    const ValueId x = blocked(net, {2, 10, 4, 4});
    net.output(net.add("Concat", {x, net.add("Relu", {x}), x}, {{"axis", axis}}));
    expect_fast_equals_reference(net.graph);
  }
}

TEST(FastMovement, pads_pixels_and_channels) {
  const std::vector<Shape> pads = {{0, 0, 1, 2, 0, 0, 3, 0},
                                   {0, 8, 0, 0, 0, 8, 0, 0},
                                   {0, 3, 0, 0, 0, 4, 0, 0},
                                   {0, 0, 0, 0, 0, 5, 0, 0},
                                   {1, 0, 0, 0, 0, 0, 0, 0}};
  for (const Shape& pad : pads) {
    for (const float value : {0.0f, 1.5f}) {
      for_each_layout({2, 10, 3, 4}, [&](TestNet& net, ValueId x) {
        const ValueId y = net.add("Pad", {x, net.ints(pad), net.number(value)});
        net.output(net.conv(y, 6, 3, {{"pads", Shape{1, 1, 1, 1}}}));
      });
    }
  }
}

TEST(FastMovement, crops_by_negative_pads) {
  TestNet net(1);
  net.output(net.add("Pad", {net.input({1, 2, 5, 5}), net.ints({0, 0, -1, 2, 0, 0, 0, -2})}));
  expect_fast_equals_reference(net.graph, Fallbacks::allowed);
}

TEST(FastMovement, transposes) {
  for (const Shape& order : {Shape{0, 2, 3, 1}, Shape{3, 2, 1, 0}, Shape{1, 0, 2, 3}}) {
    for_each_layout({2, 10, 3, 4}, [&](TestNet& net, ValueId x) {
      net.output(net.add("Transpose", {x}, {{"perm", order}}));
    });
  }
}

TEST(FastMovement, shuffles_channels_by_reshape_and_transpose) {
  TestNet net(1);
  const ValueId x = blocked(net, {2, 12, 5, 5});
  const ValueId groups = net.add("Reshape", {x, net.ints({0, 3, 4, 5, 5})});
  const ValueId swapped = net.add("Transpose",
                                  {
                                      groups,
                                  },
                                  {{"perm", Shape{0, 2, 1, 3, 4}}});
  const ValueId y = net.add("Reshape", {swapped, net.ints({0, -1, 5, 5})});
  net.output(net.conv(y, 8, 3));
  expect_fast_equals_reference(net.graph);
}

TEST(FastMovement, flattens_blocked_images_in_row_major_order) {
  for (const int64_t channels : {5, 8, 16}) {
    for (const int64_t pixels : {1, 3}) {
      TestNet net(channels);
      const ValueId x = blocked(net, {2, channels, pixels, pixels});
      const ValueId flat = net.add("Flatten", {x});
      net.output(net.add("Gemm", {flat, net.weight({channels * pixels * pixels, 4})}));
      net.output(flat);
      expect_fast_equals_reference(net.graph);
    }
  }
}

TEST(FastMovement, moves_integers_too) {
  TestNet net(1);
  const ValueId x = net.input({2, 6}, DType::i64);
  net.output(net.add("Transpose", {slice(net, x, {0}, {6}, {1}, {2})}));
  net.graph.value(net.graph.outputs[0]).dtype = DType::i64;
  net.output(net.add("Concat", {x, x}, {{"axis", int64_t{0}}}));
  expect_fast_equals_reference(net.graph);
}

}  // namespace
}  // namespace coppice
