#include "tools/interrupt.h"

#include <atomic>
#include <csignal>

namespace tidemark::tools {
namespace {

std::atomic<bool> g_came{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // A signal handler writes it.

void on_signal(int) { g_came = true; }

void install(void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  g_came = false;
  // SA_RESETHAND: the second Ctrl-C finds the default again.
  install(&on_signal, static_cast<int>(SA_RESETHAND));
}

Interrupt::~Interrupt() {
  install(SIG_DFL, 0);
  g_came = false;
}

bool Interrupt::came() { return g_came; }

}  // namespace tidemark::tools
