#include "tools/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tools/cli.h"

namespace tidemark::tools {
namespace {

using testing::HasSubstr;

class Completion : public testing::Test {
 protected:
  std::string script(const std::string& shell) {
    std::ostringstream out;
    std::ostringstream err;
    std::istringstream in;
    Context context(out, err, in);
    EXPECT_EQ(run_cli(context, {"completion", shell}), 0) << err.str();
    return out.str();
  }

  /// What `bash` prints for `commands`, run after the script was loaded.
  std::string in_bash(const std::string& commands) {
    const auto file = testing::TempDir() + "tidemark-completion-" + std::to_string(::getpid());
    std::ofstream(file) << script("bash") << commands;
    std::FILE* pipe = ::popen(("bash --norc --noprofile -eu " + file + " 2>&1").c_str(), "r");
    std::string out;
    char buffer[4096];
    while (const auto count = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, count);
    EXPECT_EQ(::pclose(pipe), 0) << out;
    std::filesystem::remove(file);
    return out;
  }

  /// The completions of the last of `words`.
  std::string complete(const std::string& words) {
    return in_bash("COMP_WORDS=(" + words +
                   ")\n"
                   "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                   "_tidemark || true\n"
                   "echo \"${COMPREPLY[*]:-}\"\n");
  }
};

TEST_F(Completion, IsAcceptedByBash) { EXPECT_EQ(in_bash("true\n"), ""); }

TEST_F(Completion, CompletesCommands) {
  EXPECT_EQ(complete("tidemark sna"), "snapshot\n");
  EXPECT_EQ(complete("tidemark snapshot re"), "restore\n");
}

TEST_F(Completion, CompletesTheCommandsForSubsystems) {
  EXPECT_EQ(complete("tidemark kv wa"), "watch\n");
  EXPECT_EQ(complete("tidemark event call degauss --every"), "--everybody\n");
  EXPECT_EQ(complete("tidemark bus tap --ra"), "--rates\n");
}

TEST_F(Completion, CompletesTheCommandsOfThePast) {
  EXPECT_EQ(complete("tidemark hist"), "history\n");
  EXPECT_EQ(complete("tidemark diff A B --exit"), "--exit-code\n");
}

TEST_F(Completion, CompletesBothOfACommandThatRunsByItselfAndHasCommands) {
  EXPECT_EQ(complete("tidemark status-items a"), "ack\n");
  EXPECT_EQ(complete("tidemark status-items --fol"), "--follow\n");
  EXPECT_THAT(script("fish"), HasSubstr("'__tidemark_at \"status-items\"' -l follow"));
}

TEST_F(Completion, CompletesOptionsOfTheCommandAndGlobalOnes) {
  EXPECT_EQ(complete("tidemark snapshot restore X --pla"), "--plan-hash\n");
  EXPECT_EQ(complete("tidemark log query --js"), "--json\n");
}

TEST_F(Completion, IsNotMisledByTheValueOfAnOption) {
  EXPECT_EQ(complete("tidemark -c status snapshot li"), "list\n");
  EXPECT_EQ(complete("tidemark --timeout 5s snapshot li"), "list\n");
}

/// A program that answers as `tidemark complete-names` does, and says what it was asked.
constexpr const char* kAnswers =
    "asked=$(mktemp)\n"
    "tidemark() {\n"
    "  echo \"$*\" > \"$asked\"\n"
    "  [[ \"$*\" == *'names pv'* ]] && printf 'QUAD:LI21:101:BDES\\nQUAD:LI21:101:BACT\\n'\n"
    "  [[ \"$*\" == *'names mark'* ]] && printf 'shot 7\\n'\n"
    "  [[ \"$*\" == *'names node'* ]] && printf 'psu.1\\npsu.2\\n'\n"
    "  [[ \"$*\" == *'names key'* ]] && printf 'psu.1/current\\n'\n"
    "  true\n"
    "}\n";

TEST_F(Completion, CompletesNamesOfPvsBehindTheirLastColon) {
  EXPECT_EQ(in_bash(std::string(kAnswers) +
                    "COMP_WORDBREAKS=' :='\n"
                    "COMP_LINE='tidemark -c x.toml state QUAD:LI21:101:B'\n"
                    "COMP_POINT=${#COMP_LINE}\n"
                    "COMP_WORDS=(tidemark -c x.toml state QUAD : LI21 : 101 : B)\n"
                    "COMP_CWORD=10\n"
                    "_tidemark || true\n"
                    "echo \"${COMPREPLY[*]}\"; cat \"$asked\"; rm \"$asked\"\n"),
            "BDES BACT\n-c x.toml complete-names pv QUAD:LI21:101:B\n");
}

TEST_F(Completion, CompletesNamesOfMarks) {
  for (const std::string option : {"--in", "--since", "--until"}) {
    EXPECT_EQ(in_bash(std::string(kAnswers) + "COMP_WORDS=(tidemark log query " + option +
                      " sh)\n"
                      "COMP_CWORD=4\n"
                      "_tidemark || true\n"
                      "echo \"${COMPREPLY[*]}\"; cat \"$asked\"; rm \"$asked\"\n"),
              "shot\\ 7\ncomplete-names mark sh\n");
  }
}

TEST_F(Completion, CompletesNamesOfWhomAndWhatIsOnTheBus) {
  const auto asked_for = [&](const std::string& words) {
    return in_bash(std::string(kAnswers) + "COMP_LINE='" + words +
                   "'\n"
                   "COMP_POINT=${#COMP_LINE}\n"
                   "COMP_WORDS=(" +
                   words +
                   ")\n"
                   "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                   "_tidemark || true\n"
                   "echo \"${COMPREPLY[*]}\"; cat \"$asked\"; rm \"$asked\"\n");
  };
  EXPECT_EQ(asked_for("tidemark forget ps"), "psu.1 psu.2\ncomplete-names node ps\n");
  EXPECT_EQ(asked_for("tidemark kv get psu.1/"), "psu.1/current\ncomplete-names key psu.1/\n");
  for (const auto* shell : {"zsh", "fish"}) {
    EXPECT_THAT(script(shell), HasSubstr("complete-names event")) << shell;
  }
}

TEST_F(Completion, DoesNotShowWhatIsForShellsOnly) {
  EXPECT_THAT(script("bash"), testing::Not(HasSubstr("'complete-names'")));
  EXPECT_EQ(complete("tidemark complet"), "completion\n");
}

TEST_F(Completion, NamesEveryCommandForOtherShells) {
  for (const auto* shell : {"zsh", "fish"}) {
    for (const auto* word : {"up", "snapshot", "restore", "follow", "plan-hash", "timeout",
                             "describe", "everybody", "tap"}) {
      EXPECT_THAT(script(shell), HasSubstr(word)) << shell;
    }
  }
}

TEST_F(Completion, RefusesAShellThatItDoesNotKnow) {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  Context context(out, err, in);
  EXPECT_EQ(run_cli(context, {"completion", "cmd.exe"}), 2);
}

}  // namespace
}  // namespace tidemark::tools
