// bus tap.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "model/api/keeper.h"
#include "model/job.h"
#include "model/pv_update.h"
#include "test/tools/lab.h"
#include "tools/tap_streams.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class TapCommand : public testing::Test {
 protected:
  void SetUp() override {
    lab_.start("psu.1", [this](Subsystem& made) {
      current_ = made.publish<double>("current", {.unit = "A"});
      voltage_ = made.publish<double>("voltage", {.unit = "V"});
      fan_ = made.status_item("fan");
    });
  }
  /// Something flows on every stream of the subsystem.
  void stir() {
    ++stirred_;
    (void)current_->set(stirred_);
    (void)voltage_->set(stirred_);
    if (stirred_ % 2 == 0) {
      fan_->clear();
    } else {
      fan_->raise(Severity::kWarning, 3, "slow");
    }
  }
  Lab::Ran tap(std::vector<std::string> options) {
    options.insert(options.begin(), {"bus", "tap"});
    return lab_.run_while(std::move(options), [this] { stir(); });
  }

  Lab lab_;
  int stirred_ = 0;
  std::optional<Published<double>> current_;
  std::optional<Published<double>> voltage_;
  std::optional<StatusItem> fan_;
};

TEST_F(TapCommand, ShowsUpdatesOfKeysByTheirNames) {
  const auto ran = tap({"--stream", "keys", "--count", "2"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  ASSERT_EQ(ran.lines().size(), 2u) << ran.out;
  EXPECT_THAT(ran.lines()[0],
              MatchesRegex("20.*Z  psu.1 keys [0-9]+  psu.1/(current|voltage) = [0-9]+ [AV]"));
}

TEST_F(TapCommand, ShowsWhatANameFits) {
  const auto ran = tap({"--name", "*/voltage", "--count", "3"});
  ASSERT_EQ(ran.lines().size(), 3u);
  for (const auto& line : ran.lines()) EXPECT_THAT(line, HasSubstr("psu.1/voltage"));
}

TEST_F(TapCommand, ShowsStatusItems) {
  const auto ran = tap({"--stream", "status", "--count", "2"});
  ASSERT_EQ(ran.lines().size(), 2u);
  EXPECT_THAT(ran.out, HasSubstr("psu.1/fan is warning  slow"));
  EXPECT_THAT(ran.out, HasSubstr("psu.1/fan is cleared"));
}

TEST_F(TapCommand, ShowsWhoComesAndFollowsThem) {
  bool started = false;
  const auto ran = lab_.run_while({"bus", "tap", "--node", "laser", "--node", "registry", "--node",
                                   "journal", "--stream", "keys", "--count", "1"},
                                  [&] {
                                    if (!std::exchange(started, true)) {
                                      lab_.start("laser", [this](Subsystem& made) {
                                        current_ = made.publish<double>("power");
                                      });
                                    }
                                    (void)current_->set(1);
                                  });
  EXPECT_THAT(ran.out, HasSubstr("laser/power = 1"));
}

TEST_F(TapCommand, GivesOneDocumentForEachItem) {
  const auto documents =
      tap({"--stream", "16", "--name", "*/current", "--count", "1", "--json"}).documents();
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].at("node"), "psu.1");
  EXPECT_EQ(documents[0].at("stream"), "keys");
  EXPECT_EQ(documents[0].at("incarnation"), 1);
  EXPECT_EQ(documents[0].at("content").at("key"), "psu.1/current");
  EXPECT_EQ(documents[0].at("content").at("quality"), "good");
}

TEST_F(TapCommand, ShowsHowMuchFlowsOnceASecond) {
  const auto documents = tap({"--rates", "--stream", "keys", "--count", "1", "--json"}).documents();
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].at("node"), "psu.1");
  EXPECT_EQ(documents[0].at("stream"), "keys");
  EXPECT_GT(documents[0].at("frames_per_second"), 0);
  EXPECT_GE(documents[0].at("items_per_second"), documents[0].at("frames_per_second"));
  EXPECT_GT(documents[0].at("kib_per_second"), 0);
  EXPECT_EQ(documents[0].at("missing"), 0);
}

