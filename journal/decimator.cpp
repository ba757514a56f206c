#include "journal/decimator.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "journal/chunk.h"
#include "journal/packed_value.h"

namespace tidemark::journal {
namespace {

constexpr std::size_t kNumberInKey = 10;  // of a chunk: its channel, or the shard of quiet ones

struct BinOfChannel {
  std::uint32_t channel = 0;
  std::int64_t bin = 0;
  bool operator==(const BinOfChannel&) const = default;
};
struct BinOfChannelHash {
  std::size_t operator()(const BinOfChannel& each) const {
    // Bins follow each other, and so do channels: both are spread over all bits.
    return (static_cast<std::uint64_t>(each.bin) * 0x9e3779b97f4a7c15U) ^
           (std::uint64_t{each.channel} * 0xc2b2ae3d27d4eb4fU);
  }
};

std::uint64_t width_number(Duration width) { return static_cast<std::uint64_t>(width.count()); }

/// Sorts by line, and leaves each line once: parts of a segment may be there twice.
void sort_out_samples(std::vector<Sample>& samples) {
  const auto key = [](const Sample& each) { return std::pair(each.update.channel, each.line); };
  std::sort(samples.begin(), samples.end(),
            [&](const Sample& a, const Sample& b) { return key(a) < key(b); });
  const auto twice = std::unique(samples.begin(), samples.end(),
                                 [&](const auto& a, const auto& b) { return key(a) == key(b); });
  samples.erase(twice, samples.end());
}

/// The rows of some segments, in memory.
class RowMaker {
 public:
  RowMaker(const ProjectionTable& table, Duration width) : table_(table), width_(width) {}

  /// The chunks of one segment of lines; blocks of it were recorded between these times.
  Result<Unit> take(std::uint64_t segment, UtcTime earliest, UtcTime latest);
  std::uint64_t samples() const { return samples_; }
  /// With those of the table; answers by how many bytes these grow.
  Result<std::int64_t> merge(std::vector<KeyValue>& puts);

 private:
  using Visit = std::function<Result<Unit>(std::uint32_t number, BytesView chunk)>;
  Result<Unit> scan(const Bytes& from, const Bytes& to, const Visit& visit) const;
  Result<Unit> take_quiet(std::uint64_t segment);
  Result<Unit> take_busy(std::uint64_t segment);

  UtcTime time_of(UtcTime taken_at) const {
    return taken_at < earliest_ - kTakenAround || taken_at > latest_ + kTakenAround ? earliest_
                                                                                    : taken_at;
  }
  bool lies_in_one_bin(const ChunkHeader& chunk) const;
  void add(std::uint32_t channel, const DecimatedRow& row);
  void add(const Sample& sample) {
    const auto time = time_of(sample.update.taken_at);
    add(raw(sample.update.channel), row_of(sample.line, sample.update, time));
  }

