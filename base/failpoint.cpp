#include "base/failpoint.h"

#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <string_view>

namespace tidemark {
namespace {

constexpr const char* kVariable = "TIDEMARK_FAILPOINT";

std::string_view armed() {
  const char* text = std::getenv(kVariable);
  return text == nullptr ? "" : text;
}

}  // namespace

namespace detail {

const bool failpoints_armed = !armed().empty();

void pass_failpoint(const char* name) {
  static std::atomic<long> passes = 0;
  const auto text = armed();
  const auto colon = text.find(':');
  if (text.substr(0, colon) != name) return;
  const long wanted = colon == text.npos ? 1 : std::atol(text.data() + colon + 1);
  if (++passes == wanted) ::raise(SIGKILL);
}

}  // namespace detail

}  // namespace tidemark
