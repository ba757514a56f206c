// Whatever a browser uploads as a PV list: no crash, and only rows that may be imported.

#include "base/check.h"
#include "catalog/csv_import.h"
#include "model/pv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = tidemark::catalog::parse_csv({reinterpret_cast<const char*>(data), size});
  if (!file) return 0;
  for (const auto& row : file.value().rows) {
    TIDEMARK_CHECK(!row.setpoint.empty() || !row.readback.empty() || !row.config.empty());
    for (const auto* address : {&row.setpoint, &row.readback, &row.config}) {
      TIDEMARK_CHECK(address->empty() || tidemark::model::check_pv_name(*address).ok());
    }
    TIDEMARK_CHECK(row.abs_tolerance >= 0 && row.rel_tolerance >= 0);
    TIDEMARK_CHECK(!row.setpoint.empty() || row.read_only);
  }
  return 0;
}
