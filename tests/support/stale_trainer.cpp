// A training library that was built by the same compiler from other headers, and that must not be
// asked for a trainer.
#include <cstdlib>

extern "C" {

__attribute__((visibility("default"))) const char* coppice_train_interface() {
  return "coppice trainer 0123456789abcdef, " __VERSION__;
}

__attribute__((visibility("default"))) void* coppice_make_trainer(const void*) { std::abort(); }
}
