// test/journal/retainer_test.cpp
//
// What expires of a journal on disk, when, and what is said of it.

#include "journal/retainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "journal/check.h"
#include "journal/decimated_check.h"
#include "journal/reader.h"
#include "journal/reduce.h"
#include "journal/rocks_repair.h"
#include "journal/segment_check.h"
#include "journal_samples.h"
#include "small_segments.h"

namespace tidemark::journal {
namespace {

using namespace std::chrono_literals;

constexpr auto kMessages = kind_bit(model::RecordKind::kLogMessage);
constexpr auto kExpired = kind_bit(model::RecordKind::kExpired);
constexpr auto kPvs = static_cast<std::size_t>(RecordClass::kPvUpdates);
constexpr auto kLogs = static_cast<std::size_t>(RecordClass::kLogMessages);
const auto kGoOn = [](std::uint64_t) { return true; };

class RetainerTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    segments_.reset();
    RocksStoreOptions options;
    options.directory = dir_.path();
    options.sync = SyncMode::kInterval;  // nothing here is about power
    options.clock = [this] { return now_; };
    auto opened = open_rocks_journal(options);
    ASSERT_TRUE(opened) << opened.error().message;
    segments_.emplace(std::move(opened).value());
  }
  Store& store() { return segments_->store(); }

  /// Blocks of 10 lines, one an hour, every fifth of them messages.
  void append_blocks(int blocks) {
    for (int i = 0; i < blocks; ++i) {
      const auto next = raw(store().last()) + 1;
      std::vector<model::Record> records;
      std::vector<model::PvUpdate> updates;
      for (auto line = next; line < next + 10; ++line) {
        records.push_back(message(std::to_string(line)));
        updates.push_back(
            value_of(static_cast<std::uint32_t>(1 + line % 3), static_cast<double>(line)));
      }
      ASSERT_TRUE(
          append_one(store(), i % 5 == 4 ? section_of(records, next) : section_of(updates, next)));
      now_ += 1h;
    }
  }
  void append(const model::Record& record) {
    ASSERT_TRUE(
        append_one(store(), section_of(std::vector<model::Record>{record}, ++said_, origin_b())));
  }
  RetainerOptions options() {
    RetainerOptions options;
    options.clock = [this] { return now_; };
    options.pause = Duration{0};
    return options;
  }
  /// Until nothing is due; answers what is known then.
  RetentionFigures retain(const RetainerOptions& options) {
    segments_->settle();
    Retainer retainer(segments_->journal().segments, segments_->projections(), options);
    for (auto more = retainer.step();; more = retainer.step()) {
      EXPECT_TRUE(more) << more.error().message;
      if (!more || !more.value()) return retainer.figures();
    }
  }
  std::vector<Entry> read_all(Query query = {}) {
    query.limit = 100'000;
    auto page = read(store(), query);
    EXPECT_TRUE(page) << page.error().message;
    return page ? std::move(page.value().entries) : std::vector<Entry>{};
  }
  static const model::Expired* expired_of(const Entry& entry) {
    const auto* record = std::get_if<model::Record>(&entry.what);
    return record == nullptr ? nullptr : std::get_if<model::Expired>(record);
  }

  UtcTime now_ = at_second(0);
  std::uint64_t said_ = 0;
  const TempDir dir_;
  std::optional<SmallSegments> segments_;
};

TEST_F(RetainerTest, KeepsEverythingWithoutARule) {
  append_blocks(200);
  const auto figures = retain(options());
  EXPECT_EQ(figures.steps, 0U);
  EXPECT_GT(figures.classes[kPvs].bytes, 0U);
  EXPECT_EQ(raw(store().last()), 2000U);
}

