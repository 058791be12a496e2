// coppice compress: a model into the small container of docs/format.md, after sharing its weights
// if --bits asks for it. coppice decompress: the file again.
#include "tasks/forms/compress.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "core/error.h"
#include "report/format.h"
#include "session/options/data_options.h"
#include "texts/compression.h"

namespace coppice {
namespace {

struct Options {
  std::string model, output, coder = "smallest";
  int64_t index_bits = 0;
  bool resume = false;
  GivenOptions given;
};

CodecOptions codec_of(const Options& options) {
  CodecOptions codec;
  codec.index_bits = static_cast<int>(options.index_bits);
  if (options.coder == "huffman") codec.coder = CodecOptions::Coder::huffman;
  if (options.coder == "context") codec.coder = CodecOptions::Coder::context;
  return codec;
}

void require_meaning(const GivenOptions& given) {
  const auto others = given.others(options_of_compress());
  if (others.empty()) return;
  fail_usage(others.front()->flag() +
             " has no meaning here: what is trained is the shared values, as --share-lr and "
             "--share-optimizer say, and all zeros stay zero");
}

CompressRequest request_of(const Options& options) {
  const Settings settings = options.given.settings(options_of_compress());
  require_meaning(options.given);
  return {.model = options.model,
          .output = options.output,
          .settings = settings,
          .codec = codec_of(options),
          .resume = options.resume};
}

Result compress(const Options& options, Invocation& run) {
  CompressRequest request = request_of(options);
  request.common = run.common();
  const CompressReport report = compress(request, static_cast<Watcher&>(run));
  run.console.print(text_of(report));
  return {.json = to_json(report)};
}

Result decompress(const DecompressRequest& options, Invocation& run) {
  DecompressRequest request = options;
  request.common = run.common();
  const DecompressReport report = decompress(request, static_cast<Watcher&>(run));
  run.console.print("wrote " + printable(report.output) + ", " + with_separators(report.bytes) +
                    " bytes\n");
  return {.json = to_json(report)};
}

}  // namespace

Action define_compress(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  add_output(app, options->output, ".coppice");
  app.add_option("--coder", options->coder,
                 "smallest (default), huffman (as Deep Compression) or context")
      ->check(CLI::IsMember({"smallest", "huffman", "context"}).description(""))
      ->type_name("NAME");
  app.add_option("--index-bits", options->index_bits,
                 "bits of a relative index (default: what is smallest)")
      ->check(CLI::Range(1, 12).description(""))
      ->type_name("N");
  options->given.add(app, options_of_compress());
  options->given.add(app, options_without_meaning_to_compress());
  options->given.show_only(options_of_compress());
  add_resume(app, options->resume);
  add_common_options(app, common);
  app.parse_complete_callback([options, &common] {
    check(request_of(*options));  // what is wrong is said before a run begins
    if (options->given.has(kData)) keep_run_beside(options->output, common);
  });
  return [options](Invocation& run) { return compress(*options, run); };
}

Action define_decompress(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<DecompressRequest>();
  app.add_option("FILE", options->container, "a .coppice file")->required();
  add_output(app, options->output);
  add_common_options(app, common);
  return [options](Invocation& run) { return decompress(*options, run); };
}

}  // namespace coppice
