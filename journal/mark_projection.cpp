#include "journal/mark_projection.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>

#include "base/varint.h"
#include "journal/projection_keys.h"

namespace tidemark::journal {
namespace {

constexpr std::uint8_t kIsEnd = 1;
constexpr std::uint8_t kHasData = 2;

void append_text(Bytes& out, const std::string& text) {
  append_varint(out, text.size());
  out += text;
}

std::string take_text(VarintReader& from) {
  const auto size = from.take();
  return std::string(from.take_bytes(size));
}

Bytes encode(const MarkRecord& record) {
  Bytes out;
  const auto& point = record.point;
  out.push_back(static_cast<char>((record.is_end ? kIsEnd : 0) | (point.has_data ? kHasData : 0)));
  out.append(reinterpret_cast<const char*>(record.id.bytes.data()), record.id.bytes.size());
  append_varint(out, raw(point.line));
  append_varint(out, zigzag(point.at.time_since_epoch().count()));
  append_text(out, point.who);
  append_text(out, record.name);
  append_varint(out, record.tags.size());
  for (const auto& tag : record.tags) append_text(out, tag);
  return out;
}

Result<MarkRecord> decode(BytesView key, BytesView value) {
  MarkRecord record;
  VarintReader from(value);
  const auto flags = from.take_byte();
  record.is_end = (flags & kIsEnd) != 0;
  record.point.has_data = (flags & kHasData) != 0;
  const auto id = from.take_bytes(record.id.bytes.size());
  std::copy(id.begin(), id.end(), record.id.bytes.begin());
  record.point.line = Line{from.take()};
  record.point.at = UtcTime{Duration{from.take_signed()}};
  record.point.who = take_text(from);
  record.name = take_text(from);
  for (auto left = from.take(); left > 0 && from.ok(); --left) {
    record.tags.push_back(take_text(from));
  }
  if (key.size() != 1 + sizeof(std::uint64_t) || !from.ok() || from.left() != 0) {
    return Error{Code::kCorruption, "a mark in the projections"};
  }
  record.point.record = Line{read_be<std::uint64_t>(key, 1)};
  return record;
}

/// Calls `visit` with the records of marks in a block, and their lines, until it returns false.
template <class Visit>
void for_marks(const Block& block, Visit&& visit) {
  if ((block.kinds & kMarkKinds) == 0) return;
  auto line = raw(block.first);
  for (const auto& section : block.sections) {
    const auto first = line;
    line += section.count;
    if (section.format != SectionFormat::kRecords) continue;
    const auto records = model::decode_records(section.payload);
    if (!records) continue;  // A later version wrote it, and knows what it says.
    for (std::size_t i = 0; i < records.value().size(); ++i) {
      const auto& each = records.value()[i];
      if (const auto* begin = std::get_if<model::MarkBegin>(&each)) {
        if (!visit(Line{first + i}, *begin)) return;
      } else if (const auto* end = std::get_if<model::MarkEnd>(&each)) {
        if (!visit(Line{first + i}, *end)) return;
      }
    }
  }
}

/// A time to come means now: only so the log says the same whenever it is asked.
template <class Said>
Result<MarkRecord> mark_record(const Store& store, const Block& block, Line line,
                               const Said& said) {
  MarkRecord record;
  record.is_end = std::is_same_v<Said, model::MarkEnd>;
  record.id = said.mark;
  record.name = said.name;
  if constexpr (std::is_same_v<Said, model::MarkBegin>) record.tags = said.tags;
  record.point = {line, block.recorded_at, line, said.who, !said.data.is_none()};
  if (said.at != UtcTime{} && said.at < block.recorded_at) {
    const auto then = store.line_at(said.at);
    if (!then) return then.error();
    record.point.line = then.value();
    record.point.at = said.at;
  }
  return record;
}

/// Takes in all marks of a block; `then(record, counts)` follows each.
Result<Unit> take_block(const Store& store, const Block& block, Marks& marks,
                        const std::function<void(const MarkRecord&, bool)>& then) {
  Result<Unit> result = Unit{};
  for_marks(block, [&](Line line, const auto& said) {
    const auto record = mark_record(store, block, line, said);
    if (!record) {
      result = record.error();
      return false;
    }
    const bool counts = marks.take(record.value());
    if (then) then(record.value(), counts);
    return true;
  });
  return result;
}

}  // namespace

Result<bool> MarkProjection::load(const ProjectionTable& table, Line sealed) {
  Result<bool> result = true;
  const auto last = store_->last();
  const auto scanned =
      table.scan(mark_key(Line{0}), mark_keys_end(), [&](BytesView key, BytesView value) {
        const auto record = decode(key, value);
        if (!record) {
          result = record.error();
          return false;
        }
        result = record.value().point.record <= last;
        if (!result.value()) return false;
        marks_.take(record.value());
        return true;
      });
  if (!scanned) return scanned.error();
  through_ = raw(sealed);
  return result;
}

void MarkProjection::clear() {
  marks_.clear();
  told_ = Line{0};
  through_ = 0;
}

void MarkProjection::reached(Line line) const {
  auto known = through_.load();
  while (known < raw(line) && !through_.compare_exchange_weak(known, raw(line))) {
  }
}

Result<Unit> MarkProjection::take(const Block& block, Line sealed, std::vector<KeyValue>& rows) {
  return take_block(*store_, block, marks_, [&](const MarkRecord& record, bool counts) {
    const auto line = record.point.record;
    if (line <= sealed || line <= told_) return;
    told_ = line;
    if (counts) {
      rows.emplace_back(mark_key(line), encode(record));
    } else {
      spdlog::warn("line {}: mark {} '{}' has {} already; this one does not count", raw(line),
                   record.id.text(), record.name, record.is_end ? "ended" : "begun");
    }
  });
}

Result<const Marks*> MarkProjection::current() const {
  const auto last = store_->last();
  const auto through = through_.load();
  if (raw(last) > through) {
    BlockFilter filter;
    filter.kinds = kMarkKinds;
    filter.last = last;
    Result<Unit> result = Unit{};
    const auto scanned = store_->scan(Line{through + 1}, filter, [&](Block& block) {
      result = take_block(*store_, block, marks_, {});
      return result.ok();
    });
    if (!scanned) return scanned.error();
    if (!result) return result.error();
    reached(last);
  }
  return &marks_;
}

Result<model::kv::Value> MarkProjection::data_of(const MarkPoint& point) const {
  model::kv::Value data;
  if (!point.has_data) return data;
  BlockFilter filter;
  filter.kinds = kMarkKinds;
  filter.last = point.record;
  const auto scanned = store_->scan(point.record, filter, [&](Block& block) {
    for_marks(block, [&](Line line, const auto& said) {
      if (line != point.record) return true;
      data = said.data;
      return false;
    });
    return false;
  });
  if (!scanned) return scanned.error();
  return data;
}

Result<MarkProjection::Lines> MarkProjection::lines_of(const std::string& mark) const {
  const auto marks = current();
  if (!marks) return marks.error();
  const auto found = marks.value()->newest(mark);
  if (!found) return Error{Code::kNotFound, "the journal has no mark '" + mark + "'"};
  const auto& begin = found->begin;
  if (!begin) {
    return Error{Code::kInvalidArgument, "of the mark '" + mark + "' the journal has only the end"};
  }
  Lines lines;
  // Set after the fact it begins behind a line that was there before.
  lines.first = begin->line == begin->record ? begin->line : Line{raw(begin->line) + 1};
  if (found->end) lines.last = found->end->line;
  return lines;
}

Result<Line> MarkProjection::line_of(const std::string& text) const {
  constexpr std::string_view kEnd = ".end";
  const auto marks = current();
  if (!marks) return marks.error();
  if (const auto mark = marks.value()->newest(text)) {
    if (mark->begin) return mark->begin->line;
    return Error{Code::kInvalidArgument, "of the mark '" + text + "' the journal has only the end"};
  }
  if (text.ends_with(kEnd)) {
    const auto name = text.substr(0, text.size() - kEnd.size());
    if (const auto mark = marks.value()->newest(name)) {
      if (mark->end) return mark->end->line;
      return Error{Code::kInvalidArgument, "the mark '" + name + "' is open: it has no end yet"};
    }
  }
  return Error{Code::kNotFound,
               "'" + text + "' is no time, and the journal has no mark of that name"};
}

}  // namespace tidemark::journal
