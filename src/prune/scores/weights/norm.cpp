// l1, l2: the norm of a filter's weights.
//
// Source: Li, Kadav, Durdanovic, Samet, Graf, "Pruning Filters for Efficient ConvNets", ICLR 2017,
// arXiv:1608.08710, section 3.1: s_j = sum |F_ij|. l2 is the same with the Euclidean norm, as He et
// al., "Soft Filter Pruning", IJCAI 2018, arXiv:1808.06866, equation 2, p = 2.

#include "prune/scores/criteria.h"

namespace coppice {
namespace {

constexpr char kCoupled[] =
    "filters of coupled layers leave together, so residual streams, stems and hidden Gemms shrink, "
    "where the papers choose in every convolution by itself and keep a stream's width (Li et al.: "
    "by its shortcut's filters alone, which --aggregate first does; they skip sensitive layers, "
    "--keep); each layer is normalised to mean 1, and their mean keeps their spread";

template <Power power>
std::vector<float> norm(const GroupView& view) {
  std::vector<std::vector<double>> members;
  for (const Slice* slice : members_of(view.group)) {
    const Tensor& tensor = *view.graph.value(slice->tensor).constant;
    if (tensor.dtype() == DType::f32) members.push_back(norms_of(tensor, *slice, power));
  }
  if (members.empty()) return {};
  return aggregated(normalised(std::move(members)), view.options.aggregate);
}

}  // namespace

extern const Criterion kL1{
    .name = "l1",
    .paper = "Li et al., Pruning Filters for Efficient ConvNets, ICLR 2017, arXiv:1608.08710",
    .about = "sum of the absolute weights of a filter",
    .differs = kCoupled,
    .score = norm<Power::absolute>};
extern const Criterion kL2{
    .name = "l2",
    .paper = "He et al., Soft Filter Pruning, IJCAI 2018, arXiv:1808.06866 (eq. 2, p = 2)",
    .about = "Euclidean norm of a filter",
    .differs = kCoupled,
    .score = norm<Power::square>};

}  // namespace coppice
