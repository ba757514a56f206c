#include "journal/segment_rows.h"

#include <algorithm>

#include "journal/chunk.h"
#include "journal/packed_value.h"

namespace tidemark::journal {

Result<std::shared_ptr<const SegmentRows>> SegmentRows::load(const ProjectionTable& table,
                                                             const Segments& segments,
                                                             std::uint64_t segment) {
  static_assert(sizeof(Row) == 24);
  const auto rows = std::make_shared<SegmentRows>();
  rows->begin_ = segments.begin(segment);
  rows->rows_.resize(segments.length);
  Result<Unit> result = Unit{};
  std::vector<Sample> samples;
  const auto scanned = table.scan(
      segment_chunks_key(segment), chunks_mark_key(segment), [&](BytesView, BytesView value) {
        const auto chunk = checked(value);
        samples.clear();
        result = chunk ? decode_chunk(chunk.value(), samples) : Result<Unit>(chunk.error());
        if (!result) return false;
        for (auto& sample : samples) {
          const auto at = raw(sample.line) - raw(rows->begin_);
          if (at >= rows->rows_.size()) {
            result = Error{Code::kCorruption, "a chunk holds a line of another segment"};
            return false;
          }
          auto& row = rows->rows_[at];
          if (row.type != PackedUpdate::kAbsent) continue;  // of an earlier run: the same
          const auto channel = raw(sample.update.channel);
          if (const auto small = pack_update(sample.update)) {
            static_cast<PackedUpdate&>(row) = *small;
          } else {
            row.type = PackedUpdate::kOther;
            row.bits = rows->others_.size();
            rows->others_.push_back(std::move(sample.update));
          }
          row.channel = channel;
        }
        return true;
      });
  if (!scanned) return scanned.error();
  if (!result) return result.error();
  return std::shared_ptr<const SegmentRows>(rows);
}

bool SegmentRows::copy(Line first, std::uint64_t count, std::vector<model::PvUpdate>& out) const {
  const auto begin = raw(first) - raw(begin_);
  const auto end = std::min<std::uint64_t>(begin + count, rows_.size());
  for (auto at = begin; at < end; ++at) {
    const auto& row = rows_[at];
    if (row.type == PackedUpdate::kAbsent) return false;
    out.push_back(row.type == PackedUpdate::kOther
                      ? others_[row.bits]
                      : unpack_update(model::ChannelId{row.channel}, row));
  }
  return true;
}

Result<std::shared_ptr<const SegmentRows>> SegmentRowsCache::get(const ProjectionTable& table,
                                                                 const Segments& segments,
                                                                 std::uint64_t segment) {
  const std::lock_guard lock(mutex_);  // Whoever wants the same waits, and finds it.
  const auto found = std::find_if(rows_.begin(), rows_.end(),
                                  [&](const auto& each) { return each.first == segment; });
  if (found != rows_.end()) {
    rows_.splice(rows_.begin(), rows_, found);
    return rows_.front().second;
  }
  while (rows_.size() >= kKept) rows_.pop_back();  // before, so that there is room for it
  auto loaded = SegmentRows::load(table, segments, segment);
  if (loaded) rows_.emplace_front(segment, loaded.value());
  return loaded;
}

}  // namespace tidemark::journal
