#include "model/other_formats.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace coppice {
namespace {

struct Format {
  size_t offset;
  std::string_view magic;
  const char* name;
  const char* way_out;
};

constexpr char kFromTorch[] = "export it with torch.onnx.export(model, example, 'model.onnx')";
constexpr char kFromKeras[] =
    "export it with 'python -m tf2onnx.convert --keras FILE --output model.onnx'";

constexpr std::array<Format, 8> kFormats = {{
    {0, "PK\x03\x04", "a zip archive, as PyTorch and Keras 3 write them",
     "export it from there: torch.onnx.export(model, example, 'model.onnx'), or model.export("
     "'model.onnx', format='onnx')"},
    {0, "\x80\x02", "a pickle, as older PyTorch writes it", kFromTorch},
    {0, "\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes it", kFromKeras},
    {4, "TFL3", "a TensorFlow Lite model",
     "export it with 'python -m tf2onnx.convert --tflite FILE --output model.onnx'"},
    {4, "ORTM", "an ORT-format model of ONNX Runtime", "give the .onnx file that it was made of"},
    {0, "GGUF", "a GGUF file", "export the model that it was made of to ONNX"},
    {8, "{\"", "a safetensors file, which holds weights without a graph",
     "load it into its model and export that to ONNX"},
    {0, "{", "a JSON file, such as a plan", "name the model here"},
}};

}  // namespace

std::optional<std::string> other_format(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const auto format = std::ranges::find_if(kFormats, [&](const Format& known) {
    return text.size() >= known.offset && text.substr(known.offset).starts_with(known.magic);
  });
  if (format == kFormats.end()) return std::nullopt;
  return std::string(format->name) + "; " + format->way_out;
}

}  // namespace coppice
