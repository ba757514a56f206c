// test/journal/damage_test.cpp
//
// Damages copies of a journal, one file at a time, and demands: whoever opens, reads, checks or
// repairs it gets what was written, or is told which lines he does not get. Never anything else.
// TIDEMARK_DAMAGE_SEEDS: how many. TIDEMARK_SEED: the first one.

#include "damage.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "journal/archive.h"
#include "journal/check.h"
#include "journal/expiry.h"
#include "journal/rocks_repair.h"
#include "journal/segment_reader.h"
#include "journal/thinner.h"

namespace tidemark::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kChannels = 5;
const auto kGoOn = [](std::uint64_t) { return true; };

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Each line as bytes, those that expired by their class, and what the scan says.
struct Lines {
  std::map<std::uint64_t, Bytes> lines;
  Result<Unit> end = Unit{};
};
Lines lines_of_store(const Store& store, Line from = Line{1}) {
  Lines read;
  read.end = store.scan(from, {}, [&](Block& block) {
    auto line = raw(block.first);
    for (const auto& section : block.sections) {
      if (expired_class(section)) {
        for (std::uint32_t i = 0; i < section.count; ++i)
          read.lines[line++] = "x" + section.payload;
      } else if (section.format == SectionFormat::kUpdates) {
        const auto updates = model::decode_updates(section.payload);
        EXPECT_TRUE(updates);
        if (!updates) return false;
        for (const auto& each : updates.value()) {
          read.lines[line++] = "u" + model::encode_updates({each});
        }
      } else {
        const auto records = model::decode_records(section.payload);
        EXPECT_TRUE(records);
        if (!records) return false;
        for (const auto& each : records.value()) {
          read.lines[line++] = "r" + model::encode_records({each});
        }
      }
    }
    return true;
  });
  return read;
}

class DamagedJournal : public ::testing::Test {
 protected:
  explicit DamagedJournal(std::uint64_t segment = 64) : segment_(segment) {}
  void SetUp() override {
    generation(40);
    generation(40);
    end_generation();
    fs::copy(journal_, older_, fs::copy_options::recursive);
    generation(40);
    end_generation();
    const auto opened = open_rocks_journal_to_read(options(journal_));
    ASSERT_TRUE(opened) << opened.error().message;
    const auto& store = *opened.value().store;
    auto read = lines_of_store(store);
    ASSERT_TRUE(read.end);
    expected_ = std::move(read.lines);
    ASSERT_EQ(expected_.size(), raw(store.last()));
    written_.insert(expected_.begin(), expected_.end());  // and not what expired
    channels_ = store.channels();
    ASSERT_EQ(channels_.size(), kChannels);
    marks_ = {store.mark_of(origin_a())->line, store.mark_of(origin_b())->line};
  }

  /// What else is done to the journal then.
  virtual void end_generation() {}

  static RocksStoreOptions options(const std::string& directory) {
    RocksStoreOptions options;
    options.directory = directory;
    return options;
  }
  ProjectionLimits limits() const {
    ProjectionLimits limits;
    limits.segments.length = segment_;
    limits.keyframe_lines_per_channel = 2;
    return limits;
  }

  /// Opened, written, partly moved into tables, closed: of lines there are always some in tables
  /// and some in the log.
  void generation(int blocks) {
    const auto opened = open_rocks_journal(options(journal_));
    ASSERT_TRUE(opened) << opened.error().message;
    const auto& journal = opened.value();
    const auto projections =
        std::make_shared<Projections>(journal.store, journal.projections, limits());
    ASSERT_TRUE(projections->load());
    ThinnerLimits soon;
    soon.raw_segments_kept = 1;
    soon.segments_at_once = 1;
    Thinner thinner(journal.segments, projections, soon);
    const auto settle = [&] {
      while (projections->advance(1000).value() || thinner.step().value()) {
      }
    };
    if (journal.store->last() == Line{0}) {
      std::vector<model::Record> defined;
      for (std::uint32_t channel = 1; channel <= kChannels; ++channel) {
        defined.emplace_back(
            model::PvDefined{model::ChannelId{channel}, "PV:" + std::to_string(channel)});
      }
      ASSERT_TRUE(append_one(*journal.store, section_of(defined, 1, origin_b())));
    }
    for (int i = 0; i < blocks; ++i) {
      const auto next = raw(journal.store->last()) + 1;
      const auto channel = 1 + static_cast<std::uint32_t>(i) % kChannels;
      const auto value = static_cast<double>(next);
      const auto appended =
          i % 3 == 0 ? append_one(*journal.store,
                                  section_of(std::vector<model::Record>{record_of_line(next, 2000)},
                                             next, origin_b()))
                     : append_one(*journal.store,
                                  section_of(std::vector<model::PvUpdate>{value_of(channel, value),
                                                                          value_of(1, value)},
                                             next));
      ASSERT_TRUE(appended) << appended.error().message;
      if (i == blocks / 2) {
        settle();
        const auto flushed = journal.checkpoint(dir_.path() + "/flushed");
        ASSERT_TRUE(flushed) << flushed.error().message;
        fs::remove_all(dir_.path() + "/flushed");
      }
    }
    settle();
  }

