// test/journal/crash_test.cpp
//
// A journal in full use (journal_stress.cpp) is killed, again and again, in one directory: at
// random times, at named places in the middle of a commit or a seal, on a disk that is full or
// refuses a flush, with a torn end of its log. After each: nothing that was acknowledged is
// missing, nothing is there twice, and what is derived is what the lines say.
// TIDEMARK_CRASH_ROUNDS: how often. TIDEMARK_SEED: the same moments again.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "crashed_journal.h"
#include "journal/decimated_check.h"

namespace tidemark::journal {
namespace {

constexpr std::uint64_t kFull = ~std::uint64_t{0};
class KillableJournal : public CrashedJournal {
 protected:
  /// Runs it until it has acknowledged something, and ends it there; answers the last such line.
  std::uint64_t run_and_kill(const std::string& directory, const char* mode) {
    Stress child(directory, mode);
    std::uint64_t acknowledged = 0;
    const auto acks = random_() % 300;
    for (std::uint64_t i = 0; i <= acks; ++i) {
      const auto line = child.next();
      if (!line) {
        ADD_FAILURE() << "it ended with " << child.wait();
        return acknowledged;
      }
      acknowledged = *line;
    }
    // Somewhere inside of one of the next commits.
    const auto until = steady_now() + std::chrono::microseconds{random_() % 3000};
    while (steady_now() < until) {
    }
    EXPECT_EQ(child.kill_and_wait(), kKilled);
    while (const auto line = child.next()) acknowledged = *line;
    return acknowledged;
  }

  /// Runs it to its end, at most some time; answers the last line that it acknowledged.
  std::uint64_t run_to_end(const std::string& directory, const char* mode,
                           const Environment& environment, int& exit) {
    Stress child(directory, mode, environment);
    std::uint64_t acknowledged = 0;
    const auto begin = last_;
    while (const auto line = child.next()) {
      acknowledged = *line;
      if (acknowledged > begin + kLinesMax) break;  // It did not come by there.
    }
    exit = child.kill_and_wait();
    while (const auto line = child.next()) acknowledged = *line;
    return acknowledged;
  }

  /// A record of which only the beginning was written, as a power cut leaves it. One that the kill
  /// has torn stays as it is: nothing ever comes behind it.
  void tear_log(const std::string& directory) {
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(directory + "/db")) {
      if (entry.path().extension() == ".log" && entry.path() > newest) newest = entry.path();
    }
    if (newest.empty() || fs::file_size(newest) == 0) return;
    const auto content = content_of(newest);
    if (end_of_records(content) != content.size()) return;
    const auto first = kRecordHeader + read_le<std::uint16_t>(content, 4);
    // No record goes to the end of a block but a whole one.
    const auto bytes = std::min(first, kLogBlock - content.size() % kLogBlock) - 1;
    if (bytes == 0) return;
    std::ofstream(newest, std::ios::app | std::ios::binary)
        << content.substr(0, 1 + random_() % bytes);
  }

  /// Where the last record ends, or would.
  static std::size_t end_of_records(const std::string& log) {
    std::size_t at = 0;
    while (at < log.size()) {
      const auto left = kLogBlock - at % kLogBlock;
      if (left >= kRecordHeader && at + kRecordHeader > log.size()) return at + kRecordHeader;
      at += left < kRecordHeader ? left : kRecordHeader + read_le<std::uint16_t>(log, at + 4);
    }
    return at;
  }

