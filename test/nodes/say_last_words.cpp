// test/nodes/say_last_words.cpp
//
// Ends in the way that its second argument names, and leaves its last words in the file that the
// first one names.

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "nodes/last_words.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  tidemark::nodes::keep_last_words(argv[1]);
  const std::string how = argv[2];
  if (how == "segv") {
    volatile int* nowhere = nullptr;
    std::thread([&] { *nowhere = 1; }).join();
  }
  if (how == "abort") std::abort();
  if (how == "throw") {
    std::thread([] { throw std::runtime_error("no more beam"); }).join();
  }
  if (how == "kill") std::raise(SIGKILL);
  return 0;
}
