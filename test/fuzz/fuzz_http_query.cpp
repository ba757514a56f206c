// The target of a request and its parameters: no bytes may break them, and what they accept is
// UTF-8.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "gateway/json_input.h"
#include "gateway/query.h"
#include "gateway/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark::gateway;
  const auto target = parse_target({reinterpret_cast<const char*>(data), size});
  if (!target) return 0;
  for (const auto& segment : target.value().segments) TIDEMARK_CHECK(is_utf8(segment));
  for (const auto& [name, value] : target.value().params) {
    TIDEMARK_CHECK(is_utf8(name) && is_utf8(value));
    ParamReader params(target.value());
    const auto page = params.integer(name, 1, 1000);
    TIDEMARK_CHECK(page.has_value() != !params.problems().empty());
    TIDEMARK_CHECK(!page || (*page >= 1 && *page <= 1000));
    params.boolean(name, true);
    (void)parse_tag_filters(value);
  }
  return 0;
}
