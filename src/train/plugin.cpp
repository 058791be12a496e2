// The two functions that libcoppice_train.so shows; session/open_trainer.cpp calls them.
#include "session/plugin.h"

#include "train/trainer.h"

extern "C" {

__attribute__((visibility("default"))) const char* coppice_train_interface() {
  return COPPICE_TRAINER_INTERFACE;
}

__attribute__((visibility("default"))) coppice::Trainer* coppice_make_trainer(
    const coppice::TrainerOptions& options) {
  return coppice::train::make_trainer(options).release();
}
}
