// journal/reader.h
//
// Lines, one by one, out of a Store: with a filter, oldest or newest first, page by page. Where
// lines have expired that might have matched, an entry says so in their place.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "journal/store.h"
#include "journal/text_pattern.h"
#include "model/field_test.h"

namespace tidemark::journal {

/// Of a line. One of sequence 0 is an Expired that stands for lines which are not here any more,
/// under the number of the one
/// that comes first.
struct Entry {
  Line line{};
  UtcTime recorded_at{};
  Uuid origin;
  std::uint32_t incarnation = 0;
  std::uint64_t sequence = 0;
  std::variant<model::PvUpdate, model::Record> what;
};

model::RecordKind kind_of(const Entry& entry);
model::Level level_of(const Entry& entry);
/// What it is about; a PV update's address comes from the store.
std::string subject_of(const Entry& entry, const Store& store);

struct Query {
  Line from{1};                // first line that may be returned (oldest first)
  Line to{~std::uint64_t{0}};  // last line that may be returned
  bool newest_first = false;
  std::uint32_t kinds = ~0u;  // bit n: kind n
  model::Level level = model::Level::kDebug;
  std::optional<UtcTime> since{};  // recorded_at
  std::optional<UtcTime> until{};
  std::string subject{};                      // pattern as in base/glob.h; empty: any
  std::string text{};                         // part of the description, in any case; empty: any
  std::optional<TextPattern> pattern{};       // in the description
  std::vector<model::FieldTest> fields{};     // all of them
  std::function<bool(const Uuid&)> origin{};  // whether one is wanted; empty: any
  std::uint32_t limit = 1000;                 // of those that are there
  std::uint32_t scan_lines_max = 1'000'000;   // then the page ends, so no call takes for ever
  /// Of strings, arrays and records: the entry that reaches it ends the page, so that it has one
  /// at least, whatever that weighs.
  std::size_t bytes_max = 8u << 20;
};

struct Page {
  std::vector<Entry> entries;
  /// Where the next page begins: the line after the last one looked at, to be its `from`
  /// (newest first: the line before, to be its `to`). Whoever follows it sees each line once.
  Line next{};
  bool end = false;  // nothing further matches now
};

/// Errors: kCorruption as Store::scan; what was found before it is lost to this call.
Result<Page> read(const Store& store, const Query& query);

}  // namespace tidemark::journal
