// test/fuzz/fuzz_moment.cpp
//
// A moment as people write it, and a line of filters as browse takes it. What is taken is exactly
// one of a line, a time and a mark, or now; blanks around it change nothing; and behind mark:
// anything is a name.

#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "tools/browse/filter_words.h"
#include "tools/moment.h"

using namespace tidemark;
using namespace tidemark::tools;

namespace {

void try_moment(const std::string& text, UtcTime now) {
  const auto moment = parse_moment(text, now);
  const auto apart = parse_moment("  " + text + " ", now);
  TIDEMARK_CHECK(moment.ok() == apart.ok());
  const auto named = parse_moment("mark:" + text, now);
  const bool blank = text.find_first_not_of(' ') == std::string::npos;
  TIDEMARK_CHECK(named.ok() == !blank);
  TIDEMARK_CHECK(blank || !named.value().mark.empty());
  if (!moment) {
    TIDEMARK_CHECK(!moment.error().message.empty());
    return;
  }
  const auto& [line, time, mark] = moment.value();
  TIDEMARK_CHECK((line != 0) + time.has_value() + !mark.empty() <= 1);
  TIDEMARK_CHECK(apart.value().line == line && apart.value().time == time &&
                 apart.value().mark == mark);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto now = *parse_iso("2026-11-21T14:05:00Z");
  const std::string text(reinterpret_cast<const char*>(data), size);
  try_moment(text, now);
  const auto words = browse::parse_filter_words(text);
  if (words) [[maybe_unused]]
    const auto ends = ends_of(words.value(), now);
  return 0;
}
