// test/journal/thinner_test.cpp
//
// What the log gives up, and what it does not; what is said of damage in what is then the only
// copy.

#include "journal/thinner.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "journal/rocks_log.h"
#include "journal_samples.h"
#include "small_segments.h"

namespace tidemark::journal {
namespace {

class ThinnerTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    segments_.reset();
    auto opened = open_rocks_journal({.directory = dir_.path()});
    ASSERT_TRUE(opened) << opened.error().message;
    segments_.emplace(std::move(opened).value());
  }
  Store& store() { return segments_->store(); }

  /// Blocks of 10 lines, every fifth of them messages.
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
    }
  }
  /// Changes the database while nobody has it.
  void tamper(const std::string& family,
              const std::function<void(rocksdb::DB&, rocksdb::ColumnFamilyHandle*)>& change) {
    segments_.reset();
    const auto path = dir_.path() + "/db";
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, path, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const auto& name : names) families.push_back({name, {}});
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, path, families, &handles, &db).ok());
    for (auto* handle : handles) {
      if (handle->GetName() == family) change(*db, handle);
      db->DestroyColumnFamilyHandle(handle);
    }
    delete db;
  }
  std::vector<Line> keys_of_log() {
    std::vector<Line> lines;
    tamper("log", [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* log) {
      const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator({}, log));
      for (at->SeekToFirst(); at->Valid(); at->Next()) {
        lines.push_back(Line{read_be<std::uint64_t>(at->key().ToStringView(), 0)});
      }
    });
    return lines;
  }
  void remove(const std::string& family, const Bytes& from, const Bytes& to) {
    tamper(family, [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
      // Key by key: ranges that were deleted in the log are seen until files are merged.
      const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator({}, handle));
      for (at->Seek(from); at->Valid() && at->key().compare(to) < 0; at->Next()) {
        ASSERT_TRUE(db.Delete({}, handle, at->key()).ok());
      }
    });
  }
  /// Lines that a scan shows, of blocks that pass.
  Result<std::uint64_t> count(Line from = Line{1}, std::uint32_t kinds = ~0u) {
    std::uint64_t lines = 0;
    BlockFilter filter;
    filter.kinds = kinds;
    const auto scanned = store().scan(from, filter, [&](Block& block) {
      lines += block.count;
      return true;
    });
    if (!scanned) return scanned.error();
    return lines;
  }

  const TempDir dir_;
  std::optional<SmallSegments> segments_;
};

constexpr auto kMessages = kind_bit(model::RecordKind::kLogMessage);

TEST_F(ThinnerTest, LetsTheLogHaveTheNewestSegmentsOnly) {
  append_blocks(200);  // 2000 lines: seven segments of 256, and a part of one
  segments_->settle();
  EXPECT_EQ(segments_->thinner().counters().closed, 6U);
  EXPECT_EQ(count().value(), 2000U);
  const auto left = keys_of_log();
  EXPECT_EQ(left.front(), Line{1541});  // the first block that begins behind line 6 * 256
  open();
  EXPECT_EQ(count().value(), 2000U);
  EXPECT_EQ(raw(store().last()), 2000U);
}

TEST_F(ThinnerTest, WaitsUntilASegmentIsFarEnoughBehind) {
  append_blocks(51);  // two segments need not be: one is to be kept, and one is begun
  segments_->settle();
  EXPECT_EQ(segments_->thinner().counters().closed, 0U);
}

TEST_F(ThinnerTest, TakesABlockLargerThanSegments) {
  std::vector<model::PvUpdate> updates;
  for (int i = 0; i < 1000; ++i) updates.push_back(value_of(1, i));
  ASSERT_TRUE(append_one(store(), section_of(updates)));
  append_blocks(100);
  segments_->settle();
  EXPECT_GE(segments_->thinner().counters().closed, 1U);
  std::vector<Section> found;
  ASSERT_TRUE(store().scan(Line{1}, {}, [&](Block& block) {
    found = block.sections;
    return false;
  }));
  EXPECT_EQ(found, std::vector<Section>{section_of(updates)});
}

TEST_F(ThinnerTest, GivesTheMarksOfOriginsAsBefore) {
  append_blocks(200);
  segments_->settle();
  const auto before = store().mark_of(origin_a());
  open();
  EXPECT_EQ(store().mark_of(origin_a())->sequence, before->sequence);
}

TEST_F(ThinnerTest, DoesNotUnpackUpdatesThatNobodyAskedFor) {
  append_blocks(200);
  segments_->settle();
  remove("history", "h", "i");
  open();
  EXPECT_EQ(count(Line{1}, kMessages).value(), 400U);
  EXPECT_EQ(count(Line{1}, kUpdateKinds).error().code, Code::kCorruption);
}

