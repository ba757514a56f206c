#include "journal/projections.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>

#include "base/failpoint.h"
#include "base/varint.h"
#include "journal/base_state.h"
#include "journal/expired_runs.h"
#include "journal/packed_value.h"
#include "journal/segment_header.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;

// Of all that is derived: a table of another is made anew.
constexpr std::uint8_t kProjectionsFormat = 3;
constexpr std::size_t kWriteBytes = 4u << 20;  // of one write

struct Watermark {
  Line told{0};
  Line keyframe{0};  // the last one at or before it
};

Bytes encode_watermark(const Watermark& mark) {
  Bytes out;
  out.push_back(static_cast<char>(kProjectionsFormat));
  append_varint(out, raw(mark.told));
  append_varint(out, raw(mark.keyframe));
  return out;
}

Result<Watermark> decode_watermark(BytesView bytes) {
  VarintReader from(bytes);
  const auto format = from.take_byte();
  Watermark mark;
  mark.told = Line{from.take()};
  mark.keyframe = Line{from.take()};
  if (!from.ok() || format != kProjectionsFormat || from.left() != 0) {
    return Error{Code::kCorruption, "the watermark of the projections"};
  }
  return mark;
}

Bytes encode_chunks_mark(Line sealed) {
  Bytes out;
  append_varint(out, raw(sealed));
  append_crc(out);
  return out;
}

}  // namespace

Projections::Projections(std::shared_ptr<const Store> store, std::shared_ptr<ProjectionTable> table,
                         ProjectionLimits limits)
    : store_(std::move(store)),
      table_(std::move(table)),
      limits_(limits),
      marks_(store_, limits.marks_bytes_max) {}

Result<Unit> Projections::load() {
  const auto stored = table_->last(kWatermarkKey, kWatermarkKey + '\0');
  if (!stored) return stored.error();
  const auto loaded = stored.value() ? load_table(stored.value()->second)
                                     : Result<Unit>(Error{Code::kNotFound, "no watermark"});
  if (loaded || (loaded.error().code != Code::kCorruption && stored.value())) return loaded;
  // All of it is in the log, or in the segments that it has given up.
  if (stored.value()) {
    spdlog::warn("the projections cannot be used and are made anew: {}", loaded.error().message);
  }
  projected_ = keyframe_ = told_ = Line{0};
  state_.clear();
  metas_.clear();
  marks_.clear();
  const auto cleared = table_->clear();
  if (!cleared) return cleared;
  const auto sealed = load_chunks();
  if (!sealed) return sealed.error();
  sealed_ = sealed.value();
  return Unit{};
}

/// How far the chunks are that are there.
Result<Line> Projections::load_chunks() const {
  const auto closed = last_header(*table_);
  if (!closed) return closed.error();
  const auto end =
      closed.value() ? limits_.segments.end(limits_.segments.of(closed.value()->last)) : Line{0};
  Bytes until = "i";
  while (true) {
    const auto last = table_->last("h", until);
    if (!last && last.error().code == Code::kCorruption) {
      // What the log has still is written once more; of the rest only the damaged part is lost.
      spdlog::error("chunks of the history cannot be read: {}", last.error().message);
      return end;
    }
    if (!last) return last.error();
    if (!last.value() || last.value()->first.size() < 10) return end;
    const auto& [key, value] = *last.value();
    const auto segment = read_be<std::uint64_t>(key, 1);
    if (key == chunks_mark_key(segment)) {
      const auto mark = checked(value);
      if (mark) return std::max(end, Line{VarintReader(mark.value()).take()});
    }
    until = segment_chunks_key(segment);  // its mark was not written any more, or is damaged
  }
}

Result<Unit> Projections::load_table(BytesView watermark) {
  const auto mark = decode_watermark(watermark);
  if (!mark) return mark.error();
  const auto sealed = load_chunks();
  if (!sealed) return sealed.error();
  const Error other{Code::kCorruption, "they are of another log"};
  if (std::max(mark.value().told, sealed.value()) > store_->last()) return other;
  const auto marks = marks_.load(*table_, mark.value().told);
  if (!marks) return marks.error();
  if (!marks.value()) return other;
  sealed_ = sealed.value();
  told_ = mark.value().told;
  keyframe_ = mark.value().keyframe;
  const auto metas = load_metas();
  if (!metas) return metas.error();
  return load_state();
}

