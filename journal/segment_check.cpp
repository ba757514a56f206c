#include "journal/segment_check.h"

#include "journal/thinner.h"

namespace tidemark::journal {
namespace {

Result<Digest> digest_of(const ProjectionTable& table, const Bytes& from, const Bytes& to) {
  Digest all{};
  const auto scanned = table.scan(from, to, [&](BytesView, BytesView value) {
    all = next_digest(all, value);
    return true;
  });
  if (!scanned) return scanned.error();
  return all;
}

/// Empty: nothing.
Result<std::string> fault_in(const ProjectionTable& table, const ExpiredRuns& runs,
                             const SegmentHeader& header) {
  if (header.in_log) return std::string();
  Digest skeleton{};
  const auto key = skeleton_key(header.first);
  const auto read = table.scan(key, key + '\0', [&](BytesView, BytesView value) {
    skeleton = digest(value);
    return false;
  });
  if (!read) return read.error();
  if (skeleton != header.skeleton) return std::string("the skeleton is another one");
  for (std::uint8_t number = 0; number < kFrameClasses; ++number) {
    const auto of = static_cast<RecordClass>(number);
    if (runs.holding(of, header.first) != nullptr) continue;
    const auto found = digest_of(table, frame_key(of, header.first, 0),
                                 frame_key(of, Line{raw(header.first) + 1}, 0));
    if (!found) return found.error();
    if (found.value() != header.records[number]) {
      return "the frames of " + std::string(to_string(of)) + " are others";
    }
  }
  const Segments segments{header.length};
  if (runs.holding(RecordClass::kPvUpdates, segments.begin(header.chunk_segments().first))) {
    return std::string();
  }
  const auto chunks = digest_of_chunks(table, header);
  if (!chunks) return chunks.error();
  return chunks.value() == header.chunks ? std::string() : std::string("the chunks are others");
}

}  // namespace

Result<std::vector<Damage>> check_segments(const ProjectionTable& table, const ExpiredRuns& runs,
                                           const CheckProgress& progress) {
  std::vector<Damage> damage;
  Digest previous{};
  Line from{1};
  while (true) {
    std::optional<Result<SegmentHeader>> next;
    const auto scanned = table.scan(header_key(from), "v", [&](BytesView, BytesView value) {
      next = decode_header(value);
      return false;
    });
    if (!scanned) return scanned.error();
    if (!next) return damage;
    if (!*next) return next->error();
    const auto& header = next->value();
    const LineRange lines{header.first, header.last};
    auto why = fault_in(table, runs, header);
    if (!why && why.error().code != Code::kCorruption) return why.error();
    auto text = why ? why.value() : why.error().message;
    if (header.previous != previous) text = "the segment does not follow the one before it";
    if (!text.empty()) damage.push_back({lines, damaged(lines, text).message});
    previous = digest(encode_header(header));
    from = Line{raw(header.first) + 1};
    if (!progress(raw(header.last))) {
      return Error{Code::kCancelled, "stopped before it was done"};
    }
  }
}

}  // namespace tidemark::journal
