#include "nodes/last_words.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace tidemark::nodes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class LastWordsTest : public testing::Test {
 protected:
  LastWordsTest() {
    char folder[] = "/tmp/tidemark-words-XXXXXX";
    directory_ = ::mkdtemp(folder);
  }
  ~LastWordsTest() override { std::filesystem::remove_all(directory_); }

  std::string file() const { return directory_ + "/last-words"; }
  /// Runs a program that ends so; answers its wait status.
  int die(const char* how) {
    const std::string path = file();
    const pid_t pid = ::fork();
    if (pid == 0) {
      // It says the words there, too. Not closed: the file would get that number.
      ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
      ::execl(TIDEMARK_SAY_LAST_WORDS, "say_last_words", path.c_str(), how, nullptr);
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
  }

  std::string directory_;
};

TEST_F(LastWordsTest, NameTheExceptionThatNobodyCaught) {
  const auto before = utc_now();
  const int status = die("throw");
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
  const auto words = take_last_words(file());
  ASSERT_TRUE(words);
  EXPECT_EQ(words->signal, SIGABRT);
  EXPECT_THAT(words->text, HasSubstr("nobody caught: no more beam; ended by SIGABRT"));
  EXPECT_GE(words->at, before - std::chrono::seconds(1));
  EXPECT_LE(words->at, utc_now());
}

TEST_F(LastWordsTest, AreSaidOnce) {
  die("abort");
  EXPECT_TRUE(take_last_words(file()));
  EXPECT_FALSE(take_last_words(file()));
}

TEST_F(LastWordsTest, AreNoneOfWhatEndedWell) {
  EXPECT_EQ(die("well"), 0);
  EXPECT_FALSE(take_last_words(file()));
}

TEST_F(LastWordsTest, AreNoneOfWhatWasKilled) {
  EXPECT_EQ(WTERMSIG(die("kill")), SIGKILL);
  EXPECT_FALSE(take_last_words(file()));
}

// A sanitizer has a handler of its own for this one.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(LastWordsTest, NameTheAddressOfABadAccess) {
  const int status = die("segv");
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
  const auto words = take_last_words(file());
  ASSERT_TRUE(words);
  EXPECT_EQ(words->text, "ended by SIGSEGV at address 0x0");
}
#endif

TEST_F(LastWordsTest, AreNotTakenFromAFileOfSomethingElse) {
  std::ofstream(file()) << "no words\n17\n\n18 \nx 6 y\n";
  EXPECT_FALSE(take_last_words(file()));
}

TEST_F(LastWordsTest, OfALogAreItsLastLines) {
  std::ofstream(file()) << "old\nbefore\none\ntwo\n\nthree";
  EXPECT_THAT(last_lines(file(), 4, 10), ElementsAre("before", "one", "two", "three"));
  EXPECT_THAT(last_lines(file(), 0, 2), ElementsAre("two", "three"));
  EXPECT_THAT(last_lines(file(), 1000, 2), IsEmpty());
  EXPECT_THAT(last_lines(directory_ + "/none", 0, 2), IsEmpty());
}

TEST_F(LastWordsTest, OfALargeLogAreReadFromItsEnd) {
  {
    std::ofstream log(file());
    for (int i = 0; i < 100'000; ++i) log << "line " << i << "\n";
  }
  EXPECT_THAT(last_lines(file(), 0, 2), ElementsAre("line 99998", "line 99999"));
  const auto many = last_lines(file(), 0, 100'000);
  EXPECT_LT(many.size(), 2000u);
  EXPECT_THAT(many.front(), HasSubstr("line "));
}

}  // namespace
}  // namespace tidemark::nodes
