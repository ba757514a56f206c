#include "journal/source_time.h"

#include <algorithm>
#include <tuple>

namespace tidemark::journal {
namespace {

UtcTime sooner(UtcTime time, Duration by) {
  return time < UtcTime::min() + by ? UtcTime::min() : time - by;
}
UtcTime later(UtcTime time, Duration by) {
  return time > UtcTime::max() - by ? UtcTime::max() : time + by;
}

using Key = std::tuple<UtcTime, Line>;
Key key_of(const Sample& sample) { return {sample.update.taken_at, sample.line}; }
bool before(const Sample& a, const Sample& b) { return key_of(a) < key_of(b); }

/// Keeps the first samples of all that come, in the order of their times, within the limits.
class Earliest {
 public:
  explicit Earliest(const SourcePageLimits& limits) : limits_(limits) {}

  /// Nothing at or after it is kept.
  bool is_beyond(const Key& key) const { return bound_ && key >= *bound_; }

  void add(const Sample& sample) {
    if (is_beyond(key_of(sample))) return;
    heap_.push_back(sample);  // the latest is at the front
    std::push_heap(heap_.begin(), heap_.end(), before);
    bytes_ += model::content_bytes(sample.update.value);
    while (heap_.size() > limits_.samples || (bytes_ > limits_.bytes && heap_.size() > 1)) {
      std::pop_heap(heap_.begin(), heap_.end(), before);
      bytes_ -= model::content_bytes(heap_.back().update.value);
      bound_ = key_of(heap_.back());
      heap_.pop_back();
    }
  }
  SourcePage finish() {
    std::sort_heap(heap_.begin(), heap_.end(), before);
    return {std::move(heap_), bound_.has_value()};
  }

 private:
  const SourcePageLimits limits_;
  std::vector<Sample> heap_;
  std::size_t bytes_ = 0;
  std::optional<Key> bound_;  // the first one that had to go
};

}  // namespace

Result<SourceLines> lines_around(const Store& store, const SourceTime& when) {
  // Later than everything that is too old: "more than lateness before".
  const auto certain = store.line_at(sooner(sooner(when.at, when.lateness), Duration{1}));
  if (!certain) return certain.error();
  const auto last = store.line_at(later(when.at, when.lateness));
  if (!last) return last.error();
  return SourceLines{certain.value(), last.value()};
}

Result<MachineState> state_by_source(const Archive& archive, const SourceTime& when,
                                     const SourceLines& lines,
                                     const std::vector<model::ChannelId>* only) {
  auto state = archive.state_at(lines.certain, only);
  if (!state) return state;
  const auto read = archive.updates(Line{raw(lines.certain) + 1}, lines.last,
                                    [&](Line line, const model::PvUpdate& update) {
                                      if (update.taken_at <= when.at) {
                                        state.value().apply(line, update);
                                      }
                                      return true;
                                    });
  if (!read) return read.error();
  return state;
}

Result<std::optional<Sample>> in_force_by_source(const Archive& archive, model::ChannelId channel,
                                                 const SourceTime& when) {
  const auto lines = lines_around(archive.store(), when);
  if (!lines) return lines.error();
  const auto [certain, last] = lines.value();
  std::optional<Sample> found;
  const auto read = archive.samples(
      channel, Line{raw(certain) + 1}, last,
      [&](const ChunkHeader& chunk) { return chunk.earliest > when.at; },
      [&](const std::vector<Sample>& samples) {
        for (const auto& each : samples) {
          if (each.update.taken_at <= when.at) found = each;
        }
        return true;
      });
  if (!read) return read.error();
  if (found) return found;
  auto newest = archive.newest(channel, certain, 1);
  if (!newest) return newest.error();
  auto& samples = newest.value().samples;
  if (!samples.empty()) found = std::move(samples.front());
  return found;
}

Result<SourcePage> samples_by_source(const Archive& archive, model::ChannelId channel,
                                     const SourceSpan& span,
                                     const std::optional<SourceCursor>& after,
                                     const SourcePageLimits& limits) {
  const auto begin = lines_around(archive.store(), {span.from, span.lateness});
  if (!begin) return begin.error();
  const auto end = lines_around(archive.store(), {span.to, span.lateness});
  if (!end) return end.error();
  Earliest earliest(limits);
  const Key seen =
      after ? Key{after->taken_at, after->line} : Key{span.from, Line{~std::uint64_t{0}}};
  const auto read = archive.samples(
      channel, Line{raw(begin.value().certain) + 1}, end.value().last,
      [&](const ChunkHeader& chunk) {
        return Key{chunk.latest, chunk.last} <= seen || chunk.earliest > span.to ||
               earliest.is_beyond({chunk.earliest, chunk.first});
      },
      [&](const std::vector<Sample>& samples) {
        for (const auto& each : samples) {
          if (each.update.taken_at <= span.to && key_of(each) > seen) earliest.add(each);
        }
        return true;
      });
  if (!read) return read.error();
  return earliest.finish();
}

}  // namespace tidemark::journal
