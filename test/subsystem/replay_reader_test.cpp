// A replay that the test plays by hand, on a bus in memory, and the readers of it.

#include "subsystem/replay_reader.h"

#include <gmock/gmock.h>

#include "bus/memory_link.h"
#include "model/api/monitor.h"
#include "subsystem_fixture.h"

namespace tidemark::subsystem {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;
using test::eventually;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr bus::StreamNumber kStream = bus::kReplayStreams + 6;
const Uuid kMe = Uuid::derive("me");

class ReplayReaderTest : public testing::Test {
 protected:
  ReplayReaderTest() {
    journal_ = bus_.open(test::member_called("journal"));
    link_ = bus_.open(test::member_called("reader"));
    replay_.id = Uuid::derive("replay");
    replay_.stream = kStream;
    replay_.phase = api::ReplayPhase::kPaused;
    journal_->declare_stream(bus::FrameClass::kReplayState, kStream);
    journal_->declare_stream(bus::FrameClass::kReplayNews, kStream + 1);
    journal_->serve("journal.replay_state", [this](const bus::Call& call) {
      const auto read = model::unpack<api::ReplayRead>(call.payload()).value();
      const std::lock_guard lock(mutex_);
      if (over_) return call.fail({Code::kNotFound, "there is no such replay"});
      auto content = read.news ? model::pack(api::ReplayNews{replay_, {}})
                               : model::encode_updates({value_of(state_)});
      call.progress(model::pack(api::StatePart{model::Blob{std::move(content)}}));
      call.done(model::pack(api::StateEnd{1, read.news ? news_ : replay_.items, 1}));
    });
    journal_->serve("journal.replay_ack", [this](const bus::Call& call) {
      const std::lock_guard lock(mutex_);
      if (over_) return call.fail({Code::kNotFound, "there is no such replay"});
      acks_.push_back(model::unpack<api::ReplayAck>(call.payload()).value());
      call.done(model::pack(replay_));
    });
    link_->set_peer(journal_->self());
  }
  ~ReplayReaderTest() override { journal_.reset(); }  // Its loop calls what stands below it.

