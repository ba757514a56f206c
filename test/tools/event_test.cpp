// event list, call.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "test/tools/lab.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
using model::kv::Kind;
using model::kv::scalar;
using testing::ContainsRegex;
using testing::HasSubstr;

class EventCommand : public testing::Test {
 protected:
  void start(const std::string& name, std::function<Outcome(Call&)> handler,
             std::vector<std::string> labels = {}) {
    lab_.start(name,
               [&](Subsystem& made) {
                 made.on_event("degauss", std::move(handler),
                               {.description = "some cycles", .argument = scalar(Kind::kInt64)});
                 made.on_event("may-expose", [](Call&) { return done(); });
               },
               {.labels = std::move(labels)});
  }
  void start(const std::string& name, std::vector<std::string> labels = {}) {
    start(
        name, [](Call& call) { return done(call.argument()); }, std::move(labels));
  }
  Lab lab_;
};

// ---- list ---------------------------------------------------------------------------------------

TEST_F(EventCommand, ListShowsWhoHandlesWhat) {
  start("psu.1");
  start("psu.2");
  const auto ran = lab_.run({"event", "list", "deg*"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.lines().size(), 3u);
  EXPECT_THAT(ran.out, ContainsRegex("degauss +psu.1 +int64 +some cycles\n"));
  EXPECT_THAT(ran.out, ContainsRegex("degauss +psu.2 +int64 +some cycles\n"));
}

TEST_F(EventCommand, ListGivesOneDocumentForEachHandler) {
  start("psu.1", {"magnets"});
  const auto documents = lab_.run({"event", "list", "--json"}).documents();
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].at("event"), "degauss");
  EXPECT_EQ(documents[0].at("subsystem"), "psu.1");
  EXPECT_EQ(documents[0].at("labels"), (Json{"magnets"}));
  EXPECT_EQ(documents[0].at("argument"), "int64");
}