Result<Unit> Projections::load_metas() {
  Result<Unit> result = Unit{};
  const auto scanned = table_->scan("m", "n", [&](BytesView key, BytesView value) {
    if (key.size() != 13) {
      result = Error{Code::kCorruption, "the key of what an IOC said"};
      return false;
    }
    const auto channel = read_be<std::uint32_t>(key, 1);
    auto updates = model::decode_updates(value);
    if (!updates || updates.value().size() != 1 || !updates.value()[0].meta) {
      result = Error{Code::kCorruption, "what an IOC said of channel " + std::to_string(channel)};
      return false;
    }
    if (channel > model::LiveTable::kChannelMax) return true;
    if (channel >= metas_.size()) metas_.resize(channel + 1);
    metas_[channel].push_back({Line{read_be<std::uint64_t>(key, 5)}, updates.value()[0].meta});
    return true;
  });
  return scanned ? result : scanned;
}

/// From a keyframe on the state is made again, but no chunk that is there.
Result<Unit> Projections::load_state() {
  const auto found = read_keyframe(*table_, std::min(keyframe_, sealed_), nullptr, state_);
  if (!found) return found.error();
  const bool gone = store_->expired()->holding(RecordClass::kPvUpdates, keyframe_) != nullptr;
  if (keyframe_ <= sealed_ && found.value() != keyframe_ && !gone) {
    return Error{Code::kCorruption, "a keyframe is missing"};
  }
  for (std::uint32_t channel = 0; channel < state_.size(); ++channel) {
    const auto* row = state_.find(model::ChannelId{channel});
    if (row == nullptr) continue;
    auto with_meta = *row;
    with_meta.meta = meta_at(model::ChannelId{channel}, found.value());
    state_.set(model::ChannelId{channel}, std::move(with_meta));
  }
  projected_ = found.value();
  // Of lines that expired it may have gone: then the state behind them does as well.
  return adopt_base(std::min(told_, sealed_));
}

/// The state after the last lines that expired, when these end by `to` and go beyond what is known.
Result<Unit> Projections::adopt_base(Line to) {
  const auto runs = store_->expired();
  const auto* run = runs->ending(RecordClass::kPvUpdates, projected_, to);
  if (run == nullptr) return Unit{};
  auto base = read_base_of(*table_, *run);
  if (!base) return base.error();
  if (told_ < run->last) keyframe_ = base.value().keyframe;
  const std::unique_lock lock(mutex_);
  state_ = std::move(base.value().state);
  projected_ = run->last;
  for (std::uint32_t number = 0; number < state_.size(); ++number) {
    const auto* row = state_.find(model::ChannelId{number});
    if (row == nullptr || !row->meta) continue;
    model::PvUpdate update;
    update.channel = model::ChannelId{number};
    update.event = PvUpdate::Event::kConnected;
    update.meta = row->meta;
    note_meta(run->last, update);
  }
  return Unit{};
}

Result<bool> Projections::advance(std::uint64_t lines_max) {
  const auto last = store_->last();
  const Line from{raw(projected_) + 1};
  if (from > last) return false;
  const Line to{std::min(raw(last), raw(projected_) + lines_max)};
  Result<Unit> result = Unit{};
  BlockFilter filter;
  filter.kinds = kUpdateKinds | kMarkKinds;
  filter.last = to;
  const auto scanned = store_->scan(from, filter, [&](Block& block) {
    result = take(block);
    return result.ok();
  });
  if (!scanned) return scanned.error();
  if (!result) return result.error();
  const auto reached = reach(to);
  if (!reached) return reached.error();
  marks_.reached(projected_);
  return projected_ < last;
}

Result<Unit> Projections::take(const Block& block) {
  // Segments that end before it are sealed without its marks, whenever they are.
  const auto begun = reach(Line{raw(block.first) - 1});
  if (!begun) return begun;
  const auto marks = marks_.take(block, told_, new_rows_);
  if (!marks) return marks;
  auto line = raw(block.first);
  for (const auto& section : block.sections) {
    const auto first = line;
    line += section.count;
    if (section.format != SectionFormat::kUpdates || line - 1 <= raw(projected_)) continue;
    const auto updates = model::decode_updates(section.payload);
    if (!updates) return updates.error();
    // A segment may have ended with what is no update.
    const auto before = reach(Line{first - 1});
    if (!before) return before;
    // A section that is kept whole has its lines even where updates expired. There they say
    // nothing: the state behind them is the base.
    const auto gone =
        store_->expired()->touching(RecordClass::kPvUpdates, Line{first}, Line{line - 1});
    const auto run_of = [&](Line at) {
      return std::find_if(gone.begin(), gone.end(),
                          [at](auto& run) { return run.first <= at && at <= run.last; });
    };
    for (std::size_t i = 0; i < updates.value().size();) {
      // Up to the end of a segment, where something is to be written without the lock.
      bool ends = false;
      {
        const std::unique_lock lock(mutex_);
        for (; i < updates.value().size() && !ends; ++i) {
          const Line at{first + i};
          const auto run = run_of(at);
          if (at > projected_ && run == gone.end()) apply(at, updates.value()[i]);
          ends = run == gone.end() ? ends_segment(at) && at > std::min(sealed_, told_)
                                   : at == run->last;
        }
      }
      const auto reached = reach(Line{first + i - 1});
      if (!reached) return reached;
    }
  }
  const auto reached = reach(Line{line - 1});
  if (!reached || head_.bytes() < limits_.head_bytes_max) return reached;
  return seal(projected_);
}

