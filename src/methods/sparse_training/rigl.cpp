// Source: Evci, Gale, Menick, Castro, Elsen, "Rigging the Lottery: Making All Tickets Winners",
// ICML 2020, arXiv:1911.11134, Algorithm 1. Growth at random: Mocanu, Mocanu, Stone, Nguyen,
// Gibescu, Liotta, "Scalable training of artificial neural networks with adaptive sparse
// connectivity", Nature Communications 2018, arXiv:1707.04780 (SET).
#include "methods/sparse_training/rigl.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "methods/sparse_training/regrow.h"
#include "methods/sparse_training/sparse_training.h"
#include "prune/scores/criterion.h"
#include "session/state/beside_weights.h"

namespace coppice {
namespace {

using Growth = RiglOptions::Growth;

// "mask", "grow": no other stream of the seed is like them.
constexpr uint64_t kMaskStream = 0x6d61736b, kGrowStream = 0x67726f77;
constexpr char kChanges[] = "changes of masks";  // i64: the last one's update, all that grew

std::vector<int64_t> counts_of(const Graph& graph, const std::vector<std::string>& names,
                               const RiglOptions& options) {
  const ConstantsByName constants(graph);
  std::vector<Shape> shapes;
  for (const std::string& name : names) shapes.push_back(constants.find(name)->shape());
  if (options.densities == Densities::erk) return erk_counts(shapes, options.sparsity);
  std::vector<int64_t> counts = uniform_counts(shapes, options.sparsity);
  const Value& first = graph.value(maskable_weights(graph).front());
  const bool convolves = first.constant->rank() > 2;
  if (convolves && names.front() == first.name) counts.front() = first.constant->size();
  return counts;
}

EvidenceRequest gradient_of(const std::string& name) { return {name, Reduction::weight_gradients}; }

// Changes the masks of a session that trains.
class Rewiring {
 public:
  Rewiring(Session& session, const RiglOptions& options, const DropSchedule& schedule)
      : session_(session), options_(options), schedule_(schedule) {}

  TrainHooks hooks() {
    TrainHooks hooks;
    hooks.due = [this](int64_t update) { return schedule_.due(update); };
    hooks.after_update = [this](int64_t update) { rewire(update); };
    hooks.after_epoch = [this](int64_t) { note(); };
    if (options_.growth != Growth::gradient) return hooks;
    hooks.requests = [this] {
      std::vector<EvidenceRequest> requests;
      for (const auto& [name, mask] : session_.masks()) requests.push_back(gradient_of(name));
      return requests;
    };
    hooks.evidence = [this](const Evidence& evidence) { gradients_ = evidence; };
    return hooks;
  }

 private:
  struct Changes {
    int64_t update = 0, grown = 0;
  };
  Changes changes() const {
    const auto found = session_.own().tensors.find(kChanges);
    if (found == session_.own().tensors.end()) return {};
    const auto numbers = found->second.as<int64_t>();
    return {numbers[0], numbers[1]};
  }

  std::vector<double> promise_of(const std::string& name, uint64_t layer, int64_t update) const {
    std::vector<double> promise;
    if (options_.growth == Growth::gradient) {
      for (const float g : gradients_.at(gradient_of(name)).as<float>()) {
        promise.push_back(std::fabs(g));
      }
      return promise;
    }
    Random random =
        Random::stream(options_.seed, {kGrowStream, static_cast<uint64_t>(update), layer});
    promise.resize(static_cast<size_t>(session_.masks().at(name).size()));
    for (double& x : promise) x = random.uniform();
    return promise;
  }

  void rewire(int64_t update) {
    const ConstantsByName constants(session_.graph());
    Changes now{update, changes().grown};
    NamedTensors masks;
    uint64_t layer = 0;
    for (const auto& [name, mask] : session_.masks()) {
      const auto active = static_cast<double>(std::ranges::count(mask.as<float>(), 1.0f));
      const auto count = static_cast<int64_t>(std::floor(schedule_.share(update) * active + 1e-9));
      Regrown regrown =
          regrow(mask, *constants.find(name), promise_of(name, layer++, update), count);
      now.grown += regrown.grown;
      masks.emplace(name, std::move(regrown.mask));
    }
    session_.set_masks(std::move(masks));
    MethodState own;
    own.tensors[kChanges] = Tensor::of<int64_t>({2}, {now.update, now.grown});
    session_.keep_own(std::move(own));
  }

  void note() {
    session_.note("density", density_of(session_));
    const Changes so_far = changes();
    if (so_far.update == 0) return;
    session_.note("drop_fraction", schedule_.share(so_far.update));
    session_.note("grown_weights", static_cast<double>(so_far.grown));
  }

  Session& session_;
  const RiglOptions& options_;
  const DropSchedule& schedule_;
  Evidence gradients_;  // of the update that the next change follows
};

}  // namespace

Masks random_masks(const Graph& graph, const RiglOptions& options) {
  const std::vector<std::string> names = weights_to_mask(graph, options.keep);
  const std::vector<int64_t> counts = counts_of(graph, names, options);
  const ConstantsByName constants(graph);
  Masks masks;
  for (size_t l = 0; l < names.size(); ++l) {
    Tensor mask = Tensor::zeros(DType::f32, constants.find(names[l])->shape());
    const std::span<float> stays = mask.mutate<float>();
    const auto order = Random::stream(options.seed, {kMaskStream, l}).permutation(mask.size());
    for (int64_t i = 0; i < counts[l]; ++i) stays[order[i]] = 1;
    masks.emplace(names[l], std::move(mask));
  }
  return masks;
}

Outcome train_sparse(Session& session, const RiglOptions& options, const Recipe& recipe) {
  require_finite(session.original());
  if (!session.kept().zeros.empty()) {
    fail_usage(
        "the model is sparse, and its zeros are to stay, where masks are to be drawn and changed",
        {option_hint("zeros", "free", "gives its zeros up")});
  }
  session.stage("masking", [&] { session.set_masks(random_masks(session.original(), options)); });
  session.stage("sparse training", [&] {
    const DropSchedule schedule{.fraction = options.fraction,
                                .anneal = options.anneal,
                                .every = options.every,
                                .last = update_at(options.until, updates_of(session, recipe))};
    Rewiring rewiring(session, options, schedule);
    session.train(recipe, options.growth == Growth::none ? TrainHooks{} : rewiring.hooks());
    session.keep_own({});
  });
  return masked_outcome(session, "rigl");
}

}  // namespace coppice
