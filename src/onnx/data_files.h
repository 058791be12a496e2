// Which files beside a model hold data of its tensors, and where data of a new model may go: never
// over a file that isn't its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace coppice {

// The files that tensors of the ONNX model at `model` name, those in subgraphs, functions and
// constants too, each once, as paths from where `model` is; missing ones as well. Only the message
// is read, not the weights. What isn't an ONNX model, or only begins like one, names what could be
// read of it.
std::vector<std::filesystem::path> data_files(const std::filesystem::path& model);

// The folder that data of `model` lie in. A model at the end of a link has them beside the link, as
// other programs look for them, or else beside itself, where Coppice writes them.
std::filesystem::path data_folder(const std::filesystem::path& model);

// What comes behind the name of `model`, which is about to be written, to name the file of its
// data: ".data", or ".1.data", ".2.data", ... The first name that nothing has and that isn't one of
// `taken`: so a model that is replaced is whole, with its own data, until the new one is in place.
std::string data_suffix(const std::filesystem::path& model,
                        const std::vector<std::filesystem::path>& taken);

// The files that go when `model` is replaced: what it alone in its folder keeps data in, of a name
// that data_suffix gives, and not one of `taken`.
std::vector<std::filesystem::path> replaced_data(const std::filesystem::path& model,
                                                 const std::vector<std::filesystem::path>& taken);

// A model in the folder of `file`, other than `than`, that keeps data in `file`; empty for none.
std::filesystem::path owner_of(const std::filesystem::path& file,
                               const std::filesystem::path& than);

}  // namespace coppice
