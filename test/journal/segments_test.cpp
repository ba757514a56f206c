// test/journal/segments_test.cpp
//
// Segments that the log has given up, against a store in memory that never gives up anything:
// random histories of all kinds of records, closed, reopened and made anew at random moments.
// Whatever is asked, the answers are the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <rocksdb/db.h>

#include "journal/archive.h"
#include "journal/memory_store.h"
#include "journal/rocks_store.h"
#include "journal/thinner.h"
#include "pv_samples.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;

constexpr std::uint32_t kChannels = 9;

ProjectionLimits small_limits() {
  ProjectionLimits limits;
  limits.segments.length = 48;
  limits.keyframe_lines_per_channel = 9;
  return limits;
}

bool same(const Block& a, const Block& b) {
  return a.first == b.first && a.count == b.count && a.recorded_at == b.recorded_at &&
         a.kinds == b.kinds && a.level == b.level && a.sections == b.sections;
}

rc::Gen<model::Record> any_record() {
  return rc::gen::exec([]() -> model::Record {
    const auto text = *rc::gen::element<std::string>("", "beam lost", std::string(300, 'x'));
    switch (*rc::gen::inRange(0, 6)) {
      case 0: return model::JobProgress{Uuid::derive(text), 1, 2};
      case 1: return model::KvUpdate{"psu/" + text, {}, at_second(1), "ops", 7};
      case 2: {
        const auto mark = Uuid::derive(std::to_string(*rc::gen::arbitrary<std::uint64_t>()));
        return model::MarkBegin{mark, text, {}, "ops", {}, {}};
      }
      case 3: return model::StatusChanged{text, model::Level::kWarning, 1, text, true, ""};
      default:
        return model::LogMessage{static_cast<model::Level>(*rc::gen::inRange(0, 4)), "test", text};
    }
  });
}

/// What comes, in both of them.
class Twins {
 public:
  explicit Twins(std::uint64_t raw_segments_kept)
      : rows_{*rc::gen::element<std::size_t>(0, 500, 1u << 20),
              *rc::gen::element<std::size_t>(0, 500, 1u << 20)} {
    limits_.raw_segments_kept = raw_segments_kept;
    limits_.segments_at_once = 1;
    open();
  }

  void append() {
    std::vector<InspectedSection> sections;
    const auto pieces = *rc::gen::inRange(1, 4);
    for (int i = 0; i < pieces; ++i) sections.push_back(inspected(section()));
    RC_ASSERT(model_.append(sections).ok());
    RC_ASSERT(journal_.store->append(sections).ok());
    now_ += std::chrono::seconds(*rc::gen::inRange(0, 5));
  }
  void project() {
    RC_ASSERT(projections_->advance(static_cast<std::uint64_t>(*rc::gen::inRange(1, 90))).ok());
  }
  void thin() { RC_ASSERT(thinner_->step().ok()); }
  void open() {
    thinner_.reset();
    projections_.reset();
    journal_ = {};
    RocksStoreOptions options;
    options.directory = dir_.path();
    options.sync = SyncMode::kInterval;  // nothing here is about power
    options.clock = [this] { return now_; };
    options.rows = rows_;
    auto opened = open_rocks_journal(options);
    RC_ASSERT(opened.ok());
    journal_ = std::move(opened).value();
    project_anew();
  }
  void clear() {
    thinner_.reset();
    projections_.reset();
    RC_ASSERT(journal_.projections->clear().ok());
    project_anew();
  }
  /// Closes all that can be closed.
  void settle() {
    while (true) {
      const auto more = projections_->advance(1000);
      RC_ASSERT(more.ok());
      if (!more.value()) break;
    }
    while (true) {
      const auto closed = thinner_->step();
      RC_ASSERT(closed.ok());
      if (!closed.value()) break;
    }
  }

  void ask() const {
    const auto last = raw(model_.last());
    RC_ASSERT(journal_.store->last() == model_.last());
    BlockFilter filter;
    filter.kinds = *rc::gen::element(~0u, kUpdateKinds, ~kUpdateKinds,
                                     kind_bit(model::RecordKind::kLogMessage));
    filter.level = static_cast<model::Level>(*rc::gen::inRange(0, 4));
    if (*rc::gen::arbitrary<bool>()) filter.since = any_time();
    if (*rc::gen::arbitrary<bool>()) filter.until = any_time();
    if (*rc::gen::arbitrary<bool>()) filter.first = any_line(last);
    if (*rc::gen::arbitrary<bool>()) filter.last = any_line(last);
    const auto from = any_line(last);
    const auto blocks_max = *rc::gen::element<std::size_t>(1, 3, 1'000'000);
    check_blocks(scanned(*journal_.store, &Store::scan, from, filter, blocks_max),
                 scanned(model_, &Store::scan, from, filter, blocks_max));
    check_blocks(scanned(*journal_.store, &Store::scan_back, from, filter, blocks_max),
                 scanned(model_, &Store::scan_back, from, filter, blocks_max));
    const auto time = any_time();
    const auto at = journal_.store->line_at(time);
    RC_ASSERT(at.ok());
    RC_ASSERT(at.value() == model_.line_at(time).value());
    ask_the_past(last);
  }

  std::uint64_t closed() const { return thinner_->counters().closed; }
  std::uint64_t in_log() const { return thinner_->counters().in_log; }

