#include "journal/segment_rows.h"

#include <algorithm>

#include "journal/chunk.h"
#include "journal/packed_value.h"

namespace tidemark::journal {
namespace {

std::size_t bytes_of_row(const model::PvUpdate& update) {
  auto bytes = sizeof(update) + model::content_bytes(update.value);
  if (update.meta) {
    bytes += sizeof(model::PvMeta);
    for (const auto& label : update.meta->labels) bytes += sizeof(label) + label.size();
  }
  return bytes;
}

}  // namespace

Result<std::shared_ptr<const SegmentRows>> SegmentRows::load(const ProjectionTable& table,
                                                             const Segments& segments,
                                                             std::uint64_t segment,
                                                             SegmentRowsLimits limits) {
  static_assert(sizeof(Row) == 24);
  static_assert(kChunkSamplesMax <= 1u << kIndexBits);
  const auto rows = std::make_shared<SegmentRows>();
  rows->limits_ = limits;
  rows->begin_ = segments.begin(segment);
  rows->rows_.resize(segments.length);
  Result<Unit> result = Unit{};
  std::vector<Sample> room;
  const auto scanned = table.scan(segment_chunks_key(segment), chunks_mark_key(segment),
                                  [&](BytesView key, BytesView value) {
                                    result = rows->take(key, value, room);
                                    return result.ok();
                                  });
  if (!scanned) return scanned.error();
  if (!result) return result.error();
  return std::shared_ptr<const SegmentRows>(rows);
}

/// The updates of one chunk.
Result<Unit> SegmentRows::take(BytesView key, BytesView value, std::vector<Sample>& room) {
  const auto chunk = checked(value);
  if (!chunk) return chunk.error();
  room.clear();
  const auto decoded = decode_chunk(chunk.value(), room);
  if (!decoded) return decoded;
  bool is_known = false;  // among chunks_
  for (std::size_t i = 0; i < room.size(); ++i) {
    auto& [line, update] = room[i];
    const auto at = raw(line) - raw(begin_);
    if (at >= rows_.size()) {
      return Error{Code::kCorruption, "a chunk holds a line of another segment"};
    }
    auto& row = rows_[at];
    if (row.type != PackedUpdate::kAbsent) continue;  // of an earlier run: the same
    row.channel = raw(update.channel);
    if (const auto small = pack_update(update)) {
      static_cast<PackedUpdate&>(row) = *small;
      continue;
    }
    const auto bytes = bytes_of_row(update);
    if (bytes <= limits_.held_bytes - held_bytes_) {
      held_bytes_ += bytes;
      row.type = PackedUpdate::kOther;
      row.bits = held_.size();
      held_.push_back(std::move(update));
      continue;
    }
    if (!std::exchange(is_known, true)) chunks_.emplace_back(key);
    row.type = kInChunk;
    row.bits = std::uint64_t{chunks_.size() - 1} << kIndexBits | i;
    row.taken_at = static_cast<std::int64_t>(bytes);
  }
  return Unit{};
}

Result<Unit> SegmentRows::copy(const ProjectionTable& table, Line first, std::uint64_t count,
                               std::vector<model::PvUpdate>& out) const {
  const std::size_t begin = raw(first) - raw(begin_);
  const auto end = static_cast<std::size_t>(std::min<std::uint64_t>(begin + count, rows_.size()));
  for (auto at = begin; at < end; ++at) {
    const auto& row = rows_[at];
    switch (row.type) {
      case PackedUpdate::kAbsent: return Error{Code::kCorruption, "an update is in no chunk"};
      case PackedUpdate::kOther: out.push_back(held_[row.bits]); break;
      case kInChunk: {
        const std::lock_guard lock(mutex_);
        if (at < window_.begin || at >= window_.end) {
          const auto moved = move_window(table, at, end);
          if (!moved) return moved;
        }
        const auto found = std::lower_bound(
            window_.updates.begin(), window_.updates.end(), at,
            [](const auto& each, std::size_t wanted) { return each.first < wanted; });
        out.push_back(found->second);
        break;
      }
      default: out.push_back(unpack_update(model::ChannelId{row.channel}, row));
    }
  }
  return Unit{};
}

std::size_t SegmentRows::window_bytes(std::size_t at) const {
  return rows_[at].type == kInChunk ? static_cast<std::size_t>(rows_[at].taken_at) : 0;
}

Result<Unit> SegmentRows::move_window(const ProjectionTable& table, std::size_t at,
                                      std::size_t end) const {
  // Who reads backwards goes on before what was asked for, and not behind it.
  const bool is_backwards = window_.begin < window_.end && end <= window_.begin;
  window_ = {};
  Window window{at, at + 1, {}};
  auto bytes = window_bytes(at);
  const auto fits = [&](std::size_t next) {
    const auto more = window_bytes(next);
    if (more > 0 && bytes + more > limits_.window_bytes) return false;
    bytes += more;
    return true;
  };
  const auto limit = is_backwards ? end : rows_.size();
  while (window.end < limit && fits(window.end)) ++window.end;
  while (is_backwards && window.begin > 0 && fits(window.begin - 1)) --window.begin;

  // Chunk by chunk, so that each is unpacked once.
  std::vector<std::pair<std::uint64_t, std::size_t>> wanted;  // bits, row
  for (auto row = window.begin; row < window.end; ++row) {
    if (rows_[row].type == kInChunk) wanted.emplace_back(rows_[row].bits, row);
  }
  std::sort(wanted.begin(), wanted.end());
  std::vector<Sample> samples;
  const Error gone{Code::kCorruption, "an update is not in its chunk any more"};
  for (std::size_t i = 0; i < wanted.size();) {
    const auto chunk = wanted[i].first >> kIndexBits;
    const auto& key = chunks_[chunk];
    samples.clear();
    Result<Unit> result = gone;
    const auto scanned = table.scan(key, key + '\0', [&](BytesView, BytesView value) {
      const auto sound = checked(value);
      result = sound ? decode_chunk(sound.value(), samples) : Result<Unit>(sound.error());
      return false;
    });
    if (!scanned || !result) return scanned ? result : scanned;
    for (; i < wanted.size() && wanted[i].first >> kIndexBits == chunk; ++i) {
      const auto [bits, row] = wanted[i];
      const auto index = bits & ((1u << kIndexBits) - 1);
      if (index >= samples.size() || raw(samples[index].line) != raw(begin_) + row) return gone;
      window.updates.emplace_back(row, std::move(samples[index].update));
    }
  }
  std::sort(window.updates.begin(), window.updates.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  window_ = std::move(window);
  return Unit{};
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
  auto loaded = SegmentRows::load(table, segments, segment, limits_);
  if (loaded) rows_.emplace_front(segment, loaded.value());
  return loaded;
}

}  // namespace tidemark::journal
