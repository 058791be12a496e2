// A pruning method: one file here that says what it is and what it can be told, and runs it.
//
// Everything that users see of a method comes from its entry: flags and their help, the keys of
// files of options, checks, the command said again, what a resumed run must have in common with the
// one that began, reports and docs/methods.md. To add one, see CONTRIBUTING.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "methods/outcome.h"
#include "options/settings.h"

namespace coppice {

class Session;
struct Recipe;
struct SensitivityTable;
struct GivenStructure;
class LatencyMeter;

// What a method is run with, beside a model.
struct MethodInput {
  const Settings& settings;  // of `options` and more
  uint64_t seed = 0;
  // How nets respond to the images that the method looks at (Method::images), and to those that
  // recovering does (images_to_recover_by); null where that is none.
  Measure measure = {}, recovering = {};
  // Of images that recovering fits nothing to and is judged by; null where nothing judges. And what
  // the model's first output says.
  Measure judging = {};
  Outputs outputs = Outputs::numbers;
  // What is known of the model's sensitivity (kSensitivity); null where nothing is asked for by it.
  std::shared_ptr<const SensitivityTable> sensitivity = {};
  // What measures for a budget of latency (kKeepLatency), and for the candidates of a search; null
  // where there is none.
  std::shared_ptr<LatencyMeter> latency = {};
  // Of methods that are given a structure (kStructure); null where none is named.
  std::shared_ptr<const GivenStructure> structure = {};
  // What is good to know before hours of training, and what is probably wrong.
  std::function<void(const std::string&)> remark = [](const std::string&) {};
  std::function<void(const std::string&)> warn = [](const std::string&) {};
  // Hands over a net on the way, for a file of that name in the folder of kTickets; what comes
  // under the same name again takes its place. Null where none was asked for.
  std::function<void(const std::string& name, const Graph& graph)> deliver = {};
  // How far deciding has come, where it takes long: "regressing", "layers", 3 of 27.
  std::function<void(const std::string& doing, const std::string& unit, int64_t done,
                     int64_t total)>
      progress = [](const std::string&, const std::string&, int64_t, int64_t) {};
};

struct Method {
  // Cuts channels, zeroes weights one by one, or does so only on the way to a dense model; or gives
  // a structure other weights than a pruning did, as what that is held against.
  enum class Kind { structured, unstructured, dense, control };
  // Whether the original, where it knows enough, teaches the training; what a method is to make
  // better can't. Of one that is left aside nothing is used but its structure.
  enum class Original { teaches, is_made_better, is_left_aside };
  // Whether the user says how much of each layer leaves, so that the dense net needn't be trained
  // to know, or the method finds that out, as a search would; or it was somebody else's to say.
  // Source: Liu et al., "Rethinking the Value of Network Pruning", ICLR 2019, arXiv:1810.05270,
  // Sec. 1.
  enum class Structure { predefined, automatic, given };

  std::string name, paper;
  std::string about;    // what it does, in one line
  std::string differs;  // from the paper
  std::string needs;    // "nothing but the model"
  Kind kind = Kind::structured;
  OptionList options = {};  // beside those that all methods share (options_of)

  // Throws Error::usage for what needs neither model nor data to be seen; sets what an option left
  // out comes to. Null: nothing to check beyond each option by itself.
  std::function<void(Settings& settings)> settle = {};
  // Decides from the model alone; a training follows where there are epochs. Null: it always
  // trains.
  std::function<Outcome(const Graph& original, const MethodInput& input)> prune = {};
  // Decides while it trains the session's original. Null: never.
  std::function<Outcome(Session& session, const Recipe& recipe, const MethodInput& input)> train =
      {};
  // Which of the two the settings ask for, where it has both. Null: `prune`.
  std::function<bool(const Settings& settings)> trains = {};
  Original original = Original::teaches;
  // How many training images it looks at under the settled settings, by the runtime alone. Null:
  // none. Where it is any, there must be data.
  std::function<int64_t(const Settings& settings)> images = {};
  // Whose the structure is. Null: what kScope says of it, where a method has that; else automatic.
  std::function<Structure(const Settings& settings)> structure = {};
  // Of a method that decides in a session: whether that has to train.
  enum class Epochs { needed, may_be_none } epochs = Epochs::needed;
  // It tries many cuts and takes the best: a matter of hours, of images kept for that
  // (kSearchImages), and of the command that is called so.
  bool searches = false;

  bool decides_in_training(const Settings& settings) const;
  Structure whose_structure(const Settings& settings) const;
};

// "predefined", "automatic" or "given".
const char* name_of(Method::Structure structure);
// Predefined where ratios are those of layers, or groups lose the same share each; automatic where
// they share a budget.
Method::Structure structure_by_scope(const Settings& settings);

// All there are: those of Coppice, and what was added.
std::span<const Method> methods();
// Requires: no other has the name. Not while another thread asks for methods.
void add_method(Method method);
// The method where none is named (methods/table.cpp).
extern const char* const kUsualMethod;
// Throws Error::usage listing the names.
const Method& find_method(std::string_view name);
// What a pruning by it can be told: its own options, then how the result is written, the data and
// the training.
OptionList options_of(const Method& method);

// Prunes the session's original and trains it; masks stay exact. Requires: method.settle was done.
Outcome run_in_training(const Method& method, Session& session, const Recipe& recipe,
                        const MethodInput& input);

}  // namespace coppice
