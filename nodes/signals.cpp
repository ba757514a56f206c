#include "nodes/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <mutex>
#include <thread>

namespace tidemark::nodes {
namespace {

std::mutex g_mutex;
std::optional<Ending> g_ending;  // Guarded by g_mutex.

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void block_stop_signals() {
  const auto set = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::optional<Ending> wait_for_end() {
  const auto set = stop_signals();
  int number = 0;
  ::sigwait(&set, &number);
  const std::lock_guard lock(g_mutex);
  return g_ending;
}

void end_by_itself(Ending ending) {
  {
    const std::lock_guard lock(g_mutex);
    if (g_ending) return;
    g_ending = std::move(ending);
  }
  ::kill(::getpid(), SIGTERM);
}

void end_within(Duration patience) {
  std::thread([patience] {
    std::this_thread::sleep_for(patience);
    ::_exit(1);
  }).detach();
}

}  // namespace tidemark::nodes
