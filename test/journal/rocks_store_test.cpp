// test/journal/rocks_store_test.cpp
//
// What RocksStore promises beside the contract: what it finds when it is opened again, and what
// it says about a disk that is full, failing or damaged.

#include "journal/rocks_store.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <thread>

#include "faulty_disk.h"
#include "journal/block_codec.h"
#include "journal/rocks_log.h"
#include "journal/witness.h"
#include "journal_samples.h"
#include "model/api/journal.h"
#include "test/bus/eventually.h"

namespace tidemark::journal {
namespace {

namespace fs = std::filesystem;

constexpr Duration kRecovers = std::chrono::seconds{60};  // RocksDB, from a full disk, at most

class RocksStoreTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Store>> try_open(SyncMode sync = SyncMode::kBatch) {
    return open_rocks_store(
        {.directory = dir_.path(), .sync = sync, .clock = clock_, .env = env_.get()});
  }
  void open(SyncMode sync = SyncMode::kBatch) {
    store_.reset();
    auto opened = try_open(sync);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(opened).value();
  }
  Error open_error() {
    store_.reset();
    auto opened = try_open();
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
  /// One block of `count` lines.
  Result<Appended> append(std::size_t count = 1, std::size_t text_bytes = 10) {
    std::vector<model::Record> records;
    for (std::size_t i = 0; i < count; ++i) {
      records.push_back(message(noise(text_bytes)));
    }
    return append_one(*store_, section_of(records, raw(store_->last()) + 1));
  }
  /// The first line of a block that must go in.
  Line appended(std::size_t count = 1, std::size_t text_bytes = 10) {
    const auto appended = append(count, text_bytes);
    EXPECT_TRUE(appended) << appended.error().message;
    return appended ? appended.value().first : Line{0};
  }
  /// The same where RocksDB first has to find out by itself that there is room.
  Line appended_in_the_end(std::size_t count = 1, std::size_t text_bytes = 10) {
    auto appended = append(count, text_bytes);
    bus::eventually(kRecovers, [&] {
      if (appended || appended.error().code != Code::kUnavailable) return true;
      appended = append(count, text_bytes);
      return false;
    });
    EXPECT_TRUE(appended) << appended.error().message;
    return appended ? appended.value().first : Line{0};
  }
  void append_blocks(int blocks, std::size_t text_bytes = 10) {
    for (int i = 0; i < blocks; ++i) ASSERT_TRUE(append(2, text_bytes));
  }
  /// Text that zstd cannot make smaller by much, so that files get the size they should.
  std::string noise(std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      text += static_cast<char>(' ' + (state_ >> 58));
    }
    return text;
  }
  /// What scan() says, and the lines that it visited.
  Result<Unit> scan(Line from = Line{1}) {
    visited_ = Line{0};
    return store_->scan(from, {}, [&](Block& block) {
      visited_ = Line{raw(block.first) + block.count - 1};
      return true;
    });
  }
  std::string database() const { return dir_.path() + "/db"; }
  /// The largest file of the database with that extension.
  fs::path file(const std::string& extension) const {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(database())) {
      if (entry.path().extension() == extension &&
          (found.empty() || entry.file_size() > fs::file_size(found))) {
        found = entry.path();
      }
    }
    return found;
  }
  static void flip_byte(const fs::path& path, std::uintmax_t at) {
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const int byte = stream.get();
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(static_cast<char>(byte ^ 0x10));
  }
  /// Moves what is in the write-ahead log into tables.
  void settle() {
    open();
    store_.reset();
  }
  /// Works on the closed database behind the journal's back.
  void tamper(const std::function<void(rocksdb::DB&, rocksdb::ColumnFamilyHandle&)>& change,
              const std::string& wanted = "log") {
    store_.reset();
    std::vector<std::string> names;  // all of them: the projections have families too
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, database(), &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const auto& name : names) families.push_back({name, {}});
    const auto family = std::find(names.begin(), names.end(), wanted) - names.begin();
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, database(), families, &handles, &db).ok());
    change(*db, *handles.at(static_cast<std::size_t>(family)));
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
    delete db;
  }

  TempDir dir_;
  std::function<UtcTime()> clock_ = utc_now;
  std::shared_ptr<FaultyDisk> disk_ = std::make_shared<FaultyDisk>();
  std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(disk_);
  std::unique_ptr<Store> store_;
  Line visited_{};
  std::uint64_t state_ = 1;
};