TEST_F(RetainerTest, LetsUpdatesExpireByAgeAndKeepsTheMessagesBetween) {
  append_blocks(200);  // 200 hours; six segments of 256 lines are closed
  auto wanted = options();
  wanted.rules[kPvs].age = 100h;
  const auto figures = retain(wanted);
  EXPECT_EQ(figures.classes[kPvs].floor, Line{768});  // the fourth ends in hour 103
  const auto entries = read_all();
  ASSERT_FALSE(entries.empty());
  std::uint64_t messages = 0;
  std::uint64_t updates = 0;
  std::uint64_t gone = 0;
  for (const auto& each : entries) {
    const auto* expired = expired_of(each);
    if (expired != nullptr && each.sequence == 0) {
      EXPECT_EQ(expired->of, "pv_updates");
      EXPECT_EQ(raw(each.line), expired->first);
      EXPECT_LE(expired->last, 768U);
      gone += expired->lines;
    } else if (std::holds_alternative<model::PvUpdate>(each.what)) {
      EXPECT_GT(each.line, Line{768});
      ++updates;
    } else if (expired == nullptr) {
      ++messages;
    }
  }
  EXPECT_EQ(messages, 400U);
  EXPECT_EQ(gone + updates, 1600U);
  EXPECT_EQ(figures.classes[kPvs].expired_lines, gone);
}

TEST_F(RetainerTest, SaysInALineWhatExpiredAndWhy) {
  append_blocks(200);
  auto wanted = options();
  wanted.rules[kPvs].age = 100h;
  const auto figures = retain(wanted);
  Query query;
  query.kinds = kExpired;
  const auto entries = read_all(query);
  ASSERT_EQ(entries.size(), 1U);
  const auto* record = expired_of(entries.front());
  EXPECT_EQ(raw(entries.front().line), 2001U);
  EXPECT_EQ(record->of, "pv_updates");
  EXPECT_EQ(record->reason, "age");
  EXPECT_EQ(record->first, 1U);
  EXPECT_EQ(record->last, 768U);
  EXPECT_EQ(record->since, at_second(0));
  EXPECT_EQ(record->until, at_second(0) + 76h);
  EXPECT_EQ(record->lines, figures.classes[kPvs].expired_lines);
  EXPECT_GT(record->bytes, 0U);
}

TEST_F(RetainerTest, ReadsTheSameFromBehind) {
  append_blocks(200);
  auto wanted = options();
  wanted.rules[kLogs].age = 100h;
  retain(wanted);
  Query query;
  query.kinds = kMessages;
  auto forward = read_all(query);
  query.newest_first = true;
  auto back = read_all(query);
  ASSERT_EQ(forward.size(), back.size());
  const auto& first = *expired_of(forward.front());
  const auto& last = *expired_of(back.back());
  EXPECT_EQ(first, last);
  EXPECT_EQ(first.of, "log_messages");
  // Read with a limit, page by page, it is the same again.
  std::vector<Line> lines;
  query.newest_first = false;
  query.limit = 7;
  for (Page page; !page.end;) {
    page = read(store(), query).value();
    query.from = page.next;
    for (const auto& each : page.entries) lines.push_back(each.line);
  }
  EXPECT_EQ(lines.size(), forward.size());
}

TEST_F(RetainerTest, WhoAsksForOtherKindsIsNotBotheredWithIt) {
  append_blocks(200);
  auto wanted = options();
  wanted.rules[kPvs].age = 100h;
  retain(wanted);
  Query query;
  query.kinds = kMessages;
  for (const auto& each : read_all(query)) EXPECT_EQ(expired_of(each), nullptr);
}

TEST_F(RetainerTest, KeepsAsManyBytesAsAreWanted) {
  append_blocks(200);
  const auto all = retain(options()).classes[kPvs].bytes;
  auto wanted = options();
  wanted.rules[kPvs].bytes = all / 2;
  const auto figures = retain(wanted);
  EXPECT_LE(figures.classes[kPvs].bytes, all / 2);
  EXPECT_GT(figures.classes[kPvs].bytes, all / 4);
  EXPECT_EQ(figures.classes[kPvs].bytes + figures.classes[kPvs].expired_bytes, all);
}

TEST_F(RetainerTest, KeepsWhatAMarkHolds) {
  append_blocks(40);
  append(model::MarkBegin{Uuid::derive("a"), "shot", {"keep"}, "ops", {}, {}});
  append_blocks(1);
  append(model::MarkEnd{Uuid::derive("a"), "shot", "ops", {}, {}});
  append_blocks(160);
  auto wanted = options();
  wanted.rules[kPvs].age = 50h;
  retain(wanted);
  const auto runs = store().expired();
  EXPECT_NE(runs->holding(RecordClass::kPvUpdates, Line{1}), nullptr);
  EXPECT_EQ(runs->holding(RecordClass::kPvUpdates, Line{405}), nullptr);
  EXPECT_NE(runs->holding(RecordClass::kPvUpdates, Line{600}), nullptr);
  // Inside of it the state of the machine is exact.
  const auto state = Archive(segments_->projections()).state_at(Line{405});
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state.value().find(model::ChannelId{1})->value, model::PvValue{405.0});
}

