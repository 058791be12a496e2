// Operators of ONNX that have no channel rule: what they read stays as it is. Their shapes are
// followed, so that what is behind them isn't lost: elementwise ones of integers and of random
// numbers, losses, windows of signals, texts, and sequences, which are no tensors.

#include <algorithm>

#include "graph/ops/ops.h"

namespace coppice {
namespace {

void set_like(InferContext& context, DType dtype) { context.set(0, dtype, context.shape(0)); }

void infer_cast_like(InferContext& context) { set_like(context, context.type(1).dtype); }

void infer_bit_cast(InferContext& context) {
  const DType to = type_attribute(context.node(), "to", DType::undefined);
  const size_t from_bytes = size_of(context.type(0).dtype), to_bytes = size_of(to);
  if (from_bytes != to_bytes || to_bytes == 0) return context.give_up();
  set_like(context, to);
}

void infer_random_like(InferContext& context) {
  set_like(context, type_attribute(context.node(), "dtype", context.type(0).dtype));
}

void infer_random(InferContext& context) {
  const auto shape = context.node().attributes.integers("shape");
  if (!shape) context.fail("attribute 'shape' is missing");
  context.set(0, type_attribute(context.node(), "dtype", DType::f32), *shape);
}

void infer_multinomial(InferContext& context) {
  if (context.rank(0) != 2) context.fail("input isn't a matrix");
  context.set(0, type_attribute(context.node(), "dtype", DType::i32),
              {context.shape(0)[0], context.node().attributes.integer("sample_size", 1)});
}

// One number, or one for each element of the targets; and the logarithms of the scores.
void infer_loss(InferContext& context) {
  const bool each = context.node().attributes.text("reduction", "mean") == "none";
  context.set(0, context.type(0).dtype, each ? context.shape(1) : Shape{});
  context.set(1, context.type(0).dtype, context.shape(0));
}

void infer_window(InferContext& context) {
  const auto size = context.integers(0);
  if (!size) return;
  if (size->size() != 1) context.fail("'size' must be one number");
  context.set(0, type_attribute(context.node(), "output_datatype", DType::f32), {size->front()});
}

void infer_mel(InferContext& context) {
  const auto bins = context.integers(0), length = context.integers(1);
  if (!bins || !length) return context.give_up();
  context.set(0, type_attribute(context.node(), "output_datatype", DType::f32),
              {length->front() / 2 + 1, bins->front()});
}

void infer_dft(InferContext& context) {
  const Attributes& attributes = context.node().attributes;
  int64_t axis = attributes.integer("axis", 1);
  if (context.graph().opset >= 20) {
    axis = -2;
    if (context.has(2)) {
      const auto given = context.integers(2);
      if (!given) return;
      axis = given->front();
    }
  }
  axis = resolve_axis(context.graph(), context.node(), axis, context.rank(0));
  Shape out = context.shape(0);
  if (context.has(1)) {
    const auto length = context.integers(1);
    if (!length) return;
    out[axis] = length->front();
  }
  const bool onesided = attributes.integer("onesided", 0) != 0;
  const bool inverse = attributes.integer("inverse", 0) != 0;
  if (onesided) out[axis] = inverse ? 2 * (out[axis] - 1) : out[axis] / 2 + 1;
  out.back() = onesided && inverse ? 1 : 2;
  context.set(0, context.type(0).dtype, out);
}

void infer_stft(InferContext& context) {
  const auto step = context.integers(1);
  if (!step) return;
  int64_t length = 0;
  if (context.has(2)) {
    length = context.shape(2)[0];
  } else if (const auto given = context.integers(3)) {
    length = given->front();
  } else {
    return;
  }
  if (context.rank(0) < 2 || step->front() < 1 || length > context.shape(0)[1]) {
    context.fail("a signal " + to_string(context.shape(0)) + " holds no frame of " +
                 std::to_string(length));
  }
  const bool onesided = context.node().attributes.integer("onesided", 1) != 0;
  context.set(0, context.type(0).dtype,
              {context.shape(0)[0], 1 + (context.shape(0)[1] - length) / step->front(),
               onesided ? length / 2 + 1 : length, 2});
}

void infer_text_broadcast(InferContext& context) {
  const auto both = broadcast(context.shape(0), context.shape(1));
  if (!both) context.fail("texts don't broadcast");
  context.set(0, DType::string, *both);
}

void infer_text_match(InferContext& context) { set_like(context, DType::boolean); }

void infer_text_split(InferContext& context) {
  Shape out = context.shape(0);
  context.set(1, DType::i64, out);
  out.push_back(context.unknown_size());
  context.set(0, DType::string, out);
}

void infer_text_normaliser(InferContext& context) {
  Shape out = context.shape(0);
  if (out.empty() || context.node().attributes.has("stopwords")) return context.give_up();
  context.set(0, DType::string, out);
}

void infer_tf_idf(InferContext& context) {
  const auto places = context.node().attributes.integers("ngram_indexes");
  if (!places || places->empty() || context.rank(0) < 1) return context.give_up();
  Shape out(context.shape(0).begin(), context.shape(0).end() - 1);
  out.push_back(*std::ranges::max_element(*places) + 1);
  context.set(0, DType::f32, out);
}

// Height and width are the picture's.
void infer_image(InferContext& context) {
  const bool grey = context.node().attributes.text("pixel_format", "RGB") == "Grayscale";
  context.set(0, DType::u8, {context.unknown_size(), context.unknown_size(), grey ? 1 : 3});
}

void infer_one_number(InferContext& context) { context.set(0, DType::i64, {}); }
void infer_one_truth(InferContext& context) { context.set(0, DType::boolean, {}); }

OpDef followed(const char* type, Arity arity, void (*infer)(InferContext&)) {
  const bool reads = arity.max_inputs != 0;
  return {.type = type,
          .arity = arity,
          .reads = reads ? std::vector<Reads>{Reads::data} : std::vector<Reads>{},
          .trains = false,
          .infer = infer};
}

}  // namespace

void infer_nothing(InferContext& context) { context.give_up(); }

DType type_attribute(const Node& node, const char* name, DType otherwise) {
  return static_cast<DType>(node.attributes.integer(name, static_cast<int64_t>(otherwise)));
}

extern const OpDef kBernoulli = followed("Bernoulli", {1, 1}, infer_random_like);
extern const OpDef kBitCast = followed("BitCast", {1, 1}, infer_bit_cast);
extern const OpDef kBitShift = followed("BitShift", {2, 2}, infer_broadcast);
extern const OpDef kBitwiseAnd = followed("BitwiseAnd", {2, 2}, infer_broadcast);
extern const OpDef kBitwiseNot = followed("BitwiseNot", {1, 1}, infer_same);
extern const OpDef kBitwiseOr = followed("BitwiseOr", {2, 2}, infer_broadcast);
extern const OpDef kBitwiseXor = followed("BitwiseXor", {2, 2}, infer_broadcast);
extern const OpDef kBlackmanWindow = followed("BlackmanWindow", {1, 1}, infer_window);
extern const OpDef kCastLike = followed("CastLike", {2, 2}, infer_cast_like);
extern const OpDef kConcatFromSequence = followed("ConcatFromSequence", {1, 1}, infer_nothing);
extern const OpDef kDFT = followed("DFT", {1, 3}, infer_dft);
extern const OpDef kHammingWindow = followed("HammingWindow", {1, 1}, infer_window);
extern const OpDef kHannWindow = followed("HannWindow", {1, 1}, infer_window);
extern const OpDef kIf = followed("If", {1, 1, 1, -1}, infer_nothing);
extern const OpDef kImageDecoder = followed("ImageDecoder", {1, 1}, infer_image);
extern const OpDef kLoop = followed("Loop", {2, -1, 1, -1}, infer_nothing);
extern const OpDef kMelWeightMatrix = followed("MelWeightMatrix", {5, 5}, infer_mel);
extern const OpDef kMultinomial = followed("Multinomial", {1, 1}, infer_multinomial);
extern const OpDef kNegativeLogLikelihoodLoss =
    followed("NegativeLogLikelihoodLoss", {2, 3}, infer_loss);
extern const OpDef kOptional = followed("Optional", {0, 1}, infer_nothing);
extern const OpDef kOptionalGetElement = followed("OptionalGetElement", {1, 1}, infer_same);
extern const OpDef kOptionalHasElement = followed("OptionalHasElement", {0, 1}, infer_one_truth);
extern const OpDef kRandomNormal = followed("RandomNormal", {0, 0}, infer_random);
extern const OpDef kRandomNormalLike = followed("RandomNormalLike", {1, 1}, infer_random_like);
extern const OpDef kRandomUniform = followed("RandomUniform", {0, 0}, infer_random);
extern const OpDef kRandomUniformLike = followed("RandomUniformLike", {1, 1}, infer_random_like);
extern const OpDef kRegexFullMatch = followed("RegexFullMatch", {1, 1}, infer_text_match);
extern const OpDef kReverseSequence = followed("ReverseSequence", {2, 2}, infer_same);
extern const OpDef kSTFT = followed("STFT", {2, 4}, infer_stft);
extern const OpDef kScan = followed("Scan", {1, -1, 1, -1}, infer_nothing);
extern const OpDef kSequenceAt = followed("SequenceAt", {2, 2}, infer_nothing);
extern const OpDef kSequenceConstruct = followed("SequenceConstruct", {1, -1}, infer_nothing);
extern const OpDef kSequenceEmpty = followed("SequenceEmpty", {0, 0}, infer_nothing);
extern const OpDef kSequenceErase = followed("SequenceErase", {1, 2}, infer_nothing);
extern const OpDef kSequenceInsert = followed("SequenceInsert", {2, 3}, infer_nothing);
extern const OpDef kSequenceLength = followed("SequenceLength", {1, 1}, infer_one_number);
extern const OpDef kSequenceMap = followed("SequenceMap", {1, -1, 1, -1}, infer_nothing);
extern const OpDef kSoftmaxCrossEntropyLoss =
    followed("SoftmaxCrossEntropyLoss", {2, 3, 1, 2}, infer_loss);
extern const OpDef kSplitToSequence = followed("SplitToSequence", {1, 2}, infer_nothing);
extern const OpDef kStringConcat = followed("StringConcat", {2, 2}, infer_text_broadcast);
extern const OpDef kStringNormalizer = followed("StringNormalizer", {1, 1}, infer_text_normaliser);
extern const OpDef kStringSplit = followed("StringSplit", {1, 1, 1, 2}, infer_text_split);
extern const OpDef kTfIdfVectorizer = followed("TfIdfVectorizer", {1, 1}, infer_tf_idf);

}  // namespace coppice
