// test/journal/crashed_journal.h
//
// What must hold of a journal under stress (stress_model.h) after whatever ended it: nothing that
// was acknowledged is missing, nothing is there twice, and what is derived is what the lines say.
// TIDEMARK_CRASH_ROUNDS: how often. TIDEMARK_SEED: the same moments again.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "journal/check.h"
#include "journal/rocks_store.h"
#include "journal_files.h"
#include "stress_child.h"
#include "stress_model.h"

namespace tidemark::journal {

namespace fs = std::filesystem;

/// Beyond that a round takes long to verify, and the next begins with nothing.
inline constexpr std::uint64_t kLinesMax = 300'000;
inline const auto kGoOn = [](std::uint64_t) { return true; };

class CrashedJournal : public ::testing::Test {
 protected:
  static RocksStoreOptions options(const std::string& directory) {
    RocksStoreOptions options;
    options.directory = directory;
    return options;
  }

  /// `acknowledged` and all before it are there; all that is there is right.
  void verify(const std::string& directory, std::uint64_t acknowledged) {
    {
      const auto read = open_rocks_journal_to_read(options(directory));
      // It may have ended before there was one, which is no hindrance to the next.
      if (!read && acknowledged == 0 && last_ == 0) {
        ASSERT_EQ(read.error().code, Code::kNotFound) << read.error().message;
        ASSERT_TRUE(open_rocks_journal(options(directory)));
        return;
      }
      ASSERT_TRUE(read) << read.error().message;
      EXPECT_GE(raw(read.value().store->last()), acknowledged);
      const auto derived =
          check_projections(read.value().store, read.value().projections, kGoOn, stress::limits());
      ASSERT_TRUE(derived) << derived.error().message;
      EXPECT_TRUE(derived.value().sound())
          << derived.value().wrong << " rows wrong, " << derived.value().missing << " missing, "
          << derived.value().surplus << " nobody's " << derived.value().unusable;
    }
    const auto opened = open_rocks_journal(options(directory));
    ASSERT_TRUE(opened) << opened.error().message;
    const auto& store = opened.value().store;
    const auto last = raw(store->last());
    ASSERT_GE(last, acknowledged);
    std::uint64_t next = 1;
    const auto scanned = store->scan(Line{1}, {}, [&](Block& block) {
      EXPECT_EQ(raw(block.first), next);
      const auto fault = stress::fault_in(block);
      EXPECT_EQ(fault, "");
      next = raw(block.first) + block.count;
      return fault.empty();
    });
    ASSERT_TRUE(scanned) << scanned.error().message;
    EXPECT_EQ(next - 1, last);
    const auto mark_a = store->mark_of(origin_a());
    const auto mark_b = store->mark_of(origin_b());
    EXPECT_EQ(mark_a ? mark_a->sequence : 0, stress::last_sequence(last, false));
    EXPECT_EQ(mark_b ? mark_b->sequence : 0, stress::last_sequence(last, true));
    if (last == 0) return;

    const auto projections =
        std::make_shared<Projections>(store, opened.value().projections, stress::limits());
    ASSERT_TRUE(projections->load());
    const Archive archive(projections);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(stress::fault_in_state(archive, 1 + random_() % last), "");
    }
    const auto channel = 1 + static_cast<std::uint32_t>(random_() % stress::kChannels);
    EXPECT_EQ(stress::fault_in_samples(archive, channel, 1, last), "");
    last_ = last;
  }

  void begin_anew_when_large(const std::string& directory) {
    if (last_ < kLinesMax) return;
    fs::remove_all(directory);
    stress::lost().clear();
    last_ = 0;
  }

  const std::uint64_t seed_ = number_from("TIDEMARK_SEED", std::random_device{}());
  const std::uint64_t rounds_ = number_from("TIDEMARK_CRASH_ROUNDS", 3);
  const std::uint64_t few_ = std::max<std::uint64_t>(2, rounds_ / 10);  // of what is many tests
  std::mt19937_64 random_{seed_};
  std::uint64_t last_ = 0;
  const TempDir dir_;
  const std::string directory_ = dir_.path() + "/journal";
  const ::testing::ScopedTrace trace_{__FILE__, __LINE__, "TIDEMARK_SEED=" + std::to_string(seed_)};
};

}  // namespace tidemark::journal
