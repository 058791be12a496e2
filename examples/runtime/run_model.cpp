// Runs a model of one input and one output in C++, in several threads at once that share it: each
// gets the same raw bytes (numpy's x.tofile("x.bin")), and all must answer alike.
//
//   run_model_cpp MODEL INPUT.bin OUTPUT.bin [THREADS]
#include <coppice_runtime.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using Bytes = std::vector<char>;

void require(coppice_status status) {
  if (status != COPPICE_OK) throw std::runtime_error(coppice_error_text());
}

class Model {
 public:
  explicit Model(const std::string& path) {
    coppice_options options = COPPICE_OPTIONS_INIT;
    options.threads = 1;
    coppice_model* model = nullptr;
    require(coppice_open(path.c_str(), &options, &model));
    model_.reset(model);
    if (coppice_input_count(model) != 1 || coppice_output_count(model) != 1) {
      throw std::runtime_error("'" + path + "': expected one input and one output");
    }
    coppice_tensor_info info;
    require(coppice_output_info(model, 0, &info));
    output_bytes_ = info.bytes;
  }

  // By any number of threads at once.
  Bytes run(const Bytes& x) const {
    Bytes y(output_bytes_);
    const coppice_input input{x.data(), x.size()};
    const coppice_output output{y.data(), y.size()};
    require(coppice_run(model_.get(), &input, 1, &output, 1));
    return y;
  }

 private:
  struct Close {
    void operator()(coppice_model* model) const { coppice_close(model); }
  };
  std::unique_ptr<coppice_model, Close> model_;
  size_t output_bytes_ = 0;
};

Bytes read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("can't read '" + path + "'");
  return {std::istreambuf_iterator<char>(file), {}};
}

void run(const std::vector<std::string>& arguments) {
  const Model model(arguments[0]);
  const Bytes x = read_file(arguments[1]), y = model.run(x);
  std::vector<char> same(arguments.size() > 3 ? std::stoul(arguments[3]) : 2, false);
  std::vector<std::thread> threads;
  for (char& answer : same) threads.emplace_back([&] { answer = model.run(x) == y; });
  for (std::thread& thread : threads) thread.join();
  for (const char answer : same) {
    if (!answer) throw std::runtime_error("threads that share a model answer differently");
  }
  std::ofstream(arguments[2], std::ios::binary).write(y.data(), static_cast<long>(y.size()));
  std::cout << same.size() << " threads answered alike, " << y.size() << " bytes\n";
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::cerr << "usage: run_model_cpp MODEL INPUT.bin OUTPUT.bin [THREADS]\n";
    return 2;
  }
  run({argv + 1, argv + argc});
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 3;
}