TEST_F(TapCommand, SaysThatNothingFlows) {
  const auto ran = lab_.run({"bus", "tap", "--rates", "--stream", "jobs", "--count", "1"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("nothing flows"));
}

TEST_F(TapCommand, SaysHowManyItemsAreMissing) {
  std::mutex mutex;
  bool shown = false;  // guarded by mutex: from then on what is shown brings the next change
  const auto ran = lab_.run_while(
      {"bus", "tap", "--stream", "status", "--count", "500"},
      [&] {
        const std::lock_guard lock(mutex);
        if (!shown) stir();
      },
      [&] {
        const std::lock_guard lock(mutex);
        if (!std::exchange(shown, true)) {
          const auto psu = bus::node_number(bus::node_uuid("test", "psu.1"));
          lab_.site().bus().drop_next({psu, api::kStatusStream}, 1);
        }
        stir();
        stir();
      });
  EXPECT_EQ(ran.lines().size(), 500u);
  EXPECT_THAT(ran.err, HasSubstr("psu.1 status: 1 item is missing before"));
}

TEST_F(TapCommand, KnowsNoOtherStreams) {
  const auto ran = lab_.run({"bus", "tap", "--stream", "key"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ran.err, "tidemark: 'key' is no stream; did you mean 'keys'?\n");
  EXPECT_THAT(lab_.run({"bus", "tap", "--stream", "x"}).err,
              HasSubstr("there are live, directory, catalog, jobs, keys, status"));
}

TEST_F(TapCommand, FailsWhenNobodyHasThatName) {
  const auto ran = lab_.run({"bus", "tap", "--node", "psu.l"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err, "tidemark: nobody on the bus is called 'psu.l'; did you mean 'psu.1'?\n");
}

// ---- streams of Tidemark's own nodes ------------------------------------------------------------

class TapStreams : public testing::Test {
 protected:
  static Result<std::vector<TapItem>> items(const std::string& stream, Bytes payload,
                                            const TapNames& names = {},
                                            const std::vector<std::string>& wanted = {}) {
    bus::Frame frame;
    frame.header.count = 1;
    frame.payload = std::move(payload);
    return tap_items(*parse_tap_stream(stream).value(), "node", frame, names, wanted);
  }
};

TEST_F(TapStreams, CountABatchOfPvsAndShowAFewValues) {
  std::vector<model::PvUpdate> updates;
  TapNames names;
  for (std::uint32_t i = 1; i <= 6; ++i) {
    names.channels[model::ChannelId{i}] = "QUAD:" + std::to_string(i);
    auto& update = updates.emplace_back();
    update.channel = model::ChannelId{i};
    update.value = static_cast<double>(i);
  }
  const auto shown = items("live", model::encode_updates(updates), names);
  ASSERT_EQ(shown.value().size(), 1u);
  EXPECT_EQ(shown.value()[0].text, "6 updates  QUAD:1=1, QUAD:2=2, QUAD:3=3, QUAD:4=4, …");
  EXPECT_EQ(shown.value()[0].json.at("updates"), 6);
  const auto some = items("live", model::encode_updates(updates), names, {"*:6"});
  EXPECT_EQ(some.value().at(0).text, "1 update  QUAD:6=6");
  EXPECT_TRUE(items("live", model::encode_updates(updates), names, {"BPM*"}).value().empty());
}

TEST_F(TapStreams, ShowADirectorysChangesJobsAndTheCatalog) {
  const auto node = test::member_called("monitor");
  EXPECT_EQ(items("directory", model::pack(std::vector{node})).value().at(0).text,
            "monitor is alive  incarnation 1, pid 1001 on host");
  EXPECT_EQ(items("catalog", model::pack(api::CatalogChange{7})).value().at(0).text, "revision 7");
  model::Job job;
  job.type = "pv_put";
  EXPECT_THAT(items("jobs", model::pack(job)).value().at(0).text, HasSubstr("pv_put is pending"));
}

TEST_F(TapStreams, ShowKeysOfAnotherLifeByTheirNumbers) {
  api::KeyUpdate update;
  update.key = 3;
  update.value = Value(1.5);
  EXPECT_EQ(items("keys", model::pack(api::KeyUpdates{update})).value().at(0).text,
            "node/#3 = 1.5");
}

TEST_F(TapStreams, SayWhenAPayloadIsNotWhatTheStreamCarries) {
  for (const auto& stream : tap_streams()) {
    EXPECT_FALSE(items(std::string(stream.name), "\xc1").ok()) << stream.name;
  }
}

}  // namespace
}  // namespace tidemark::tools
