// Request bodies: any bytes become a checked value or a list of problems, and what a problem
// quotes of them is valid JSON again.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "gateway/json_input.h"
#include "gateway/response.h"
#include "gateway/utf8.h"

using namespace tidemark::gateway;

namespace {

void check(const Problems& problems) {
  TIDEMARK_CHECK(!problems.empty());
  for (const bool envelope : {false, true}) {
    TIDEMARK_CHECK(nlohmann::json::accept(Frame{envelope}.invalid(problems).body));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto snapshot = parse_snapshot_body(body, true);
  if (const auto* problems = std::get_if<Problems>(&snapshot)) {
    check(*problems);
  } else {
    const auto& value = std::get<SnapshotBody>(snapshot);
    TIDEMARK_CHECK(!value.title.empty() && value.title.size() <= kTitleBytesMax);
    TIDEMARK_CHECK(is_utf8(value.title) && is_utf8(value.description));
  }
  const auto live = parse_live_body(body);
  if (const auto* problems = std::get_if<Problems>(&live)) check(*problems);
  (void)parse_tag_filters(body);
  return 0;
}
