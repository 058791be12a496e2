// See app.h. Only the options of the command that was named are set up, so that `coppice --help`
// costs nothing but loading the program.
#include "cli/app.h"

#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <new>

#include "cli/commands/commands.h"
#include "cli/config_file.h"
#include "cli/interrupt.h"
#include "cli/patient_threads.h"
#include "cli/shell_files.h"
#include "core/error.h"
#include "core/threads.h"
#include "core/words/nearest.h"
#include "graph/passes/driver.h"
#include "options/option.h"
#include "report/format.h"
#include "report/table.h"
#include "report/version.h"

namespace coppice {
namespace {

constexpr char kOverview[] =
    R"(coppice prunes neural networks: an ONNX model in, a smaller and faster one out.

Usage: coppice COMMAND MODEL [options]        MODEL: a .onnx file, or zoo:NAME

Commands:
%s
Examples:
  coppice inspect model.onnx                      what is in it, and what can go
  coppice prune model.onnx -o small.onnx          half of the multiplications go, proven equal
  coppice prune model.onnx -o small.onnx --keep-params 0.3 --keep 'head.*'
  coppice prune model.onnx -o small.onnx --data cifar10:DIR --preprocess cifar10
  coppice bench small.onnx --threads 1            how fast it is on this machine
  coppice zoo resnet20 -o resnet20.onnx           an untrained model to try things on

'coppice help COMMAND' explains a command; 'coppice --version' prints the version.
Exit codes: 0 done, 1 bug in coppice, 2 wrong usage, 3 bad input file, 4 target can't be reached,
130 interrupted. Files are written whole or not at all.
)";

void print_overview() {
  std::string lines;
  for (const Command& command : commands()) {
    const std::string usage = std::string(command.name) + " " + command.arguments;
    const std::string space(usage.size() < 26 ? 26 - usage.size() : 1, ' ');
    lines += "  " + usage + space + command.about + "\n";
  }
  std::printf(kOverview, lines.c_str());
}

void print_error(const std::string& message) {
  std::fprintf(stderr, "coppice: %s\n", printable(message).c_str());
}

// With its hints as the command line has them.
std::string worded(const Error& error) {
  std::string text = error.what();
  for (const Hint& hint : error.hints()) {
    const std::string flag = "--" + hint.name + (hint.value.empty() ? "" : " " + hint.value);
    switch (hint.of) {
      case Hint::Of::subject: text = flag + " " + text; break;
      case Hint::Of::task: text += "; 'coppice " + hint.name + "' " + hint.does; break;
      case Hint::Of::option:
        text += hint.does.empty() ? "; try " + flag : "; " + flag + " " + hint.does;
    }
  }
  return text;
}

struct Exit {
  int code;
  const char* name;  // in JSON
};

Exit exit_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::internal: return {1, "internal"};
    case ErrorKind::usage: return {2, "usage"};
    case ErrorKind::input: return {3, "input"};
    case ErrorKind::target: return {4, "target"};
    case ErrorKind::interrupted: return {130, "interrupted"};
  }
  return {1, "internal"};
}

// One line on standard error; with --json an object on standard output, too.
int fail(const std::vector<std::string>& arguments, ErrorKind kind, const std::string& message) {
  print_error(message);
  const Exit exit = exit_of(kind);
  if (std::ranges::find(arguments, "--json") != arguments.end()) {
    const Json error = {{"kind", exit.name}, {"message", message}, {"exit_code", exit.code}};
    std::printf("%s\n", dumped({{"error", error}}, 2).c_str());
  }
  return exit.code;
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.name == name) return command;
    names.emplace_back(command.name);
  }
  fail_usage("unknown command '" + name + "', expected one of " + listed(names, ", ") +
             did_you_mean(name, names));
}

// An option that isn't there, else an argument too many.
std::string extra_text(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  const auto option = std::ranges::find_if(
      extras, [](const std::string& extra) { return extra.size() > 1 && extra.front() == '-'; });
  if (option == extras.end()) return "unexpected argument '" + extras.front() + "'";
  const std::string flag = option->substr(0, option->find('='));
  std::vector<std::string> flags;
  for (const CLI::Option* known : app.get_options()) {
    for (const std::string& name : known->get_lnames()) flags.push_back("--" + name);
  }
  return "no option '" + flag + "'" + did_you_mean(flag, flags);
}

// CLI11's messages, as ours are: one line, lower case, and what to do.
[[noreturn]] void fail_parse(const CLI::App& app, const std::string& command,
                             const CLI::ParseError& error) {
  std::string message = error.what();
  if (message.size() > 1 && std::islower(static_cast<unsigned char>(message[1]))) {
    message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  }
  while (!message.empty() && (message.back() == '\n' || message.back() == '.')) message.pop_back();
  if (dynamic_cast<const CLI::FileError*>(&error)) fail_input(message);
  if (dynamic_cast<const CLI::ExtrasError*>(&error)) message = extra_text(app);
  fail_usage(command + ": " + message + "; see 'coppice " + command + " --help'");
}

