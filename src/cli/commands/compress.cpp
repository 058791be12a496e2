// coppice compress: a model into the small container of docs/format.md, after sharing its weights
// if --bits asks for it. coppice decompress: the same file back, byte by byte, unless --bits
// changed it or its weights lay in other files, which then are inside.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/density.h"
#include "cli/given_options.h"
#include "cli/interrupt.h"
#include "cli/judge.h"
#include "cli/model.h"
#include "cli/output_path.h"
#include "cli/training.h"
#include "codec/codec.h"
#include "core/error.h"
#include "core/files.h"
#include "methods/blocks.h"
#include "methods/weight_sharing.h"
#include "onnx/onnx.h"
#include "report/format.h"
#include "report/table.h"

namespace coppice {
namespace {

constexpr size_t kMostRows = 200;
constexpr Table::Align kRight = Table::Align::right;

struct Options {
  std::string model, output, coder = "smallest";
  int64_t index_bits = 0;
  bool resume = false;
  GivenOptions given;
};

// Of these a training of shared values has no use: what is trained are those values alone.
bool is_meaningless(const OptionUse& use) {
  const Option* const others[] = {&kLearningRate, &kOptimizer, &kMomentum, &kWeightDecay, &kZeros};
  return std::ranges::find(others, use.option) != std::end(others);
}

OptionList options_of_compress() {
  OptionList sharing =
      changed(sharing_options(), {&kBits, "", "",
                                  "first let every layer's weights share 2^bits values, such as "
                                  "conv=8,fc=5"});
  sharing.push_back({&kKeep, {}, "", "share no values in layers of such a name; may be repeated"});
  OptionList training =
      changed(training_options(), {&kEpochs, "1", "", "epochs of tuning the shared values"});
  std::erase_if(training, is_meaningless);
  return joined(joined(std::move(sharing), data_options()), training);
}

// The first that was given of some options.
const Option* first_of(const OptionList& options, const Settings& settings) {
  const auto given = std::ranges::find_if(
      options, [&](const OptionUse& use) { return settings.has(*use.option); });
  return given == options.end() ? nullptr : given->option;
}

void require_consistent(const Options& options, const Settings& settings) {
  if (const auto others = options.given.others(settings.options()); !others.empty()) {
    fail_usage(others.front()->flag() +
               " has no meaning here: what is trained is the shared values, as --share-lr and "
               "--share-optimizer say, and all zeros stay zero");
  }
  const bool shares = settings.has(kBits) && !settings[kBits].none, trains = settings.has(kData);
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
  OptionList own = training_options();
  std::erase_if(own, is_meaningless);
  const Option* const trained = first_of(own, settings);
  if (!trains && (trained != nullptr || options.resume)) {
    fail_usage((trained ? trained->flag() : "--resume") + " is for tuning; add --bits and --data");
  }
}

Request request_of(const Settings& settings, const std::string& sha256, const Invocation& run) {
  Request request = {{"command", "compress"}, {"model", sha256}};
  for (auto& entry : settings.decisive()) request.push_back(std::move(entry));
  request.emplace_back("--seed", std::to_string(run.options.seed));
  return request;
}

struct Tuned {
  Graph graph;
  Json json = Json::object();
  std::string text = {};
};

Tuned share_and_judge(const Options& options, const Settings& settings, Graph original,
                      const Invocation& run) {
  const DataChoice data = data_of(settings);
  const SharingOptions sharing = sharing_of(settings, settings.all(kKeep), run.options.seed);
  std::unique_ptr<Dataset> pictures = data.open(Split::test);
  require_targets(original, *pictures, settings.given(kDistillation));
  Judge judge(data, std::move(pictures), original, run);
  const std::string sum = model_sha256(options.model, run.options.seed).get();
  const TrainingChoice choice{
      .settings = settings,
      .start = is_zoo_name(options.model) ? Start::untrained : Start::pruned,
      .request = request_of(settings, sum, run),
      .resume = options.resume,
      .rate_hint = "--share-lr 0.0003",
      .has_rate = settings.has(kShareLr)};
  TrainingRun training(choice, std::move(original), judge, run);
  Session& session = training.session();
  judge.hold_out(session.held_out());
  share_and_tune(session, sharing, training.recipe());
  Tuned tuned{.graph = session.graph(), .json = {{"training", training.to_json()}}};
  tuned.json["training"]["learning_rate"] = sharing.steps.learning_rate;
  set_metadata(tuned.graph, kPreprocessKey, to_string(judge.preprocessing()));
  tuned.json.update(judge.to_json());
  if (session.classes() > 0) {
    const Evaluation before =
        judge.evaluate(session.original(), {.doing = "evaluating the original"});
    const Evaluation after = judge.evaluate_trained(tuned.graph, training.held_out_top1(),
                                                    {.doing = "evaluating with shared weights"});
    tuned.json["top1_before"] = before.top1;
    tuned.json["top1_after"] = after.top1;
    tuned.text = std::string(judge.by()) + ": top-1 " + percentage(before.top1) + " before, " +
                 percentage(after.top1) + " with shared weights\n";
  }
  training.finish();
  return tuned;
}

// Weights that share values; a bias of values all different is no palette to the paper.
bool is_shared(const TensorReport& tensor) {
  return tensor.distinct >= 0 && tensor.pqh_bits < 32 * static_cast<double>(tensor.elements);
}

std::string share_of(double bits, const TensorReport& tensor) {
  return percentage(bits / (32 * static_cast<double>(tensor.elements)));
}

std::string text_of(const CodecReport& report) {
  Table table({{"tensor"},
               {"stored as"},
               {"weights", kRight},
               {"nonzero", kRight},
               {"values", kRight},
               {"bytes", kRight},
               {"entropy", kRight},
               {"paper: P+Q", kRight},
               {"P+Q+H", kRight}});
  for (const TensorReport& tensor : report.tensors) {
    const bool shared = is_shared(tensor);
    table.add({tensor.name, tensor.storage, with_separators(tensor.elements),
               with_separators(tensor.nonzeros),
               tensor.distinct < 0 ? "" : with_separators(tensor.distinct),
               with_separators(tensor.bytes),
               shared ? with_separators(static_cast<int64_t>(tensor.bound_bits / 8)) : "",
               shared ? share_of(tensor.pq_bits, tensor) : "",
               shared ? share_of(tensor.pqh_bits, tensor) : ""});
  }
  return table.text(kMostRows);
}

int64_t code_bits(const TensorReport& tensor) {
  int64_t bits = 0;
  while ((int64_t{1} << bits) < tensor.distinct + (tensor.nonzeros < tensor.elements)) ++bits;
  return bits;
}

Json to_json(const CodecReport& report) {
  Json tensors = Json::array();
  double pq = 0, pqh = 0;
  for (const TensorReport& tensor : report.tensors) {
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
      pq += tensor.pq_bits;
      pqh += tensor.pqh_bits;
    } else {
      json["bits"] = tensor.elements > 0 ? 8 * tensor.bytes / tensor.elements : 0;
      pq += 8 * static_cast<double>(tensor.bytes);
      pqh += 8 * static_cast<double>(tensor.bytes);
    }
    tensors.push_back(std::move(json));
  }
  return {
      {"bytes_before", report.bytes_before},
      {"bytes_after", report.bytes_after},
      {"ratio", static_cast<double>(report.bytes_before) / static_cast<double>(report.bytes_after)},
      {"graph_bytes", report.graph_bytes},
      {"paper_pq_bytes", pq / 8},
      {"paper_pqh_bytes", pqh / 8},
      {"tensors", std::move(tensors)}};
}

Result compress(const Options& options, const Invocation& run) {
  const Settings settings = options.given.settings(options_of_compress());
  require_consistent(options, settings);
  const bool trains = settings.has(kData);
  std::optional<SharingOptions> sharing;
  if (settings.has(kBits) && !settings[kBits].none) {
    sharing = sharing_of(settings, settings.all(kKeep), run.options.seed);
  }
  Places places(run.options);
  places.reads_model(options.model);
  places.reads_data(data_of(settings).spec);
  AtomicFile file(places.writes("-o", options.output));
  Model model = load_model(options.model, run.options.seed);
  const bool beside = model.graph.foreign.storage == Foreign::Storage::beside;
  const Buffer original = sharing ? Buffer() : onnx_file_of(model);
  Tuned tuned{.graph = model.graph};
  if (trains) {
    tuned = share_and_judge(options, settings, std::move(tuned.graph), run);
  } else if (sharing) {
    share_weights(tuned.graph, *sharing);
  }
  CodecOptions codec;
  codec.index_bits = static_cast<int>(options.index_bits);
  if (options.coder == "huffman") codec.coder = CodecOptions::Coder::huffman;
  if (options.coder == "context") codec.coder = CodecOptions::Coder::context;
  CodecReport report = encode(
      tuned.graph, codec, [&](std::span<const std::byte> piece) { file.write(piece); },
      original.bytes());
  report.bytes_before = model.bytes;  // of the file as it was given
  stop_if_interrupted();
  file.commit();
  if (beside) {
    run.console.remark(
        "the weights lay in files beside the model; 'coppice decompress' gives one "
        "file with all of them inside");
  }
  Json json = to_json(report);
  json["model"] = options.model;
  json["output"] = options.output;
  json.update(tuned.json);
  const DensityChange density = density_change(model.graph, tuned.graph);
  json["before"] = to_json(density.before);
  json["after"] = to_json(density.after);
  json["denser"] = density.denser();
  warn_if_denser(density, run.console);
  run.console.print(text_of(report) + "\n" + tuned.text + density_line(density) +
                    "graph: " + with_separators(report.graph_bytes) + " bytes\n" + "wrote " +
                    printable(options.output) + ": " + with_separators(report.bytes_before) +
                    " -> " + with_separators(report.bytes_after) + " bytes, " +
                    times(json["ratio"].get<double>()) + " smaller\n");
  return {.json = json};
}

struct DecompressOptions {
  std::string model, output;
};

Result decompress(const DecompressOptions& options, const Invocation& run) {
  Places places(run.options);
  places.reads(options.model);
  AtomicFile file(places.writes("-o", options.output));
  const Buffer onnx = within("'" + options.model + "'", [&] {
    const Buffer bytes = read_file(options.model);
    if (!is_container(bytes.bytes())) {
      fail_input("this is no .coppice file; 'coppice compress' writes them");
    }
    return decode(bytes);
  });
  file.write(onnx.bytes());
  stop_if_interrupted();
  file.commit();
  run.console.print("wrote " + printable(options.output) + ", " +
                    with_separators(static_cast<int64_t>(onnx.size)) + " bytes\n");
  return {.json = {{"model", options.model}, {"output", options.output}, {"bytes", onnx.size}}};
}

}  // namespace

