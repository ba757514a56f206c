#include "journal/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tidemark::journal {
namespace {

using model::api::Bin;

/// A bin while it is filled: sums instead of mean and deviation.
struct Sums {
  Bin bin;
  Line first{~std::uint64_t{0}};  // of the numbers: rows come after samples, whatever their lines
  Line last{0};
  double sum = 0;
  double mean = 0;    // of what is in it, and the sum of the squared distances from it: squares of
  double spread = 0;  // large values that hardly differ would cancel out

  /// What has been seen of some lines.
  void bound(Line from, double at_first, Line to, double at_last, double min, double max) {
    if (bin.count == 0) {
      bin.min = min;
      bin.max = max;
    }
    bin.min = std::min(bin.min, min);
    bin.max = std::max(bin.max, max);
    if (from < first) {
      first = from;
      bin.first = at_first;
    }
    if (to > last) {
      last = to;
      bin.last = at_last;
    }
  }
  void add(std::uint32_t count, double of_mean, double of_spread) {
    const auto all = static_cast<double>(bin.count) + count;
    const auto apart = of_mean - mean;
    spread += of_spread + apart * apart * bin.count * count / all;
    mean += apart * count / all;
    bin.count += count;
  }
};

class Binner {
 public:
  explicit Binner(const Reduction& wanted)
      : begin_(wanted.begin),
        end_(wanted.end),
        outside_(wanted.outside),
        width_(bin_width(wanted)),
        bins_(wanted.bins),
        numbers_(wanted.median ? wanted.bins : 0) {}

  bool has(UtcTime time) const { return outside_ || (time > begin_ && time <= end_); }
  /// Nothing of it.
  bool has_none(const ChunkHeader& chunk) const {
    return !outside_ && (chunk.latest <= begin_ || chunk.earliest > end_);
  }
  std::size_t at(UtcTime time) const {
    if (time <= begin_) return 0;
    return std::min(static_cast<std::size_t>((time - begin_) / width_), bins_.size() - 1);
  }
  bool in_one(const ChunkHeader& chunk) const {
    return has(chunk.earliest) && has(chunk.latest) && at(chunk.earliest) == at(chunk.latest);
  }

  void add(const ChunkHeader& chunk) {
    auto& into = bins_[at(chunk.earliest)];
    into.bin.samples += chunk.count;
    into.bin.worst = std::max(into.bin.worst, chunk.worst);
    if (!chunk.numbers) return;
    const auto& numbers = *chunk.numbers;
    into.bound(chunk.first, numbers.first, chunk.last, numbers.last, numbers.min, numbers.max);
    into.sum += numbers.sum;
    into.add(numbers.count, numbers.sum / numbers.count, numbers.spread);
  }
  void add(const Sample& sample) {
    const auto& update = sample.update;
    if (!has(update.taken_at)) return;
    auto& into = bins_[at(update.taken_at)];
    ++into.bin.samples;
    into.bin.disconnected |= update.event == model::PvUpdate::Event::kDisconnected;
    if (update.event != model::PvUpdate::Event::kValue) return;
    into.bin.worst = std::max(into.bin.worst, update.alarm.severity);
    const auto number = model::as_number(update.value);
    if (!number || std::isnan(*number)) return;
    into.bound(sample.line, *number, sample.line, *number, *number, *number);
    into.sum += *number;
    into.add(1, *number, 0);
    if (numbers_.empty()) return;
    numbers_[static_cast<std::size_t>(&into - bins_.data())].push_back(*number);
    ++held_;
  }
  void add(const DecimatedRow& row) {
    if (!outside_ && (row.latest <= begin_ || row.earliest > end_)) return;
    auto& into = bins_[at(row.earliest)];
    into.bin.samples = plus(into.bin.samples, row.samples);
    into.bin.worst = std::max(into.bin.worst, row.worst);
    into.bin.disconnected |= row.disconnected;
    into.bin.decimated_until = std::max(into.bin.decimated_until.value_or(row.latest), row.latest);
    const auto& numbers = row.numbers;
    if (numbers.count == 0) return;
    into.bound(numbers.first_line, numbers.first, numbers.last_line, numbers.last, numbers.min,
               numbers.max);
    into.sum += numbers.sum;
    into.add(plus(0, numbers.count), numbers.sum / static_cast<double>(numbers.count),
             numbers.spread);
  }
  /// For their medians.
  std::size_t numbers_held() const { return held_; }

