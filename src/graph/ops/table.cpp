// All operators: one line each. To add one, see CONTRIBUTING.md.

#include <string_view>
#include <unordered_map>

#include "graph/op.h"

namespace coppice {

extern const OpDef kAbs, kAdd, kAnd, kArgMax, kArgMin, kAttention, kAveragePool,
    kBatchNormalization, kCast, kCeil, kCelu, kClip, kConcat, kConstant, kConstantOfShape, kConv,
    kConvTranspose, kCos, kCumSum, kDepthToSpace, kDequantizeLinear, kDiv, kDropout, kEinsum, kElu,
    kEqual, kErf, kExp, kExpand, kFlatten, kFloor, kGRU, kGather, kGelu, kGemm, kGlobalAveragePool,
    kGlobalMaxPool, kGreater, kGreaterOrEqual, kGroupNormalization, kHardSigmoid, kHardSwish,
    kIdentity, kInstanceNormalization, kLRN, kLSTM, kLayerNormalization, kLeakyRelu, kLess,
    kLessOrEqual, kLog, kLogSoftmax, kLpNormalization, kMatMul, kMax, kMaxPool,
    kMeanVarianceNormalization, kMin, kMish, kMod, kMul, kNeg, kNot, kOr, kPRelu, kPad, kPow,
    kQuantizeLinear, kRMSNormalization, kRNN, kRange, kReciprocal, kReduceL1, kReduceL2,
    kReduceLogSum, kReduceLogSumExp, kReduceMax, kReduceMean, kReduceMin, kReduceProd, kReduceSum,
    kReduceSumSquare, kRelu, kReshape, kResize, kRound, kScatterND, kSelu, kShape, kSigmoid, kSign,
    kSin, kSize, kSlice, kSoftmax, kSoftplus, kSoftsign, kSpaceToDepth, kSplit, kSqrt, kSqueeze,
    kSub, kSum, kTanh, kThresholdedRelu, kTile, kTopK, kTranspose, kUnsqueeze, kUpsample, kWhere,
    kXor;

namespace {

constexpr const OpDef* kOperators[] = {
    &kAbs,
    &kAdd,
    &kAnd,
    &kArgMax,
    &kArgMin,
    &kAttention,
    &kAveragePool,
    &kBatchNormalization,
    &kCast,
    &kCeil,
    &kCelu,
    &kClip,
    &kConcat,
    &kConstant,
    &kConstantOfShape,
    &kConv,
    &kConvTranspose,
    &kCos,
    &kCumSum,
    &kDepthToSpace,
    &kDequantizeLinear,
    &kDiv,
    &kDropout,
    &kEinsum,
    &kElu,
    &kEqual,
    &kErf,
    &kExp,
    &kExpand,
    &kFlatten,
    &kFloor,
    &kGRU,
    &kGather,
    &kGelu,
    &kGemm,
    &kGlobalAveragePool,
    &kGlobalMaxPool,
    &kGreater,
    &kGreaterOrEqual,
    &kGroupNormalization,
    &kHardSigmoid,
    &kHardSwish,
    &kIdentity,
    &kInstanceNormalization,
    &kLRN,
    &kLSTM,
    &kLayerNormalization,
    &kLeakyRelu,
    &kLess,
    &kLessOrEqual,
    &kLog,
    &kLogSoftmax,
    &kLpNormalization,
    &kMatMul,
    &kMax,
    &kMaxPool,
    &kMeanVarianceNormalization,
    &kMin,
    &kMish,
    &kMod,
    &kMul,
    &kNeg,
    &kNot,
    &kOr,
    &kPRelu,
    &kPad,
    &kPow,
    &kQuantizeLinear,
    &kRMSNormalization,
    &kRNN,
    &kRange,
    &kReciprocal,
    &kReduceL1,
    &kReduceL2,
    &kReduceLogSum,
    &kReduceLogSumExp,
    &kReduceMax,
    &kReduceMean,
    &kReduceMin,
    &kReduceProd,
    &kReduceSum,
    &kReduceSumSquare,
    &kRelu,
    &kReshape,
    &kResize,
    &kRound,
    &kScatterND,
    &kSelu,
    &kShape,
    &kSigmoid,
    &kSign,
    &kSin,
    &kSize,
    &kSlice,
    &kSoftmax,
    &kSoftplus,
    &kSoftsign,
    &kSpaceToDepth,
    &kSplit,
    &kSqrt,
    &kSqueeze,
    &kSub,
    &kSum,
    &kTanh,
    &kThresholdedRelu,
    &kTile,
    &kTopK,
    &kTranspose,
    &kUnsqueeze,
    &kUpsample,
    &kWhere,
    &kXor,
};

}  // namespace

std::span<const OpDef* const> operators() { return kOperators; }

const OpDef* find_operator(const std::string& domain, const std::string& type) {
  if (!domain.empty() && domain != "ai.onnx") return nullptr;
  static const auto by_type = [] {
    std::unordered_map<std::string_view, const OpDef*> map;
    for (const OpDef* op : kOperators) map.emplace(op->type, op);
    return map;
  }();
  const auto found = by_type.find(type);
  return found == by_type.end() ? nullptr : found->second;
}

}  // namespace coppice