TEST_F(ThinnerTest, SaysWhenBlocksWereRecordedWithoutUnpackingThem) {
  append_blocks(200);
  const auto times = [&] {
    BlockFilter filter;
    filter.payloads = false;
    std::vector<std::pair<Line, UtcTime>> found;
    EXPECT_TRUE(store().scan(Line{1}, filter, [&](Block& block) {
      for (const auto& each : block.sections) EXPECT_TRUE(each.payload.empty());
      found.emplace_back(block.first, block.recorded_at);
      return true;
    }));
    return found;
  };
  const auto before = times();
  ASSERT_EQ(before.size(), 200U);
  segments_->settle();
  remove("history", "h", "i");
  remove("log_messages", "b", "c");
  open();
  EXPECT_EQ(times(), before);
}

TEST_F(ThinnerTest, NamesTheLinesThatAreDamagedAndReadsTheOthers) {
  append_blocks(200);
  segments_->settle();
  SegmentHeader header;
  {
    const auto found = header_before(segments_->journal().segments->table(), Line{600});
    header = *found.value();
  }
  remove("segments", skeleton_key(header.first), skeleton_key(Line{raw(header.first) + 1}));
  open();
  const auto scanned = count();
  ASSERT_FALSE(scanned);
  const auto lines = "lines " + std::to_string(raw(header.first)) + " to " +
                     std::to_string(raw(header.last)) + " are damaged";
  EXPECT_NE(scanned.error().message.find(lines), std::string::npos) << scanned.error().message;
  EXPECT_EQ(count(Line{raw(header.last) + 1}).value(), 2000 - raw(header.last));
}

TEST_F(ThinnerTest, AFlippedBitInAFrameIsNoticed) {
  append_blocks(200);
  segments_->settle();
  tamper("log_messages", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
    const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator({}, family));
    at->SeekToFirst();
    ASSERT_TRUE(at->Valid());
    auto value = at->value().ToString();
    value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 1);
    ASSERT_TRUE(db.Put({}, family, at->key(), value).ok());
  });
  open();
  EXPECT_EQ(count(Line{1}, kMessages).error().code, Code::kCorruption);
}

TEST_F(ThinnerTest, ALogThatDoesNotFollowItsSegmentsIsRefused) {
  append_blocks(200);
  segments_->settle();
  remove("log", line_key(Line{1541}), line_key(Line{1542}));
  const auto opened = open_rocks_journal({.directory = dir_.path()});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCorruption);
  EXPECT_NE(opened.error().message.find("lines 1541 to 1550 are missing"), std::string::npos)
      << opened.error().message;
}

TEST_F(ThinnerTest, ALostLastSegmentIsNoticed) {
  append_blocks(200);
  segments_->settle();
  const auto last = *last_header(segments_->journal().segments->table()).value();
  remove("segments", header_key(last.first), header_key(Line{raw(last.first) + 1}));
  EXPECT_FALSE(open_rocks_journal({.directory = dir_.path()}));
}

TEST_F(ThinnerTest, WhatIsDerivedIsMadeAgainFromSegments) {
  append_blocks(200);
  segments_->settle();
  remove("projections", Bytes(1, '\0'), "\xff");
  open();
  segments_->settle();
  EXPECT_EQ(segments_->projections()->sealed(), Line{7 * 256});
  EXPECT_EQ(segments_->projections()->projected(), Line{2000});
  const auto keyframe = segments_->journal().projections->last("k", "l");
  ASSERT_TRUE(keyframe && keyframe.value());
  EXPECT_EQ(keyframe.value()->first, shard_key(Line{7 * 256}));
}

/// Gives frames of records that are not what was written.
class WrongTable final : public ProjectionTable {
 public:
  explicit WrongTable(const ProjectionTable& inner) : inner_(inner) {}
  Result<Unit> write(const std::vector<KeyValue>&) override { return Unit{}; }
  void flush() override {}
  Result<Unit> clear() override { return Unit{}; }
  Result<Unit> scan(BytesView from, BytesView to,
                    const std::function<bool(BytesView, BytesView)>& visit) const override {
    return inner_.scan(from, to, [&](BytesView key, BytesView value) {
      return visit(key, from.starts_with(wrong_) ? value.substr(1) : value);
    });
  }
  Result<std::optional<KeyValue>> last(BytesView from, BytesView to) const override {
    return inner_.last(from, to);
  }
  void spoil(char kind) { wrong_ = Bytes(1, kind); }