 private:
  static Line any_line(std::uint64_t last) {
    return Line{*rc::gen::inRange<std::uint64_t>(0, last + 2)};
  }
  UtcTime any_time() const {
    const auto span = std::chrono::duration_cast<std::chrono::seconds>(now_ - at_second(0)).count();
    return at_second(*rc::gen::inRange<std::int64_t>(-2, span + 3));
  }

  Section section() {
    const auto count = static_cast<std::size_t>(
        *rc::gen::weightedElement<int>({{12, 1}, {6, 7}, {3, 30}, {1, 130}}));
    const auto origin = *rc::gen::element(origin_a(), origin_b());
    sequence_ += *rc::gen::element<std::uint64_t>(0, 0, 5);
    const auto sequence = sequence_;
    sequence_ += count;
    if (*rc::gen::inRange(0, 3) == 0) {
      return section_of(*rc::gen::container<std::vector<model::Record>>(count, any_record()),
                        sequence, origin);
    }
    auto updates = *rc::gen::container<std::vector<PvUpdate>>(count, any_update(kChannels));
    // The live table has no such channel, and so has no chunk.
    if (*rc::gen::inRange(0, 20) == 0) {
      updates.front().channel = model::ChannelId{model::LiveTable::kChannelMax + 1};
    }
    return section_of(updates, sequence, origin);
  }

  void project_anew() {
    projections_ =
        std::make_shared<Projections>(journal_.store, journal_.projections, small_limits());
    RC_ASSERT(projections_->load().ok());
    thinner_ = std::make_unique<Thinner>(journal_.segments, projections_, limits_);
  }

  template <class Scan>
  static std::vector<Block> scanned(const Store& store, Scan scan, Line from,
                                    const BlockFilter& filter, std::size_t blocks_max) {
    std::vector<Block> blocks;
    const auto result = (store.*scan)(from, filter, [&](Block& block) {
      blocks.push_back(block);
      return blocks.size() < blocks_max;
    });
    if (!result) RC_LOG() << result.error().message << "\n";
    RC_ASSERT(result.ok());
    return blocks;
  }
  static void check_blocks(const std::vector<Block>& found, const std::vector<Block>& wanted) {
    RC_ASSERT(found.size() == wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) RC_ASSERT(same(found[i], wanted[i]));
  }

  void ask_the_past(std::uint64_t last) const {
    // Every update, as the model has them.
    std::vector<Sample> all;
    (void)model_.scan(Line{1}, {}, [&](Block& block) {
      auto line = raw(block.first);
      for (const auto& section : block.sections) {
        if (section.format == SectionFormat::kUpdates) {
          auto updates = model::decode_updates(section.payload).value();
          for (std::size_t i = 0; i < updates.size(); ++i) {
            all.push_back({Line{line + i}, updates[i]});
          }
        }
        line += section.count;
      }
      return true;
    });
    const Archive archive(projections_);
    const Line line{*rc::gen::inRange<std::uint64_t>(0, last + 1)};
    MachineState wanted;
    for (const auto& each : all) {
      if (each.line <= line) wanted.apply(each.line, each.update);
    }
    const auto state = archive.state_at(line);
    if (!state) RC_LOG() << state.error().message << "\n";
    RC_ASSERT(state.ok());
    for (std::uint32_t number = 0; number <= kChannels + 1; ++number) {
      const auto* a = wanted.find(model::ChannelId{number});
      const auto* b = state.value().find(model::ChannelId{number});
      RC_ASSERT((a == nullptr) == (b == nullptr));
      if (a != nullptr) RC_ASSERT(*a == *b);
    }
    const model::ChannelId channel{*rc::gen::inRange<std::uint32_t>(1, kChannels + 1)};
    const auto from = any_line(last);
    const auto to = any_line(last);
    std::erase_if(all, [&](const Sample& each) {
      return each.update.channel != channel || each.line < from || each.line > to;
    });
    std::vector<Sample> found;
    RC_ASSERT(archive
                  .samples(channel, from, to,
                           [&](const std::vector<Sample>& some) {
                             found.insert(found.end(), some.begin(), some.end());
                             return true;
                           })
                  .ok());
    RC_ASSERT(found.size() == all.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      RC_ASSERT(found[i].line == all[i].line);
      RC_ASSERT(found[i].update == all[i].update);
    }
  }

  TempDir dir_;
  UtcTime now_ = at_second(0);
  std::uint64_t sequence_ = 1;
  const SegmentRowsLimits rows_;
  ThinnerLimits limits_;
  MemoryStore model_{{}, [this] { return now_; }};
  RocksJournal journal_;
  std::shared_ptr<Projections> projections_;
  std::unique_ptr<Thinner> thinner_;
};

RC_GTEST_PROP(Segments, GiveTheSameAnswersAsALogThatGaveUpNothing, ()) {
  Twins twins(*rc::gen::inRange<std::uint64_t>(0, 3));
  const auto steps = *rc::gen::inRange(1, 80);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::inRange(0, 20)) {
      case 0: twins.open(); break;
      case 1: twins.clear(); break;
      case 2: twins.ask(); break;
      case 3:
      case 4:
      case 5: twins.project(); break;
      case 6:
      case 7:
      case 8: twins.thin(); break;
      default: twins.append();
    }
  }
  twins.settle();
  for (int i = 0; i < 6; ++i) twins.ask();
  twins.open();
  for (int i = 0; i < 3; ++i) twins.ask();
  RC_ASSERT(twins.in_log() == 0);
  RC_CLASSIFY(twins.closed() > 0);
}

}  // namespace
}  // namespace tidemark::journal
