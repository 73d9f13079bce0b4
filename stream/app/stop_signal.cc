#include "stream/app/stop_signal.h"

#include <unistd.h>

#include <csignal>

namespace rfm {
namespace {

volatile std::sig_atomic_t stop_asked = 0;
int there = 0;

constexpr int kSignalStatus = 128;  // As shells report a process that a signal ended.

extern "C" void on_stop_signal(int signal) {
  if (stop_asked != 0) _exit(kSignalStatus + signal);
  stop_asked = 1;
}

}  // namespace

StopSignal::StopSignal() {
  if (there++ > 0) return;
  stop_asked = 0;
  struct sigaction action = {};
  action.sa_handler = on_stop_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

StopSignal::~StopSignal() {
  if (--there > 0) return;
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool StopSignal::asked() const { return stop_asked != 0; }

}  // namespace rfm
