#include "session/options/data_options.h"

#include "core/error.h"
#include "data/images/preprocess.h"

namespace coppice {
namespace {

constexpr int64_t kMostOffset = 100'000;

std::optional<std::string> preprocessing_of(const std::string& text) {
  parse_preprocessing(text);  // says itself what is wrong
  return text;
}

}  // namespace

const TextOption<std::string> kData(
    {"data", "SPEC", "a data set, such as cifar10:DIR; 'coppice data' lists the forms"},
    "a data set, such as cifar10:DIR", any_text);
const TextOption<std::string> kPreprocess(
    {"preprocess", "TEXT",
     "imagenet, cifar10, mnist, none or mean=..,std=..,scale=..,order=bgr,layout=nhwc,resize=..,"
     "crop=..",
     "what the model's metadata says"},
    "a preset or keys", preprocessing_of);
const CountOption kLabelOffset(
    {"label-offset", "N",
     "a label of the data set plus N is the model's class: 1 for models that begin with a "
     "background class, -1 for labels counted from 1"},
    -kMostOffset, kMostOffset);

OptionList data_options() { return {{&kData}, {&kPreprocess}, {&kLabelOffset}}; }

std::unique_ptr<Dataset> DataChoice::open(Split split) const {
  std::unique_ptr<Dataset> dataset = open_dataset(spec, split);
  return label_offset ? shift_labels(std::move(dataset), *label_offset) : std::move(dataset);
}

DataChoice data_of(const Settings& settings) {
  DataChoice data{.spec = settings.given(kData).value_or(""),
                  .preprocess = settings.given(kPreprocess).value_or(""),
                  .label_offset = settings.given(kLabelOffset)};
  if (data.label_offset && data.spec.empty()) {
    fail_usage("--label-offset is for --data; add --data, for example cifar10:DIR");
  }
  return data;
}

}  // namespace coppice
