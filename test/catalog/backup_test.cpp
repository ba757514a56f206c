// test/catalog/backup_test.cpp
//
// The catalog as one file: what is written comes back, and what is damaged does not.

#include "catalog/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/uuid.h"
#include "catalog/memory_store.h"

namespace tidemark::catalog {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class CatalogBackup : public testing::Test {
 protected:
  CatalogBackup() : directory_(fs::temp_directory_path() / ("tm-" + Uuid::random().text())) {
    EXPECT_TRUE(store_.commit({{"p/1", "a PV"},
                               {"s/1", Bytes(3u << 20, 'x')},
                               {"t/empty", Bytes()},
                               {std::string("u\0v", 3), std::string("\0\xff", 2)}}));
  }
  ~CatalogBackup() override { fs::remove_all(directory_); }

  std::string path() const { return directory_ / "catalog" / "one"; }
  Bytes written() {
    EXPECT_TRUE(write_backup(store_, path()));
    std::ifstream in(path(), std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  static std::vector<std::pair<Bytes, Bytes>> entries(const Store& store) {
    std::vector<std::pair<Bytes, Bytes>> all;
    (void)store.scan("", [&](std::string_view key, BytesView value) {
      all.emplace_back(key, value);
      return true;
    });
    return all;
  }
  static Result<BackupSize> read(const Bytes& bytes) {
    std::istringstream in(bytes);
    return read_backup(in, [](const Bytes&, const Bytes&) -> Result<Unit> { return Unit{}; });
  }

  const fs::path directory_;
  MemoryStore store_;
};

TEST_F(CatalogBackup, ComesBackAsItWas) {
  const auto size = write_backup(store_, path());
  ASSERT_TRUE(size) << size.error().message;
  EXPECT_EQ(size.value().entries, 4u);
  EXPECT_EQ(size.value().bytes, fs::file_size(path()));
  MemoryStore again;
  EXPECT_EQ(restore_backup(path(), again).value(), size.value());
  EXPECT_EQ(entries(again), entries(store_));
  EXPECT_EQ(write_backup(store_, path()).error().code, Code::kConflict);
}

TEST_F(CatalogBackup, OfAnEmptyCatalogIsOne) {
  const MemoryStore nothing;
  EXPECT_EQ(write_backup(nothing, path()).value().entries, 0u);
  MemoryStore again;
  EXPECT_TRUE(restore_backup(path(), again));
  EXPECT_TRUE(entries(again).empty());
}

TEST_F(CatalogBackup, ThatIsDamagedOrCutIsRefusedAndNothingIsWritten) {
  const auto whole = written();
  for (const auto at : {std::size_t{0}, std::size_t{9}, std::size_t{20}, whole.size() / 2,
                        whole.size() - 13, whole.size() - 1}) {
    auto flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    const auto damaged = read(flipped);
    ASSERT_FALSE(damaged) << at;
    EXPECT_EQ(damaged.error().code, Code::kCorruption);
    EXPECT_FALSE(read(whole.substr(0, at))) << at;
  }
  EXPECT_FALSE(read(whole + "x"));
  EXPECT_TRUE(read(whole));
  std::ofstream(path(), std::ios::binary) << whole.substr(0, whole.size() - 1);
  MemoryStore again;
  EXPECT_THAT(restore_backup(path(), again).error().message, HasSubstr("is cut"));
  EXPECT_EQ(again.commits(), 0u);
  EXPECT_EQ(restore_backup(directory_ / "none", again).error().code, Code::kNotFound);
}

TEST_F(CatalogBackup, ThatCannotBeWrittenLeavesNothing) {
  fs::create_directories(directory_);
  std::ofstream(directory_ / "file") << "x";
  EXPECT_EQ(write_backup(store_, directory_ / "file" / "one").error().code, Code::kUnavailable);
  EXPECT_FALSE(fs::exists(path() + ".partial"));
}

}  // namespace
}  // namespace tidemark::catalog
