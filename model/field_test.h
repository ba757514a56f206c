// model/field_test.h
//
// A question about one field of what a line of the journal says: `data.shot=4711`, `user=anna`,
// `values>=100`. The path begins with a name of record_fields.h, and goes on into structs. A PV
// update has `value`, `severity` and `status`.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/pv_update.h"
#include "model/record.h"

namespace tidemark::model {

struct FieldTest {
  enum class Comparison : std::uint8_t {
    kEqual,
    kNotEqual,
    kLess,
    kAtMost,
    kGreater,
    kAtLeast,
  };
  std::vector<std::string> path;
  Comparison comparison = Comparison::kEqual;
  std::string operand;
  std::optional<double> number;  // the operand, when it is one
};

inline constexpr std::size_t kFieldTestBytesMax = 1024;
inline constexpr std::size_t kFieldTestsMax = 16;  // of one query: each is tried on every line

/// `path`, one of = != < <= > >=, and what it is compared with: texts by = and != only.
/// Errors: kInvalidArgument, with the names there are when no record has such a field.
Result<FieldTest> parse_field_test(std::string_view text);

/// Numbers are equal as numbers, durations as seconds, all else as text: enums by label or index,
/// times as ISO 8601. Of an array one element will do. What has no such field does not match, by
/// != neither.
bool matches(const FieldTest& test, const Record& record);
bool matches(const FieldTest& test, const PvUpdate& update);
/// False: no PV update matches.
bool is_of_updates(const FieldTest& test);

}  // namespace tidemark::model