bool says(const Error& error, const std::string& part) {
  return error.message.find(part) != std::string::npos;
}

TEST_F(RocksStoreTest, ContinuesWhereItStopped) {
  for (const auto sync : {SyncMode::kBatch, SyncMode::kInterval, SyncMode::kBatch}) {
    open(sync);
    const auto before = raw(store_->last());
    const auto mark = store_->mark_of(origin_a());
    EXPECT_EQ(mark ? mark->sequence : 0, before);
    EXPECT_EQ(appended(3), Line{before + 1});
  }
  ASSERT_TRUE(append_one(
      *store_, section_of({model::PvDefined{model::ChannelId{5}, "MAG:Q5"}}, 1, origin_b(), 4)));
  const auto recorded_at = store_->mark_of(origin_b())->recorded_at;
  open();
  EXPECT_EQ(store_->last(), Line{10});
  EXPECT_EQ(store_->address_of(model::ChannelId{5}), "MAG:Q5");
  const auto mark = store_->mark_of(origin_b()).value();
  EXPECT_EQ(mark.incarnation, 4u);
  EXPECT_EQ(mark.sequence, 1u);
  EXPECT_EQ(mark.line, Line{10});
  EXPECT_EQ(mark.recorded_at, recorded_at);
  EXPECT_TRUE(scan());
}

TEST_F(RocksStoreTest, TimesDoNotGoBackAcrossARestart) {
  open();
  const auto before = append().value().recorded_at;
  store_.reset();
  store_ =
      open_rocks_store({.directory = dir_.path(), .clock = [] { return at_second(0); }}).value();
  EXPECT_EQ(append().value().recorded_at, before);
}

TEST_F(RocksStoreTest, ForgetsShortLivedOriginsWhenItIsOpenedAnHourLater) {
  UtcTime now = at_second(0);
  clock_ = [&] { return now; };
  open();
  ASSERT_TRUE(
      append_one(*store_, section_of({message("once")}, 1, origin_a(), model::api::kShortLived)));
  ASSERT_TRUE(append_one(*store_, section_of({message("often")}, 1, origin_b())));
  now += kShortLivedKept;
  open();
  EXPECT_TRUE(store_->mark_of(origin_a()));
  now += std::chrono::seconds(1);
  open();
  EXPECT_FALSE(store_->mark_of(origin_a()));
  EXPECT_TRUE(store_->mark_of(origin_b()));
  EXPECT_EQ(store_->last(), Line{2});
}

TEST_F(RocksStoreTest, ADirectoryThatCannotBeMadeIsUnavailable) {
  std::ofstream(dir_.path() + "/file") << "x";
  const auto opened = open_rocks_store({.directory = dir_.path() + "/file/journal"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kUnavailable);
  EXPECT_TRUE(says(opened.error(), dir_.path()));
}

TEST_F(RocksStoreTest, ADirectoryThatCannotBeWrittenIsUnavailable) {
  fs::create_directories(dir_.path() + "/owner");  // so that no file can take its place
  const auto error = open_error();
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_TRUE(says(error, dir_.path()));
}

TEST_F(RocksStoreTest, ASecondStoreInOneProcessIsRefused) {
  open();
  const auto second = try_open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
}

TEST_F(RocksStoreTest, AFullDiskRefusesAppendsUntilThereIsRoom) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the packaged RocksDB, not built for it, does not recover within a minute";
#endif
  open();
  append_blocks(5);
  disk_->full = true;
  EXPECT_EQ(append().error().code, Code::kUnavailable);
  EXPECT_EQ(append().error().code, Code::kUnavailable);
  EXPECT_EQ(store_->last(), Line{10});
  EXPECT_TRUE(scan());
  EXPECT_EQ(visited_, Line{10});

  disk_->full = false;
  EXPECT_EQ(appended_in_the_end(), Line{11});
  open();
  EXPECT_EQ(store_->last(), Line{11});
  EXPECT_TRUE(scan());
}

TEST_F(RocksStoreTest, ADiskOnWhichNoNewLogCanBeginMustBeOpenedAgain) {
  open();
  append_blocks(5);
  disk_->no_files = true;
  disk_->full = true;
  // RocksDB tries to recover, and finds out that it cannot.
  EXPECT_TRUE(bus::eventually(kRecovers, [&] {
    const auto refused = append();
    EXPECT_FALSE(refused);
    return refused || refused.error().code == Code::kFailed;
  }));
  disk_->no_files = false;
  disk_->full = false;
  EXPECT_EQ(append().error().code, Code::kFailed) << "it says so until it is opened again";
  open();
  EXPECT_EQ(appended(), Line{11});
  EXPECT_TRUE(scan());
}

