#include "journal/expiry.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "journal/base_state.h"
#include "journal/decimator.h"
#include "journal/segment_reader.h"

namespace tidemark::journal {
namespace {

/// Lines of `of` in what a section is, from line `from` to line `to`.
std::uint64_t lines_in(RecordClass of, const SectionBones& bones, Line first, Line from, Line to) {
  switch (bones.content) {
    case Content::kRows: {
      const auto begin = std::max(raw(first), raw(from));
      const auto end = std::min(raw(first) + bones.section.count, raw(to) + 1);
      return of == RecordClass::kPvUpdates && begin < end ? end - begin : 0;
    }
    case Content::kWhole: return bones.parts.front().of == of ? bones.section.count : 0;
    case Content::kMixed: break;
  }
  std::uint64_t lines = 0;
  for (const auto& run : bones.runs) lines += run.of == of ? run.count : 0;
  return lines;
}

Result<std::uint64_t> count_lines(const ProjectionTable& table, RecordClass of,
                                  const SegmentHeader& header, Line from, Line to) {
  if (header.in_log) return std::uint64_t{0};  // These stay, whatever they are.
  const auto skeleton = SegmentReader(table).skeleton(header);
  if (!skeleton) return skeleton.error();
  std::uint64_t lines = 0;
  auto line = raw(header.first);
  for (const auto& bones : skeleton.value().sections) {
    lines += lines_in(of, bones, Line{line}, from, to);
    line += bones.section.count;
  }
  return lines;
}

Result<Unit> add_keys(const ProjectionTable& table, const Bytes& from, const Bytes& to,
                      Expiry& expiry) {
  return table.scan(from, to, [&](BytesView key, BytesView value) {
    expiry.drops.emplace_back(key);
    expiry.run.bytes += key.size() + value.size();
    return true;
  });
}

/// Keyframes up to the end of the run: all but the newest that there is, with which the projections
/// begin when they are loaded. Answers the last one by then, which the next ones follow from.
Result<Line> drop_keyframes(const ProjectionTable& table, Expiry& expiry) {
  const auto line_of = [](const std::optional<KeyValue>& row) {
    return row && row->first.size() == shard_key({}).size()
               ? Line{read_be<std::uint64_t>(row->first, 1)}
               : Line{0};
  };
  const auto newest = table.last("k", "l");
  if (!newest) return newest.error();
  const auto last = table.last("k", shard_key(Line{raw(expiry.run.last) + 1}));
  if (!last) return last.error();
  const auto end = std::min(raw(line_of(newest.value())), raw(expiry.run.last) + 1);
  const auto scanned =
      table.scan(shard_key(expiry.run.first), shard_key(Line{std::max(end, raw(expiry.run.first))}),
                 [&](BytesView key, BytesView) {
                   expiry.drops.emplace_back(key);
                   return true;
                 });
  if (!scanned) return scanned.error();
  return line_of(last.value());
}

Result<Unit> replace_base(const SegmentStore& store, const Archive& archive, Expiry& expiry) {
  const auto& table = store.table();
  const auto& run = expiry.run;
  const auto runs = store.store().expired();
  const auto keyframe = drop_keyframes(table, expiry);
  if (!keyframe) return keyframe.error();
  const Line before{raw(run.first) - 1};
  const std::vector<model::ChannelId> first_shard{model::ChannelId{0}};
  const auto old = read_base(table, before, &first_shard);
  if (!old) return old.error();
  const auto kept = std::max(keyframe.value(), old.value().keyframe);
  if (runs->holding(RecordClass::kPvUpdates, before) != nullptr) {
    const auto keys = base_keys(table, before);
    if (!keys) return keys.error();
    expiry.drops.insert(expiry.drops.end(), keys.value().begin(), keys.value().end());
  }
  // The run behind it has one at its end.
  if (runs->holding(RecordClass::kPvUpdates, Line{raw(run.last) + 1}) != nullptr) return Unit{};
  auto state = archive.state_at(run.last);
  if (!state) return state.error();
  for (auto& row : encode_base({run.last, kept, std::move(state).value()})) {
    expiry.puts.push_back(std::move(row));
  }
  return Unit{};
}

Result<Unit> leave_decimated(const ProjectionTable& table,
                             const std::vector<SegmentHeader>& headers, Duration width,
                             Expiry& expiry) {
  auto made = decimate(table, headers, expiry.run, width);
  if (made && made.value().samples < expiry.run.lines) {
    made = Error{Code::kCorruption, std::to_string(expiry.run.lines - made.value().samples) +
                                        " of them are not in the chunks"};
  }
  if (!made && made.error().code == Code::kCorruption) {
    spdlog::error("journal: PV updates of lines {} to {} expire without being decimated: {}",
                  raw(expiry.run.first), raw(expiry.run.last), made.error().message);
    return Unit{};
  }
  if (!made) return made.error();
  auto& [samples, drops, puts] = made.value();
  std::move(drops.begin(), drops.end(), std::back_inserter(expiry.drops));
  std::move(puts.begin(), puts.end(), std::back_inserter(expiry.puts));
  return Unit{};
}

}  // namespace

std::pair<Line, Line> lines_of(RecordClass of, const SegmentHeader& header) {
  if (of != RecordClass::kPvUpdates) return {header.first, header.last};
  const Segments segments{header.length};
  const auto [begin, end] = header.chunk_segments();
  return {segments.begin(begin), segments.end(end - 1)};
}

Result<Expiry> prepare_expiry(const SegmentStore& store, const Archive& archive, RecordClass of,
                              const std::vector<SegmentHeader>& headers, std::string reason,
                              Duration decimate) {
  TIDEMARK_CHECK(!headers.empty() && of != RecordClass::kKept);
  const auto& table = store.table();
  Expiry expiry;
  expiry.of = of;
  expiry.reason = std::move(reason);
  auto& run = expiry.run;
  run.first = lines_of(of, headers.front()).first;
  run.last = lines_of(of, headers.back()).second;
  run.since = headers.front().earliest;
  run.until = headers.back().latest;
  const bool updates = of == RecordClass::kPvUpdates;
  if (updates) {
    // The last block of the segment before goes on in these chunks.
    const auto before = header_before(table, Line{raw(headers.front().first) - 1});
    if (!before) return before.error();
    if (before.value() && before.value()->last >= run.first) {
      const auto lines = count_lines(table, of, *before.value(), run.first, run.last);
      if (!lines) return lines.error();
      run.lines += lines.value();
    }
  }
  for (const auto& header : headers) {
    const auto lines = count_lines(table, of, header, run.first, run.last);
    if (!lines) return lines.error();
    run.lines += lines.value();
    const auto [begin, end] = header.chunk_segments();
    const auto added =
        updates ? add_keys(table, segment_chunks_key(begin), segment_chunks_key(end), expiry)
                : add_keys(table, frame_key(of, header.first, 0),
                           frame_key(of, Line{raw(header.first) + 1}, 0), expiry);
    if (!added) return added.error();
  }
  if (updates) {
    const auto replaced = replace_base(store, archive, expiry);
    if (!replaced) return replaced.error();
  }
  if (updates && decimate > Duration{0}) {
    const auto added = leave_decimated(table, headers, decimate, expiry);
    if (!added) return added.error();
  }
  return expiry;
}

std::pair<Bytes, Bytes> keys_of(RecordClass of, const ExpiredRun& run, const Segments& segments) {
  if (of != RecordClass::kPvUpdates) {
    return {frame_key(of, run.first, 0), frame_key(of, Line{raw(run.last) + 1}, 0)};
  }
  return {segment_chunks_key(segments.of(run.first)),
          segment_chunks_key(segments.of(run.last) + 1)};
}

InspectedSection expired_section(const Expiry& expiry, std::uint64_t sequence, UtcTime now) {
  const auto& run = expiry.run;
  const model::Expired record{std::string(to_string(expiry.of)),
                              raw(run.first),
                              raw(run.last),
                              run.since,
                              run.until,
                              run.lines,
                              run.bytes,
                              expiry.reason};
  auto section = inspect({retention_origin(), 1, sequence, 1, SectionFormat::kRecords, now,
                          model::encode_records({record})});
  TIDEMARK_CHECK(section.ok());
  return std::move(section).value();
}

}  // namespace tidemark::journal
