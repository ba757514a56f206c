// test/fuzz/fuzz_line_filter.cpp
//
// What filters lines of the journal, as it comes over the bus: a test of a field, a line break, and
// a regular expression. What is taken must be tried on any record without harm, and a test that a
// value passes, it does not pass the other way round.

#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "journal/text_pattern.h"
#include "model/field_test.h"

namespace {

using namespace tidemark;
using namespace tidemark::model;

void try_test(BytesView text) {
  auto test = parse_field_test(text);
  if (!test) return;
  const kv::Value data = kv::Struct{{"shot", 4711},
                                    {"beam", kv::Struct{{"energy", 4.5}, {"on", true}}},
                                    {"gain", kv::Value(1.5f)}};
  const Record records[] = {MarkBegin{Uuid::derive("m"), "shot", {"beam"}, "anna", data, UtcTime{}},
                            LogMessage{Level::kWarning, "psu.1", "x", data, "", UtcTime{}},
                            PutIntended{ChannelId{1}, "Q", PvValue(2.5), Uuid{}}, UnknownRecord{}};
  PvUpdate update;
  update.value = 2.5;
  using Comparison = FieldTest::Comparison;
  const auto comparison = test.value().comparison;
  const bool orders = comparison != Comparison::kEqual && comparison != Comparison::kNotEqual;
  auto opposite = test.value();
  opposite.comparison =
      comparison == Comparison::kEqual ? Comparison::kNotEqual : Comparison::kEqual;
  for (const auto& record : records) {
    const bool both = matches(test.value(), record) && matches(opposite, record);
    TIDEMARK_CHECK(orders || !both);
  }
  TIDEMARK_CHECK(orders || !(matches(test.value(), update) && matches(opposite, update)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView text(reinterpret_cast<const char*>(data), size);
  const auto end = std::min(text.find('\n'), text.size());
  try_test(text.substr(0, end));
  const auto pattern = journal::TextPattern::compile(text.substr(std::min(end + 1, text.size())));
  if (pattern) (void)pattern.value().is_in("interlock 3 opened, valve VG:12 shut");
  return 0;
}