  std::vector<Bin> finish() {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    std::vector<Bin> found;
    for (std::size_t i = 0; i < bins_.size(); ++i) {
      auto& [bin, first, last, sum, mean, spread] = bins_[i];
      if (bin.samples == 0) continue;
      bin.begin = begin_ + width_ * static_cast<std::int64_t>(i);
      const double count = bin.count;
      bin.mean = bin.count == 0 ? kNone : sum / count;
      // Of infinite values it is not a number.
      bin.deviation = bin.count == 0 ? kNone : std::sqrt(spread / count);
      if (bin.count == 0) bin.first = bin.last = bin.min = bin.max = kNone;
      // Of rows there is none.
      const bool has_median = !numbers_.empty() && bin.count > 0 && !bin.decimated_until;
      if (has_median) bin.median = median(numbers_[i]);
      found.push_back(bin);
    }
    return found;
  }

 private:
  static std::uint32_t plus(std::uint32_t a, std::uint64_t b) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(~std::uint32_t{0}, a + b));
  }
  /// Of two in the middle, what lies between them.
  static double median(std::vector<double>& numbers) {
    const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
    std::nth_element(numbers.begin(), middle, numbers.end());
    if (numbers.size() % 2 == 1) return *middle;
    return std::midpoint(*std::max_element(numbers.begin(), middle), *middle);
  }

  const UtcTime begin_;
  const UtcTime end_;
  const bool outside_;
  const Duration width_;
  std::vector<Sums> bins_;
  std::vector<std::vector<double>> numbers_;  // by bin; none when no median is wanted
  std::size_t held_ = 0;
};

}  // namespace

Duration bin_width(const Reduction& wanted) {
  const auto length = (wanted.end - wanted.begin).count();
  return Duration{std::max<std::int64_t>(1, (length + wanted.bins - 1) / wanted.bins)};
}

namespace {

Result<Unit> add_samples(const Archive& archive, model::ChannelId channel, const Reduction& wanted,
                         Binner& binner) {
  return archive.samples(
      channel, wanted.from, wanted.to,
      [&](const ChunkHeader& chunk) {
        if (binner.has_none(chunk)) return true;
        // Of one without numbers it is not known whether it has any.
        if (wanted.median || !chunk.numbers || !binner.in_one(chunk)) return false;
        // A lost connection shows in its samples only.
        if (chunk.numbers->count != chunk.count) return false;
        binner.add(chunk);
        return true;
      },
      [&](const std::vector<Sample>& samples) {
        for (const auto& each : samples) binner.add(each);
        return binner.numbers_held() <= Reduction::kNumbersMax;
      });
}

}  // namespace

Result<Reduced> reduce(const Archive& archive, model::ChannelId channel, const Reduction& wanted) {
  if (wanted.bins == 0) return Error{Code::kInvalidArgument, "a history in no bins"};
  if (wanted.begin >= wanted.end) {
    return Error{Code::kInvalidArgument, "the history ends before it begins"};
  }
  while (true) {
    const auto expired = archive.store().expired();
    auto decimated = archive.decimated_runs(wanted.from, wanted.to);
    if (!decimated) return decimated.error();
    Binner binner(wanted);
    const auto read = add_samples(archive, channel, wanted, binner);
    if (!read) return read.error();
    if (binner.numbers_held() > Reduction::kNumbersMax) {
      return Error{Code::kInvalidArgument, "the medians of more than " +
                                               std::to_string(Reduction::kNumbersMax) +
                                               " numbers: ask for means, or for less time"};
    }
    const auto added = archive.decimated(channel, wanted.from, wanted.to, decimated.value(),
                                         [&](const DecimatedRow& row) { binner.add(row); });
    if (!added) return added.error();
    // Had some expired meanwhile, they might be in it twice, or not at all.
    const auto after = archive.decimated_runs(wanted.from, wanted.to);
    if (!after) return after.error();
    if (archive.store().expired() == expired && after.value() == decimated.value()) {
      return Reduced{binner.finish(), std::move(decimated).value()};
    }
  }
}

}  // namespace tidemark::journal
