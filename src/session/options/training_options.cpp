// The numbers here that aren't a paper's were measured; each says where.
#include "session/options/training_options.h"

#include <algorithm>

#include "core/attempt.h"
#include "core/error.h"
#include "training/judging/evaluation.h"
#include "training/parameters.h"

namespace coppice {
namespace {

using Kind = OptimizerOptions::Kind;
using Zeros = SessionOptions::Zeros;
using Form = OptimizerOptions::Momentum;
using Decayed = OptimizerOptions::Decayed;

constexpr NumberRange kAnyFrom0{.low = 0};
constexpr NumberRange kAbove0{.low = 0, .ends = NumberRange::Ends::open};
constexpr int64_t kMostBatch = 1 << 20;

std::optional<Augmentation> augmentation_of(const std::string& text) {
  return parse_augmentation(text);
}

const CountOption kBatch({"batch", "N", "images an update"}, 1, kMostBatch, Recipe{}.batch);
const ChoiceOption<Schedule::Kind> kSchedule({"schedule", "NAME",
                                              "cosine, step (a tenth at 1/2 and 3/4) or constant"},
                                             {{"cosine", Schedule::Kind::cosine},
                                              {"step", Schedule::Kind::step},
                                              {"constant", Schedule::Kind::constant}},
                                             "cosine");
const TextOption<std::vector<double>> kMilestones(
    {"milestones", "SHARES", "where the rate of --schedule step falls, in shares of the training"},
    "rising shares between 0 and 1, such as 0.3,0.6,0.8 for epochs 60, 120 and 160 of 200",
    rising_shares, "0.5,0.75");
const NumberOption kGamma({"gamma", "X",
                           "what the rate of --schedule step is multiplied with there"},
                          {.low = 0, .high = 1, .ends = NumberRange::Ends::open},
                          Schedule{}.factor);
const NumberOption kWarmUp({"warm-up", "X", "epochs in which the rate rises from 0"},
                           {.low = 0, .high = 1e6}, Schedule{}.warm_up);
const NumberOption kNormMomentum({"bn-momentum", "X",
                                  "what BatchNormalization's running statistics keep in an update",
                                  "the model's, at most 0.9 and 5 % after an epoch"},
                                 {.low = 0, .high = 1});
const NumberOption kLabelSmoothing({"label-smoothing", "X",
                                    "share of the target that is spread over all classes"},
                                   {.low = 0, .high = 0.999}, LossOptions{}.label_smoothing);
const NumberOption kClipNorm({"clip-norm", "X", "largest norm of all gradients together; 0: any",
                              "5 without BatchNormalization, else 0"},
                             {.low = 0, .high = 1e9});
const NumberOption kTemperature({"temperature", "X", "of distillation"},
                                {.low = 1e-3, .high = 1000}, LossOptions{}.temperature);
const ChoiceOption<KeptEpoch::Which> kSave(
    {"save", "last|best",
     "which epoch is kept: the last, or the one that the held-out images judge best, where a "
     "stage only trains"},
    {{"last", KeptEpoch::Which::last}, {"best", KeptEpoch::Which::best}}, "last");
const CountOption kPatience({"patience", "N",
                             "ends a stage after N epochs that held-out images judge no better",
                             "all epochs are trained"},
                            1, 100'000);
const TextOption<Augmentation> kAugment({"augment", "TEXT", "none, or pad=4,flip and the like",
                                         "what is usual for the data set"},
                                        "none, or pad=4,flip and the like", augmentation_of);

// Without BatchNormalization one step on a few large gradients can end a training that would have
// gone well; usual gradients stay below this.
double usual_clip_norm(const Graph& graph) { return has_batch_norm(graph) ? 0 : 5; }

// Two epochs of ResNet-20, cut by fpgm to half its MACs, gave 86.6 % without distillation, 87.9
// with 0.5 and 88.1 with 0.9 (seed 0, November 2026). A model that is trained on is its own
// original: it would teach itself to stay as it is.
double usual_distillation(Start start, bool classifies) {
  if (start != Start::pruned) return 0;
  return classifies ? 0.9 : 1;
}

}  // namespace

const ChoiceOption<Form> kMomentumForm({"momentum-form", "NAME",
                                        "nesterov, or plain, as in many papers' own runs"},
                                       {{"nesterov", Form::nesterov}, {"plain", Form::plain}},
                                       "nesterov");
const ChoiceOption<Decayed> kDecay(
    {"decay", "NAME",
     "what --weight-decay is of: weights, or all, so biases and normalisations too, as in the "
     "authors' code of SFP, FPGM and Network Slimming"},
    {{"weights", Decayed::weights}, {"all", Decayed::all}}, "weights");

const CountOption kEpochs({"epochs", "N", "how often every image is seen"}, 1, 100'000);
const NumberOption kLearningRate(
    {"lr", "X", "largest learning rate",
     "0.1 for an untrained model, 0.03 for a file; 0.01 without BatchNormalization; 0.001 with "
     "adam"},
    kAbove0);
const ChoiceOption<Kind> kOptimizer({"optimizer", "NAME", "sgd (Nesterov) or adam"},
                                    {{"sgd", Kind::sgd}, {"adam", Kind::adam}}, "sgd");
const NumberOption kMomentum({"momentum", "X", "of sgd"}, {.low = 0, .high = 0.9999},
                             OptimizerOptions{}.momentum);
const NumberOption kWeightDecay(
    {"weight-decay", "X",
     "added to the gradient times the weight (with adam, too, so it is no AdamW)"},
    {.low = 0, .high = 1}, OptimizerOptions{}.weight_decay);
const NumberOption kDistillation(
    {"distill", "X", "share of the loss that follows the original's outputs; 1 needs no labels",
     "0.9 after pruning, else 0"},
    {.low = 0, .high = 1});
const TextOption<std::string> kTeacher(
    {"teacher", "MODEL", "a model whose outputs are followed, for the same images and classes",
     "the model as it was given"},
    "a model file", any_text);
const NumberOption kHeldOut({"val", "X",
                             "share of the training images held out to judge every epoch",
                             "0.1, at most 1000 images"},
                            {.low = 0, .high = 0.9});
const ChoiceOption<std::string> kDevice({"device", "NAME", "cpu or cuda"},
                                        {{"cpu", "cpu"}, {"cuda", "cuda"}}, "cpu");
const FlagOption kFromScratch(
    "from-scratch", "the model file is untrained: a rate of 0.1, and nothing that it could teach");
const ChoiceOption<Zeros> kZeros(
    {"zeros", "keep|free",
     "keep: where a model comes sparse or with shared values, zeros stay zero and values shared; "
     "free: they don't"},
    {{"keep", Zeros::keep}, {"free", Zeros::free}}, "keep");

OptionList training_options() {
  return under(
      "Training",
      {{&kEpochs},       {&kBatch},       {&kLearningRate}, {&kOptimizer},      {&kSchedule},
       {&kMilestones},   {&kGamma},       {&kWarmUp},       {&kMomentum},       {&kMomentumForm},
       {&kWeightDecay},  {&kDecay},       {&kNormMomentum}, {&kLabelSmoothing}, {&kClipNorm},
       {&kDistillation}, {&kTemperature}, {&kTeacher},      {&kAugment},        {&kHeldOut},
       {&kDevice},       {&kSave},        {&kPatience},     {&kFromScratch},    {&kZeros}});
}

// Rewinding the learning rate beats small constant rates after a cut (Renda, Frankle, Carbin,
// "Comparing Rewinding and Fine-tuning in Neural Network Pruning", ICLR 2020, arXiv:2003.02389), so
// tuning starts near the rates of training. Without BatchNormalization nets bear less.
double usual_rate(const Settings& settings, Start start, const Graph& graph) {
  if (settings[kOptimizer] == Kind::adam) return 1e-3;
  if (!has_batch_norm(graph)) return 0.01;
  return start == Start::untrained ? 0.1 : 0.03;
}

// No choice rests on the held-out images, they only show how it goes: 1000 of them say that to
// about a point, and every further one is missed in the training.
double usual_held_out(int64_t images) {
  return std::min(0.1, 1000 / static_cast<double>(std::max<int64_t>(1, images)));
}

void require_consistent(const Settings& settings) {
  for (const Option* option :
       {static_cast<const Option*>(&kMilestones), static_cast<const Option*>(&kGamma)}) {
    if (settings.has(*option) && settings[kSchedule] != Schedule::Kind::step) {
      fail_usage(option->flag() + " is for --schedule step; add it");
    }
  }
  if (settings.has(kTeacher) && settings.given(kDistillation).value_or(1) == 0) {
    fail_usage("--teacher is followed by the share of --distill, found 0; leave one of them out");
  }
  for (const Option* option : std::initializer_list<const Option*>{&kMomentum, &kMomentumForm}) {
    if (settings.has(*option) && settings[kOptimizer] == Kind::adam) {
      fail_usage(option->flag() + " is for --optimizer sgd, found adam");
    }
  }
}

Recipe recipe_of(const Settings& settings, Start start, const Graph& graph, const Dataset& dataset,
                 uint64_t seed) {
  require_consistent(settings);
  const bool taught = settings.has(kTeacher);
  const bool classifies = !why_not_classifier(graph, dataset).has_value();
  Recipe recipe;
  // What searches may train nothing, and says no number.
  recipe.epochs = attempt(ErrorKind::usage, [&] { return settings[kEpochs]; }).value_or(0);
  recipe.batch = settings[kBatch];
  recipe.seed = seed;
  recipe.optimizer.kind = settings[kOptimizer];
  recipe.optimizer.learning_rate =
      settings.given(kLearningRate).value_or(usual_rate(settings, start, graph));
  recipe.optimizer.momentum = settings[kMomentum];
  recipe.kept = {.which = settings[kSave], .patience = settings.given(kPatience)};
  recipe.optimizer.weight_decay = settings[kWeightDecay];
  recipe.optimizer.clip_norm = settings.given(kClipNorm).value_or(usual_clip_norm(graph));
  recipe.schedule.kind = settings[kSchedule];
  recipe.optimizer.form = settings[kMomentumForm];
  recipe.optimizer.decayed = settings[kDecay];
  recipe.schedule.milestones = settings[kMilestones];
  recipe.schedule.factor = settings[kGamma];
  recipe.schedule.warm_up = settings[kWarmUp];
  recipe.loss = {
      .label_smoothing = settings[kLabelSmoothing],
      .distillation = settings.given(kDistillation)
                          .value_or(usual_distillation(taught ? Start::pruned : start, classifies)),
      .temperature = settings[kTemperature],
      .others = start == Start::untrained && !taught ? LossOptions::Others::leave
                                                     : LossOptions::Others::follow};
  if (settings.has(kTemperature) && recipe.loss.distillation == 0) {
    fail_usage("--temperature is of distillation, whose share is 0 here; add --distill X");
  }
  recipe.norm_momentum = settings.given(kNormMomentum);
  recipe.augmentation = settings.given(kAugment).value_or(dataset.usual_augmentation());
  return recipe;
}

}  // namespace coppice