TEST_F(RetainerTest, KeepsWhatAMarkHoldsThatIsOpenStill) {
  append_blocks(40);
  append(model::MarkBegin{Uuid::derive("a"), "shift", {}, "ops", {}, {}});
  append_blocks(160);
  auto wanted = options();
  wanted.rules[kPvs].age = 50h;
  EXPECT_EQ(retain(wanted).classes[kPvs].floor, Line{256});
  append(model::MarkEnd{Uuid::derive("a"), "shift", "ops", {}, {}});
  EXPECT_GT(retain(wanted).classes[kPvs].floor, Line{1000});
}

TEST_F(RetainerTest, KnowsTheMachineAgainWhereTheLinesThatExpiredEnd) {
  // A channel that was only heard of at the beginning.
  ASSERT_TRUE(append_one(store(), section_of({value_of(7, 4711)}, 1, origin_b())));
  append_blocks(200);
  auto wanted = options();
  wanted.rules[kPvs].age = 100h;
  const auto floor = retain(wanted).classes[kPvs].floor;
  const auto check = [&] {
    const Archive archive(segments_->projections());
    EXPECT_EQ(archive.state_at(Line{300}).error().code, Code::kNotFound);
    for (const auto line : {floor, store().last()}) {
      const auto state = archive.state_at(line);
      ASSERT_TRUE(state) << state.error().message;
      const auto* row = state.value().find(model::ChannelId{7});
      ASSERT_NE(row, nullptr);
      EXPECT_EQ(row->value, model::PvValue{4711.0});
      EXPECT_EQ(row->value_line, Line{1});
    }
    const auto newest = archive.newest(model::ChannelId{7}, store().last(), 5);
    ASSERT_TRUE(newest);
    ASSERT_EQ(newest.value().samples.size(), 1U);
    EXPECT_EQ(newest.value().samples.front().update.value, model::PvValue{4711.0});
  };
  check();
  open();
  segments_->settle();
  check();
  ASSERT_TRUE(segments_->journal().projections->clear());
  open();
  segments_->settle();
  check();
}

