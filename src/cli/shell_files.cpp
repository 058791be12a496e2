// See shell_files.h. Values are completed where an option has a few words to choose from; elsewhere
// the shell completes names of files.
#include "cli/shell_files.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <vector>

#include "cli/commands/commands.h"
#include "core/error.h"
#include "methods/method.h"
#include "report/version.h"

namespace coppice {
namespace {

struct Flag {
  std::string name, type, about;    // "--keep-macs", "SHARE"
  std::vector<std::string> values;  // where it has a few
  bool takes_value = false;
};

struct Described {
  const Command* command;
  std::vector<Flag> flags;
};

std::vector<std::string> values_of(const CLI::Option& option) {
  std::vector<std::string> values;
  const std::string type = option.get_type_name();
  if (option.check_lname("method")) {
    for (const Method& method : methods()) values.push_back(method.name);
  } else if (type.find('|') != std::string::npos) {
    std::istringstream words(type);
    for (std::string word; std::getline(words, word, '|');) values.push_back(word);
  }
  return values;
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::vector<Described> described_commands() {
  std::vector<Described> all;
  for (const Command& command : commands()) {
    CLI::App app;
    CommonOptions options;
    const Action action = command.define(app, options);
    Described described{&command, {}};
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_lnames().empty()) continue;
      described.flags.push_back({.name = "--" + option->get_lnames().front(),
                                 .type = option->get_type_name(),
                                 .about = one_line(option->get_description()),
                                 .values = values_of(*option),
                                 .takes_value = option->get_expected_max() > 0});
    }
    all.push_back(std::move(described));
  }
  return all;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string bash(const std::vector<Described>& all) {
  std::string names, cases;
  for (const Described& one : all) {
    std::vector<std::string> flags;
    std::string values;
    for (const Flag& flag : one.flags) {
      flags.push_back(flag.name);
      if (flag.values.empty()) continue;
      values += "        " + flag.name + ") words='" + joined(flag.values) + "' ;;\n";
    }
    names += std::string(names.empty() ? "" : " ") + one.command->name;
    cases += std::string("    ") + one.command->name + ")\n      flags='" + joined(flags) +
             "'\n      case $before in\n" + values + "      esac ;;\n";
  }
  return "# bash completion of coppice\n"
         "_coppice() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} flags= "
         "words=\n"
         "  if ((COMP_CWORD == 1)); then\n"
         "    mapfile -t COMPREPLY < <(compgen -W '" +
         names + " help' -- \"$word\")\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n" + cases +
         "  esac\n"
         "  [[ $word == -* ]] && words=$flags\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "}\n"
         "complete -o default -F _coppice coppice\n";
}

// Of a text between single quotes of a shell; brackets and colons mean something to zsh's
// _arguments.
std::string quoted(const std::string& text, const std::string& special = "") {
  std::string safe;
  for (const char c : text) {
    if (c == '\'') {
      safe += "'\\''";
    } else {
      if (special.find(c) != std::string::npos) safe += '\\';
      safe += c;
    }
  }
  return "'" + safe + "'";
}

std::string zsh(const std::vector<Described>& all) {
  std::string names, cases;
  for (const Described& one : all) {
    names += "    " + quoted(std::string(one.command->name) + ":" + one.command->about) + "\n";
    cases += std::string("    ") + one.command->name + ")\n      _arguments \\\n";
    for (const Flag& flag : one.flags) {
      std::string spec = flag.name + "[" + flag.about + "]";
      if (flag.takes_value) {
        spec = flag.name + "=[" + flag.about + "]:" + flag.type + ":" +
               (flag.values.empty() ? "_files" : "(" + joined(flag.values) + ")");
      }
      // Within the description only.
      const size_t open = spec.find('['), close = spec.rfind(']');
      std::string about;
      for (const char c : spec.substr(open + 1, close - open - 1)) {
        if (c == '[' || c == ']' || c == ':') about += '\\';
        about += c;
      }
      cases += "        " + quoted(spec.substr(0, open + 1) + about + spec.substr(close)) + " \\\n";
    }
    cases += "        '*:file:_files' ;;\n";
  }
  return "#compdef coppice\n"
         "_coppice() {\n  local -a names=(\n" +
         names +
         "  )\n  if ((CURRENT == 2)); then\n    _describe command names\n    return\n  fi\n"
         "  local name=$words[2]\n  shift words\n  ((CURRENT--))\n  case $name in\n" +
         cases + "  esac\n}\n_coppice \"$@\"\n";
}

std::string fish(const std::vector<Described>& all) {
  std::string text = "# fish completion of coppice\n";
  for (const Described& one : all) {
    text += std::string("complete -c coppice -n __fish_use_subcommand -f -a ") + one.command->name +
            " -d " + quoted(one.command->about) + "\n";
    for (const Flag& flag : one.flags) {
      text += std::string("complete -c coppice -n '__fish_seen_subcommand_from ") +
              one.command->name + "' -l " + flag.name.substr(2) + (flag.takes_value ? " -r" : "") +
              (flag.values.empty() ? "" : " -f -a " + quoted(joined(flag.values))) + " -d " +
              quoted(flag.about) + "\n";
    }
  }
  return text;
}

// A dot or a quote that begins a line is a request to roff, and a dash may become another sign.
std::string roff(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\\') {
      safe += "\\e";
    } else if (c == '-') {
      safe += "\\-";
    } else {
      if ((c == '.' || c == '\'') && (safe.empty() || safe.back() == '\n')) safe += "\\&";
      safe += c;
    }
  }
  return safe;
}

std::string page(const std::string& name, const std::string& about) {
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  return ".TH " + roff(upper) + " 1 \"\" \"coppice " + version() + "\"\n.SH NAME\n" + roff(name) +
         " \\- " + roff(about) + "\n.SH SYNOPSIS\n";
}

std::string man_of_program(const std::vector<Described>& all) {
  std::string text = page("coppice", "prunes neural networks, ONNX in and ONNX out") +
                     ".B coppice\nCOMMAND MODEL [options]\n.SH COMMANDS\n";
  for (const Described& one : all) {
    text += ".TP\n.BR coppice\\-" + roff(one.command->name) + " (1)\n" + roff(one.command->about) +
            "\n";
  }
  return text;
}

std::string man_of(const Described& one) {
  std::string text = page("coppice-" + std::string(one.command->name), one.command->about) +
                     ".B coppice " + roff(one.command->name) + "\n" + roff(one.command->arguments) +
                     " [options]\n.SH OPTIONS\n";
  for (const Flag& flag : one.flags) {
    text += ".TP\n.B " + roff(flag.name) +
            (flag.takes_value && !flag.type.empty() ? "\\fR \\fI" + roff(flag.type) : "") + "\n" +
            roff(flag.about) + "\n";
  }
  return text + ".SH EXAMPLES\n.nf\n" + roff(one.command->examples) + ".fi\n";
}

}  // namespace

std::string shell_file(const std::string& what) {
  const std::vector<Described> all = described_commands();
  if (what == "bash") return bash(all);
  if (what == "zsh") return zsh(all);
  if (what == "fish") return fish(all);
  if (what == "man") return man_of_program(all);
  for (const Described& one : all) {
    if (what == "man:" + std::string(one.command->name)) return man_of(one);
  }
  fail_usage("help --for " + what + ": expected bash, zsh, fish, man or man:COMMAND");
}

}  // namespace coppice
