#include "journal/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tidemark::journal {
namespace {

using model::api::Bin;

/// A bin while it is filled: sums instead of mean and deviation.
struct Sums {
  Bin bin;
  double sum = 0;
  double squares = 0;
};

class Binner {
 public:
  explicit Binner(const Reduction& wanted)
      : begin_(wanted.begin), width_(bin_width(wanted)), bins_(wanted.bins) {}

  std::size_t at(UtcTime time) const {
    if (time <= begin_) return 0;
    return std::min(static_cast<std::size_t>((time - begin_) / width_), bins_.size() - 1);
  }
  bool in_one(const ChunkHeader& chunk) const { return at(chunk.earliest) == at(chunk.latest); }

  void add(const ChunkHeader& chunk) {
    auto& into = bins_[at(chunk.earliest)];
    into.bin.samples += chunk.count;
    into.bin.worst = std::max(into.bin.worst, chunk.worst);
    if (!chunk.numbers) return;
    const auto& numbers = *chunk.numbers;
    if (into.bin.count == 0) {
      into.bin.first = numbers.first;
      into.bin.min = numbers.min;
      into.bin.max = numbers.max;
    }
    into.bin.last = numbers.last;
    into.bin.min = std::min(into.bin.min, numbers.min);
    into.bin.max = std::max(into.bin.max, numbers.max);
    into.bin.count += numbers.count;
    into.sum += numbers.sum;
    into.squares += numbers.squares;
  }
  void add(const model::PvUpdate& update) {
    auto& into = bins_[at(update.taken_at)];
    ++into.bin.samples;
    into.bin.disconnected |= update.event == model::PvUpdate::Event::kDisconnected;
    if (update.event != model::PvUpdate::Event::kValue) return;
    into.bin.worst = std::max(into.bin.worst, update.alarm.severity);
    const auto number = model::as_number(update.value);
    if (!number || std::isnan(*number)) return;
    if (into.bin.count == 0) into.bin.first = into.bin.min = into.bin.max = *number;
    into.bin.last = *number;
    into.bin.min = std::min(into.bin.min, *number);
    into.bin.max = std::max(into.bin.max, *number);
    ++into.bin.count;
    into.sum += *number;
    into.squares += *number * *number;
  }

  std::vector<Bin> finish() {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    std::vector<Bin> found;
    for (std::size_t i = 0; i < bins_.size(); ++i) {
      auto& [bin, sum, squares] = bins_[i];
      if (bin.samples == 0) continue;
      bin.begin = begin_ + width_ * static_cast<std::int64_t>(i);
      const double count = bin.count;
      bin.mean = bin.count == 0 ? kNone : sum / count;
      const double variance = squares / count - bin.mean * bin.mean;
      // Not max(0, variance): of infinite values it is not a number, and must not become 0.
      bin.deviation = bin.count == 0 ? kNone : std::sqrt(variance < 0 ? 0 : variance);
      if (bin.count == 0) bin.first = bin.last = bin.min = bin.max = kNone;
      found.push_back(bin);
    }
    return found;
  }

 private:
  const UtcTime begin_;
  const Duration width_;
  std::vector<Sums> bins_;
};

}  // namespace

Duration bin_width(const Reduction& wanted) {
  const auto length = (wanted.end - wanted.begin).count();
  return Duration{std::max<std::int64_t>(1, (length + wanted.bins - 1) / wanted.bins)};
}

Result<std::vector<Bin>> reduce(const Archive& archive, model::ChannelId channel,
                                const Reduction& wanted) {
  if (wanted.bins == 0) return Error{Code::kInvalidArgument, "a history in no bins"};
  if (wanted.begin >= wanted.end) {
    return Error{Code::kInvalidArgument, "the history ends before it begins"};
  }
  Binner binner(wanted);
  const auto read = archive.samples(
      channel, wanted.from, wanted.to,
      [&](const ChunkHeader& chunk) {
        // Of one without numbers it is not known whether it has any.
        if (!chunk.numbers || !binner.in_one(chunk)) return false;
        // A lost connection shows in its samples only.
        if (chunk.numbers->count != chunk.count) return false;
        binner.add(chunk);
        return true;
      },
      [&](const std::vector<Sample>& samples) {
        for (const auto& each : samples) binner.add(each.update);
        return true;
      });
  if (!read) return read.error();
  return binner.finish();
}

}  // namespace tidemark::journal
