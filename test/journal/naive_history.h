// test/journal/naive_history.h
//
// A random past, and a naive model of it: every update ever made, kept in a list. Updates are cut
// into blocks at random, projected at random moments, interrupted and reopened; whatever is asked
// must equal what the list says.

#pragma once

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "journal/archive.h"
#include "journal/memory_store.h"
#include "pv_samples.h"

namespace tidemark::journal {

inline constexpr std::uint32_t kChannels = 9;

inline ProjectionLimits small_limits(std::size_t head_bytes_max) {
  ProjectionLimits limits;
  limits.segments.length = 48;
  limits.keyframe_lines_per_channel = 9;  // at every second end of a segment, or so
  limits.head_bytes_max = head_bytes_max;
  return limits;
}

inline void expect_same(const std::vector<Sample>& found, const std::vector<Sample>& wanted) {
  RC_ASSERT(found.size() == wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    RC_ASSERT(found[i].line == wanted[i].line);
    RC_ASSERT(found[i].update == wanted[i].update);
  }
}
inline void expect_same(const MachineState& found, const MachineState& wanted) {
  for (std::uint32_t number = 0; number <= kChannels + 1; ++number) {
    const auto* a = wanted.find(model::ChannelId{number});
    const auto* b = found.find(model::ChannelId{number});
    RC_ASSERT((a == nullptr) == (b == nullptr));
    if (a != nullptr) RC_ASSERT(*a == *b);
  }
}

class NaiveHistory {
 public:
  /// An update, and when its block was recorded.
  struct Told {
    Sample sample;
    UtcTime recorded_at{};
  };

  explicit NaiveHistory(std::size_t head_bytes_max) : head_bytes_max_(head_bytes_max) { open(); }

  /// Things happen, and `ask` is called at times.
  void live(const std::function<void()>& ask) {
    const auto steps = *rc::gen::inRange(1, 40);
    for (int i = 0; i < steps; ++i) {
      switch (*rc::gen::inRange(0, 6)) {
        case 0:
        case 1: append(); break;
        case 2:
        case 3: project(); break;
        case 4: ask(); break;
        default: open(); break;  // as after kill -9: the head is gone
      }
    }
    ask();
  }
  void project_all() {
    while (projections_->advance(1000).value()) {
    }
  }
  /// What is derived now is what is derived from the log alone.
  void check_rebuild() {
    project_all();
    const auto fresh = std::make_shared<MemoryProjectionTable>();
    Projections again(store_, fresh, small_limits(head_bytes_max_));
    RC_ASSERT(again.load().ok());
    while (again.advance(1'000'000).value()) {
    }
    RC_ASSERT(again.sealed() == projections_->sealed());
    RC_ASSERT(entries(*fresh) == entries(*table_));
  }

  std::shared_ptr<const Projections> projections() const { return projections_; }
  Archive archive() const { return Archive(projections_); }
  Line last() const { return store_->last(); }
  const std::vector<Told>& updates() const { return updates_; }
  std::vector<Sample> samples(model::ChannelId channel, Line from, Line to) const {
    std::vector<Sample> some;
    for (const auto& [sample, recorded_at] : updates_) {
      if (sample.update.channel == channel && sample.line >= from && sample.line <= to) {
        some.push_back(sample);
      }
    }
    return some;
  }

  static model::ChannelId any_channel() {
    return model::ChannelId{*rc::gen::inRange<std::uint32_t>(1, kChannels + 1)};
  }
  /// Of those that there are, or just beyond them.
  Line any_line() const { return Line{*rc::gen::inRange<std::uint64_t>(0, raw(last()) + 2)}; }

 private:
  void append() {
    std::vector<InspectedSection> sections;
    const auto pieces = *rc::gen::inRange(1, 3);
    for (int i = 0; i < pieces; ++i) sections.push_back(section());
    ASSERT_TRUE(store_->append(sections));
    now_ += std::chrono::seconds(*rc::gen::inRange(0, 5));
  }
  void project() {
    const auto more = projections_->advance(static_cast<std::uint64_t>(*rc::gen::inRange(1, 60)));
    ASSERT_TRUE(more) << more.error().message;
  }
  void open() {
    projections_ = std::make_shared<Projections>(store_, table_, small_limits(head_bytes_max_));
    const auto loaded = projections_->load();
    ASSERT_TRUE(loaded) << loaded.error().message;
  }
  static std::map<Bytes, Bytes> entries(const ProjectionTable& table) {
    std::map<Bytes, Bytes> all;
    (void)table.scan("", "\xff", [&](BytesView key, BytesView value) {
      all.emplace(key, value);
      return true;
    });
    return all;
  }
  InspectedSection section() {
    if (*rc::gen::inRange(0, 5) == 0) {
      const auto count = *rc::gen::inRange<std::size_t>(1, 9);
      line_ += count;
      return inspected(section_of(std::vector<model::Record>(count, message("x")), ++sequence_));
    }
    std::vector<model::PvUpdate> updates(*rc::gen::inRange<std::size_t>(1, 25));
    for (auto& update : updates) {
      update = *any_update(kChannels);
      updates_.push_back({{Line{++line_}, update}, now_});
    }
    return inspected(section_of(updates, ++sequence_));
  }

  const std::size_t head_bytes_max_;
  UtcTime now_ = at_second(0);
  std::shared_ptr<MemoryStore> store_ =
      std::make_shared<MemoryStore>(StoreLimits{}, [this] { return now_; });
  std::shared_ptr<MemoryProjectionTable> table_ = std::make_shared<MemoryProjectionTable>();
  std::shared_ptr<Projections> projections_;
  std::vector<Told> updates_;
  std::uint64_t line_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace tidemark::journal
