// All operators: one line each. To add one, see CONTRIBUTING.md.

#include <string_view>
#include <unordered_map>

#include "graph/op.h"

namespace coppice {

extern const OpDef kAbs, kAdd, kAveragePool, kBatchNormalization, kCast, kCeil, kClip, kConcat,
    kConstant, kConstantOfShape, kConv, kDiv, kDropout, kElu, kEqual, kErf, kExp, kFlatten, kFloor,
    kGather, kGemm, kGlobalAveragePool, kGlobalMaxPool, kGreater, kHardSigmoid, kHardSwish,
    kIdentity, kLeakyRelu, kLess, kLog, kLogSoftmax, kMatMul, kMax, kMaxPool, kMin, kMul, kNeg,
    kPRelu, kPad, kPow, kReciprocal, kReduceL1, kReduceL2, kReduceMax, kReduceMean, kReduceMin,
    kReduceSum, kRelu, kReshape, kSelu, kShape, kSigmoid, kSlice, kSoftmax, kSoftplus, kSoftsign,
    kSplit, kSqrt, kSqueeze, kSub, kSum, kTanh, kTranspose, kUnsqueeze, kWhere;

namespace {

constexpr const OpDef* kOperators[] = {
    &kAbs,           &kAdd,
    &kAveragePool,   &kBatchNormalization,
    &kCast,          &kCeil,
    &kClip,          &kConcat,
    &kConstant,      &kConstantOfShape,
    &kConv,          &kDiv,
    &kDropout,       &kElu,
    &kEqual,         &kErf,
    &kExp,           &kFlatten,
    &kFloor,         &kGather,
    &kGemm,          &kGlobalAveragePool,
    &kGlobalMaxPool, &kGreater,
    &kHardSigmoid,   &kHardSwish,
    &kIdentity,      &kLeakyRelu,
    &kLess,          &kLog,
    &kLogSoftmax,    &kMatMul,
    &kMax,           &kMaxPool,
    &kMin,           &kMul,
    &kNeg,           &kPRelu,
    &kPad,           &kPow,
    &kReciprocal,    &kReduceL1,
    &kReduceL2,      &kReduceMax,
    &kReduceMean,    &kReduceMin,
    &kReduceSum,     &kRelu,
    &kReshape,       &kSelu,
    &kShape,         &kSigmoid,
    &kSlice,         &kSoftmax,
    &kSoftplus,      &kSoftsign,
    &kSplit,         &kSqrt,
    &kSqueeze,       &kSub,
    &kSum,           &kTanh,
    &kTranspose,     &kUnsqueeze,
    &kWhere,
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