  static model::PvUpdate value_of(double value) {
    model::PvUpdate update;
    update.channel = model::ChannelId{1};
    update.value = value;
    return update;
  }
  std::unique_ptr<ReplayReader> open() {
    return std::make_unique<ReplayReader>(link_, bus::node_number(journal_->self().uuid), replay_,
                                          kMe);
  }
  void say(double value) {
    const std::lock_guard lock(mutex_);
    state_ = value;
    replay_.items = journal_->publish(bus::FrameClass::kReplayState, kStream, 1,
                                      model::encode_updates({value_of(value)}));
  }
  void jump(double value) {
    const std::lock_guard lock(mutex_);
    state_ = value;
    replay_.items = journal_->publish(bus::FrameClass::kReplayState, kStream, 1, {});
  }
  void tell(api::ReplayPhase phase, std::string why = {}) {
    const std::lock_guard lock(mutex_);
    replay_.phase = phase;
    replay_.why = std::move(why);
    news_ = journal_->publish(bus::FrameClass::kReplayNews, kStream + 1, 1,
                              model::pack(api::ReplayNews{replay_, {}}));
  }
  void end() {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  std::vector<api::ReplayAck> acks() {
    const std::lock_guard lock(mutex_);
    return acks_;
  }

  /// It has acknowledged, and so the replay may begin.
  bool reads() {
    const auto all = acks();
    return !all.empty() && all.back().reads;
  }

  /// Takes what comes until `enough`.
  template <class Condition>
  bool take(ReplayReader& reader, Condition enough) {
    return eventually([&] {
      for (const auto& event : reader.next(1ms)) {
        if (const auto* given = std::get_if<ReplayReader::Updates>(&event)) {
          for (const auto& update : given->updates) {
            said_.push_back((given->whole ? "whole " : "") + model::to_text(update.value));
          }
        } else {
          phases_.push_back(std::get<api::ReplayNews>(event).status.phase);
        }
      }
      return enough();
    });
  }

  bus::MemoryBus bus_;
  std::unique_ptr<bus::Link> journal_;
  std::shared_ptr<bus::Link> link_;
  std::mutex mutex_;
  // Guarded by mutex_.
  api::ReplayStatus replay_;
  double state_ = 1;
  std::uint64_t news_ = 0;
  bool over_ = false;
  std::vector<api::ReplayAck> acks_;

  std::vector<std::string> said_;
  std::vector<api::ReplayPhase> phases_;
};

TEST_F(ReplayReaderTest, TakesTheStateThenWhatIsSaidAndAcknowledgesIt) {
  const auto reader = open();
  ASSERT_TRUE(take(*reader, [&] { return reads(); }));
  EXPECT_THAT(said_, ElementsAre("whole 1"));
  EXPECT_THAT(phases_, ElementsAre(api::ReplayPhase::kPaused));
  say(2);
  say(3);
  ASSERT_TRUE(take(*reader, [&] { return acks().back().items == 2; }));
  EXPECT_THAT(said_, ElementsAre("whole 1", "2", "3"));
  EXPECT_EQ(acks().back().reader, kMe);
  EXPECT_TRUE(acks().back().reads);
}

TEST_F(ReplayReaderTest, AcknowledgesNothingThatNextHasNotGiven) {
  const auto reader = open();
  ASSERT_TRUE(take(*reader, [&] { return reads(); }));
  say(2);
  // The sign of life says nothing else.
  const auto before = acks().size();
  ASSERT_TRUE(eventually([&] { return acks().size() > before + 1; }));
  EXPECT_EQ(acks().back().items, 0u);
}

TEST_F(ReplayReaderTest, FollowsAJumpToAnotherState) {
  const auto reader = open();
  ASSERT_TRUE(take(*reader, [&] { return reader->live(); }));
  say(2);
  jump(-7);
  say(-6);
  ASSERT_TRUE(take(*reader, [&] { return reader->applied() == 3 && reader->live(); }));
  EXPECT_THAT(said_.front(), "whole 1");
  EXPECT_THAT(said_.back(), testing::EndsWith("-6")) << "said, or in the state of after the jump";
  EXPECT_EQ(reader->counters().items_lost, 0u);
}

TEST_F(ReplayReaderTest, SaysThatTheReplayEndedAndWhy) {
  const auto reader = open();
  ASSERT_TRUE(take(*reader, [&] { return reader->live(); }));
  tell(api::ReplayPhase::kEnded, "it was stopped");
  ASSERT_TRUE(take(*reader, [&] { return reader->ended().has_value(); }));
  EXPECT_EQ(reader->ended()->message, "it was stopped");
  EXPECT_EQ(phases_.back(), api::ReplayPhase::kEnded);
  EXPECT_THAT(reader->next(0ms), IsEmpty());
}

TEST_F(ReplayReaderTest, NoticesThatTheReplayIsUnknownByNow) {
  const auto reader = open();
  ASSERT_TRUE(take(*reader, [&] { return reads(); }));
  end();
  ASSERT_TRUE(take(*reader, [&] { return reader->ended().has_value(); }));
  EXPECT_EQ(reader->ended()->code, Code::kNotFound);
}

TEST_F(ReplayReaderTest, OneThatIsUnknownFromTheBeginEndsAtOnce) {
  end();
  const auto reader = open();
  ASSERT_TRUE(take(*reader, [&] { return reader->ended().has_value(); }));
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(ReplayReaderTest, IsASignOfLifeBeforeItReads) {
  const auto reader = open();
  ASSERT_TRUE(eventually([&] { return acks().size() >= 2; }));
  EXPECT_FALSE(reads());
}

TEST_F(ReplayReaderTest, SaysGoodbye) {
  auto reader = open();
  ASSERT_TRUE(take(*reader, [&] { return reads(); }));
  reader.reset();
  EXPECT_TRUE(eventually([&] { return !acks().back().reads; }));
}

}  // namespace
}  // namespace tidemark::subsystem