  /// What had expired may be there again where the end of the log is lost, and with it the line
  /// that said so: then it is what was written.
  bool is_right(std::uint64_t line, const Bytes& bytes) const {
    const auto expected = expected_.find(line);
    if (expected == expected_.end() || expected->second == bytes)
      return expected != expected_.end();
    const auto written = written_.find(line);
    return expected->second.front() == 'x' && written != written_.end() && written->second == bytes;
  }

  /// What was read is what was written; what was not is in lines that the scan named.
  void expect_right_or_named(const Store& store) {
    std::set<std::uint64_t> seen;
    std::set<std::uint64_t> named;
    Line from{1};
    const auto last = store.last();
    while (from <= last) {
      const auto read = lines_of_store(store, from);
      for (const auto& [line, bytes] : read.lines) {
        seen.insert(line);
        EXPECT_TRUE(is_right(line, bytes)) << "line " << line << " is another one";
      }
      if (read.end) break;
      EXPECT_EQ(read.end.error().code, Code::kCorruption) << read.end.error().message;
      const auto lines = lines_of(read.end.error());
      ASSERT_TRUE(lines) << read.end.error().message;
      ASSERT_GE(lines->last, from) << read.end.error().message;
      for (auto line = raw(lines->first); line <= raw(lines->last); ++line) named.insert(line);
      from = Line{raw(lines->last) + 1};
    }
    for (const auto& [line, bytes] : expected_) {
      EXPECT_TRUE(seen.contains(line) || named.contains(line)) << "line " << line << " is silent";
    }
  }

  /// The past by way of the projections is that of the lines, or an error.
  void expect_same_past(const RocksJournal& journal) {
    const auto projections =
        std::make_shared<Projections>(journal.store, journal.projections, limits());
    const auto loaded = projections->load();
    if (!loaded) return;
    const Archive archive(projections);
    MachineState state;
    std::vector<std::uint64_t> first_channel;
    for (const auto& [line, bytes] : written_) {
      if (bytes.front() == 'u') {
        const auto update = model::decode_updates(BytesView(bytes).substr(1)).value().front();
        state.apply(Line{line}, update);
        if (raw(update.channel) == 1 && expected_.at(line) == bytes) first_channel.push_back(line);
      }
      if (line % 37 != 0) continue;
      const auto found = archive.state_at(Line{line});
      if (!found) continue;
      for (std::uint32_t channel = 1; channel <= kChannels; ++channel) {
        const auto* a = state.find(model::ChannelId{channel});
        const auto* b = found.value().find(model::ChannelId{channel});
        EXPECT_EQ(a == nullptr, b == nullptr) << line << ' ' << channel;
        if (a != nullptr && b != nullptr) {
          EXPECT_EQ(*a, *b) << line << ' ' << channel;
        }
      }
    }
    std::vector<std::uint64_t> samples;
    const auto read = archive.samples(model::ChannelId{1}, Line{1}, Line{~std::uint64_t{0}},
                                      [&](const std::vector<Sample>& part) {
                                        for (const auto& each : part) {
                                          samples.push_back(raw(each.line));
                                        }
                                        return true;
                                      });
    if (read) {
      EXPECT_EQ(samples, first_channel);
    }
  }

  void expect_right_or_refused(const Result<RocksJournal>& opened) {
    if (!opened) {
      ++refused_;
      EXPECT_NE(opened.error().code, Code::kInvalidArgument) << opened.error().message;
      return;
    }
    const auto& store = *opened.value().store;
    EXPECT_EQ(raw(store.last()), expected_.size());
    EXPECT_EQ(store.channels(), channels_);
    EXPECT_EQ(store.mark_of(origin_a()) ? store.mark_of(origin_a())->line : Line{0}, marks_.first);
    EXPECT_EQ(store.mark_of(origin_b()) ? store.mark_of(origin_b())->line : Line{0}, marks_.second);
    expect_right_or_named(store);
    expect_same_past(opened.value());
  }

  /// True: all lines are sound.
  bool check(const std::string& directory) {
    const auto salvaged = open_rocks_journal_to_salvage(options(directory));
    if (!salvaged) return false;
    const auto& store = *salvaged.value().journal.store;
    const auto report = check_lines(store, kGoOn);
    EXPECT_TRUE(report) << report.error().message;
    if (!report) return false;
    const bool fine = salvaged.value().findings.empty() && report.value().damage.empty();
    if (fine) {
      EXPECT_EQ(report.value().lines, expected_.size());
    }
    expect_right_or_named(store);
    return fine;
  }

