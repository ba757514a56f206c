// test/fuzz/fuzz_import_line.cpp
//
// Lines of files to import, of either format. What is taken can be stored, and comes back from the
// journal as it was.

#include <cstdint>

#include "model/record_fields.h"
#include "tools/import_line.h"
#include "tools/typed_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto ipi = tools::make_ipi_reader();
  std::unique_ptr<tools::LineReader> own;
  for (int lines = 0; !rest.empty() && lines < 100; ++lines) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto json = tools::parse_json_line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!json) continue;
    if (tools::is_export_head(json.value())) {
      auto made = tools::make_own_reader(json.value());
      if (made) own = std::move(made).value();
      continue;
    }
    for (auto* reader : {ipi.get(), own.get()}) {
      if (reader == nullptr) continue;
      const auto line = reader->read(json.value());
      if (!line || !line.value()) continue;
      TIDEMARK_CHECK(line.value()->sequence > 0);
      const auto packed = model::encode_records({line.value()->record});
      const auto back = model::decode_records(packed);
      TIDEMARK_CHECK(back.ok() && model::encode_records(back.value()) == packed);
      const auto fields = tools::to_typed_json(model::fields_of(line.value()->record));
      TIDEMARK_CHECK(tools::fields_from_typed_json(fields).ok());
    }
  }
  return 0;
}
