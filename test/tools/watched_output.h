// test/tools/watched_output.h
//
// Standard output of a command under test that says when something was shown, so a test can go
// on with the story just then.

#pragma once

#include <functional>
#include <sstream>
#include <utility>

namespace tidemark::tools {

struct WatchedOutput : std::stringbuf {
  explicit WatchedOutput(std::function<void()> notice) : on_output(std::move(notice)) {}
  int sync() override {
    if (on_output) on_output();
    return 0;
  }
  std::function<void()> on_output;
};

}  // namespace tidemark::tools
