// See training_options.h.
#include "cli/training_options.h"

#include <CLI/CLI.hpp>

#include "cli/options.h"
#include "report/format.h"

namespace coppice {

void add_training_options(CLI::App& app, TrainingOptions& options) {
  const std::string group = "Training";
  // `value`: a double, or an optional one.
  const auto number = [&](const std::string& name, auto& value, double low, double high,
                          const std::string& about) {
    app.add_option(name, value, about)
        ->check(CLI::Range(low, high).description(""))
        ->type_name("X")
        ->group(group);
  };
  add_count(app, "--epochs", options.epochs, 100000, "how often every picture is seen");
  add_count(app, "--batch", options.batch, kMostBatch, "pictures an update (default 128)");
  app.get_option("--epochs")->group(group);
  app.get_option("--batch")->group(group);
  app.add_option("--lr", options.learning_rate,
                 "largest learning rate (default: 0.1 for an untrained model, 0.03 for a file;\n"
                 "0.01 without BatchNormalization; 0.001 with adam)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("X")
      ->group(group);
  app.add_option("--optimizer", options.optimizer, "sgd (default, Nesterov) or adam")
      ->check(CLI::IsMember({"sgd", "adam"}).description(""))
      ->group(group);
  app.add_option("--schedule", options.schedule,
                 "cosine (default), step (a tenth at 1/2 and 3/4) or constant")
      ->check(CLI::IsMember({"cosine", "step", "constant"}).description(""))
      ->group(group);
  number("--warm-up", options.warm_up, 0, 1e6, "epochs in which the rate rises from 0 (default 0)");
  number("--momentum", options.momentum, 0, 0.9999, "of sgd (default 0.9)");
  number("--weight-decay", options.weight_decay, 0, 1,
         "of weights, not of biases and normalisations (default 0.0005)");
  number("--bn-momentum", options.norm_momentum, 0, 1,
         "what BatchNormalization's running statistics keep in an update\n"
         "(default: the model's, at most 0.9 and 5 % after an epoch)");
  number("--label-smoothing", options.label_smoothing, 0, 0.999, "default 0");
  number("--clip-norm", options.clip_norm, 0, 1e9,
         "largest norm of all gradients together; 0: any\n"
         "(default: 5 without BatchNormalization, else 0)");
  number("--distill", options.distillation, 0, 1,
         "share of the loss that follows the original's outputs; 1 needs no labels\n"
         "(default: 0.9 after pruning, else 0)");
  number("--temperature", options.temperature, 1e-3, 1000, "of distillation (default 4)");
  app.add_option("--augment", options.augment,
                 "none, or pad=4,flip and the like (default: what is usual for the data set)")
      ->type_name("TEXT")
      ->group(group);
  number("--val", options.held_out, 0, 0.9,
         "share of the training pictures held out to judge every epoch\n"
         "(default 0.1, at most 1000 pictures)");
  app.add_option("--device", options.device, "cpu (default) or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}).description(""))
      ->group(group);
  app.add_flag("--from-scratch", options.from_scratch,
               "the model file is untrained: a rate of 0.1, and nothing that it could teach")
      ->group(group);
  app.add_option("--zeros", options.zeros,
                 "keep (default): where a model comes sparse or with shared values, zeros\n"
                 "stay zero and values shared; free: they don't")
      ->check(CLI::IsMember({"keep", "free"}).description(""))
      ->type_name("keep|free")
      ->group(group);
  app.add_flag("--resume", options.resume, "go on with a run that was interrupted")->group(group);
}

Request request_of(const TrainingOptions& options) {
  Request request;
  const TrainingOptions usual;
  const auto add = [&](const char* name, const auto& value, const auto& otherwise) {
    if (value != otherwise) request.emplace_back(name, significant(static_cast<double>(value), 12));
  };
  const auto add_text = [&](const char* name, const std::string& value, const std::string& other) {
    if (value != other) request.emplace_back(name, value);
  };
  add("--epochs", options.epochs, usual.epochs);
  add("--batch", options.batch, usual.batch);
  if (options.learning_rate) request.emplace_back("--lr", significant(*options.learning_rate, 12));
  add_text("--optimizer", options.optimizer, usual.optimizer);
  add_text("--schedule", options.schedule, usual.schedule);
  add("--warm-up", options.warm_up, usual.warm_up);
  add("--momentum", options.momentum, usual.momentum);
  add("--weight-decay", options.weight_decay, usual.weight_decay);
  if (options.norm_momentum) {
    request.emplace_back("--bn-momentum", significant(*options.norm_momentum, 12));
  }
  add("--label-smoothing", options.label_smoothing, usual.label_smoothing);
  if (options.clip_norm) request.emplace_back("--clip-norm", significant(*options.clip_norm, 12));
  if (options.distillation) {
    request.emplace_back("--distill", significant(*options.distillation, 12));
  }
  add("--temperature", options.temperature, usual.temperature);
  add_text("--augment", options.augment, usual.augment);
  if (options.held_out) request.emplace_back("--val", significant(*options.held_out, 12));
  add_text("--device", options.device, usual.device);
  if (options.from_scratch) request.emplace_back("--from-scratch", "");
  add_text("--zeros", options.zeros, usual.zeros);
  return request;
}

void add_label_offset(Request& request, std::optional<int64_t> offset) {
  if (offset) request.emplace_back("--label-offset", std::to_string(*offset));
}

}  // namespace coppice
