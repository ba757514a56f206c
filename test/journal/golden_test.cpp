// test/journal/golden_test.cpp
//
// A journal that was written once and is committed (golden/, by journal_golden.cpp): whoever
// changes the code reads it as it was read then. What its lines say is in golden/expected.ndjson
// (test/system/golden_test.py); here are the bytes that docs/journal-format.md shows.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "golden_limits.h"
#include "journal/check.h"
#include "journal/expired_runs.h"
#include "journal/rocks_store.h"
#include "journal_files.h"

namespace tidemark::journal {
namespace {

/// As the page has them: the offset, sixteen bytes in hex, and a comment.
std::string dump_of(BytesView bytes) {
  constexpr const char* kHex = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 16 == 0) {
      const auto offset = std::to_string(i);
      out += (i == 0 ? "" : "\n") + std::string(3 - std::min<std::size_t>(3, offset.size()), ' ') +
             offset + ' ';
    }
    const auto byte = static_cast<unsigned char>(bytes[i]);
    out += {' ', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

/// The dump in the block behind that sentence of the page, without the comments.
std::string dump_on_page(const std::string& sentence) {
  std::ifstream page(TIDEMARK_FORMAT_PAGE);
  std::string line;
  while (std::getline(page, line) && !line.starts_with(sentence)) {
  }
  while (std::getline(page, line) && line != "```") {
  }
  std::string out;
  constexpr std::size_t kColumns = 4 + 16 * 3;
  while (std::getline(page, line) && line != "```") {
    auto bytes = line.substr(0, kColumns);
    while (bytes.ends_with(' ')) bytes.pop_back();
    out += (out.empty() ? "" : "\n") + bytes;
  }
  return out;
}

class GoldenJournal : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::copy(TIDEMARK_GOLDEN_JOURNAL, directory_,
                          std::filesystem::copy_options::recursive);
  }
  RocksStoreOptions options() const {
    RocksStoreOptions options;
    options.directory = directory_;
    return options;
  }
  Bytes value_of_key(const Bytes& key) const {
    const auto opened = open_rocks_journal_to_read(options());
    EXPECT_TRUE(opened);
    const auto found = opened.value().projections->last(key, key + '\0');
    EXPECT_TRUE(found && found.value()) << "the key is not there";
    return found && found.value() ? found.value()->second : Bytes();
  }

  const TempDir dir_;
  const std::string directory_ = dir_.path() + "/golden";
};

TEST_F(GoldenJournal, IsSoundInAllItsPartsAndGoesOn) {
  {
    const auto opened = open_rocks_journal_to_read(options());
    ASSERT_TRUE(opened) << opened.error().message;
    const auto& store = *opened.value().store;
    const auto report = check_lines(store, [](std::uint64_t) { return true; });
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report.value().damage.empty());
    EXPECT_EQ(report.value().lines, raw(store.last()));
    EXPECT_GT(report.value().expired, kGoldenSegment);
    const auto derived = check_projections(
        opened.value().store, opened.value().projections, [](std::uint64_t) { return true; },
        golden_limits());
    ASSERT_TRUE(derived) << derived.error().message;
    EXPECT_TRUE(derived.value().sound()) << derived.value().unusable;
    EXPECT_GT(derived.value().rows, 20u);
    EXPECT_EQ(store.expired()->all(RecordClass::kPvUpdates).size(), 1u);
    EXPECT_EQ(store.expired()->all(RecordClass::kLogMessages).size(), 1u);
  }
  const auto opened = open_rocks_journal(options());
  ASSERT_TRUE(opened) << opened.error().message;
  auto& store = *opened.value().store;
  const auto last = raw(store.last());
  ASSERT_TRUE(append_lines(store, 3));
  EXPECT_EQ(raw(store.last()), last + 3);
}

TEST_F(GoldenJournal, HasTheBytesOfTheFormatPage) {
  const auto is_on_page = [](const std::string& sentence, BytesView bytes) {
    EXPECT_EQ(dump_on_page(sentence), dump_of(bytes)) << sentence;
  };
  is_on_page("A keyframe's shard, ", value_of_key(shard_key(Line{3 * kGoldenSegment})));
  is_on_page("The begin of a mark, ", value_of_key(mark_key(Line{112})));
  is_on_page("Its end, ", value_of_key(mark_key(Line{115})));
  is_on_page("A run, ", value_of_key(expired_key(RecordClass::kPvUpdates, Line{1})));
  is_on_page("A base, ", value_of_key(base_key(Line{2 * kGoldenSegment})));
  const auto witness = content_of(directory_ + "/witness");
  ASSERT_EQ(witness.size(), 2 * kWitnessSlotBytes);
  is_on_page("The slot of a witness, ", BytesView(witness).substr(kWitnessSlotBytes, 72));
}

}  // namespace
}  // namespace tidemark::journal