Action define_compress(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  add_output(app, options->output);
  app.add_option("--coder", options->coder,
                 "smallest (default), huffman (as Deep Compression) or context")
      ->check(CLI::IsMember({"smallest", "huffman", "context"}).description(""))
      ->type_name("NAME");
  app.add_option("--index-bits", options->index_bits,
                 "bits of a relative index (default: what is smallest)")
      ->check(CLI::Range(1, 12).description(""))
      ->type_name("N");
  options->given.add(app, options_of_compress());
  OptionList meaningless = training_options();
  std::erase_if(meaningless, [](const OptionUse& use) { return !is_meaningless(use); });
  options->given.add(app, meaningless);
  options->given.show_only(options_of_compress());
  add_resume(app, options->resume);
  add_common_options(app, common);
  app.parse_complete_callback([options, &common] {
    // What is wrong is said before a run begins.
    require_consistent(*options, options->given.settings(options_of_compress()));
    if (options->given.has(kData) && common.run_folder.empty()) {
      common.run_folder = default_run_folder(options->output);
    }
  });
  return [options](Invocation& run) { return compress(*options, run); };
}

Action define_decompress(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<DecompressOptions>();
  app.add_option("FILE", options->model, "a .coppice file")->required();
  add_output(app, options->output);
  add_common_options(app, common);
  return [options](Invocation& run) { return decompress(*options, run); };
}

}  // namespace coppice
