#include "runtime/kernels/views.h"

#include "core/error.h"
#include "runtime/compile/onednn.h"

namespace coppice::runtime {
namespace {

using Tag = dnnl::memory::format_tag;

Tag blocked_tag(size_t rank, int64_t block) {
  constexpr Tag kTags[][3] = {{Tag::nCw8c, Tag::nChw8c, Tag::nCdhw8c},
                              {Tag::nCw16c, Tag::nChw16c, Tag::nCdhw16c}};
  return kTags[block == 8 ? 0 : 1][rank - 3];
}

}  // namespace

Description blocked_description(const Shape& shape, int64_t block) {
  if (block == 1) return plain_description(shape);
  COPPICE_CHECK(shape.size() >= 3 && shape.size() <= 5, "a blocked layout of no image");
  return {dnnl::memory::dims(shape.begin(), shape.end()), dnnl::memory::data_type::f32,
          blocked_tag(shape.size(), block)};
}

std::optional<int64_t> channel_block(const Description& desc) {
  const dnnl::memory::dims dims = onednn::layout_of(desc).dims;
  const Shape shape(dims.begin(), dims.end());
  if (desc == plain_description(shape)) return 1;
  if (shape.size() < 3 || shape.size() > 5) return std::nullopt;
  for (const int64_t block : {8, 16}) {
    if (desc == blocked_description(shape, block)) return block;
  }
  return std::nullopt;
}

View view_of(const Shape& shape, int64_t block) {
  if (block == 1) return plain_view(shape);
  Shape extents = shape;
  extents[1] = (shape[1] + block - 1) / block;
  extents.push_back(block);
  return plain_view(extents);
}

bool keeps_blocks(const AxisRange& range, int64_t size, int64_t block) {
  if (block == 1 || range.axis != 1) return true;
  const bool whole = range.count % block == 0 || range.first + range.count == size;
  return range.step == 1 && range.first % block == 0 && whole;
}

void narrow(View& view, const AxisRange& range, int64_t block) {
  const int64_t unit = range.axis == 1 ? block : 1;
  view.offset += range.first / unit * view.strides[range.axis];
  view.strides[range.axis] *= range.step;
  view.extents[range.axis] = (range.count + unit - 1) / unit;
}

}  // namespace coppice::runtime