void Projections::apply(Line line, const PvUpdate& update) {
  if (update.event == PvUpdate::Event::kConnected) note_meta(line, update);
  state_.apply(line, update);
  if (line > sealed_) head_.add(line, update);
  projected_ = line;
}

bool Projections::ends_segment(Line line) const {
  return line == limits_.segments.end(limits_.segments.of(line));
}

/// All updates up to `line` are applied; segments that end by then are sealed, at their ends, so
/// that the table does not depend on how it came about.
Result<Unit> Projections::reach(Line line) {
  while (true) {
    const auto& segments = limits_.segments;
    const auto end = segments.end(segments.of(Line{raw(std::min(sealed_, told_)) + 1}));
    const auto adopted = adopt_base(std::min(line, end));
    if (!adopted) return adopted;
    if (line < end) break;
    {
      const std::unique_lock lock(mutex_);
      projected_ = std::max(projected_, end);
    }
    const auto sealed = seal(end);
    if (!sealed) return sealed;
  }
  const std::unique_lock lock(mutex_);
  projected_ = std::max(projected_, line);
  return Unit{};
}

void Projections::note_meta(Line line, const PvUpdate& update) {
  const auto channel = raw(update.channel);
  if (channel > model::LiveTable::kChannelMax) return;
  if (channel >= metas_.size()) metas_.resize(channel + 1);
  auto& versions = metas_[channel];
  const auto after =
      std::upper_bound(versions.begin(), versions.end(), line,
                       [](Line at, const MetaVersion& version) { return at < version.line; });
  if (after != versions.begin() && *std::prev(after)->meta == *update.meta) return;
  if (after != versions.end()) return;  // it was stored before; what follows is known already
  versions.push_back({line, update.meta});
  auto stored = update;
  stored.channel = {};
  new_rows_.emplace_back(meta_key(channel, line), model::encode_updates({stored}));
}

/// Of chunks, and of what is told beside them, one may be further than the other: after a crash,
/// or when what is derived is made anew.
Result<Unit> Projections::seal(Line through) {
  failpoint("journal.seal.before");
  std::vector<KeyValue> puts;
  // What IOCs said goes before the keyframe that relies on it.
  if (through > told_) puts = new_rows_;
  std::size_t bytes = 0;
  std::uint64_t chunks = 0;
  Result<Unit> result = Unit{};
  const auto put = [&](Bytes key, Bytes value) {
    if (!result) return;
    bytes += key.size() + value.size();
    puts.emplace_back(std::move(key), std::move(value));
    if (bytes < kWriteBytes) return;
    result = write(puts);
    bytes = 0;
  };
  head_.for_chunks(through, [&](const std::vector<Sample>& samples, bool quiet) {
    const auto channel = raw(samples.front().update.channel);
    const auto first = std::min_element(samples.begin(), samples.end(),
                                        [](auto& a, auto& b) { return a.line < b.line; });
    const auto segment = limits_.segments.of(first->line);
    auto chunk = encode_chunk(samples);
    append_crc(chunk);
    put(quiet ? quiet_key(segment, channel / kQuietChannels, raw(first->line))
              : chunk_key(segment, channel, raw(first->line)),
        std::move(chunk));
    ++chunks;
  });
  if (through > sealed_) {
    put(chunks_mark_key(limits_.segments.of(through)), encode_chunks_mark(through));
  }
  const bool expired = store_->expired()->holding(RecordClass::kPvUpdates, through) != nullptr;
  const bool has_keyframe =
      !expired && through > told_ && ends_segment(through) && state_.size() > 0 &&
      raw(through) - raw(keyframe_) >=
          static_cast<std::uint64_t>(limits_.keyframe_lines_per_channel) * state_.size();
  failpoint("journal.seal.keyframe");
  for (std::uint32_t begin = 0; has_keyframe && begin < state_.size(); begin += kShardChannels) {
    const auto end = std::min(begin + kShardChannels, state_.size());
    put(shard_key(through, begin), encode_shard(state_, begin, end));
  }
  if (result) {
    if (through > told_) {
      puts.emplace_back(kWatermarkKey,
                        encode_watermark(Watermark{through, has_keyframe ? through : keyframe_}));
    }
    result = write(puts);
  }
  if (!result) return result;  // all of it is written again
  failpoint("journal.seal.written");
  table_->flush();
  failpoint("journal.seal.flushed");
  if (through > told_) new_rows_.clear();
  if (has_keyframe) keyframe_ = through;
  told_ = std::max(told_, through);
  const std::unique_lock lock(mutex_);
  sealed_ = std::max(sealed_, through);
  head_.drop(through);
  counters_.chunks += chunks;
  counters_.keyframes += has_keyframe ? 1 : 0;
  return Unit{};
}

