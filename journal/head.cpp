#include "journal/head.h"

#include <algorithm>

#include "model/live_table.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;

std::size_t memory_of(const PvUpdate& update) {
  return sizeof(PvUpdate) + model::content_bytes(update.value);
}

}  // namespace

void Head::add(Line line, const PvUpdate& update) {
  const auto channel = raw(update.channel);
  if (channel > model::LiveTable::kChannelMax) return;  // as the live table
  if (channel >= channels_.size()) channels_.resize(channel + 1);
  auto& of = channels_[channel];
  Packed packed;
  packed.line = raw(line);
  if (const auto small = pack_update(update)) {
    static_cast<PackedUpdate&>(packed) = *small;
  } else {
    packed.type = PackedUpdate::kOther;
    packed.bits = of.others.size();
    of.others.push_back(update);
    content_bytes_ += memory_of(update);
  }
  of.samples.push_back(packed);
  ++samples_;
}

Sample Head::unpack(model::ChannelId channel, const Channel& from, const Packed& packed) {
  return {Line{packed.line}, packed.type == PackedUpdate::kOther ? from.others[packed.bits]
                                                                 : unpack_update(channel, packed)};
}

void Head::copy(model::ChannelId channel, Line from, Line to, std::vector<Sample>& out) const {
  if (raw(channel) >= channels_.size()) return;
  const auto& of = channels_[raw(channel)];
  auto at =
      std::lower_bound(of.samples.begin(), of.samples.end(), raw(from),
                       [](const Packed& packed, std::uint64_t line) { return packed.line < line; });
  for (; at != of.samples.end() && at->line <= raw(to); ++at) {
    out.push_back(unpack(channel, of, *at));
  }
}

/// Appends the channel's samples, and answers the bytes of their content.
std::size_t Head::take_channel(std::uint32_t number, Line through, std::vector<Sample>& out) const {
  const auto& of = channels_[number];
  std::size_t content = 0;
  for (const auto& packed : of.samples) {
    if (packed.line > raw(through)) break;
    out.push_back(unpack(model::ChannelId{number}, of, packed));
    content += model::content_bytes(out.back().update.value);
  }
  return content;
}

void Head::for_chunks(
    Line through, const std::function<void(const std::vector<Sample>&, bool quiet)>& take) const {
  std::vector<Sample> quiet;
  std::size_t quiet_content = 0;
  const auto end_shard = [&] {
    if (!quiet.empty()) take(quiet, true);
    quiet.clear();
    quiet_content = 0;
  };
  std::vector<Sample> samples;
  for (std::uint32_t number = 0; number < channels_.size(); ++number) {
    if (number % kQuietChannels == 0) end_shard();
    samples.clear();
    const auto content = take_channel(number, through, samples);
    if (samples.empty()) continue;
    if (samples.size() < kBusySamples && content <= kQuietContentMax) {
      if (quiet.size() + samples.size() > kChunkSamplesMax ||
          quiet_content + content > kChunkContentMax) {
        end_shard();
      }
      quiet.insert(quiet.end(), samples.begin(), samples.end());
      quiet_content += content;
      continue;
    }
    std::vector<Sample> piece;
    std::size_t bytes = 0;
    for (auto& sample : samples) {
      const auto more = model::content_bytes(sample.update.value);
      const bool fits = piece.size() < kBusyChunkSamples && bytes + more <= kChunkContentMax;
      if (!fits && !piece.empty()) {
        take(piece, false);
        piece.clear();
        bytes = 0;
      }
      piece.push_back(std::move(sample));
      bytes += more;
    }
    take(piece, false);
  }
  end_shard();
}

void Head::drop(Line through) {
  samples_ = 0;
  content_bytes_ = 0;
  for (auto& of : channels_) {
    const auto keep = std::lower_bound(
        of.samples.begin(), of.samples.end(), raw(through) + 1,
        [](const Packed& packed, std::uint64_t line) { return packed.line < line; });
    Channel kept;
    for (auto at = keep; at != of.samples.end(); ++at) {
      kept.samples.push_back(*at);
      if (at->type != PackedUpdate::kOther) continue;
      kept.samples.back().bits = kept.others.size();
      kept.others.push_back(std::move(of.others[at->bits]));
      content_bytes_ += memory_of(kept.others.back());
    }
    samples_ += kept.samples.size();
    of = std::move(kept);
  }
}

}  // namespace tidemark::journal
