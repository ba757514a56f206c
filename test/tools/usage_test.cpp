#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tools/cli.h"

namespace tidemark::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

class Usage : public testing::Test {
 protected:
  /// What a refused command line is answered with.
  std::string refused(std::vector<std::string> arguments) {
    std::ostringstream out;
    std::ostringstream err;
    std::istringstream in;
    Context context(out, err, in);
    EXPECT_EQ(run_cli(context, std::move(arguments)), 2);
    EXPECT_EQ(out.str(), "");
    return err.str();
  }
};

TEST_F(Usage, AMistypedCommandIsAnsweredWithTheNearest) {
  EXPECT_THAT(refused({"stat"}), HasSubstr("'stat' is no command of tidemark; did you mean"));
  EXPECT_THAT(refused({"log", "quer"}),
              HasSubstr("'quer' is no command of tidemark log; did you mean 'query'?"));
  EXPECT_THAT(refused({"-c", "x.toml", "snapshto"}), HasSubstr("did you mean 'snapshot'?"));
}

TEST_F(Usage, ACommandLikeNoOtherIsAnsweredWithAllOfThem) {
  EXPECT_THAT(refused({"job", "zzzzzzzz"}), HasSubstr("use list, show, cancel"));
}

TEST_F(Usage, AMistypedOptionIsAnsweredWithTheNearest) {
  EXPECT_THAT(refused({"history", "A:PV", "--sinc", "-5m"}),
              HasSubstr("tidemark history has no option '--sinc'; did you mean '--since'?"));
  EXPECT_THAT(refused({"state", "--jsn"}), HasSubstr("did you mean '--json'?"));
  EXPECT_THAT(refused({"history", "A", "--until=now", "--binz=4"}),
              HasSubstr("did you mean '--bins'?"));
}

TEST_F(Usage, OtherMistakesAreNamedAsTheyAre) {
  EXPECT_THAT(refused({"diff"}), HasSubstr("BEFORE is required"));
  EXPECT_THAT(refused({"log"}), HasSubstr("subcommand is required"));
  EXPECT_THAT(refused({"blame", "A", "-n", "zero"}), Not(HasSubstr("no command")));
}

}  // namespace
}  // namespace tidemark::tools
