#include "journal/projections.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>

#include "base/varint.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;

constexpr std::uint8_t kFormat = 2;  // of all that is derived: a table of another is made anew
constexpr std::size_t kWriteBytes = 4u << 20;  // of one write

struct Watermark {
  Line sealed{0};
  Line keyframe{0};       // the last one at or before it
  UtcTime keyframe_at{};  // recorded_at of the block that it came after
};

Bytes encode(const Watermark& mark) {
  Bytes out;
  out.push_back(static_cast<char>(kFormat));
  append_varint(out, raw(mark.sealed));
  append_varint(out, raw(mark.keyframe));
  append_varint(out, zigzag(mark.keyframe_at.time_since_epoch().count()));
  return out;
}

Result<Watermark> decode(BytesView bytes) {
  VarintReader from(bytes);
  const auto format = from.take_byte();
  Watermark mark;
  mark.sealed = Line{from.take()};
  mark.keyframe = Line{from.take()};
  mark.keyframe_at = UtcTime{Duration{from.take_signed()}};
  if (!from.ok() || format != kFormat || from.left() != 0) {
    return Error{Code::kCorruption, "the watermark of the projections"};
  }
  return mark;
}

}  // namespace

Projections::Projections(std::shared_ptr<const Store> store, std::shared_ptr<ProjectionTable> table,
                         ProjectionLimits limits)
    : store_(std::move(store)), table_(std::move(table)), limits_(limits), marks_(store_) {}

Result<Unit> Projections::load() {
  auto stored = table_->last(kWatermarkKey, kWatermarkKey + '\0');
  if (!stored) return stored.error();
  if (!stored.value()) return table_->clear();  // keyframes without a watermark, at most
  const auto mark = decode(stored.value()->second);
  const auto anew = [this] {
    spdlog::warn("the projections are not of this log, or of an earlier version: made anew");
    return table_->clear();
  };
  if (!mark || mark.value().sealed > store_->last()) return anew();
  const auto marks = marks_.load(*table_, mark.value().sealed);
  if (!marks) return marks.error();
  if (!marks.value()) {
    marks_.clear();
    return anew();
  }
  sealed_ = mark.value().sealed;
  keyframes_ = {{mark.value().keyframe, mark.value().keyframe_at}};
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

/// From the last keyframe on the state is made again, but no chunk: they are there.
Result<Unit> Projections::load_state() {
  const auto keyframe = keyframes_.back().line;
  const auto found = read_keyframe(*table_, keyframe, nullptr, state_);
  if (!found) return found.error();
  if (found.value() != keyframe) return Error{Code::kCorruption, "a keyframe is missing"};
  for (std::uint32_t channel = 0; channel < state_.size(); ++channel) {
    const auto* row = state_.find(model::ChannelId{channel});
    if (row == nullptr) continue;
    auto with_meta = *row;
    with_meta.meta = meta_at(model::ChannelId{channel}, keyframe);
    state_.set(model::ChannelId{channel}, std::move(with_meta));
  }
  projected_ = keyframe;
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
  {
    const std::unique_lock lock(mutex_);
    projected_ = std::max(projected_, to);
  }
  marks_.reached(projected_);
  const auto sealed = seal_full_segments();
  if (!sealed) return sealed.error();
  return projected_ < last;
}

Result<Unit> Projections::take(const Block& block) {
  const auto marks = marks_.take(block, sealed_, new_rows_);
  if (!marks) return marks;
  auto line = raw(block.first);
  for (const auto& section : block.sections) {
    const auto first = line;
    line += section.count;
    if (section.format != SectionFormat::kUpdates || line - 1 <= raw(projected_)) continue;
    const auto updates = model::decode_updates(section.payload);
    if (!updates) return updates.error();
    const std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < updates.value().size(); ++i) {
      const Line at{first + i};
      if (at <= projected_) continue;
      const auto& update = updates.value()[i];
      if (update.event == PvUpdate::Event::kConnected) note_meta(at, update);
      state_.apply(at, update);
      if (at > sealed_) head_.add(at, update);
    }
  }
  {
    const std::unique_lock lock(mutex_);
    projected_ = std::max(projected_, Line{line - 1});
  }
  if (keyframes_.empty()) keyframes_.push_back({Line{0}, block.recorded_at});
  if (keyframe_is_due(block.recorded_at)) {
    const auto written = write_keyframe(block.recorded_at);
    if (!written) return written.error();
  }
  const auto sealed = seal_full_segments();
  if (!sealed) return sealed.error();
  if (head_.samples() >= limits_.head_samples_max || head_.bytes() >= limits_.head_bytes_max) {
    return seal(projected_);
  }
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

bool Projections::keyframe_is_due(UtcTime now) const {
  if (state_.size() == 0) return false;
  const auto& last = keyframes_.back();
  const auto lines = raw(projected_) - raw(last.line);
  const auto often = std::max<std::uint64_t>(
      limits_.keyframe_lines_min,
      static_cast<std::uint64_t>(limits_.keyframe_lines_per_channel) * state_.size());
  return lines >= often || now - last.at >= limits_.keyframe_interval;
}

Result<Unit> Projections::write_keyframe(UtcTime now) {
  // What IOCs said goes before the keyframe that relies on it.
  std::vector<KeyValue> puts = new_rows_;
  for (std::uint32_t begin = 0; begin < state_.size(); begin += kShardChannels) {
    const auto end = std::min(begin + kShardChannels, state_.size());
    puts.emplace_back(shard_key(projected_, begin), encode_shard(state_, begin, end));
  }
  const auto written = write(puts);
  if (!written) return written.error();
  new_rows_.clear();
  keyframes_.push_back({projected_, now});
  const std::unique_lock lock(mutex_);
  ++counters_.keyframes;
  return Unit{};
}

/// At its end, whatever came after it: no chunk crosses it.
Result<Unit> Projections::seal_full_segments() {
  while (true) {
    const auto end = limits_.segments.end(limits_.segments.of(Line{raw(sealed_) + 1}));
    if (projected_ < end) return Unit{};
    const auto sealed = seal(end);
    if (!sealed) return sealed;
  }
}

Result<Unit> Projections::seal(Line through) {
  std::vector<KeyValue> puts = std::exchange(new_rows_, {});
  const auto rows = puts;
  std::size_t bytes = 0;
  std::uint64_t chunks = 0;
  Result<Unit> result = Unit{};
  const auto& segments = limits_.segments;
  head_.for_chunks(
      through, segments, [&](model::ChannelId channel, const std::vector<Sample>& samples) {
        if (!result) return;
        puts.emplace_back(
            chunk_key(segments.of(samples.front().line), raw(channel), raw(samples.front().line)),
            encode_chunk(samples));
        ++chunks;
        bytes += puts.back().second.size();
        if (bytes < kWriteBytes) return;
        result = write(puts);
        bytes = 0;
      });
  if (result) {
    // What comes after a restart begins with the state of a keyframe, and the head after `through`.
    while (keyframes_.size() > 1 && keyframes_[1].line <= through) {
      keyframes_.erase(keyframes_.begin());
    }
    const auto known = keyframes_.empty() ? Keyframe{} : keyframes_.front();
    puts.emplace_back(kWatermarkKey, encode(Watermark{through, known.line, known.at}));
    result = write(puts);
  }
  if (!result) {
    new_rows_ = rows;
    return result;
  }
  table_->flush();
  const std::unique_lock lock(mutex_);
  sealed_ = through;
  head_.drop(through);
  counters_.chunks += chunks;
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