  // Of RocksDB's log.
  static constexpr std::size_t kLogBlock = 32'768;
  static constexpr std::size_t kRecordHeader = 7;
};

class KilledJournal : public KillableJournal, public ::testing::WithParamInterface<const char*> {};

TEST_P(KilledJournal, HasEveryAcknowledgedLineOnce) {
  for (std::uint64_t round = 0; round < rounds_ && !HasFailure(); ++round) {
    begin_anew_when_large(directory_);
    const auto acknowledged = run_and_kill(directory_, GetParam());
    if (round % 3 == 2) tear_log(directory_);
    verify(directory_, acknowledged);
  }
}
INSTANTIATE_TEST_SUITE_P(Modes, KilledJournal, ::testing::Values("batch", "interval"),
                         [](const auto& mode) { return std::string(mode.param); });

class FailpointJournal : public KillableJournal,
                         public ::testing::WithParamInterface<const char*> {};

TEST_P(FailpointJournal, HasEveryAcknowledgedLineOnce) {
  std::uint64_t reached = 0;
  for (std::uint64_t round = 0; round < few_ && !HasFailure(); ++round) {
    begin_anew_when_large(directory_);
    const std::string place = GetParam();
    const auto often = place.starts_with("journal.append") || place.starts_with("disk.");
    const auto pass = 1 + random_() % (often ? 200 : 2);
    int exit = 0;
    const auto acknowledged = run_to_end(
        directory_, "batch", {{"TIDEMARK_FAILPOINT", place + ":" + std::to_string(pass)}}, exit);
    EXPECT_EQ(exit, kKilled);
    if (acknowledged < last_ + kLinesMax) ++reached;
    verify(directory_, acknowledged);
  }
  EXPECT_GT(reached, 0u) << "nothing passed there";
}
INSTANTIATE_TEST_SUITE_P(Places, FailpointJournal,
                         ::testing::Values("journal.append.before", "journal.append.written",
                                           "journal.append.announced", "disk.sync.before",
                                           "disk.sync.done", "journal.witness.before",
                                           "journal.witness.written", "journal.seal.before",
                                           "journal.seal.keyframe", "journal.seal.written",
                                           "journal.seal.flushed", "journal.drop.before",
                                           "journal.drop.written"),
                         [](const auto& place) {
                           std::string name = place.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

/// What expired is what the journal's own lines say, and the rest is as it was.
class ExpiringJournal : public KillableJournal {
 protected:
  void verify_expired(std::uint64_t acknowledged) {
    const auto opened = open_rocks_journal(options(directory_));
    ASSERT_TRUE(opened) << opened.error().message;
    const auto& store = *opened.value().store;
    ASSERT_GE(raw(store.last()), acknowledged);
    const auto runs = store.expired();
    ExpiredRuns said;
    std::set<std::uint64_t> own;
    std::uint64_t line = 1;
    const auto scanned = store.scan(Line{1}, {}, [&](Block& block) {
      EXPECT_EQ(raw(block.first), line);
      for (const auto& section : block.sections) {
        if (section.origin == retention_origin()) {
          own.insert(line);
          add(section, said);
        } else {
          EXPECT_EQ(fault_in(section, line, *runs), "");
        }
        line += section.count;
      }
      return !HasFailure();
    });
    ASSERT_TRUE(scanned) << scanned.error().message;
    EXPECT_EQ(line - 1, raw(store.last()));
    EXPECT_EQ(said, *runs);
    last_floor_ = 0;
    std::uint64_t lines = 0;
    for (const auto& run : runs->all(RecordClass::kPvUpdates)) {
      last_floor_ = raw(run.last);
      lines += run.lines;
    }
    // Rows and the drop come together, or not at all.
    const auto decimated = check_decimated(opened.value().segments->table(), *runs);
    ASSERT_TRUE(decimated) << decimated.error().message;
    for (const auto& each : decimated.value().faults) ADD_FAILURE() << each;
    EXPECT_EQ(decimated.value().samples, lines);
    expired_ += own.size();

    const auto projections = std::make_shared<Projections>(
        opened.value().store, opened.value().projections, stress::limits());
    ASSERT_TRUE(projections->load());
    const Archive archive(projections);
    for (const auto at : {raw(store.last()), last_floor_}) {
      if (at == 0) continue;
      const auto state = archive.state_at(Line{at});
      ASSERT_TRUE(state) << state.error().message;
      for (std::uint32_t channel = 1; channel <= stress::kChannels; ++channel) {
        auto wanted = stress::value_line(channel, at);
        while (own.contains(wanted)) wanted = stress::value_line(channel, wanted - 1);
        const auto* row = state.value().find(model::ChannelId{channel});
        EXPECT_EQ(row == nullptr ? 0 : raw(row->value_line), wanted);
      }
    }
    const auto derived = check_projections(opened.value().store, opened.value().projections, kGoOn,
                                           stress::limits());
    ASSERT_TRUE(derived) << derived.error().message;
    EXPECT_TRUE(derived.value().sound());
    last_ = raw(store.last());
  }

  static void add(const Section& section, ExpiredRuns& said) {
    const auto records = model::decode_records(section.payload).value();
    const auto& expired = std::get<model::Expired>(records.front());
    const auto of =
        expired.of == "pv_updates" ? RecordClass::kPvUpdates : RecordClass::kLogMessages;
    EXPECT_GT(expired.lines, 0U);
    said.add(of, {Line{expired.first}, Line{expired.last}, expired.since, expired.until,
                  expired.lines, expired.bytes});
  }
  static std::string fault_in(const Section& section, std::uint64_t line, const ExpiredRuns& runs) {
    const auto at = "line " + std::to_string(line);
    if (const auto of = expired_class(section)) {
      const bool all = runs.holding(*of, Line{line}) != nullptr &&
                       runs.holding(*of, Line{line + section.count - 1}) != nullptr;
      return all ? "" : at + " is said to have expired";
    }
    if (section.format == SectionFormat::kRecords) {
      const auto records = model::decode_records(section.payload).value();
      return records.front() == stress::record_at(line) ? "" : at + " is another record";
    }
    for (const auto& each : model::decode_updates(section.payload).value()) {
      if (!(each == stress::update_at(line++))) return at + " or behind it is another update";
    }
    return "";
  }

  std::uint64_t last_floor_ = 0;
  std::uint64_t expired_ = 0;
};

class FailpointExpiring : public ExpiringJournal,
                          public ::testing::WithParamInterface<const char*> {};

TEST_P(FailpointExpiring, HasExpiredOrHasNotWhereverItIsKilled) {
  std::uint64_t reached = 0;
  for (std::uint64_t round = 0; round < few_ && !HasFailure(); ++round) {
    begin_anew_when_large(directory_);
    const std::string place = GetParam();
    const auto pass = 1 + random_() % (place.starts_with("disk.") ? 400 : 3);
    int exit = 0;
    const auto acknowledged = run_to_end(
        directory_, "expire", {{"TIDEMARK_FAILPOINT", place + ":" + std::to_string(pass)}}, exit);
    EXPECT_EQ(exit, kKilled);
    if (acknowledged < last_ + kLinesMax) ++reached;
    verify_expired(acknowledged);
  }
  EXPECT_GT(reached, 0u) << "nothing passed there";
}
INSTANTIATE_TEST_SUITE_P(Places, FailpointExpiring,
                         ::testing::Values("journal.expire.before", "journal.expire.written",
                                           "journal.expire.dropped", "disk.sync.before",
                                           "disk.sync.done"),
                         [](const auto& place) {
                           std::string name = place.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST_F(ExpiringJournal, HasExpiredOrHasNotWheneverItIsKilled) {
  for (std::uint64_t round = 0; round < few_ && !HasFailure(); ++round) {
    begin_anew_when_large(directory_);
    Stress child(directory_, "expire");
    std::uint64_t acknowledged = 0;
    const auto acks = 50 + random_() % 400;
    for (std::uint64_t i = 0; i < acks; ++i) {
      const auto line = child.next();
      ASSERT_TRUE(line) << "it ended with " << child.wait();
      acknowledged = *line;
    }
    EXPECT_EQ(child.kill_and_wait(), kKilled);
    while (const auto line = child.next()) acknowledged = *line;
    verify_expired(acknowledged);
  }
}

TEST_F(KillableJournal, OnADiskThatRefusesAFlushHasEveryAcknowledgedLineOnce) {
  for (std::uint64_t round = 0; round < few_ && !HasFailure(); ++round) {
    begin_anew_when_large(directory_);
    int exit = 0;
    const auto fails = std::to_string(60 + random_() % 300);
    const auto acknowledged =
        run_to_end(directory_, "batch", {{"TIDEMARK_SYNC_FAILS", fails}}, exit);
    EXPECT_EQ(exit, 101) << "it goes on after a flush that failed";
    verify(directory_, acknowledged);
  }
}

/// A small file system in memory; empty when nobody may mount one here.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    fs::create_directories(path_);
    mounted_ = ::mount("tidemark", path_.c_str(), "tmpfs", 0, "size=24m") == 0;
    why_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  const std::string& why() const { return why_; }
  void grow() const {
    TIDEMARK_CHECK(::mount("tidemark", path_.c_str(), "tmpfs", MS_REMOUNT, "size=96m") == 0);
  }

 private:
  const std::string path_;
  bool mounted_ = false;
  std::string why_;
};

TEST_F(KillableJournal, OnAFullDiskHasEveryAcknowledgedLineOnce) {
  for (std::uint64_t round = 0; round < few_ && !HasFailure(); ++round) {
    const SmallDisk disk(dir_.path() + "/disk");
    if (!disk.mounted()) GTEST_SKIP() << "no file system can be mounted here: " << disk.why();
    const auto directory = dir_.path() + "/disk/journal";
    std::uint64_t acknowledged = 0;
    {
      Stress child(directory, "batch");
      bool full = false;
      while (!full) {
        const auto line = child.next();
        ASSERT_TRUE(line) << "it ended with " << child.wait();
        full = *line == kFull;
        if (!full) acknowledged = *line;
      }
      if (round % 2 == 0) {  // Killed when it is full; else there is room again, and it goes on.
        EXPECT_EQ(child.kill_and_wait(), kKilled);
        disk.grow();
      } else {
        disk.grow();
        const auto before = acknowledged;
        while (acknowledged == before) {
          const auto line = child.next();
          ASSERT_TRUE(line) << "it ended with " << child.wait();
          if (*line != kFull) acknowledged = *line;
        }
        EXPECT_EQ(child.kill_and_wait(), kKilled);
      }
      while (const auto line = child.next()) {
        if (*line != kFull) acknowledged = *line;
      }
    }
    verify(directory, acknowledged);
  }
}

TEST(JournalDirectory, IsRefusedToASecondProcessThatIsToldTheFirst) {
  const TempDir dir;
  RocksStoreOptions options;
  options.directory = dir.path();
  const auto store = open_rocks_store(options);
  ASSERT_TRUE(store);
  ::testing::internal::CaptureStderr();
  const int exit = Stress(dir.path(), "batch").wait();
  const auto said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(exit, static_cast<int>(Code::kConflict)) << said;
  EXPECT_NE(said.find(dir.path()), std::string::npos) << said;
  EXPECT_NE(said.find(std::to_string(::getpid())), std::string::npos) << said;
}

TEST(JournalDirectory, IsFreeAgainWhenItsHolderWasKilled) {
  const TempDir dir;
  RocksStoreOptions options;
  options.directory = dir.path();
  Stress first(dir.path(), "batch");
  ASSERT_TRUE(first.next());
  const auto refused = open_rocks_store(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_NE(refused.error().message.find(std::to_string(first.pid())), std::string::npos);
  first.kill_and_wait();
  EXPECT_TRUE(open_rocks_store(options));
}

}  // namespace
}  // namespace tidemark::journal
