// Any bytes as a site file: no crash, and what is accepted is within its limits.

#include "base/check.h"
#include "config/site.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto site =
      tidemark::config::parse({reinterpret_cast<const char*>(data), size}, "/site/site.toml");
  if (!site) {
    TIDEMARK_CHECK(site.error().message.rfind("/site/site.toml:", 0) == 0);
    return 0;
  }
  const auto& good = site.value();
  TIDEMARK_CHECK(!good.nodes.empty() && !good.name.empty());
  TIDEMARK_CHECK(good.data_directory.front() == '/' && good.run_directory.front() == '/');
  TIDEMARK_CHECK(good.supervisor.backoff_min <= good.supervisor.backoff_max);
  return 0;
}