TEST_F(RetainerTest, GivesBackTheRoomOnTheDisk) {
  std::vector<model::PvUpdate> updates(256, value_of(1, 0));
  std::uint64_t seed = 1;
  for (std::uint64_t i = 0; i < 400; ++i) {
    for (auto& each : updates) {
      seed = seed * 6364136223846793005U + 1442695040888963407U;
      each.value = static_cast<double>(seed >> 11);
    }
    ASSERT_TRUE(append_one(store(), section_of(updates, i * 256 + 1)));
    now_ += 1h;
  }
  const auto size = [&] {
    for (const auto& part : segments_->journal().inspect().parts) {
      if (part.name == "history") return part.bytes;
    }
    return std::uint64_t{0};
  };
  segments_->settle();
  const auto before = size();
  ASSERT_GT(before, 500'000U);
  auto wanted = options();
  wanted.rules[kPvs].age = 40h;
  retain(wanted);
  segments_->journal().segments->reclaim(RecordClass::kPvUpdates);
  EXPECT_LT(size(), before / 4);
}

TEST_F(RetainerTest, TakesTheOldestUpdatesWhenTheDiskIsNearlyFull) {
  append_blocks(200);
  auto wanted = options();
  wanted.free_min = 0.1;
  wanted.watermark_kept = 100h;
  const auto all = retain(wanted).classes[kPvs].bytes;
  // As much is missing as two thirds of what there is: what is newer than 100 hours stays.
  std::uint64_t free = 10'000'000 - all * 2 / 3;
  wanted.space = [&]() -> Result<DiskSpace> { return DiskSpace{free, 100'000'000}; };
  segments_->settle();
  Retainer retainer(segments_->journal().segments, segments_->projections(), wanted);
  ASSERT_TRUE(retainer.step().value());
  const auto figures = retainer.figures();
  EXPECT_TRUE(figures.low);
  EXPECT_EQ(figures.classes[kPvs].floor, Line{768});
  EXPECT_EQ(figures.watermark_bytes, figures.classes[kPvs].expired_bytes);
  EXPECT_GT(figures.missing, 0U);
  EXPECT_FALSE(retainer.step().value());
  Query query;
  query.kinds = kExpired;
  EXPECT_EQ(expired_of(read_all(query).front())->reason, "watermark");
  free = 10'000'000;
  EXPECT_FALSE(retainer.step().value());
  EXPECT_FALSE(retainer.figures().low);
  EXPECT_EQ(retainer.figures().missing, 0U);
}

TEST_F(RetainerTest, LeavesAJournalThatIsFoundSound) {
  append_blocks(200);
  auto wanted = options();
  for (auto& rule : wanted.rules) rule.age = 100h;
  retain(wanted);
  const auto lines = check_lines(store(), kGoOn);
  ASSERT_TRUE(lines);
  EXPECT_TRUE(lines.value().damage.empty());
  EXPECT_EQ(lines.value().lines, raw(store().last()));
  EXPECT_GT(lines.value().expired, 500U);
  ProjectionLimits limits;
  limits.segments.length = 256;
  const auto derived = check_projections(segments_->journal().store,
                                         segments_->journal().projections, kGoOn, limits);
  ASSERT_TRUE(derived) << derived.error().message;
  EXPECT_TRUE(derived.value().sound());
}

TEST_F(RetainerTest, LeavesDigestsByWhichTheRestIsProven) {
  append_blocks(200);
  auto wanted = options();
  wanted.rules[kLogs].age = 100h;
  wanted.rules[kPvs].age = 60h;
  retain(wanted);
  const auto found = [&] {
    const auto& journal = segments_->journal();
    return check_segments(journal.segments->table(), *store().expired(), kGoOn).value();
  };
  EXPECT_TRUE(found().empty());
  // The frame of another segment, sound in itself, in the place of one that is there.
  const auto& table = segments_->journal().segments->table();
  const auto newest = *last_header(table).value();
  const auto before = *header_before(table, Line{raw(newest.first) - 1}).value();
  Bytes frame;
  ASSERT_TRUE(table.scan(frame_key(RecordClass::kLogMessages, newest.first, 0), "c",
                         [&](BytesView, BytesView value) {
                           frame = value;
                           return false;
                         }));
  ASSERT_TRUE(segments_->journal().segments->put(
      {{frame_key(RecordClass::kLogMessages, before.first, 0), frame}}));
  const auto damage = found();
  ASSERT_EQ(damage.size(), 1U);
  EXPECT_EQ(damage.front().lines, (LineRange{before.first, before.last}));
  EXPECT_NE(damage.front().why.find("frames of log_messages"), std::string::npos);
}

TEST_F(RetainerTest, LeavesRowsOfWhatExpiredWhenThatIsWanted) {
  append_blocks(200);
  auto wanted = options();
  wanted.rules[kPvs].age = 100h;
  wanted.decimate = 6h;
  const auto figures = retain(wanted);
  EXPECT_EQ(figures.classes[kPvs].floor, Line{768});
  EXPECT_EQ(figures.steps, 3U);  // a segment at a time
  EXPECT_EQ(figures.decimated.samples, figures.classes[kPvs].expired_lines);
  EXPECT_GT(figures.decimated.bytes, 0U);
  const auto last = store().last();
  const auto check = [&](SmallSegments& journal) {
    const auto report =
        check_decimated(journal.journal().segments->table(), *journal.store().expired());
    ASSERT_TRUE(report) << report.error().message;
    for (const auto& each : report.value().faults) ADD_FAILURE() << each;
    EXPECT_EQ(report.value().samples, figures.decimated.samples);
    std::uint64_t samples = 0;
    double least = 1e9;
    double greatest = 0;
    for (std::uint32_t channel = 1; channel <= 3; ++channel) {
      const auto found = reduce(Archive(journal.projections()), model::ChannelId{channel},
                                {Line{1}, last, at_second(0), at_second(0) + 200h, 10});
      ASSERT_TRUE(found) << found.error().message;
      ASSERT_EQ(found.value().decimated.size(), 1U);
      EXPECT_EQ(found.value().decimated.front().last, Line{768});
      EXPECT_EQ(found.value().decimated.front().width, 6h);
      for (const auto& bin : found.value().bins) {
        samples += bin.samples;
        least = std::min(least, bin.min);
        greatest = std::max(greatest, bin.max);
      }
    }
    EXPECT_EQ(samples, 1600U);
    EXPECT_EQ(least, 1);
    EXPECT_EQ(greatest, 1990);
  };
  check(*segments_);
  open();
  segments_->settle();
  check(*segments_);
  ASSERT_TRUE(segments_->journal().projections->clear());  // as a rebuild does
  open();
  segments_->settle();
  check(*segments_);
  segments_.reset();
  const auto to = dir_.path() + ".repaired";
  ASSERT_TRUE(repair_journal(dir_.path(), to, kGoOn));
  {
    auto opened = open_rocks_journal({.directory = to});
    ASSERT_TRUE(opened);
    SmallSegments again(std::move(opened).value());
    again.settle();
    check(again);
  }
  std::filesystem::remove_all(to);
}

TEST_F(RetainerTest, FindsRowsThatAreDamagedOrMissing) {
  append_blocks(200);
  auto wanted = options();
  wanted.rules[kPvs].age = 100h;
  wanted.decimate = 480h;  // a bin ends in hour 97
  retain(wanted);
  const auto& journal = segments_->journal();
  const auto& table = journal.segments->table();
  KeyValue row;
  ASSERT_TRUE(table.scan("d", "e", [&](BytesView key, BytesView value) {
    row = {Bytes(key), Bytes(value)};
    return false;
  }));
  const auto faults = [&] { return check_decimated(table, *store().expired()).value().faults; };
  EXPECT_TRUE(faults().empty());
  // Of another channel: sound in itself, but an update is missing.
  ASSERT_TRUE(journal.segments->put(
      {{row.first,
        encode_rows({{model::ChannelId{1}, row_of(Line{3}, value_of(1, 3), at_second(0))}})}}));
  EXPECT_THAT(faults(), ::testing::Contains(::testing::HasSubstr("updates in bins of")));
  row.second[5] = static_cast<char>(row.second[5] ^ 1);
  ASSERT_TRUE(journal.segments->put({row}));
  EXPECT_THAT(faults(), ::testing::Contains(::testing::HasSubstr("checksum")));
  const auto found = reduce(Archive(segments_->projections()), model::ChannelId{1},
                            {Line{1}, store().last(), at_second(0), at_second(0) + 200h, 10});
  EXPECT_EQ(found.error().code, Code::kCorruption);
  // What has to go into that row expires without one, rather than to stay for ever.
  wanted.rules[kPvs].age = 1h;
  EXPECT_EQ(retain(wanted).classes[kPvs].floor, Line{1536});
  const auto runs = load_decimated_runs(table).value();
  EXPECT_TRUE(touching(runs, Line{769}, Line{1024}).empty());
  EXPECT_EQ(touching(runs, Line{1025}, Line{1536}).size(), 1U);
}

TEST_F(RetainerTest, ARepairKeepsWhatIsSaidOfIt) {
  ASSERT_TRUE(append_one(store(), section_of({value_of(7, 4711)}, 1, origin_b())));
  append_blocks(200);
  auto wanted = options();
  wanted.rules[kPvs].age = 100h;
  wanted.rules[kLogs].age = 100h;
  retain(wanted);
  const auto before = check_lines(store(), kGoOn).value();
  const auto last = store().last();
  segments_.reset();
  const auto repaired = repair_journal(dir_.path(), dir_.path() + ".repaired", kGoOn);
  ASSERT_TRUE(repaired) << repaired.error().message;
  EXPECT_TRUE(repaired.value().lost.empty());
  {
    auto opened = open_rocks_journal({.directory = dir_.path() + ".repaired"});
    ASSERT_TRUE(opened);
    SmallSegments again(std::move(opened).value());
    EXPECT_EQ(again.store().last(), last);
    for (int i = 0; i < 2; ++i) {  // out of the log, and of segments
      const auto after = check_lines(again.store(), kGoOn).value();
      for (const auto& each : after.damage) ADD_FAILURE() << each.why;
      EXPECT_EQ(after.lines, before.lines);
      EXPECT_EQ(after.expired, before.expired);
      again.settle();
    }
    const auto state = Archive(again.projections()).state_at(last);
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state.value().find(model::ChannelId{7})->value, model::PvValue{4711.0});
  }
  std::filesystem::remove_all(dir_.path() + ".repaired");
}

}  // namespace
}  // namespace tidemark::journal
