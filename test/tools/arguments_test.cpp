#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <sstream>

#include "tools/cli.h"
#include "tools/log_filter.h"
#include "tools/times.h"

namespace tidemark::tools {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

TEST(DurationArgument, TakesUnitsAndPlainSeconds) {
  EXPECT_EQ(parse_duration_argument("500ms").value(), 500ms);
  EXPECT_EQ(parse_duration_argument("30").value(), 30s);
  for (const auto* text : {"", "s", "-5s", "nans", "5 parsecs"}) {
    EXPECT_FALSE(parse_duration_argument(text).ok()) << text;
  }
}

TEST(DurationText, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(duration_text(12s), "12s");
  EXPECT_EQ(duration_text(200s), "3m 20s");
  EXPECT_EQ(duration_text(52h), "2d 4h");
}

TEST(LineArgument, TakesOneLineOrARange) {
  EXPECT_EQ(parse_lines("12").value(), std::pair(std::uint64_t{12}, std::uint64_t{12}));
  EXPECT_EQ(parse_lines("12..40").value(), std::pair(std::uint64_t{12}, std::uint64_t{40}));
  EXPECT_EQ(parse_lines("@12").value(), std::pair(std::uint64_t{12}, std::uint64_t{12}));
  EXPECT_EQ(parse_lines("@12..@40").value(), std::pair(std::uint64_t{12}, std::uint64_t{40}));
  for (const auto* text : {"", "0", "x", "12..", "..3", "40..12", "1.5", "@", "@@1"}) {
    EXPECT_FALSE(parse_lines(text).ok()) << text;
  }
}

class Arguments : public testing::Test {
 protected:
  int run(std::vector<std::string> arguments) {
    Context context(out, err, in);
    context.connect = [](Context&) -> Result<std::unique_ptr<Client>> {
      return Error{Code::kUnavailable, "no registry at nowhere"};
    };
    context.programs.up = [this](const config::Site&) { return program_exit; };
    return run_cli(context, std::move(arguments));
  }
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  int program_exit = 0;
};

TEST_F(Arguments, ThatAreUnknownAreBadUsage) {
  EXPECT_EQ(run({"dance"}), 2);
  EXPECT_EQ(run({"status", "--colour"}), 2);
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(run({"pv"}), 2);
}

TEST_F(Arguments, ThatAreMissingAreBadUsage) {
  EXPECT_EQ(run({"pv", "get"}), 2);
  EXPECT_EQ(run({"pv", "put", "A"}), 2);
  EXPECT_EQ(run({"snapshot", "create"}), 2);
}

TEST_F(Arguments, WithValuesThatAreWrongAreBadUsage) {
  EXPECT_EQ(run({"log", "query", "--since", "14:60"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--since: '14:60' is no moment: use a line (@184223)"));
  EXPECT_EQ(run({"log", "query", "--kind", "PutIntended,Dance"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("'Dance' is no kind of record: use PvDefined, PvUpdate"));
  EXPECT_EQ(run({"log", "query", "--level", "loud"}), 2);
  EXPECT_EQ(run({"log", "query", "--regex", "beam (on"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--regex: 'beam (on' is no regular expression: missing )"));
  EXPECT_EQ(run({"log", "follow", "--field", "usr=anna"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--field: no record has a field 'usr'; there are "));
  EXPECT_EQ(run({"log", "follow", "--from", "14:61"}), 2);
  EXPECT_EQ(run({"browse", "--journal", "somewhere", "--follow"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--follow is for a running journal"));
  EXPECT_EQ(run({"log", "show", "x"}), 2);
  EXPECT_EQ(run({"status", "--timeout", "soon"}), 2);
  EXPECT_EQ(run({"pv", "watch", "A", "--for", "long"}), 2);
  EXPECT_EQ(run({"state", "--at", "yesterday 25:00"}), 2);
  EXPECT_EQ(run({"state", "A"}), 2);
  EXPECT_EQ(run({"diff", "now"}), 2);
  EXPECT_EQ(run({"diff", "now", "14:0"}), 2);
  EXPECT_EQ(run({"history", "A", "--bins", "0"}), 2);
  EXPECT_EQ(run({"history", "A", "--bins", "5", "--plot"}), 2);
  EXPECT_EQ(run({"history", "A", "--plot", "--json"}), 2);
  EXPECT_EQ(run({"state", "--at", "now", "--csv", "--json"}), 2);
  EXPECT_EQ(run({"blame", "A", "-n", "0"}), 2);
}

TEST_F(Arguments, MayStandBehindTheCommand) {
  EXPECT_EQ(run({"status", "--json", "--timeout", "5s"}), 3);
  EXPECT_EQ(run({"--json", "snapshot", "list"}), 3);
  EXPECT_EQ(run({"log", "query", "--since", "-10m"}), 3);
  EXPECT_EQ(run({"diff", "-10m", "-5m"}), 3);
  EXPECT_EQ(run({"log", "follow", "--from", "@12"}), 3);
  EXPECT_EQ(run({"log", "follow", "--from", "10m ago"}), 3);
}

TEST_F(Arguments, MayBeNamedLikeACommand) {
  EXPECT_EQ(run({"snapshot", "create", "list"}), 3);
  EXPECT_EQ(run({"pv", "get", "status", "pv"}), 3);
}

TEST_F(Arguments, WithoutAReachableSiteExitWithThree) {
  EXPECT_EQ(run({"status"}), 3);
  EXPECT_EQ(err.str(), "tidemark: no registry at nowhere\n");
}

TEST_F(Arguments, NameTheSiteFileThatIsNotThere) {
  EXPECT_EQ(run({"up", "-c", "/nonexistent/site.toml"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("/nonexistent/site.toml"));
}

TEST_F(Arguments, RefuseToRestoreUnaskedWithoutATerminal) {
  EXPECT_EQ(run({"snapshot", "restore", "1f3a"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("needs --yes"));
}

TEST_F(Arguments, PrintTheVersion) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("tidemark 0."));
}

void expect_help(const CLI::App& app) {
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    EXPECT_FALSE(command->get_description().empty()) << command->get_name();
    EXPECT_EQ(command->get_description().find('\n'), std::string::npos) << command->get_name();
    EXPECT_THAT(command->get_footer(), HasSubstr("EXAMPLE\n  tidemark ")) << command->get_name();
    expect_help(*command);
  }
}

TEST_F(Arguments, AreExplainedWithAnExampleForEveryCommand) {
  Context context(out, err, in);
  const auto app = make_app(context);
  expect_help(*app);
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("EXIT CODES"));
}

}  // namespace
}  // namespace tidemark::tools
