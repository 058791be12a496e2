// One function an initialisation; formulas and sources stand in the header.
#include "graph/initialise.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"

namespace coppice {
namespace {

// "conv=he-fan-out,linear=normal-0.01,scale=0.5"
constexpr char kKey[] = "coppice.initialisation";

struct Named {
  std::string_view name;
  Initialise initialise;
};
constexpr Named kNamed[] = {
    {"he-fan-in", he_fan_in},       {"he-fan-out", he_fan_out},
    {"caffe-xavier", caffe_xavier}, {"glorot-normal", glorot_normal},
    {"normal-0.01", normal_0_01},   {"truncated-normal-0.09", truncated_normal_0_09}};

std::string name_of(Initialise initialise) {
  const auto found = std::ranges::find(kNamed, initialise, &Named::initialise);
  COPPICE_CHECK(found != std::end(kNamed), "an initialisation without a name");
  return std::string(found->name);
}

// What stands behind "key=" in the text, up to a comma.
std::string part_of(const std::string& text, const std::string& key) {
  const size_t begin = ("," + text).find("," + key + "=");
  if (begin == std::string::npos) fail_input("'" + key + "' is missing in '" + text + "'");
  const std::string rest = text.substr(begin + key.size() + 1);
  return rest.substr(0, rest.find(','));
}

float number_of(const std::string& text) {
  float number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || !std::isfinite(number)) {
    fail_input("scale '" + text + "', expected a number");
  }
  return number;
}

std::string text_of(float number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

}  // namespace

std::vector<std::string> initialise_names() {
  std::vector<std::string> names;
  for (const Named& named : kNamed) names.emplace_back(named.name);
  return names;
}

Initialise initialise_of(const std::string& name) {
  const auto found = std::ranges::find(kNamed, name, &Named::name);
  if (found != std::end(kNamed)) return found->initialise;
  std::string names;
  for (const Named& named : kNamed) names += (names.empty() ? "" : ", ") + std::string(named.name);
  fail_input("initialisation '" + name + "', expected one of " + names);
}

Fans fans_of(const Shape& weight) {
  const double window = static_cast<double>(element_count({weight.begin() + 2, weight.end()}));
  return {.in = static_cast<double>(weight[1]) * window,
          .out = static_cast<double>(weight[0]) * window};
}

void he_fan_in(Random& random, const Fans& fans, std::span<float> elements) {
  random.fill_normal(elements, static_cast<float>(std::sqrt(2 / fans.in)));
}

void he_fan_out(Random& random, const Fans& fans, std::span<float> elements) {
  random.fill_normal(elements, static_cast<float>(std::sqrt(2 / fans.out)));
}

void caffe_xavier(Random& random, const Fans& fans, std::span<float> elements) {
  const auto bound = static_cast<float>(std::sqrt(3 / fans.in));
  random.fill_uniform(elements, -bound, bound);
}

void glorot_normal(Random& random, const Fans& fans, std::span<float> elements) {
  random.fill_normal(elements, static_cast<float>(std::sqrt(2 / (fans.in + fans.out))));
}

void normal_0_01(Random& random, const Fans&, std::span<float> elements) {
  random.fill_normal(elements, 0.01f);
}

void truncated_normal_0_09(Random& random, const Fans&, std::span<float> elements) {
  for (float& element : elements) {
    double drawn = random.normal();
    while (std::abs(drawn) > 2) drawn = random.normal();
    element = static_cast<float>(0.09 * drawn);
  }
}

void set_initialisation(Graph& graph, const Initialisation& initialisation) {
  set_metadata(graph, kKey,
               "conv=" + name_of(initialisation.conv) + ",linear=" +
                   name_of(initialisation.linear) + ",scale=" + text_of(initialisation.norm_scale));
}

std::optional<Initialisation> initialisation_of(const Graph& graph) {
  const std::string text = metadata(graph, kKey);
  if (text.empty()) return std::nullopt;
  return within("the model's metadata '" + std::string(kKey) + "'", [&] {
    return Initialisation{.conv = initialise_of(part_of(text, "conv")),
                          .linear = initialise_of(part_of(text, "linear")),
                          .norm_scale = number_of(part_of(text, "scale"))};
  });
}

}  // namespace coppice
