// The functions that libcoppice_train.so shows; training/open_trainer.cpp calls them.
#include "training/plugin.h"

#include "libtorch/agent/agent.h"
#include "libtorch/trainer/trainer.h"

extern "C" {

__attribute__((visibility("default"))) const char* coppice_train_interface() {
  return COPPICE_TRAINER_INTERFACE;
}

__attribute__((visibility("default"))) coppice::Trainer* coppice_make_trainer(
    const coppice::TrainerOptions& options) {
  return coppice::train::make_trainer(options).release();
}

__attribute__((visibility("default"))) coppice::Agent* coppice_make_agent(
    const coppice::AgentOptions& options) {
  return coppice::train::make_agent(options).release();
}
}