TEST_F(RocksStoreTest, AWriteThatAFullDiskCutInTwoLeavesNothingBehind) {
  open();
  append_blocks(5, 3000);
  disk_->half_full = true;
  EXPECT_EQ(append(1, 20'000).error().code, Code::kUnavailable);
  disk_->half_full = false;
  EXPECT_EQ(appended_in_the_end(1, 3000), Line{11});
  EXPECT_EQ(appended(1, 3000), Line{12});
  open();
  EXPECT_EQ(store_->last(), Line{12});
  const auto scanned = scan();
  EXPECT_TRUE(scanned) << scanned.error().message;
}

TEST_F(RocksStoreTest, ACrashOnAFullDiskKeepsWhatWasAcknowledged) {
  open();
  append_blocks(5, 3000);
  disk_->half_full = true;
  EXPECT_EQ(append(1, 20'000).error().code, Code::kUnavailable);
  store_.reset();
  disk_->half_full = false;
  open();
  EXPECT_EQ(store_->last(), Line{10});
  EXPECT_TRUE(append());
  EXPECT_TRUE(scan());
}

TEST_F(RocksStoreTest, AFailedFlushIsFinal) {
  open();
  append_blocks(2);
  disk_->sync_fails = true;
  EXPECT_EQ(append().error().code, Code::kFailed);
  disk_->sync_fails = false;
  EXPECT_EQ(append().error().code, Code::kFailed);
  EXPECT_EQ(store_->last(), Line{4});
  open();
  EXPECT_GE(store_->last(), Line{4});
  EXPECT_TRUE(append());
  EXPECT_TRUE(scan());
}

TEST_F(RocksStoreTest, AWriteAheadLogThatWasCutIsNoticed) {
  open();
  append_blocks(50, 100);
  store_.reset();
  const auto log = file(".log");
  const auto size = fs::file_size(log) / 2;
  fs::resize_file(log, size);

  const auto error = open_error();
  EXPECT_EQ(error.code, Code::kCorruption);
  EXPECT_TRUE(says(error, "to 100 were acknowledged and are missing")) << error.message;
  EXPECT_EQ(fs::file_size(log), size);
  EXPECT_EQ(open_error().message, error.message);  // Nothing was changed.
}

TEST_F(RocksStoreTest, AFlippedBitInTheWriteAheadLogIsNoticed) {
  open();
  append_blocks(50, 100);
  store_.reset();
  const auto log = file(".log");
  for (const int part : {3, 2}) {
    const auto at = fs::file_size(log) / static_cast<std::uintmax_t>(part);
    flip_byte(log, at);
    EXPECT_EQ(open_error().code, Code::kCorruption) << at;
    flip_byte(log, at);
  }
  open();
  EXPECT_EQ(store_->last(), Line{100});
}

TEST_F(RocksStoreTest, NoFlippedByteAnywhereIsSilentlyAccepted) {
  open();
  append_blocks(10, 50);
  settle();
  open();
  append_blocks(10, 50);
  store_.reset();
  const auto pristine = dir_.path() + "/pristine";
  fs::copy(database(), pristine, fs::copy_options::recursive);
  open();
  ASSERT_EQ(store_->last(), Line{40});
  int files = 0;
  for (const auto& entry : fs::directory_iterator(pristine)) {
    const auto name = entry.path().filename().string();
    if (!name.ends_with(".log") && !name.ends_with(".sst")) continue;
    ++files;
    const auto size = entry.file_size();
    for (std::uintmax_t at = 7; at < size; at += size / 12 + 1) {
      store_.reset();
      fs::remove_all(database());
      fs::copy(pristine, database(), fs::copy_options::recursive);
      flip_byte(fs::path(database()) / name, at);
      auto result = try_open();
      if (!result) {
        EXPECT_EQ(result.error().code, Code::kCorruption) << name << ' ' << at;
        continue;
      }
      store_ = std::move(result).value();
      // Either all is there as it was, or the scan says what is not.
      const auto scanned = scan();
      if (scanned) {
        EXPECT_EQ(visited_, Line{40}) << name << ' ' << at;
      } else {
        EXPECT_EQ(scanned.error().code, Code::kCorruption) << name << ' ' << at;
      }
    }
  }
  EXPECT_GE(files, 2);
}

TEST_F(RocksStoreTest, DamagedLinesAreNamedAndTheRestCanBeRead) {
  open();
  append_blocks(200, 1000);
  settle();
  const auto table = file(".sst");
  flip_byte(table, fs::file_size(table) / 2);
  open();
  const auto scanned = scan();
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error().code, Code::kCorruption);
  unsigned long long first = 0;
  unsigned long long last = 0;
  ASSERT_EQ(
      std::sscanf(scanned.error().message.c_str(), "lines %llu to %llu are damaged", &first, &last),
      2)
      << scanned.error().message;
  EXPECT_EQ(raw(visited_) + 1, first);
  EXPECT_LT(last - first, 100u);
  EXPECT_TRUE(scan(Line{last + 1}));
  EXPECT_EQ(visited_, Line{400});

  const auto back = store_->scan_back(Line{400}, {}, [&](Block& block) {
    visited_ = block.first;
    return true;
  });
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Code::kCorruption);
  EXPECT_LE(raw(visited_), last + 3);  // RocksDB cannot go back to the block next to the damage.
  EXPECT_TRUE(append());
}

TEST_F(RocksStoreTest, ABlockThatWasExchangedIsNoticed) {
  open();
  append_blocks(5);
  tamper([&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle& log) {
    const auto other = inspected(section_of({message("never"), message("said")}));
    std::string old;
    ASSERT_TRUE(db.Get({}, &log, line_key(Line{5}), &old).ok());
    const auto header = decode_block_header(old).value();
    ASSERT_TRUE(db.Put({}, &log, line_key(Line{5}),
                       encode_block(Line{5}, header.recorded_at, header.previous, {&other, 1}))
                    .ok());
  });
  open();
  const auto scanned = scan();
  ASSERT_FALSE(scanned);
  EXPECT_TRUE(says(scanned.error(), "lines 7 to 8")) << scanned.error().message;
  EXPECT_FALSE(store_->scan_back(Line{10}, {}, [](Block&) { return true; }));
}

TEST_F(RocksStoreTest, ABlockThatWasRemovedIsNoticed) {
  open();
  append_blocks(5);
  tamper([](rocksdb::DB& db, rocksdb::ColumnFamilyHandle& log) {
    ASSERT_TRUE(db.Delete({}, &log, line_key(Line{5})).ok());
  });
  open();
  for (const auto from : {Line{1}, Line{6}}) {
    const auto scanned = scan(from);
    ASSERT_FALSE(scanned);
    EXPECT_TRUE(says(scanned.error(), "to 6 are missing")) << scanned.error().message;
  }
  const auto back = store_->scan_back(Line{10}, {}, [](Block&) { return true; });
  ASSERT_FALSE(back);
  EXPECT_TRUE(says(back.error(), "lines 5 to 6 are missing")) << back.error().message;
}

TEST_F(RocksStoreTest, AnExchangedLastBlockIsNoticedByTheWitness) {
  open();
  append_blocks(5);
  tamper([](rocksdb::DB& db, rocksdb::ColumnFamilyHandle& log) {
    const auto other = inspected(section_of({message("never"), message("said")}));
    std::string old;
    ASSERT_TRUE(db.Get({}, &log, line_key(Line{9}), &old).ok());
    const auto header = decode_block_header(old).value();
    ASSERT_TRUE(db.Put({}, &log, line_key(Line{9}),
                       encode_block(Line{9}, header.recorded_at, header.previous, {&other, 1}))
                    .ok());
  });
  const auto error = open_error();
  EXPECT_EQ(error.code, Code::kCorruption);
  EXPECT_TRUE(says(error, "line 10 is not the one that was acknowledged")) << error.message;
}

TEST_F(RocksStoreTest, MarksThatAreNotThoseOfTheLastLineAreNoticed) {
  open();
  append_blocks(2);
  const model::Record defined = model::PvDefined{model::ChannelId{7}, "MAG:Q7"};
  ASSERT_TRUE(append_one(*store_, section_of({defined}, 1, origin_b())));
  std::map<std::string, std::string> before;
  tamper(
      [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle& meta) {
        const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator({}, &meta));
        for (at->SeekToFirst(); at->Valid(); at->Next()) {
          before[at->key().ToString()] = at->value().ToString();
        }
      },
      "meta");
  ASSERT_EQ(before.size(), 5u);  // two origins, a channel, the format and the proof
  open();
  append_blocks(1);
  for (const auto& [key, value] : before) {
    if (key == "format") continue;
    std::string now;
    // An old entry, or none where it has not changed.
    tamper(
        [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle& meta) {
          ASSERT_TRUE(db.Get({}, &meta, key, &now).ok());
          const auto status =
              now == value ? db.Delete({}, &meta, key) : db.Put({}, &meta, key, value);
          ASSERT_TRUE(status.ok());
        },
        "meta");
    const auto error = open_error();
    EXPECT_EQ(error.code, Code::kCorruption) << key;
    EXPECT_TRUE(says(error, "the marks are not those of line 7")) << error.message;
    tamper(
        [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle& meta) {
          ASSERT_TRUE(db.Put({}, &meta, key, now).ok());
        },
        "meta");
    open();
    EXPECT_EQ(store_->last(), Line{7});
  }
}

TEST_F(RocksStoreTest, AProofIsMadeForAJournalOfAnEarlierVersion) {
  open();
  append_blocks(2);
  tamper([](rocksdb::DB& db,
            rocksdb::ColumnFamilyHandle& meta) { ASSERT_TRUE(db.Delete({}, &meta, "proof").ok()); },
         "meta");
  open();
  append_blocks(1);
  open();
  tamper(
      [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle& meta) {
        std::string proof;
        EXPECT_TRUE(db.Get({}, &meta, "proof", &proof).ok());
      },
      "meta");
}

TEST_F(RocksStoreTest, ADatabaseThatIsGoneOrOldIsNoticedByTheWitness) {
  open();
  append_blocks(5);
  store_.reset();
  const auto old = dir_.path() + "/old";
  fs::copy(database(), old, fs::copy_options::recursive);
  open();
  append_blocks(5);
  store_.reset();

  fs::remove_all(database());
  EXPECT_TRUE(says(open_error(), "lines 1 to 20 were acknowledged and are missing"));
  fs::remove_all(database());
  fs::copy(old, database(), fs::copy_options::recursive);
  EXPECT_TRUE(says(open_error(), "lines 11 to 20 were acknowledged and are missing"));
}

TEST_F(RocksStoreTest, OpensWithoutItsWitnessAndMakesItAgain) {
  open();
  append_blocks(5);
  store_.reset();
  fs::remove(dir_.path() + "/witness");
  open();
  EXPECT_EQ(store_->last(), Line{10});
  store_.reset();
  EXPECT_EQ(read_witness(dir_.path() + "/witness").value()->last, Line{10});
}

TEST_F(RocksStoreTest, ReadsBackBlocksAboveTodaysLimits) {
  open();
  ASSERT_TRUE(append(10, 1000));
  store_.reset();
  store_ = open_rocks_store({.directory = dir_.path(), .limits = {.block_bytes_max = 100}}).value();
  EXPECT_TRUE(scan());
  EXPECT_EQ(visited_, Line{10});
}

TEST_F(RocksStoreTest, RefusesLimitsThatNoBlockCanHold) {
  const auto opened =
      open_rocks_store({.directory = dir_.path(), .limits = {.block_bytes_max = 0xffff'ffffu}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kInvalidArgument);
}

class Witness : public ::testing::Test {
 protected:
  TempDir dir_;
  const std::string path_ = dir_.path() + "/witness";
};

TEST_F(Witness, RemembersTheLastWriteAcrossOpens) {
  EXPECT_EQ(read_witness(path_).value(), std::nullopt);
  Digest head{};
  for (std::uint8_t i = 1; i <= 5; ++i) {
    head[0] = i;
    ASSERT_TRUE(WitnessFile::open(path_).value()->write(Line{i}, head));
    EXPECT_EQ(read_witness(path_).value(), (Witnessed{Line{i}, head, i}));
  }
}

TEST_F(Witness, FallsBackToTheOtherSlotWhenAWriteWasTorn) {
  {
    const auto file = WitnessFile::open(path_).value();
    ASSERT_TRUE(file->write(Line{10}, {}));  // slot 1
    ASSERT_TRUE(file->write(Line{20}, {}));  // slot 0
  }
  std::fstream(path_, std::ios::in | std::ios::out | std::ios::binary).seekp(16).put('x');
  EXPECT_EQ(read_witness(path_).value()->last, Line{10});
  std::fstream(path_, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(kWitnessSlotBytes + 16)
      .put('x');
  EXPECT_EQ(read_witness(path_).value(), std::nullopt);
}

}  // namespace
}  // namespace tidemark::journal
