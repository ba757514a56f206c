// One contract, two stores.

#include "catalog/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "catalog/memory_store.h"
#include "catalog/rocks_store.h"

namespace tidemark::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Directory {
 public:
  Directory() {
    auto name = (std::filesystem::temp_directory_path() / "tidemark-catalog-XXXXXX").string();
    TIDEMARK_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_ + "/catalog"; }

 private:
  std::string path_;
};

std::unique_ptr<Store> open(const Directory& directory) {
  auto store = open_rocks_store(directory.path());
  TIDEMARK_CHECK(store.ok());
  return std::move(store).value();
}

class StoreContract : public testing::TestWithParam<const char*> {
 protected:
  StoreContract() {
    if (GetParam() == std::string("memory")) {
      store_ = std::make_unique<MemoryStore>();
    } else {
      store_ = open(directory_);
    }
  }

  void commit(const std::vector<Write>& writes) {
    const auto committed = store_->commit(writes);
    ASSERT_TRUE(committed) << committed.error().message;
  }
  std::optional<Bytes> get(std::string_view key) { return store_->get(key).value(); }
  std::vector<std::string> keys(std::string_view prefix, std::size_t max = 100) {
    std::vector<std::string> keys;
    const auto scanned = store_->scan(prefix, [&](std::string_view key, BytesView) {
      keys.emplace_back(key);
      return keys.size() < max;
    });
    EXPECT_TRUE(scanned);
    return keys;
  }

  Directory directory_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, testing::Values("memory", "rocks"),
                         [](const auto& each) { return std::string(each.param); });

TEST_P(StoreContract, GivesWhatWasCommitted) {
  commit({{"a", Bytes("1")}, {"b", Bytes("\0\xff", 2)}, {"", Bytes("empty key")}});
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), Bytes("\0\xff", 2));
  EXPECT_EQ(get(""), "empty key");
}

TEST_P(StoreContract, HasNothingUnderAnUnknownKey) {
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_TRUE(keys("").empty());
}

TEST_P(StoreContract, KeepsTheLastValueOfAKey) {
  commit({{"a", Bytes("1")}, {"a", Bytes("2")}});
  EXPECT_EQ(get("a"), "2");
  commit({{"a", Bytes("")}});
  EXPECT_EQ(get("a"), "");
}

TEST_P(StoreContract, ForgetsWhatWasDeleted) {
  commit({{"a", Bytes("1")}});
  commit({{"a", std::nullopt}, {"never there", std::nullopt}});
  EXPECT_EQ(get("a"), std::nullopt);
}

TEST_P(StoreContract, ScansAPrefixInTheOrderOfBytes) {
  commit({{"p/\xff", Bytes("")},
          {"p/a", Bytes("")},
          {"p", Bytes("")},
          {"q/", Bytes("")},
          {std::string("p/\0", 3), Bytes("")}});
  EXPECT_THAT(keys("p/"), ElementsAre(std::string("p/\0", 3), "p/a", "p/\xff"));
  EXPECT_EQ(keys("").size(), 5u);
}

TEST_P(StoreContract, StopsAScanWhenToldTo) {
  commit({{"a", Bytes("")}, {"b", Bytes("")}, {"c", Bytes("")}});
  EXPECT_THAT(keys("", 2), ElementsAre("a", "b"));
}

TEST_P(StoreContract, HoldsLargeValues) {
  const Bytes large(5u << 20, 'x');
  commit({{"S/1", large}});
  EXPECT_EQ(get("S/1"), large);
}

TEST(MemoryStore, RefusesCommitsWhenToldTo) {
  MemoryStore store;
  store.refuse_commits(Error{Code::kUnavailable, "disk full"});
  EXPECT_EQ(store.commit({{"a", Bytes("1")}}).error().code, Code::kUnavailable);
  EXPECT_EQ(store.get("a").value(), std::nullopt);
  store.refuse_commits({});
  EXPECT_TRUE(store.commit({{"a", Bytes("1")}}));
  EXPECT_EQ(store.commits(), 1u);
}

TEST(RocksStore, KeepsEverythingWhenOpenedAgain) {
  const Directory directory;
  const Bytes large(1u << 20, 'x');
  {
    const auto store = open(directory);
    ASSERT_TRUE(store->commit({{"a", Bytes("1")}, {"b", Bytes("2")}, {"S/1", large}}));
    ASSERT_TRUE(store->commit({{"b", std::nullopt}}));
  }
  const auto store = open(directory);
  EXPECT_EQ(store->get("a").value(), "1");
  EXPECT_EQ(store->get("b").value(), std::nullopt);
  EXPECT_EQ(store->get("S/1").value(), large);
}

TEST(RocksStore, HasOneHolderInAProcess) {
  const Directory directory;
  const auto store = open(directory);
  const auto second = open_rocks_store(directory.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr(directory.path()));
}

TEST(RocksStore, HasOneHolderAmongProcesses) {
  const Directory directory;
  int ready[2];
  int done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  const auto child = fork();
  if (child == 0) {
    const auto store = open_rocks_store(directory.path());
    char byte = store.ok() ? 'y' : 'n';
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    if (read(done[0], &byte, 1) != 1) _exit(1);
    _exit(0);  // As a crash would: without closing the store.
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  const auto second = open_rocks_store(directory.path());
  ASSERT_EQ(write(done[1], &byte, 1), 1);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_TRUE(open_rocks_store(directory.path())) << "the holder is gone";
}

TEST(RocksStore, SaysWhenItsDirectoryCannotBeMade) {
  const auto store = open_rocks_store("/proc/none/catalog");
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace tidemark::catalog
