#include "stream/app/stop_signal.h"

#include <csignal>

namespace rfm {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

extern "C" void on_stop_signal(int) { stop_asked = 1; }

}  // namespace

StopSignal::StopSignal() {
  stop_asked = 0;
  struct sigaction action = {};
  action.sa_handler = on_stop_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

StopSignal::~StopSignal() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool StopSignal::asked() const { return stop_asked != 0; }

}  // namespace rfm