  /// Every line of the repaired journal is what was written, or says that it is lost.
  void repair(const std::string& directory, bool sound) {
    const auto to = dir_.path() + "/repaired";
    const auto report = repair_journal(directory, to, kGoOn);
    if (!report) {
      EXPECT_FALSE(sound) << report.error().message;
      fs::remove_all(to);
      return;
    }
    {
      const auto opened = open_rocks_journal(options(to));
      ASSERT_TRUE(opened) << opened.error().message;
      std::set<std::uint64_t> lost;
      for (const auto& each : report.value().lost) {
        for (auto line = raw(each.lines.first); line <= raw(each.lines.last); ++line) {
          lost.insert(line);
        }
      }
      const auto read = lines_of_store(*opened.value().store);
      EXPECT_TRUE(read.end) << read.end.error().message;
      EXPECT_GE(read.lines.size(), expected_.size());
      for (const auto& [line, bytes] : expected_) {
        const auto at = read.lines.find(line);
        ASSERT_NE(at, read.lines.end()) << line;
        EXPECT_EQ(is_right(line, at->second), !lost.contains(line)) << "line " << line;
      }
      if (sound) {
        EXPECT_TRUE(lost.empty());
      }
    }
    fs::remove_all(to);
  }

  void run_seeds();

  const TempDir dir_;
  const std::string journal_ = dir_.path() + "/journal";
  const std::string older_ = dir_.path() + "/older";
  const std::uint64_t segment_;
  std::map<std::uint64_t, Bytes> expected_;
  std::map<std::uint64_t, Bytes> written_;  // the same before anything expired
  std::vector<std::pair<model::ChannelId, std::string>> channels_;
  std::pair<Line, Line> marks_;
  int refused_ = 0;
};

void DamagedJournal::run_seeds() {
  const auto seeds = number_from("TIDEMARK_DAMAGE_SEEDS", 25);
  const auto first = number_from("TIDEMARK_SEED", std::random_device{}());
  std::printf("TIDEMARK_SEED=%llu\n", static_cast<unsigned long long>(first));
  std::uint64_t sound = 0;
  for (auto seed = first; seed < first + seeds; ++seed) {
    const auto copy = dir_.path() + "/damaged";
    fs::copy(journal_, copy, fs::copy_options::recursive);
    const auto what = Damager(copy, older_, seed).damage();
    SCOPED_TRACE("TIDEMARK_SEED=" + std::to_string(seed) + ": " + what);
    expect_right_or_refused(open_rocks_journal_to_read(options(copy)));
    const bool fine = check(copy);
    sound += fine ? 1 : 0;
    repair(copy, fine);
    {
      auto opened = open_rocks_journal(options(copy));
      expect_right_or_refused(opened);
      if (opened && !HasFailure()) {
        const auto appended = append_lines(*opened.value().store, 1);
        if (appended) {
          EXPECT_EQ(raw(appended.value().first), expected_.size() + 1);
        } else {  // A table that RocksDB wanted to compact was the one: it writes no more.
          EXPECT_EQ(appended.error().code, Code::kFailed);
          EXPECT_NE(appended.error().message.find("Corruption"), std::string::npos)
              << appended.error().message;
        }
      }
    }
    fs::remove_all(copy);
    if (HasFailure()) return;
  }
  std::printf("%llu seeds: %d times refused, %llu times without harm\n",
              static_cast<unsigned long long>(seeds), refused_,
              static_cast<unsigned long long>(sound));
}

TEST_F(DamagedJournal, IsNeverSilentlyWrong) { run_seeds(); }

/// Of which updates and messages expired, in each generation some more: files that come back may
/// have what is gone.
class DamagedExpiredJournal : public DamagedJournal {
 protected:
  DamagedExpiredJournal() : DamagedJournal(16) {}

  void end_generation() override {
    const auto opened = open_rocks_journal(options(journal_));
    ASSERT_TRUE(opened) << opened.error().message;
    const auto& journal = opened.value();
    written_.merge(lines_of_store(*journal.store).lines);
    const auto projections =
        std::make_shared<Projections>(journal.store, journal.projections, limits());
    ASSERT_TRUE(projections->load());
    while (projections->advance(1000).value()) {
    }
    const Archive archive(projections);
    const SegmentReader segments(journal.segments->table());
    for (const auto of : {RecordClass::kPvUpdates, RecordClass::kLogMessages}) {
      std::vector<SegmentHeader> headers;
      while (headers.size() < 2) {
        const auto header = segments.holding(Line{raw(closed_[of]) + 1});
        ASSERT_TRUE(header && header.value()) << "too few segments are closed";
        headers.push_back(*header.value());
        closed_[of] = headers.back().last;
      }
      const auto expiry = prepare_expiry(*journal.segments, archive, of, headers, "age");
      ASSERT_TRUE(expiry) << expiry.error().message;
      const auto expired = journal.segments->expire(expiry.value());
      ASSERT_TRUE(expired) << expired.error().message;
    }
  }

  std::map<RecordClass, Line> closed_;  // up to where each has expired
};

TEST_F(DamagedExpiredJournal, IsNeverSilentlyWrong) {
  ASSERT_TRUE(std::any_of(expected_.begin(), expected_.end(),
                          [](const auto& line) { return line.second.front() == 'x'; }));
  run_seeds();
}

}  // namespace
}  // namespace tidemark::journal
