// test/system/log_peer.cpp
//
// A subsystem that says to the journal what it is told to, as fast as it can: for each line on
// standard input, "<count> <text>", so many messages "<text> <number>", and then a line on standard
// output. At the end of its input it leaves in order.
//
// Usage: log_peer <site file> <name>

#include <cstdio>
#include <iostream>
#include <string>

#include "tidemark/subsystem.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  tidemark::Subsystem peer{argv[2], {.site_file = argv[1]}};
  // A registry that is away is as good as one that is there: what is said is kept.
  if (const auto started = peer.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
  }
  std::puts("ready");
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto space = line.find(' ');
    const int count = std::stoi(line.substr(0, space));
    for (int i = 0; i < count; ++i) {
      peer.log(tidemark::Severity::kInfo, line.substr(space + 1) + " " + std::to_string(i),
               {{"number", i}});
    }
    std::puts("said");
    std::fflush(stdout);
  }
  return peer.stop() ? 0 : 1;
}
