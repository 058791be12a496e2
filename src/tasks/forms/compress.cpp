// See compress.h.
#include "tasks/forms/compress.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "methods/options/blocks.h"
#include "methods/unstructured/weight_sharing.h"
#include "model/load.h"
#include "tasks/parts/output_path.h"
#include "tasks/parts/training.h"

namespace coppice {
namespace {

bool is_meaningless(const OptionUse& use) {
  const Option* const others[] = {&kLearningRate, &kOptimizer, &kMomentum, &kMomentumForm,
                                  &kWeightDecay,  &kDecay,     &kZeros};
  return std::ranges::find(others, use.option) != std::end(others);
}

OptionList own_training_options() {
  OptionList options = training_options();
  std::erase_if(options, is_meaningless);
  return options;
}

// The first that was given of some options.
const Option* first_of(const OptionList& options, const Settings& settings) {
  const auto given = std::ranges::find_if(
      options, [&](const OptionUse& use) { return settings.has(*use.option); });
  return given == options.end() ? nullptr : given->option;
}

bool has_bits(const Settings& settings) { return settings.has(kBits) && !settings[kBits].none; }

}  // namespace

void check(const CompressRequest& request) {
  const Settings& settings = request.settings;
  const bool shares = has_bits(settings), trains = settings.has(kData);
  if (!shares && settings.has(kBits)) {
    fail_usage("--bits none shares nothing, which is what compress does anyway; leave it out");
  }
  if (!shares && trains) {
    fail_usage("--data is for tuning what --bits shares; add --bits, such as --bits conv=8,fc=5");
  }
  const Option* const sharing = first_of(sharing_options(), settings);
  if (!shares && sharing != nullptr) {
    fail_usage(sharing->flag() + " is for --bits; add --bits, such as --bits conv=8,fc=5");
  }
  if (!shares && settings.has(kKeep)) {
    fail_usage("--keep is for --bits: without, every layer is kept as it is");
  }
  if (const Option* tuning = first_of(centroid_options(), settings); tuning && !trains) {
    fail_usage(tuning->flag() + " is for tuning; add --data");
  }
  const Option* const trained = first_of(own_training_options(), settings);
  if (!trains && (trained != nullptr || request.resume)) {
    fail_usage((trained ? trained->flag() : "--resume") + " is for tuning; add --bits and --data");
  }
}

namespace {

TrainedModel share_and_judge(const CompressRequest& request, const SharingOptions& sharing,
                             const Graph& original, const CommonRequest& common,
                             CompressReport& report, Watcher& watcher) {
  const Settings& settings = request.settings;
  Judge judge = open_judge(settings, original, Fit::targets, watcher);
  const std::string sum = model_sha256(request.model, common.seed).get();
  const TrainingChoice choice{.settings = settings,
                              .start = start_of(request.model, Start::pruned),
                              .request = request_of("compress", sum, settings, common.seed),
                              .resume = request.resume,
                              .rate_hint = "--share-lr 0.0003",
                              .has_rate = settings.has(kShareLr)};
  TrainedModel tuned =
      train_and_judge(choice, original, judge, {.doing = "evaluating with shared weights"}, common,
                      watcher, [&](Session& session, const Recipe& recipe) {
                        share_and_tune(session, sharing, recipe);
                        return session.graph();
                      });
  report.training = std::move(tuned.training);
  report.training["learning_rate"] = sharing.steps.learning_rate;
  report.judging = judge.to_json();
  report.judged_by = judge.by();
  report.before = tuned.before;
  report.after = tuned.after;
  return tuned;
}

int64_t code_bits(const TensorReport& tensor) {
  int64_t bits = 0;
  while ((int64_t{1} << bits) < tensor.distinct + (tensor.nonzeros < tensor.elements)) ++bits;
  return bits;
}

Json to_json(const TensorReport& tensor) {
  Json json = {{"name", tensor.name},         {"storage", tensor.storage},
               {"elements", tensor.elements}, {"nonzeros", tensor.nonzeros},
               {"distinct", tensor.distinct}, {"bytes", tensor.bytes}};
  if (is_shared(tensor)) {
    json["bits"] = code_bits(tensor);
    json["index_bits"] = tensor.index_bits;
    json["fillers"] = tensor.fillers;
    json["paper_p_bits"] = tensor.p_bits;
    json["paper_pq_bits"] = tensor.pq_bits;
    json["paper_pqh_bits"] = tensor.pqh_bits;
    json["entropy_bits"] = tensor.bound_bits;
  } else {
    json["bits"] = tensor.elements > 0 ? 8 * tensor.bytes / tensor.elements : 0;
  }
  return json;
}

}  // namespace

OptionList options_of_compress() {
  OptionList sharing =
      changed(sharing_options(), {&kBits, "", "",
                                  "first let every layer's weights share 2^bits values, such as "
                                  "conv=8,fc=5"});
  sharing.push_back({&kKeep, {}, "", "share no values in layers of such a name; may be repeated"});
  const OptionList training =
      changed(own_training_options(), {&kEpochs, "1", "", "epochs of tuning the shared values"});
  return joined(joined(std::move(sharing), data_options()), training);
}

OptionList options_without_meaning_to_compress() {
  OptionList options = training_options();
  std::erase_if(options, [](const OptionUse& use) { return !is_meaningless(use); });
  return options;
}

bool is_shared(const TensorReport& tensor) {
  return tensor.distinct >= 0 && tensor.pqh_bits < 32 * static_cast<double>(tensor.elements);
}

double CompressReport::ratio() const {
  return static_cast<double>(codec.bytes_before) / static_cast<double>(codec.bytes_after);
}

CompressReport compress(const CompressRequest& request, Watcher& watcher) {
  const Settings& settings = request.settings;
  check(request);
  const bool trains = settings.has(kData);
  const CommonRequest common =
      trains ? with_run_folder(request.common, request.output) : request.common;
  std::optional<SharingOptions> sharing;
  if (has_bits(settings)) sharing = sharing_of(settings, settings.all(kKeep), common.seed);
  Places places(common);
  places.reads_model(request.model);
  reads_for_training(places, settings);
  AtomicFile file(places.writes("-o", request.output, ".coppice"));
  const Model model = load_model(request.model, common, watcher);
  const Buffer original = sharing ? Buffer() : onnx_file_of(model);
  CompressReport report{.model = request.model,
                        .output = request.output,
                        .codec = {},
                        .density = {},
                        .before = {},
                        .after = {},
                        .judged_by = {}};
  TrainedModel tuned{.graph = model.graph};
  if (trains) {
    tuned = share_and_judge(request, *sharing, model.graph, common, report, watcher);
  } else if (sharing) {
    share_weights(tuned.graph, *sharing);
  }
  report.codec = encode(
      tuned.graph, request.codec, [&](std::span<const std::byte> piece) { file.write(piece); },
      original.bytes());
  report.codec.bytes_before = model.bytes;  // of the file as it was given
  stop_if_requested(watcher);
  file.commit();
  if (trains) tuned.finish();
  if (model.graph.foreign.storage == Foreign::Storage::beside) {
    watcher.remark(
        "the weights lay in files beside the model; 'coppice decompress' gives one "
        "file with all of them inside");
  }
  report.density = density_change(model.graph, tuned.graph);
  if (const auto why = why_denser(report.density)) watcher.warn(*why);
  return report;
}

Json to_json(const CompressReport& report) {
  Json tensors = Json::array();
  double pq = 0, pqh = 0;
  for (const TensorReport& tensor : report.codec.tensors) {
    const bool shared = is_shared(tensor);
    pq += shared ? tensor.pq_bits : 8 * static_cast<double>(tensor.bytes);
    pqh += shared ? tensor.pqh_bits : 8 * static_cast<double>(tensor.bytes);
    tensors.push_back(to_json(tensor));
  }
  Json json = {{"bytes_before", report.codec.bytes_before},
               {"bytes_after", report.codec.bytes_after},
               {"ratio", report.ratio()},
               {"graph_bytes", report.codec.graph_bytes},
               {"paper_pq_bytes", pq / 8},
               {"paper_pqh_bytes", pqh / 8},
               {"tensors", std::move(tensors)},
               {"model", report.model},
               {"output", report.output}};
  if (!report.training.is_null()) json["training"] = report.training;
  if (!report.judging.is_null()) json.update(report.judging);
  if (report.before) json["top1_before"] = report.before->top1;
  if (report.after) json["top1_after"] = report.after->top1;
  json["before"] = to_json(report.density.before);
  json["after"] = to_json(report.density.after);
  json["denser"] = report.density.denser();
  return json;
}

DecompressReport decompress(const DecompressRequest& request, Watcher& watcher) {
  Places places(request.common);
  places.reads(request.container);
  AtomicFile file(places.writes("-o", request.output, ".onnx"));
  const Buffer onnx = within("'" + request.container + "'", [&] {
    const Buffer bytes = read_file(request.container);
    if (!is_container(bytes.bytes())) {
      fail_input("this is no .coppice file; 'coppice compress' writes them");
    }
    return decode(bytes);
  });
  file.write(onnx.bytes());
  stop_if_requested(watcher);
  file.commit();
  return {request.container, request.output, static_cast<int64_t>(onnx.size)};
}

Json to_json(const DecompressReport& report) {
  return {{"model", report.container}, {"output", report.output}, {"bytes", report.bytes}};
}

}  // namespace coppice
