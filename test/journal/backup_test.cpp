// test/journal/backup_test.cpp
//
// Backups: while the journal is written, one after the other, damaged, restored.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "journal/rocks_backup.h"
#include "journal_files.h"

namespace tidemark::journal {
namespace {

namespace fs = std::filesystem;

const CopyProgress kGoOn = [](std::uint64_t, std::uint64_t) { return true; };

class Backup : public ::testing::Test {
 protected:
  static RocksStoreOptions options(const std::string& directory) {
    RocksStoreOptions options;
    options.directory = directory;
    return options;
  }
  RocksJournal open(const std::string& directory) {
    auto opened = open_rocks_journal(options(directory));
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(opened).value() : RocksJournal{};
  }
  BackupReport back_up(const RocksJournal& journal, int second) {
    auto report = write_backup(journal, directory_, to_, at_second(second), kGoOn);
    EXPECT_TRUE(report) << report.error().message;
    return report ? std::move(report).value() : BackupReport{};
  }
  /// The journal in it has exactly the lines 1 to `last`.
  void expect_lines(const std::string& directory, std::uint64_t last) {
    const auto opened = open_rocks_journal_to_read(options(directory));
    ASSERT_TRUE(opened) << opened.error().message;
    const auto read = read_back(*opened.value().store);
    EXPECT_TRUE(read.end) << read.end.error().message;
    EXPECT_EQ(read.records.size(), last);
    for (const auto& [line, record] : read.records) {
      ASSERT_EQ(record, record_of_line(line)) << line;
    }
    EXPECT_EQ(read_witness(directory + "/witness").value()->last, Line{last});
  }
  static ino_t inode_of(const fs::path& path) {
    struct stat status = {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_ino;
  }

  const TempDir dir_;
  const std::string directory_ = dir_.path() + "/journal";
  const std::string to_ = dir_.path() + "/backups";
};

TEST_F(Backup, HasAllThatWasAcknowledgedBeforeWhileOthersWrite) {
  auto journal = open(directory_);
  ASSERT_TRUE(append_lines(*journal.store, 1));
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acknowledged = 1;
  std::thread writer([&] {
    while (!stop) {
      const auto appended = append_lines(*journal.store, 3);
      ASSERT_TRUE(appended) << appended.error().message;
      acknowledged = raw(appended.value().last);
    }
  });
  for (int i = 0; i < 5 && !HasFailure(); ++i) {
    const auto before = acknowledged.load();
    const auto report = back_up(journal, i);
    const auto last = raw(report.manifest.last);
    EXPECT_GE(last, before);
    expect_lines(report.directory, last);
    EXPECT_EQ(report.copied_bytes + report.linked_bytes, report.manifest.bytes());
    EXPECT_TRUE(check_backup_files(report.directory, report.manifest, kGoOn).value().empty());
  }
  stop = true;
  writer.join();
  EXPECT_FALSE(fs::exists(directory_ + "/checkpoint"));
  EXPECT_FALSE(fs::exists(to_ + "/.partial"));
}

TEST_F(Backup, LinksTheTablesThatTheOneBeforeHas) {
  auto journal = open(directory_);
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(append_lines(*journal.store, 10));
  const auto first = back_up(journal, 1);
  EXPECT_EQ(first.linked_bytes, 0u);
  ASSERT_TRUE(append_lines(*journal.store, 10));
  const auto second = back_up(journal, 2);
  EXPECT_GT(second.linked_bytes, 100'000u);
  EXPECT_LT(second.copied_bytes, first.copied_bytes / 2);
  const auto table = largest_file(first.directory + "/db", ".sst");
  EXPECT_EQ(inode_of(table), inode_of(second.directory + "/db/" + table.filename().string()));
  fs::remove_all(first.directory);  // The second one is whole without it.
  expect_lines(second.directory, 3010);
}

TEST_F(Backup, IsRestoredAndANodeStartsOnIt) {
  {
    auto journal = open(directory_);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(append_lines(*journal.store, 10));
    const auto report = back_up(journal, 1);
    ASSERT_TRUE(append_lines(*journal.store, 5));
    const auto restored = restore_backup(report.directory, dir_.path() + "/restored", kGoOn);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(restored.value(), report.manifest);
  }
  expect_lines(dir_.path() + "/restored", 100);
  const auto journal = open(dir_.path() + "/restored");
  EXPECT_EQ(journal.store->mark_of(origin_a())->sequence, 100u);
  EXPECT_EQ(append_lines(*journal.store, 1).value().first, Line{101});
}

TEST_F(Backup, ThatWasDamagedIsNotRestored) {
  auto journal = open(directory_);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(append_lines(*journal.store, 10));
  const auto report = back_up(journal, 1);
  for (const auto& file : report.manifest.files) {
    const auto path = report.directory + "/" + file.path;
    if (fs::file_size(path) == 0) continue;
    flip_bit(path, fs::file_size(path) / 2);
    const auto wrong = check_backup_files(report.directory, report.manifest, kGoOn);
    ASSERT_TRUE(wrong);
    EXPECT_EQ(wrong.value().size(), 1u) << file.path;
    const auto to = dir_.path() + "/restored";
    const auto restored = restore_backup(report.directory, to, kGoOn);
    ASSERT_FALSE(restored) << file.path;
    EXPECT_EQ(restored.error().code, Code::kCorruption);
    fs::remove_all(to);
    flip_bit(path, fs::file_size(path) / 2);
  }
  fs::resize_file(report.directory + "/backup", 100);
  EXPECT_EQ(restore_backup(report.directory, dir_.path() + "/x", kGoOn).error().code,
            Code::kCorruption);
  EXPECT_EQ(restore_backup(directory_, dir_.path() + "/x", kGoOn).error().code, Code::kNotFound);
}

TEST_F(Backup, ThatIsStoppedLeavesNothing) {
  auto journal = open(directory_);
  ASSERT_TRUE(append_lines(*journal.store, 10));
  const auto stopped = write_backup(journal, directory_, to_, at_second(1),
                                    [](std::uint64_t, std::uint64_t) { return false; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::kCancelled);
  EXPECT_TRUE(fs::is_empty(to_));
  EXPECT_FALSE(fs::exists(directory_ + "/checkpoint"));
}

TEST(BackupManifestText, IsWhatWasWritten) {
  BackupManifest manifest;
  manifest.made_at = at_second(1) + std::chrono::nanoseconds(5);
  manifest.last = Line{4711};
  manifest.head[0] = 0xab;
  manifest.head[15] = 0x01;
  manifest.files = {{"db/000012.sst", 1'048'576, 0x9a3b44c1, 1'764'264'600'000'000'000},
                    {"a name with spaces", 0, 0, -1}};
  const auto text = encode(manifest);
  const auto read = decode_backup_manifest(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read.value(), manifest);
  EXPECT_NE(text.find("file 9a3b44c1 1048576 1764264600000000000 db/000012.sst\n"),
            std::string::npos);
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    EXPECT_FALSE(decode_backup_manifest(text.substr(0, bytes))) << bytes;
    auto flipped = text;
    flipped[bytes] = static_cast<char>(flipped[bytes] ^ 1);
    EXPECT_FALSE(decode_backup_manifest(flipped)) << bytes;
  }
}

TEST(BackupManifestText, DoesNotLeadOutOfTheBackup) {
  for (const auto* path : {"../x", "/etc/passwd", "db/../../x", "", "db//x", "./x", "db/", "."}) {
    BackupManifest manifest;
    manifest.files = {{path, 0, 0, 0}};
    EXPECT_FALSE(decode_backup_manifest(encode(manifest))) << path;
  }
}

}  // namespace
}  // namespace tidemark::journal