TEST_F(EventCommand, ListFailsForAnEventThatNobodyHandles) {
  start("psu.1");
  const auto ran = lab_.run({"event", "list", "degaus"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: nobody handles 'degaus'; did you mean 'degauss'?\n");
}

// ---- call ---------------------------------------------------------------------------------------

TEST_F(EventCommand, CallShowsFeedbackAndThenWhatBecameOfIt) {
  start("psu.1", [](Call& call) {
    call.feedback("cycle 1 of 2");
    call.feedback("", Value(50));
    return done(call.argument());
  });
  const auto ran = lab_.run({"event", "call", "degauss", "7", "--to", "psu.1"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, testing::StartsWith("psu.1: cycle 1 of 2\npsu.1: 50\nTARGET"));
  EXPECT_THAT(ran.out, ContainsRegex("psu.1 +done +7\n"));
}

TEST_F(EventCommand, CallGivesOneDocumentForEachThingThatIsSaid) {
  start("psu.1", [](Call& call) {
    call.feedback("half", Value(0.5));
    return done("fine");
  });
  const auto documents =
      lab_.run({"event", "call", "degauss", "7", "--to", "psu.1", "--json"}).documents();
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].at("state"), "in progress");
  EXPECT_EQ(documents[0].at("text"), "half");
  EXPECT_EQ(documents[0].at("value"), 0.5);
  EXPECT_EQ(documents[1].at("target"), "psu.1");
  EXPECT_EQ(documents[1].at("state"), "done");
  EXPECT_EQ(documents[1].at("value"), "fine");
}

TEST_F(EventCommand, CallAsksEachOfThoseWhoAreNamedOnce) {
  std::atomic<int> calls{0};
  start("psu.1", [&](Call&) {
    ++calls;
    return done();
  });
  start("psu.2");
  const auto ran = lab_.run({"event", "call", "degauss", "1", "--to", "psu.1", "--to", "psu.1",
                             "--to", "psu.2", "--json"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.documents().size(), 2u);
  EXPECT_EQ(calls, 1);
}

TEST_F(EventCommand, CallAsksThoseWithALabelOrEverybody) {
  start("psu.1", {"magnets"});
  start("psu.2", {"magnets"});
  start("laser");
  lab_.start("idle", {}, {.labels = {"magnets"}});
  const auto some = lab_.run({"event", "call", "degauss", "1", "--label", "magnets", "--json"});
  EXPECT_EQ(some.documents().size(), 2u) << some.out << some.err;
  const auto all = lab_.run({"event", "call", "may-expose", "--everybody", "--json"});
  EXPECT_EQ(all.exit, 0) << all.err;
  EXPECT_EQ(all.documents().size(), 3u) << all.out;
}

TEST_F(EventCommand, CallExitsWithOneWhenOneOfThemRejectsOrFails) {
  start("psu.1");
  start("psu.2", [](Call&) { return veto("beam is on"); });
  start("psu.3", [](Call&) { return failed("no water"); });
  const auto vetoed = lab_.run({"event", "call", "degauss", "1", "--to", "psu.1", "--to", "psu.2"});
  EXPECT_EQ(vetoed.exit, 1);
  EXPECT_THAT(vetoed.out, ContainsRegex("psu.1 +done +1\n"));
  EXPECT_THAT(vetoed.out, ContainsRegex("psu.2 +rejected +beam is on\n"));
  const auto failing = lab_.run({"event", "call", "degauss", "1", "--to", "psu.3"});
  EXPECT_EQ(failing.exit, 1);
  EXPECT_THAT(failing.out, ContainsRegex("psu.3 +failed +no water\n"));
}

TEST_F(EventCommand, CallExitsWithOneWhenATargetDiesOverIt) {
  start("psu.1", [](Call& call) {
    call.feedback("begun");
    (void)call.wait(20s);
    return done();
  });
  bool there = true;
  const auto ran =
      lab_.run({"event", "call", "degauss", "1", "--to", "psu.1", "--timeout", "20s"}, [&] {
        if (std::exchange(there, false)) lab_.site().say_ended("psu.1");
      });
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, ContainsRegex("psu.1 +lost"));
}

TEST_F(EventCommand, CallOnEverybodyCountsOneThatDiedWithoutAGoodbyeAsLost) {
  start("psu.1", {"magnets"});
  start("psu.2", {"magnets"});
  start("psu.3", {"magnets"});
  lab_.stop("psu.3");
  lab_.kill("psu.2");
  const std::vector<std::vector<std::string>> ways = {{"--everybody"}, {"--label", "magnets"}};
  for (const auto& way : ways) {
    std::vector<std::string> call = {"event", "call", "may-expose"};
    call.insert(call.end(), way.begin(), way.end());
    const auto ran = lab_.run(call);
    EXPECT_EQ(ran.exit, 1) << ran.out << ran.err;
    EXPECT_THAT(ran.out, ContainsRegex("psu.1 +done"));
    EXPECT_THAT(ran.out, ContainsRegex("psu.2 +lost"));
    EXPECT_THAT(ran.out, testing::Not(HasSubstr("psu.3"))) << "it said goodbye";
  }
}

TEST_F(EventCommand, CallWaitsUntilTheRegistryKnowsEverybody) {
  start("psu.1");
  lab_.site().open_registry(2, steady_now());
  auto ran = lab_.run({"event", "call", "may-expose", "--everybody", "--timeout", "50ms"});
  EXPECT_EQ(ran.exit, 3) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("directory not settled"));
  ran = lab_.run({"event", "call", "may-expose", "--everybody"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, ContainsRegex("psu.1 +done"));
}

TEST_F(EventCommand, CallExitsWithFourWhenNoAnswerCame) {
  start("psu.1", [](Call& call) {
    (void)call.wait(20s);
    return done();
  });
  const auto ran =
      lab_.run({"event", "call", "degauss", "1", "--to", "psu.1", "--timeout", "100ms"});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_THAT(ran.out, ContainsRegex("psu.1 +timed out"));
}

TEST_F(EventCommand, CallIsCancelledByCtrlCAndSaysSo) {
  std::atomic<bool> told{false};
  start("psu.1", [&](Call& call) -> Outcome {
    ::kill(::getpid(), SIGINT);
    told = !call.wait(20s);
    return cancelled();
  });
  const auto ran = lab_.run({"event", "call", "degauss", "1", "--to", "psu.1", "--timeout", "20s"});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_THAT(ran.err, HasSubstr("interrupted: the call is cancelled"));
  EXPECT_THAT(ran.out, ContainsRegex("psu.1 +cancelled"));
  EXPECT_TRUE(told);
}

TEST_F(EventCommand, CallReadsTheArgumentByItsType) {
  start("psu.1");
  auto ran = lab_.run({"event", "call", "degauss", "often", "--to", "psu.1"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("'degauss' takes an argument of type int64: "));
  ran = lab_.run({"event", "call", "degauss", "--to", "psu.1"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ran.err, "tidemark: 'degauss' takes an argument of type int64\n");
}

TEST_F(EventCommand, CallAsksNobodyWhenOneOfThemIsNotThere) {
  std::atomic<int> calls{0};
  start("psu.1", [&](Call&) {
    ++calls;
    return done();
  });
  auto ran = lab_.run({"event", "call", "degauss", "1", "--to", "psu.1", "--to", "psu.2"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: nobody on the bus is called 'psu.2'; did you mean 'psu.1'?\n");
  start("psu.3");
  lab_.stop("psu.3");
  ran = lab_.run({"event", "call", "degauss", "1", "--to", "psu.1", "--to", "psu.3"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.err, HasSubstr("psu.3 is stopped since"));
  EXPECT_EQ(calls, 0);
}

TEST_F(EventCommand, CallHintsAtTheNearestEventAndLabel) {
  start("psu.1", {"magnets"});
  auto ran = lab_.run({"event", "call", "degaus", "--to", "psu.1"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: psu.1 does not handle 'degaus'; did you mean 'degauss'?\n");
  ran = lab_.run({"event", "call", "degaus", "--everybody"});
  EXPECT_EQ(ran.err, "tidemark: nobody handles 'degaus'; did you mean 'degauss'?\n");
  ran = lab_.run({"event", "call", "degauss", "1", "--label", "magnet"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err,
            "tidemark: nobody with the label 'magnet' handles 'degauss'; did you mean "
            "'magnets'?\n");
}

TEST_F(EventCommand, CallWantsToKnowWhom) {
  start("psu.1");
  EXPECT_EQ(lab_.run({"event", "call", "degauss", "1"}).exit, 2);
  EXPECT_EQ(lab_.run({"event", "call", "degauss", "1", "--to", "psu.1", "--everybody"}).exit, 2);
}

}  // namespace
}  // namespace tidemark::tools