Result<Unit> Projections::write(std::vector<KeyValue>& puts) {
  if (puts.empty()) return Unit{};
  const auto written = table_->write(puts);
  if (!written) return written;
  std::uint64_t bytes = 0;
  for (const auto& [key, value] : puts) bytes += key.size() + value.size();
  puts.clear();
  const std::unique_lock lock(mutex_);
  counters_.bytes_written += bytes;
  return Unit{};
}

// ---- any thread ---------------------------------------------------------------------------------

Line Projections::projected() const {
  const std::shared_lock lock(mutex_);
  return projected_;
}

Line Projections::sealed() const {
  const std::shared_lock lock(mutex_);
  return sealed_;
}

std::size_t Projections::head_bytes() const {
  const std::shared_lock lock(mutex_);
  return head_.bytes();
}

ProjectionCounters Projections::counters() const {
  const std::shared_lock lock(mutex_);
  return counters_;
}

Projections::HeadPart Projections::head_of(model::ChannelId channel, Line from, Line to) const {
  const std::shared_lock lock(mutex_);
  HeadPart part{sealed_, projected_, {}};
  head_.copy(channel, from, to, part.samples);
  return part;
}

std::shared_ptr<const model::PvMeta> Projections::meta_at(model::ChannelId channel,
                                                          Line line) const {
  const std::shared_lock lock(mutex_);
  if (raw(channel) >= metas_.size()) return nullptr;
  const auto& versions = metas_[raw(channel)];
  const auto after =
      std::upper_bound(versions.begin(), versions.end(), line,
                       [](Line at, const MetaVersion& version) { return at < version.line; });
  return after == versions.begin() ? nullptr : std::prev(after)->meta;
}

std::pair<Line, MachineState> Projections::state() const {
  const std::shared_lock lock(mutex_);
  return {projected_, state_};
}

Result<Line> read_watermark(const ProjectionTable& table) {
  const auto stored = table.last(kWatermarkKey, kWatermarkKey + '\0');
  if (!stored) return stored.error();
  if (!stored.value()) return Line{0};
  const auto mark = decode_watermark(stored.value()->second);
  if (!mark) return mark.error();
  return mark.value().told;
}

Result<Line> read_keyframe(const ProjectionTable& table, Line line,
                           const std::vector<model::ChannelId>* only, MachineState& state) {
  const auto found = table.last("k", shard_key(Line{raw(line) + 1}));
  if (!found) return found.error();
  if (!found.value()) return Line{0};
  const auto& last_key = found.value()->first;
  if (last_key.size() != 13) return Error{Code::kCorruption, "the key of a keyframe"};
  const Line at{read_be<std::uint64_t>(last_key, 1)};
  Result<Unit> result = Unit{};
  const auto scanned =
      table.scan(shard_key(at), shard_key(Line{raw(at) + 1}), [&](BytesView key, BytesView value) {
        const auto begin = read_be<std::uint32_t>(key, 9);
        const auto holds_one = [&] {
          const auto first = std::lower_bound(only->begin(), only->end(), model::ChannelId{begin});
          return first != only->end() && raw(*first) < begin + kShardChannels;
        };
        if (only != nullptr && !holds_one()) return true;
        result = decode_shard(value, state);
        return result.ok();
      });
  if (!scanned) return scanned.error();
  if (!result) return result.error();
  return at;
}

}  // namespace tidemark::journal