// CLI11 gives an option whatever stands behind it.
void require_values(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& value : option->results()) {
      if (!value.starts_with("--") || !app.get_option_no_throw(value)) continue;
      fail_usage(option->get_name() + ": expected a value, found the option " + value);
    }
  }
}

// Runs the action within its run folder, if there is one, which learns how it ended.
Result run_in_folder(Invocation& run, const Action& action,
                     const std::vector<std::string>& arguments) {
  if (run.options.run_folder.empty()) return action(run);
  RunDescription description{
      .command = {"coppice"}, .version = version(), .seed = run.options.seed};
  description.command.insert(description.command.end(), arguments.begin(), arguments.end());
  description.threads = thread_count();
  description.by_default = run.options.run_folder_by_default;
  run.folder = std::make_unique<RunFolder>(run.options.run_folder, description);
  try {
    Result result = action(run);
    const auto status =
        result.verdict.empty() ? RunFolder::Status::done : RunFolder::Status::failed;
    run.folder->finish(status, dumped(result.json), result.verdict);
    return result;
  } catch (const Error& error) {
    const bool stopped = error.kind() == ErrorKind::interrupted;
    run.folder->finish(stopped ? RunFolder::Status::interrupted : RunFolder::Status::failed, "",
                       worded(error));
    throw;
  }
}

// For people and for --json: what passes over graphs took in this process.
void add_timings(Json& json, const Console& console) {
  Table table({{"pass"}, {"runs", Table::Align::right}, {"ms", Table::Align::right}});
  for (const PassTiming& timing : pass_timings()) {
    table.add({timing.name, with_separators(timing.runs), significant(1e3 * timing.seconds, 3)});
    json["timings"][timing.name] = {{"runs", timing.runs}, {"seconds", timing.seconds}};
  }
  console.print("\n" + table.text());
}

int run_command(const std::vector<std::string>& arguments) {
  const Command& command = find_command(arguments.front());
  CLI::App app(command.about, std::string("coppice ") + command.name);
  app.get_formatter()->column_width(34);
  app.footer(std::string("Examples:\n") + command.examples);
  CommonOptions options;
  const Action action = command.define(app, options);
  app.config_formatter(config_file(app, command.name));
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend() - 1));
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    fail_parse(app, command.name, error);
  }
  require_values(app);
  const CLI::Option* config = app.get_config_ptr();
  if (config && config->count() > 0) options.config = config->as<std::string>();
  if (command.runs_nets) restart_with_patient_threads(arguments);
  set_thread_count(static_cast<int>(options.threads));
  skip_passes({options.skipped_passes.begin(), options.skipped_passes.end()});
  Invocation run(options);
  Result result = run_in_folder(run, action, arguments);
  if (options.timings) add_timings(result.json, run.console);
  run.console.print_result(result.json);
  if (result.verdict.empty()) return 0;
  print_error(result.verdict);
  return exit_of(ErrorKind::target).code;
}

// What a command says of itself; for shells and `man`: --for WHAT, and --names of all commands.
int help_on(const std::vector<std::string>& arguments) {
  if (arguments[1] == "--for") {
    if (arguments.size() < 3)
      fail_usage("help --for: expected bash, zsh, fish, man or man:COMMAND");
    std::fputs(shell_file(arguments[2]).c_str(), stdout);
    return 0;
  }
  if (arguments[1] != "--names") return run_command({arguments[1], "--help"});
  for (const Command& command : commands()) std::printf("%s\n", command.name);
  return 0;
}

int run_any(const std::vector<std::string>& arguments) {
  if (arguments.empty()) fail_usage("no command; 'coppice --help' lists them");
  const std::string& first = arguments.front();
  if (first == "help" && arguments.size() > 1) return help_on(arguments);
  if (first == "--help" || first == "-h" || first == "help") {
    print_overview();
    return 0;
  }
  if (first == "--version" || first == "-V") {
    std::printf("coppice %s\n", version());
    return 0;
  }
  return run_command(arguments);
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  // Weights that are freed go back to the system at once instead of waiting in the heap between
  // smaller blocks: pruning ResNet-50 (102 MB) and timing it peaks at 218 instead of 270 MB.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  install_signal_handlers();
  try {
    const int code = run_any(arguments);
    if (std::fflush(stdout) != 0) fail_input("can't write to standard output");
    return code;
  } catch (const Error& error) {
    return fail(arguments, error.kind(), worded(error));
  } catch (const std::bad_alloc&) {
    return fail(arguments, ErrorKind::input, "not enough memory for this model at these sizes");
  } catch (const std::exception& error) {
    return fail(arguments, ErrorKind::internal,
                std::string("unexpected: ") + error.what() + "; this is a bug in coppice");
  }
}

}  // namespace coppice