  const ProjectionTable& table_;
  const Duration width_;
  UtcTime earliest_{};
  UtcTime latest_{};
  std::unordered_set<std::uint32_t> busy_;  // channels with chunks of their own in the segment
  std::unordered_map<std::uint32_t, std::vector<Sample>> mixed_;  // quiet in another part of it
  std::unordered_map<BinOfChannel, DecimatedRow, BinOfChannelHash> rows_;
  std::pair<BinOfChannel, DecimatedRow*> newest_{};  // mostly the next one goes there, too
  std::uint64_t samples_ = 0;
};

Result<Unit> RowMaker::scan(const Bytes& from, const Bytes& to, const Visit& visit) const {
  Result<Unit> result = Unit{};
  const auto scanned = table_.scan(from, to, [&](BytesView key, BytesView value) {
    const auto chunk = checked(value);
    if (!chunk || key.size() != chunk_key(0, 0).size()) {
      result = Error{Code::kCorruption, "a chunk that expires is damaged"};
    } else {
      result = visit(read_be<std::uint32_t>(key, kNumberInKey), chunk.value());
    }
    return result.ok();
  });
  return scanned ? result : scanned;
}

void RowMaker::add(std::uint32_t channel, const DecimatedRow& row) {
  samples_ += row.samples;
  const BinOfChannel at{channel, bin_of(row.earliest, width_)};
  if (newest_.second == nullptr || newest_.first != at) newest_ = {at, &rows_[at]};
  journal::add(row, *newest_.second);
}

bool RowMaker::lies_in_one_bin(const ChunkHeader& chunk) const {
  // A lost connection shows in its samples only, and so does where the first number is.
  return chunk.numbers && chunk.numbers->count == chunk.count &&
         time_of(chunk.earliest) == chunk.earliest && time_of(chunk.latest) == chunk.latest &&
         bin_of(chunk.earliest, width_) == bin_of(chunk.latest, width_);
}

DecimatedRow row_of_chunk(const ChunkHeader& chunk) {
  const auto& numbers = *chunk.numbers;
  return {chunk.count,
          chunk.first,
          chunk.last,
          chunk.earliest,
          chunk.latest,
          chunk.worst,
          false,
          {numbers.count, chunk.first, chunk.last, numbers.first, numbers.last, numbers.min,
           numbers.max, numbers.sum, numbers.spread}};
}

Result<Unit> RowMaker::take(std::uint64_t segment, UtcTime earliest, UtcTime latest) {
  earliest_ = earliest;
  latest_ = latest;
  busy_.clear();
  const auto begin = chunk_key(segment, 0);
  const auto end = segment_chunks_key(segment) + 'i';
  const auto scanned = scan(begin, end, [&](std::uint32_t channel, BytesView) {
    busy_.insert(channel);
    return Unit{};
  });
  if (!scanned) return scanned;
  const auto quiet = take_quiet(segment);
  if (!quiet) return quiet;
  const auto busy = take_busy(segment);
  if (!busy) return busy;
  for (auto& [channel, samples] : mixed_) {
    sort_out_samples(samples);
    for (const auto& each : samples) add(each);
  }
  mixed_.clear();
  return Unit{};
}

Result<Unit> RowMaker::take_quiet(std::uint64_t segment) {
  std::vector<Sample> samples;  // of one shard
  std::uint32_t shard = 0;
  const auto end_shard = [&] {
    sort_out_samples(samples);
    for (auto& each : samples) {
      const auto channel = raw(each.update.channel);
      if (busy_.contains(channel)) {
        mixed_[channel].push_back(std::move(each));
      } else {
        add(each);
      }
    }
    samples.clear();
  };
  const auto scanned = scan(quiet_key(segment, 0), chunk_key(segment, 0),
                            [&](std::uint32_t number, BytesView chunk) {
                              if (number != shard) end_shard();
                              shard = number;
                              return decode_chunk(chunk, samples);
                            });
  if (!scanned) return scanned;
  end_shard();
  return Unit{};
}

Result<Unit> RowMaker::take_busy(std::uint64_t segment) {
  std::optional<std::uint32_t> channel;
  Line next{0};  // of the channel: what comes before it was there already
  std::vector<Sample> samples;
  const auto end = segment_chunks_key(segment) + 'i';
  return scan(chunk_key(segment, 0), end,
              [&](std::uint32_t number, BytesView chunk) -> Result<Unit> {
                if (channel != number) next = Line{0};
                channel = number;
                const auto mixed = mixed_.find(number);
                if (mixed != mixed_.end()) return decode_chunk(chunk, mixed->second);
                const auto header = decode_chunk_header(chunk);
                if (!header) return header.error();
                if (header.value().first >= next && lies_in_one_bin(header.value())) {
                  next = Line{raw(header.value().last) + 1};
                  add(number, row_of_chunk(header.value()));
                  return Unit{};
                }
                samples.clear();
                const auto decoded = decode_chunk(chunk, samples);
                if (!decoded) return decoded;
                for (const auto& each : samples) {
                  if (each.line < next) continue;
                  next = Line{raw(each.line) + 1};
                  add(each);
                }
                return Unit{};
              });
}

/// The rows of a shard and bin that are there.
Result<std::vector<ChannelRow>> read_rows(const ProjectionTable& table, const Bytes& key,
                                          std::uint32_t shard, std::size_t& bytes) {
  std::optional<Result<std::vector<ChannelRow>>> found;
  const auto scanned = table.scan(key, key + '\0', [&](BytesView, BytesView value) {
    bytes = key.size() + value.size();
    found = decode_rows(value, shard);
    return false;
  });
  if (!scanned) return scanned.error();
  return found ? *std::move(found) : std::vector<ChannelRow>{};
}

Result<std::int64_t> RowMaker::merge(std::vector<KeyValue>& puts) {
  struct Placed {
    std::uint32_t shard;
    std::int64_t bin;
    ChannelRow row;
  };
  std::vector<Placed> placed;
  placed.reserve(rows_.size());
  for (const auto& [at, row] : rows_) {
    const model::ChannelId channel{at.channel};
    placed.push_back({at.channel / kDecimatedChannels, at.bin, {channel, row}});
  }
  rows_.clear();
  newest_ = {};
  std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::tuple(a.shard, a.bin, a.row.channel) < std::tuple(b.shard, b.bin, b.row.channel);
  });
  std::int64_t grown = 0;
  for (auto at = placed.begin(); at != placed.end();) {
    const auto end = std::find_if(at, placed.end(), [&](const Placed& each) {
      return each.shard != at->shard || each.bin != at->bin;
    });
    auto key = decimated_key(width_number(width_), at->shard, at->bin);
    std::size_t bytes = 0;
    auto there = read_rows(table_, key, at->shard, bytes);
    if (!there) return there.error();
    std::map<model::ChannelId, DecimatedRow> all;
    for (const auto& each : there.value()) all.emplace(each.channel, each.row);
    for (; at != end; ++at) journal::add(at->row.row, all[at->row.channel]);
    std::vector<ChannelRow> rows;
    for (const auto& [channel, row] : all) rows.push_back({channel, row});
    auto value = encode_rows(rows);
    grown +=
        static_cast<std::int64_t>(key.size() + value.size()) - static_cast<std::int64_t>(bytes);
    puts.emplace_back(std::move(key), std::move(value));
  }
  return grown;
}

