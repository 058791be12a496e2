// Source: Han, Pool, Narang, Mao, Gong, Tang, Elsen, Vajda, Paluri, Tran, Catanzaro, Dally, "DSD:
// Dense-Sparse-Dense Training for Deep Neural Networks", ICLR 2017, arXiv:1607.04381, Sec. 2.
#include "methods/unstructured/dsd.h"

#include "core/error.h"
#include "methods/method.h"
#include "methods/one_shot/same_structure.h"
#include "methods/options/blocks.h"
#include "methods/unstructured/mask_weights.h"
#include "prune/scores/criterion.h"

namespace coppice {
namespace {

constexpr double kRateOfDense = 0.1;  // of the sparse phase's: the paper's tables, 1/10 and 1/100

MagnitudeOptions magnitude_of(const Graph& graph, const DsdOptions& options) {
  MagnitudeOptions magnitude{
      .sparsity = options.sparsity, .keep = options.keep, .together = options.together};
  const std::vector<ValueId> weights = maskable_weights(graph);
  if (!weights.empty() && graph.value(weights.front()).constant->rank() > 2) {
    magnitude.layers[graph.value(weights.front()).name] = 0;  // the first convolution stays dense
  }
  return magnitude;
}

}  // namespace

Outcome dense_sparse_dense(Session& session, const DsdOptions& options, const Recipe& recipe) {
  const Graph& original = session.original();
  require_finite(original);
  require_denser_than_asked(original, magnitude_of(original, options));
  Recipe dense = recipe;
  dense.optimizer.learning_rate *= kRateOfDense;
  for (int64_t round = 1; round <= options.rounds; ++round) {
    const std::string suffix = options.rounds == 1 ? ""
                                                   : ", round " + std::to_string(round) + " of " +
                                                         std::to_string(options.rounds);
    session.stage("masking" + suffix, [&] {
      const Graph& graph = session.graph();
      session.mask(magnitude_masks(graph, magnitude_of(graph, options)), Session::Masking::hard);
    });
    session.stage("sparse training" + suffix, [&] { session.train(recipe); });
    session.stage("unmasking" + suffix, [&] {
      require_zeros(session.graph(), session.masks());
      session.unmask();
    });
    session.stage("dense training" + suffix, [&] { session.train(dense); });
  }
  Outcome outcome;
  outcome.graph = session.graph();
  require_same_structure(outcome.graph, original, original);
  outcome.before = outcome.after = costs_of(original, infer(original, fitting_sizes(original, {})));
  outcome.plan.method = "dsd";
  outcome.verified = true;  // at every unmasking
  return outcome;
}

extern const Method kDsd{
    .name = "dsd",
    .paper = "Han et al., DSD: Dense-Sparse-Dense Training, ICLR 2017, arXiv:1607.04381",
    .about = "trains with small weights masked, then with all again: a better dense model",
    .differs =
        "exactly floor(N s) weights of a layer are pruned, ties by index, in every round the same "
        "share (the paper: 25 % after 50 %); weights of LSTM, GRU, RNN and Einsum stay dense, "
        "which "
        "the paper's speech nets consist of; the sparse phase runs at the recipe's rate and the "
        "dense one at a tenth of that, where the paper's tables have a tenth and a hundredth of "
        "the "
        "first training's; the optimizer starts afresh in every phase, which the paper leaves "
        "open; "
        "zeros that the model came with aren't this method's to let go (--zeros)",
    .needs = "training data",
    .kind = Method::Kind::dense,
    .options = {{&kSparsity, "0.3"}, {&kPattern}, {&kKeep}, {&kRounds, "1"}},
    .train =
        [](Session& session, const Recipe& recipe, const MethodInput& input) {
          return dense_sparse_dense(session,
                                    {.sparsity = input.settings[kSparsity],
                                     .keep = input.settings.all(kKeep),
                                     .rounds = input.settings[kRounds],
                                     .together = input.settings[kPattern]},
                                    recipe);
        },
    .original = Method::Original::is_made_better};

}  // namespace coppice
