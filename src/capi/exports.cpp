// The functions of coppice_runtime.h: arguments are checked, C++ is called, and whatever it throws
// becomes a status and a text.
#include <cstddef>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "capi/coppice_runtime.h"
#include "capi/opened_model.h"
#include "core/error.h"
#include "core/machine/cache_folder.h"
#include "report/version.h"

using namespace coppice;

struct coppice_model {
  OpenedModel opened;
};

namespace {

thread_local std::string error_text;

coppice_status status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return COPPICE_ERROR_USAGE;
    case ErrorKind::input: return COPPICE_ERROR_INPUT;
    case ErrorKind::target: return COPPICE_ERROR_UNSUPPORTED;
    default: return COPPICE_ERROR_INTERNAL;
  }
}

coppice_status failed(coppice_status status, const char* text) noexcept {
  try {
    error_text = text;
  } catch (...) {
    error_text.clear();  // no memory, not even for a line
  }
  return status;
}

template <typename Body>
coppice_status guarded(Body&& body) noexcept {
  try {
    body();
    return COPPICE_OK;
  } catch (const Error& error) {
    return failed(status_of(error.kind()), error.what());
  } catch (const std::bad_alloc&) {
    return failed(COPPICE_ERROR_INPUT, "not enough memory for this model at these sizes");
  } catch (const std::exception& error) {
    return failed(COPPICE_ERROR_INTERNAL, error.what());
  } catch (...) {
    return failed(COPPICE_ERROR_INTERNAL, "an exception of an unknown type");
  }
}

void require_given(const void* pointer, const char* what) {
  if (!pointer) fail_usage(std::string(what) + " is NULL, expected a pointer");
}

// What callers of an earlier version don't know is as if it were left alone.
coppice_options known_options(const coppice_options* given) {
  coppice_options options = COPPICE_OPTIONS_INIT;
  if (!given) return options;
  // What version 1 of the ABI had.
  constexpr size_t kLeast = offsetof(coppice_options, cache_folder) + sizeof options.cache_folder;
  if (given->size < kLeast || given->size > sizeof options) {
    fail_usage("options of " + std::to_string(given->size) + " bytes, expected " +
               std::to_string(sizeof options) + "; begin with COPPICE_OPTIONS_INIT, and use a " +
               "library as new as the header");
  }
  std::memcpy(&options, given, given->size);
  if (options.threads < 0 || options.batch < 0) {
    fail_usage("options with " + std::to_string(options.threads) + " threads and a batch of " +
               std::to_string(options.batch) + ", expected none below 0");
  }
  return options;
}

OpenOptions open_options(const coppice_options& given) {
  OpenOptions options{.threads = given.threads, .batch = given.batch};
  if (given.input_shape_count > 0) require_given(given.input_shapes, "input_shapes");
  for (size_t i = 0; i < given.input_shape_count; ++i) {
    require_given(given.input_shapes[i], "one of input_shapes");
    options.input_shapes.insert(parse_input_shape(given.input_shapes[i]));
  }
  options.choices_folder = given.cache_folder ? given.cache_folder : cache_folder("sparse");
  return options;
}

void tell(const std::vector<OpenedModel::TensorInfo>& infos, const char* noun, size_t index,
          coppice_tensor_info* info) {
  require_given(info, "info");
  if (index >= infos.size()) {
    fail_usage(std::string(noun) + " " + std::to_string(index) + " of a model that has " +
               std::to_string(infos.size()) + ", counted from 0");
  }
  const OpenedModel::TensorInfo& found = infos[index];
  *info = {found.name.c_str(), static_cast<coppice_type>(found.dtype), found.shape.size(),
           found.shape.data(), found.bytes};
}

// Pointers to what the caller gives. On the stack for models of a few tensors: runs don't allocate.
template <typename Byte>
class PointersOf {
 public:
  template <typename Given>
  PointersOf(const std::vector<OpenedModel::TensorInfo>& infos, const char* noun,
             const Given* given, size_t count) {
    if (count != infos.size()) {
      fail_usage(std::to_string(count) + " " + noun + "s are given, expected " +
                 std::to_string(infos.size()));
    }
    if (count > 0) require_given(given, noun);
    if (count > kFew) many_.resize(count);
    Byte** const to = count > kFew ? many_.data() : few_;
    for (size_t i = 0; i < count; ++i) {
      const OpenedModel::TensorInfo& info = infos[i];
      if (given[i].bytes != info.bytes || (!given[i].data && info.bytes > 0)) {
        fail_usage(std::string(noun) + " '" + info.name + "' is given as " +
                   (given[i].data ? std::to_string(given[i].bytes) + " bytes" : "NULL") +
                   ", expected " + std::to_string(info.bytes) + " bytes: " + name_of(info.dtype) +
                   " " + to_string(info.shape));
      }
      to[i] = static_cast<Byte*>(given[i].data);
    }
    pointers_ = {to, count};
  }
  std::span<Byte* const> span() const { return pointers_; }

 private:
  static constexpr size_t kFew = 16;
  Byte* few_[kFew];
  std::vector<Byte*> many_;
  std::span<Byte* const> pointers_;
};

}  // namespace

extern "C" {

int coppice_runtime_abi(void) { return COPPICE_RUNTIME_ABI; }

const char* coppice_runtime_version(void) { return version(); }

const char* coppice_error_text(void) { return error_text.c_str(); }

coppice_status coppice_open(const char* path, const coppice_options* options,
                            coppice_model** model) {
  return guarded([&] {
    require_given(path, "path");
    require_given(model, "model");
    *model = new coppice_model{OpenedModel(path, open_options(known_options(options)))};
  });
}

void coppice_close(coppice_model* model) { delete model; }

size_t coppice_input_count(const coppice_model* model) {
  return model ? model->opened.inputs().size() : 0;
}

size_t coppice_output_count(const coppice_model* model) {
  return model ? model->opened.outputs().size() : 0;
}

coppice_status coppice_input_info(const coppice_model* model, size_t index,
                                  coppice_tensor_info* info) {
  return guarded([&] {
    require_given(model, "model");
    tell(model->opened.inputs(), "input", index, info);
  });
}

coppice_status coppice_output_info(const coppice_model* model, size_t index,
                                   coppice_tensor_info* info) {
  return guarded([&] {
    require_given(model, "model");
    tell(model->opened.outputs(), "output", index, info);
  });
}

coppice_status coppice_run(coppice_model* model, const coppice_input* inputs, size_t input_count,
                           const coppice_output* outputs, size_t output_count) {
  return guarded([&] {
    require_given(model, "model");
    OpenedModel& opened = model->opened;
    const PointersOf<const std::byte> from(opened.inputs(), "input", inputs, input_count);
    const PointersOf<std::byte> to(opened.outputs(), "output", outputs, output_count);
    opened.run(from.span(), to.span());
  });
}

}  // extern "C"
