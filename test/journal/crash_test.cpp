// test/journal/crash_test.cpp
//
// A process that appends is killed in full flight, again and again, in one directory.
// TIDEMARK_CRASH_ROUNDS: how often. TIDEMARK_SEED: the same moments again.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "journal/rocks_store.h"
#include "journal_samples.h"

namespace tidemark::journal {
namespace {

/// The program append_forever, as a child.
class Appender {
 public:
  Appender(const std::string& directory, const char* mode) {
    int ends[2];
    TIDEMARK_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    pid_ = ::fork();
    TIDEMARK_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::dup2(ends[1], STDERR_FILENO);
      ::execl(TIDEMARK_APPEND_FOREVER, "append_forever", directory.c_str(), mode, nullptr);
      ::_exit(103);
    }
    ::close(ends[1]);
    out_ = ends[0];
  }
  ~Appender() {
    if (pid_ > 0) kill_and_wait();
    ::close(out_);
  }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  pid_t pid() const { return pid_; }
  /// The next acknowledged line; empty when the child is gone.
  std::optional<std::uint64_t> next() {
    std::uint64_t line = 0;
    std::size_t got = 0;
    while (got < sizeof line) {
      const auto bytes = ::read(out_, reinterpret_cast<char*>(&line) + got, sizeof line - got);
      if (bytes <= 0) return std::nullopt;
      got += static_cast<std::size_t>(bytes);
    }
    return line;
  }
  std::string rest() {
    std::string text;
    char buffer[512];
    for (ssize_t bytes = 0; (bytes = ::read(out_, buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(bytes));
    }
    return text;
  }
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void kill_and_wait() {
    ::kill(pid_, SIGKILL);
    wait();
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Every line once, in order, with its own text; the hash chain is checked by scan().
void expect_sound(const Store& store) {
  std::uint64_t next = 1;
  const auto scanned = store.scan(Line{1}, {}, [&](Block& block) {
    EXPECT_EQ(raw(block.first), next);
    for (const auto& section : block.sections) {
      EXPECT_EQ(section.sequence, next);
      if (section.format == SectionFormat::kUpdates) {
        for (const auto& update : model::decode_updates(section.payload).value()) {
          EXPECT_EQ(update, value_of(static_cast<std::uint32_t>(1 + next % 7),
                                     static_cast<double>(next)));
          ++next;
        }
        continue;
      }
      for (const auto& record : model::decode_records(section.payload).value()) {
        EXPECT_EQ(record, message(std::to_string(next)));
        ++next;
      }
    }
    return true;
  });
  EXPECT_TRUE(scanned) << scanned.error().message;
  EXPECT_EQ(next - 1, raw(store.last()));
  EXPECT_EQ(store.mark_of(origin_a())->sequence, next - 1);
}

void kill_in_full_flight(const char* mode) {
  const auto seed = number_from("TIDEMARK_SEED", std::random_device{}());
  const auto rounds = number_from("TIDEMARK_CRASH_ROUNDS", 5);
  SCOPED_TRACE("TIDEMARK_SEED=" + std::to_string(seed));
  std::printf("TIDEMARK_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const TempDir dir;
  std::uint64_t acknowledged = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    {
      Appender appender(dir.path(), mode);
      const auto acks = random() % 300;
      for (std::uint64_t i = 0; i <= acks; ++i) {
        const auto line = appender.next();
        ASSERT_TRUE(line) << appender.rest();
        acknowledged = *line;
      }
      // Somewhere inside of one of the next commits.
      const auto until = steady_now() + std::chrono::microseconds{random() % 3000};
      while (steady_now() < until) {
      }
      appender.kill_and_wait();
      while (const auto line = appender.next()) acknowledged = *line;
    }
    const auto store = open_rocks_store({.directory = dir.path()});
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_GE(raw(store.value()->last()), acknowledged);
    expect_sound(*store.value());
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(KilledJournal, HasEveryAcknowledgedLineOnce) { kill_in_full_flight("batch"); }

TEST(KilledJournal, HasEveryAcknowledgedLineOnceInIntervalMode) { kill_in_full_flight("interval"); }

TEST(KilledJournal, HasEveryAcknowledgedLineOnceWhileTheLogGivesUpSegments) {
  kill_in_full_flight("segments");
}

TEST(JournalDirectory, IsRefusedToASecondProcessThatIsToldTheFirst) {
  const TempDir dir;
  const auto store = open_rocks_store({.directory = dir.path()});
  ASSERT_TRUE(store);
  Appender second(dir.path(), "batch");
  const auto said = second.rest();
  EXPECT_EQ(second.wait(), static_cast<int>(Code::kConflict)) << said;
  EXPECT_NE(said.find(dir.path()), std::string::npos) << said;
  EXPECT_NE(said.find(std::to_string(::getpid())), std::string::npos) << said;
}

TEST(JournalDirectory, IsFreeAgainWhenItsHolderWasKilled) {
  const TempDir dir;
  Appender first(dir.path(), "batch");
  ASSERT_TRUE(first.next());
  const auto refused = open_rocks_store({.directory = dir.path()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_NE(refused.error().message.find(std::to_string(first.pid())), std::string::npos);
  first.kill_and_wait();
  EXPECT_TRUE(open_rocks_store({.directory = dir.path()}));
}

}  // namespace
}  // namespace tidemark::journal
