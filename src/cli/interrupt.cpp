// See interrupt.h.
#include "cli/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace coppice {
namespace {

constexpr int kExitInterrupted = 130;

// The one piece of global state: a signal handler can reach nothing else.
volatile std::sig_atomic_t interrupted = 0;

void handle(int) {
  if (interrupted) ::_exit(kExitInterrupted);
  interrupted = 1;
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);
}

bool interrupt_requested() { return interrupted != 0; }

}  // namespace coppice
