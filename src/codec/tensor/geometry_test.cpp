// Rows, columns and kernels of shapes; geometries that don't fit are refused.
#include "codec/tensor/geometry.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace coppice::codec {
namespace {

TEST(Geometry, follows_the_shape) {
  EXPECT_EQ(geometry_of({}), (Geometry{1, 1, 1}));
  EXPECT_EQ(geometry_of({7}), (Geometry{1, 1, 1}));
  EXPECT_EQ(geometry_of({7, 5}), (Geometry{5, 1, 1}));
  EXPECT_EQ(geometry_of({7, 5, 3, 2}), (Geometry{30, 6, 2}));
  EXPECT_EQ(geometry_of({7, 5, 3, 1}), (Geometry{15, 1, 1}));
  EXPECT_EQ(geometry_of({7, 5, 2, 65}), (Geometry{650, 1, 1}));
}

TEST(Geometry, neighbours_stay_within_the_kernel) {
  // Two kernels of 2 x 3: bit 0 left, bit 1 above.
  EXPECT_EQ(neighbour_masks({12, 6, 3}),
            (std::vector<uint8_t>{0, 1, 1, 2, 3, 3, 0, 1, 1, 2, 3, 3}));
  EXPECT_EQ(neighbour_masks({3, 1, 1}), (std::vector<uint8_t>{3, 3, 3}));
}

TEST(Geometry, comes_back_and_is_refused_where_it_does_not_fit) {
  const auto read = [](const Geometry& geometry, uint64_t elements) {
    Bytes bytes;
    append_geometry(bytes, geometry);
    ByteReader reader(bytes);
    return take_geometry(reader, elements);
  };
  EXPECT_EQ(read({30, 6, 2}, 90), (Geometry{30, 6, 2}));
  for (const Geometry& bad :
       {Geometry{0, 1, 1}, Geometry{30, 0, 1}, Geometry{30, 6, 0}, Geometry{30, 6, 4},
        Geometry{30, 4, 2}, Geometry{7, 7, 7}, Geometry{91, 1, 1}, Geometry{90, 90, 90}}) {
    EXPECT_THROW(read(bad, 90), Error) << bad.columns << " " << bad.area << " " << bad.width;
  }
}

}  // namespace
}  // namespace coppice::codec
