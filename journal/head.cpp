#include "journal/head.h"

#include <algorithm>
#include <bit>

#include "model/live_table.h"
#include "model/value_types.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;
using model::TypeCode;

/// The bits of a scalar of fixed width.
std::optional<std::uint64_t> bits_of(const model::PvValue& value) {
  return std::visit(
      [](const auto& each) -> std::optional<std::uint64_t> {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, double>) {
          return std::bit_cast<std::uint64_t>(each);
        } else if constexpr (std::is_same_v<T, float>) {
          return std::bit_cast<std::uint32_t>(each);
        } else if constexpr (std::is_integral_v<T>) {
          return static_cast<std::uint64_t>(each);
        } else if constexpr (std::is_same_v<T, model::EnumIndex>) {
          return each.index;
        } else {
          return std::nullopt;
        }
      },
      value);
}

model::PvValue value_of(std::uint8_t type, std::uint64_t bits) {
  switch (static_cast<TypeCode>(type)) {
    case TypeCode::kDouble: return std::bit_cast<double>(bits);
    case TypeCode::kFloat: return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    case TypeCode::kLong: return static_cast<std::int32_t>(bits);
    case TypeCode::kShort: return static_cast<std::int16_t>(bits);
    case TypeCode::kChar: return static_cast<std::uint8_t>(bits);
    case TypeCode::kEnum: return model::EnumIndex{static_cast<std::uint16_t>(bits)};
    default: return {};
  }
}

std::size_t memory_of(const PvUpdate& update) {
  return sizeof(PvUpdate) + model::content_bytes(update.value);
}

}  // namespace

void Head::add(Line line, const PvUpdate& update) {
  const auto channel = raw(update.channel);
  if (channel > model::LiveTable::kChannelMax) return;  // as the live table
  if (channel >= channels_.size()) channels_.resize(channel + 1);
  auto& of = channels_[channel];
  const auto bits = update.event == PvUpdate::Event::kValue && update.hidden_before == 0
                        ? bits_of(update.value)
                        : std::nullopt;
  Packed packed{raw(line),
                update.taken_at.time_since_epoch().count(),
                bits.value_or(of.others.size()),
                bits ? static_cast<std::uint8_t>(model::type_code(update.value)) : kOther,
                static_cast<std::uint8_t>(update.alarm.severity),
                update.alarm.status};
  if (!bits) {
    of.others.push_back(update);
    content_bytes_ += memory_of(update);
  }
  of.samples.push_back(packed);
  ++samples_;
}

Sample Head::unpack(model::ChannelId channel, const Channel& from, const Packed& packed) {
  Sample sample;
  sample.line = Line{packed.line};
  if (packed.type == kOther) {
    sample.update = from.others[packed.bits];
    return sample;
  }
  sample.update.channel = channel;
  sample.update.taken_at = UtcTime{Duration{packed.taken_at}};
  sample.update.alarm = {static_cast<model::Severity>(packed.severity), packed.status};
  sample.update.value = value_of(packed.type, packed.bits);
  return sample;
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
      if (at->type != kOther) continue;
      kept.samples.back().bits = kept.others.size();
      kept.others.push_back(std::move(of.others[at->bits]));
      content_bytes_ += memory_of(kept.others.back());
    }
    samples_ += kept.samples.size();
    of = std::move(kept);
  }
}

}  // namespace tidemark::journal