/// That whose blocks are in the segment of lines that has `line`.
Result<SegmentHeader> owner_of(const ProjectionTable& table, const Segments& segments, Line line) {
  auto header = header_before(table, segments.end(segments.of(line)));
  if (!header) return header.error();
  if (header.value()) return std::move(*header.value());
  return Error{Code::kCorruption, "lines were decimated that are in no closed segment"};
}

}  // namespace

Result<Decimation> decimate(const ProjectionTable& table, const std::vector<SegmentHeader>& headers,
                            const ExpiredRun& run, Duration width) {
  RowMaker maker(table, width);
  for (const auto& header : headers) {
    const auto [begin, end] = header.chunk_segments();
    for (auto segment = begin; segment < end; ++segment) {
      const auto taken = maker.take(segment, header.earliest, header.latest);
      if (!taken) return taken.error();
    }
  }
  Decimation made;
  made.samples = maker.samples();
  const auto grown = maker.merge(made.puts);
  if (!grown) return grown.error();
  const auto runs = load_decimated_runs(table);
  if (!runs) return runs.error();
  DecimatedRun mine{width, run.first, run.last, run.since, run.until, made.samples, 0};
  std::vector<DecimatedRun> joined;
  mine = join_runs(runs.value(), mine, joined);
  // A row that was made longer may be shorter, since columns are what suits them.
  const auto bytes = static_cast<std::int64_t>(mine.bytes) + grown.value();
  mine.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, bytes));
  for (const auto& each : joined) {
    if (each.first != mine.first) {
      made.drops.push_back(decimated_run_key(width_number(width), each.first));
    }
  }
  made.puts.push_back(encode_decimated_run(mine));
  return made;
}

Result<Unit> visit_decimated(const ProjectionTable& table, const Segments& segments,
                             const std::vector<DecimatedRun>& runs, model::ChannelId channel,
                             Line from, Line to,
                             const std::function<void(const DecimatedRow&)>& visit) {
  std::map<Duration, std::pair<UtcTime, UtcTime>> times;  // by width: where rows of the lines are
  for (const auto& run : runs) {
    const auto begin = owner_of(table, segments, std::max(from, run.first));
    if (!begin) return begin.error();
    const auto end = owner_of(table, segments, std::min(to, run.last));
    if (!end) return end.error();
    const auto since = begin.value().earliest - kTakenAround;
    const auto until = end.value().latest + kTakenAround;
    auto& both = times.try_emplace(run.width, since, until).first->second;
    both = {std::min(both.first, since), std::max(both.second, until)};
  }
  const auto shard = raw(channel) / kDecimatedChannels;
  for (const auto& [width, both] : times) {
    const auto begin = decimated_key(width_number(width), shard, bin_of(both.first, width));
    const auto end = decimated_key(width_number(width), shard, bin_of(both.second, width) + 1);
    Result<Unit> result = Unit{};
    const auto scanned = table.scan(begin, end, [&](BytesView, BytesView value) {
      const auto rows = decode_rows(value, shard);
      if (!rows) {
        result = rows.error();
        return false;
      }
      for (const auto& each : rows.value()) {
        if (each.channel == channel && each.row.last >= from && each.row.first <= to) {
          visit(each.row);
        }
      }
      return true;
    });
    if (!scanned || !result) return scanned ? result : scanned;
  }
  return Unit{};
}

}  // namespace tidemark::journal