 private:
  const ProjectionTable& inner_;
  Bytes wrong_ = "-";
};

class WrongStore final : public SegmentStore {
 public:
  explicit WrongStore(std::shared_ptr<SegmentStore> inner)
      : inner_(std::move(inner)), table_(inner_->table()) {}
  const Store& store() const override { return inner_->store(); }
  const ProjectionTable& table() const override { return table_; }
  Result<Unit> flush_chunks() override { return inner_->flush_chunks(); }
  Result<Unit> put(const std::vector<KeyValue>& pieces) override { return inner_->put(pieces); }
  Result<Unit> close(const SegmentHeader& header) override { return inner_->close(header); }
  Result<Appended> expire(const Expiry& expiry) override { return inner_->expire(expiry); }
  void reclaim(RecordClass of) override { inner_->reclaim(of); }
  Result<Digest> block_digest(Line last) const override { return inner_->block_digest(last); }
  void spoil(char kind) { table_.spoil(kind); }

 private:
  const std::shared_ptr<SegmentStore> inner_;
  WrongTable table_;
};

TEST_F(ThinnerTest, KeepsTheBlocksOfWhatDoesNotReadBackAsItWas) {
  append_blocks(200);
  while (segments_->projections()->advance(1000).value()) {
  }
  {
    const auto wrong = std::make_shared<WrongStore>(segments_->journal().segments);
    ThinnerLimits soon;
    soon.raw_segments_kept = 1;
    soon.segments_at_once = 1;
    Thinner thinner(wrong, segments_->projections(), soon);
    wrong->spoil('b');
    EXPECT_TRUE(thinner.step().value());
    wrong->spoil('s');
    EXPECT_TRUE(thinner.step().value());
    wrong->spoil('-');
    EXPECT_TRUE(thinner.step().value());
    EXPECT_EQ(thinner.counters().in_log, 2U);
    EXPECT_EQ(thinner.counters().closed, 3U);
  }
  EXPECT_EQ(count().value(), 2000U);
  EXPECT_EQ(count(Line{300}, kMessages).value(), 350U);
  const auto left = keys_of_log();
  EXPECT_EQ(left.front(), Line{1});
  EXPECT_EQ(left[52], Line{771});  // behind the third, which was given up
  open();
  segments_->settle();
  EXPECT_EQ(count().value(), 2000U);
}

TEST_F(ThinnerTest, KeepsUpdatesByteForByteThatChunksDoNotGiveAgain) {
  auto foreign = value_of(1, 1);
  foreign.channel = model::ChannelId{~0u};  // the live table has no such channel
  const auto sent = section_of({value_of(1, 1), foreign});
  ASSERT_TRUE(append_one(store(), sent));
  append_blocks(100);
  segments_->settle();
  EXPECT_EQ(segments_->thinner().counters().in_log, 0U);
  EXPECT_GE(segments_->thinner().counters().closed, 1U);
  std::vector<Section> found;
  ASSERT_TRUE(store().scan(Line{1}, {}, [&](Block& block) {
    found = block.sections;
    return false;
  }));
  EXPECT_EQ(found, std::vector<Section>{sent});
}

TEST_F(ThinnerTest, AJournalOfTheFormatBeforeGoesOn) {
  append_blocks(60);
  tamper("meta", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* meta) {
    ASSERT_TRUE(db.Put({}, meta, "format", "1").ok());
  });
  // Format 1 had chunks among what is derived.
  tamper("projections", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
    ASSERT_TRUE(db.DeleteRange({}, family, Bytes(1, '\0'), "\xff").ok());
    ASSERT_TRUE(db.Put({}, family, "g12345678123412345678", "a chunk").ok());
    ASSERT_TRUE(db.Put({}, family, "w", Bytes{2, 0, 0}).ok());
  });
  open();
  EXPECT_EQ(count().value(), 600U);
  append_blocks(140);
  segments_->settle();
  EXPECT_EQ(segments_->thinner().counters().closed, 6U);
  EXPECT_EQ(count().value(), 2000U);
  tamper("meta", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* meta) {
    std::string format;
    ASSERT_TRUE(db.Get({}, meta, "format", &format).ok());
    EXPECT_EQ(format, "2");
    ASSERT_TRUE(db.Put({}, meta, "format", "3").ok());
  });
  const auto refused = open_rocks_journal({.directory = dir_.path()});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("format 3, written by a later version"),
            std::string::npos);
}

}  // namespace
}  // namespace tidemark::journal
