#include "actors/replayer.h"

#include <gmock/gmock.h>

#include <set>

#include "journal/memory_store.h"
#include "model/live_table.h"
#include "test/support/actor_test.h"
#include "test/support/fake_link.h"

namespace tidemark::actors {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;
using api::ReplayAction;
using api::ReplayPhase;
using model::PvUpdate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Uuid kOwner = Uuid::derive("owner");
const Uuid kOther = Uuid::derive("other");
constexpr bus::StreamNumber kItems = bus::kReplayStreams;
constexpr bus::StreamNumber kNews = bus::kReplayStreams + 1;

UtcTime second(std::int64_t n) { return UtcTime{std::chrono::seconds(1'700'000'000 + n)}; }

PvUpdate value_of(std::uint32_t channel, double value) {
  PvUpdate update;
  update.channel = model::ChannelId{channel};
  update.taken_at =
      second(1000 + static_cast<std::int64_t>(value));  // of an IOC whose clock is off
  update.value = value;
  return update;
}

PvUpdate event_of(std::uint32_t channel, PvUpdate::Event event) {
  PvUpdate update;
  update.channel = model::ChannelId{channel};
  update.event = event;
  if (event == PvUpdate::Event::kConnected) {
    model::PvMeta meta;
    meta.units = "A";
    update.meta = std::make_shared<model::PvMeta>(meta);
  }
  return update;
}

/// Lines 1, 2 define Q1 and Q2; 3, 4 connect them (second 0); 5, 6 are their values (second 10);
/// 7 is a message and 8, 9, 10 move Q1 (second 20); 11 takes Q2 away (second 30).
class ReplayerTest : public test::ActorTest {
 protected:
  ReplayerTest() {
    append({records({model::PvDefined{model::ChannelId{1}, "Q1"},
                     model::PvDefined{model::ChannelId{2}, "Q2"}})});
    append({updates(
        {event_of(1, PvUpdate::Event::kConnected), event_of(2, PvUpdate::Event::kConnected)})});
    now_ = second(10);
    append({updates({value_of(1, 1.5), value_of(2, 2.5)})});
    now_ = second(20);
    append({records({model::LogMessage{model::Level::kInfo, "test", "it begins"}}),
            updates({value_of(1, 7), value_of(1, 8), value_of(1, 9)})});
    now_ = second(30);
    append({updates({event_of(2, PvUpdate::Event::kDisconnected)})});
    replayer_ = spawn(replayer_actor, ReplayerOptions{link_, projections_, board_,
                                                      [](const Uuid&) { return "somebody"; }});
  }
  ~ReplayerTest() override { link_->forget(); }

  journal::Section section(journal::SectionFormat format, std::size_t count, Bytes payload) {
    journal::Section made;
    made.origin = Uuid::derive("test");
    made.incarnation = 1;
    made.sequence = sequence_;
    made.count = static_cast<std::uint32_t>(count);
    made.format = format;
    made.payload = std::move(payload);
    sequence_ += count;
    return made;
  }
  journal::Section updates(const std::vector<PvUpdate>& all) {
    return section(journal::SectionFormat::kUpdates, all.size(), model::encode_updates(all));
  }
  journal::Section records(const std::vector<model::Record>& all) {
    return section(journal::SectionFormat::kRecords, all.size(), model::encode_records(all));
  }
  void append(std::vector<journal::Section> sections) {
    std::vector<journal::InspectedSection> inspected;
    for (auto& each : sections) inspected.push_back(journal::inspect(std::move(each)).value());
    ASSERT_TRUE(store_->append(inspected));
  }

  template <class Atom, class Request>
  std::shared_ptr<test::Asked> ask(Atom atom, const Request& request) {
    auto asked = std::make_shared<test::Asked>();
    caf::anon_send(replayer_, atom, test::call_of(asked, "replay", model::pack(request)));
    settle();
    return asked;
  }
  template <class Reply>
  static Reply reply_of(const test::Asked& asked) {
    EXPECT_TRUE(asked.answer && asked.answer->ok())
        << (asked.answer ? asked.answer->error().message : "no answer");
    return model::unpack<Reply>(asked.answer->value()).value();
  }
  static Error error_of(const test::Asked& asked) {
    EXPECT_TRUE(asked.answer && !asked.answer->ok());
    return asked.answer->error();
  }

  api::ReplayRequest request(std::uint64_t from, std::uint64_t to) const {
    api::ReplayRequest wanted;
    wanted.from = {from, std::nullopt};
    wanted.to = {to, std::nullopt};
    if (from == 0) wanted.from.time = second(-1);
    wanted.owner = kOwner;
    wanted.user = "me@here";
    return wanted;
  }
  api::ReplayStatus start(const api::ReplayRequest& wanted) {
    const auto started = reply_of<api::ReplayStarted>(*ask(start_atom_v, wanted)).replay;
    id_ = started.id;
    return started;
  }
  std::shared_ptr<test::Asked> ask_control(ReplayAction action, api::ReplayControl wanted = {}) {
    wanted.id = id_;
    wanted.action = action;
    return ask(control_atom_v, wanted);
  }
  api::ReplayStatus control(ReplayAction action, api::ReplayControl wanted = {}) {
    ask_control(action, wanted);
    return status();
  }
  api::ReplayStatus acknowledge(std::uint64_t items = 0, const Uuid& reader = kOwner) {
    return reply_of<api::ReplayStatus>(
        *ask(ack_atom_v, api::ReplayAck{id_, reader, true, items, ~std::uint64_t{0}}));
  }
  api::ReplayStatus status() {
    for (const auto& each : list()) {
      if (each.id == id_) return each;
    }
    return {};
  }
  std::vector<api::ReplayStatus> list() {
    return reply_of<api::ReplayList>(*ask(list_atom_v, api::Empty{})).replays;
  }
  std::vector<api::ReplayNews> news() const {
    std::vector<api::ReplayNews> all;
    for (const auto& each : link_->published(kNews)) {
      all.push_back(model::unpack<api::ReplayNews>(each.payload).value());
    }
    return all;
  }
  /// What was said of PVs: "Q1=7", "Q2 gone".
  std::vector<std::string> said() const {
    std::vector<std::string> texts;
    for (const auto& frame : link_->published(kItems)) {
      if (frame.payload.empty()) {
        texts.push_back("jump");
        continue;
      }
      for (const auto& update : model::decode_updates(frame.payload).value()) {
        const auto name = "Q" + std::to_string(raw(update.channel));
        switch (update.event) {
          case PvUpdate::Event::kValue:
            texts.push_back(name + "=" + model::to_text(update.value));
            break;
          case PvUpdate::Event::kConnected: texts.push_back(name + " here"); break;
          case PvUpdate::Event::kDisconnected: texts.push_back(name + " gone"); break;
        }
      }
    }
    return texts;
  }

  /// A table as text, without what only the present has.
  static std::string text_of(const model::LiveTable& table) {
    std::string text;
    for (std::uint32_t number = 1; number < 4; ++number) {
      const auto* entry = table.find(model::ChannelId{number});
      if (entry == nullptr) continue;
      text += "Q" + std::to_string(number) + " " + std::string(to_string(entry->state)) + " " +
              model::to_text(entry->value) + " " + to_iso(entry->taken_at) + " " +
              (entry->meta ? entry->meta->units : "-") + "\n";
    }
    return text;
  }
  static void apply(const Bytes& payload, model::LiveTable& table) {
    for (const auto& update : model::decode_updates(payload).value()) table.apply(update, {});
  }
  /// The table of somebody who joins now.
  std::string joined() {
    const auto asked = ask(state_atom_v, api::ReplayRead{id_, false});
    const auto end = reply_of<api::StateEnd>(*asked);
    EXPECT_EQ(end.parts, asked->parts.size());
    EXPECT_EQ(end.sequence, status().items);
    model::LiveTable table;
    for (const auto& part : asked->parts) {
      apply(model::unpack<api::StatePart>(part).value().updates.bytes, table);
    }
    return text_of(table);
  }
  /// The machine as it was, from what was put into the journal.
  std::string machine_at(std::uint64_t line) const {
    const auto state = journal::Archive(projections_).state_at(journal::Line{line}).value();
    model::LiveTable table;
    for (const auto& group : journal::as_updates(state, nullptr, 100)) {
      for (const auto& update : group) table.apply(update, {});
    }
    return text_of(table);
  }

  UtcTime now_ = second(0);
  std::uint64_t sequence_ = 1;
  std::shared_ptr<journal::MemoryStore> store_ =
      std::make_shared<journal::MemoryStore>(journal::StoreLimits{}, [this] { return now_; });
  std::shared_ptr<const journal::Projections> projections_ = std::make_shared<journal::Projections>(
      store_, std::make_shared<journal::MemoryProjectionTable>());
  std::shared_ptr<test::FakeLink> link_ =
      std::make_shared<test::FakeLink>(test::node_called("journal"));
  std::shared_ptr<Board> board_ = std::make_shared<Board>();
  Replayer replayer_;
  Uuid id_;
};

TEST_F(ReplayerTest, WaitsUntilItsOwnerListens) {
  const auto started = start(request(4, 11));
  EXPECT_EQ(started.phase, ReplayPhase::kWaiting);
  EXPECT_EQ(started.stream, kItems);
  pass(5s);
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_EQ(acknowledge().phase, ReplayPhase::kRunning);
}

TEST_F(ReplayerTest, SaysWhatWasRecordedAtTheTimesOfThen) {
  auto wanted = request(0, 0);
  wanted.from = {0, second(5)};  // nothing was recorded then
  start(wanted);
  acknowledge();
  EXPECT_THAT(said(), IsEmpty());
  pass(4990ms);
  EXPECT_THAT(said(), IsEmpty());
  pass(10ms);
  EXPECT_THAT(said(), ElementsAre("Q1=1.5", "Q2=2.5"));
  acknowledge();
  pass(9990ms);
  EXPECT_THAT(said(), SizeIs(2));
  acknowledge();
  pass(10ms);
  EXPECT_THAT(said(), SizeIs(5));
  EXPECT_EQ(status().moment, second(20));
  EXPECT_EQ(status().line, 10u);
}

TEST_F(ReplayerTest, AsFastAsItGoesSaysEverythingAtOnceAsItWasStored) {
  auto wanted = request(4, 11);
  wanted.speed = api::ReplayRequest::kAsFastAsItGoes;
  start(wanted);
  acknowledge();
  EXPECT_THAT(said(), ElementsAre("Q1=1.5", "Q2=2.5", "Q1=7", "Q1=8", "Q1=9", "Q2 gone"));
  const auto frames = link_->published(kItems);
  ASSERT_THAT(frames, SizeIs(3));
  EXPECT_EQ(frames[0].payload, model::encode_updates({value_of(1, 1.5), value_of(2, 2.5)}));
  EXPECT_EQ(status().phase, ReplayPhase::kFinished);
  EXPECT_EQ(status().line, 11u);
  EXPECT_EQ(status().updates, 6u);
  EXPECT_EQ(status().records, 1u);
  EXPECT_EQ(news().back().status, status());
}

TEST_F(ReplayerTest, TheOtherRecordsAreLinesOfTheNews) {
  auto wanted = request(4, 11);
  wanted.speed = api::ReplayRequest::kAsFastAsItGoes;
  start(wanted);
  acknowledge();
  std::vector<api::LogLine> lines;
  for (const auto& each : news()) lines.insert(lines.end(), each.lines.begin(), each.lines.end());
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].line, 7u);
  EXPECT_EQ(lines[0].recorded_at, second(20));
  EXPECT_EQ(lines[0].origin, "somebody");
  EXPECT_THAT(lines[0].text, HasSubstr("it begins"));
}

TEST_F(ReplayerTest, StepByStepItIsTheMachineAsItWas) {
  auto wanted = request(0, 11);
  wanted.paused = true;
  start(wanted);
  acknowledge();
  model::LiveTable follower;
  std::size_t taken = 0;
  for (std::uint64_t line = 1; line <= 11; ++line) {
    ASSERT_EQ(control(ReplayAction::kStepLines).line, line);
    const auto frames = link_->published(kItems);
    for (; taken < frames.size(); ++taken) apply(frames[taken].payload, follower);
    EXPECT_EQ(text_of(follower), machine_at(line)) << line;
    EXPECT_EQ(joined(), machine_at(line)) << line;
  }
  EXPECT_EQ(status().phase, ReplayPhase::kFinished);
}

TEST_F(ReplayerTest, StepsOfBlocksAndOfTime) {
  auto wanted = request(4, 11);
  wanted.paused = true;
  start(wanted);
  acknowledge();
  EXPECT_EQ(control(ReplayAction::kStepBlocks).line, 6u);
  EXPECT_EQ(control(ReplayAction::kStepBlocks).line, 10u);
  api::ReplayControl begin;
  begin.at = {4, std::nullopt};
  control(ReplayAction::kSeek, begin);
  api::ReplayControl ten;
  ten.time = 10s;
  EXPECT_EQ(control(ReplayAction::kStepTime, ten).line, 6u);
  EXPECT_EQ(status().moment, second(10));
  api::ReplayControl back;
  back.time = -1s;
  EXPECT_EQ(error_of(*ask_control(ReplayAction::kStepTime, back)).code, Code::kInvalidArgument);
}

TEST_F(ReplayerTest, PausesGoesOnAndChangesItsSpeed) {
  start(request(4, 11));
  acknowledge();
  pass(5s);
  EXPECT_EQ(control(ReplayAction::kPause).phase, ReplayPhase::kPaused);
  acknowledge();
  pass(9s);
  EXPECT_THAT(said(), IsEmpty());
  acknowledge();
  api::ReplayControl faster;
  faster.speed = 10;
  control(ReplayAction::kSpeed, faster);
  EXPECT_EQ(control(ReplayAction::kResume).phase, ReplayPhase::kRunning);
  pass(490ms);
  EXPECT_THAT(said(), IsEmpty());
  pass(10ms);
  EXPECT_THAT(said(), SizeIs(2));
  faster.speed = 1001;
  EXPECT_EQ(error_of(*ask_control(ReplayAction::kSpeed, faster)).code, Code::kInvalidArgument);
}

TEST_F(ReplayerTest, ASeekVoidsWhatWasAndTheStateIsAnother) {
  auto wanted = request(0, 11);
  wanted.speed = api::ReplayRequest::kAsFastAsItGoes;
  start(wanted);
  acknowledge();
  ASSERT_EQ(status().phase, ReplayPhase::kFinished);
  control(ReplayAction::kPause);
  const auto before = said().size();
  api::ReplayControl back;
  back.at = {6, std::nullopt};
  const auto moved = control(ReplayAction::kSeek, back);
  EXPECT_EQ(moved.phase, ReplayPhase::kPaused);
  EXPECT_EQ(moved.line, 6u);
  EXPECT_EQ(moved.moment, second(10));
  EXPECT_EQ(said().size(), before + 1);
  EXPECT_EQ(said().back(), "jump");
  EXPECT_EQ(joined(), machine_at(6));
  acknowledge(moved.items);
  control(ReplayAction::kStepLines);  // the message
  control(ReplayAction::kStepLines);
  EXPECT_EQ(said().back(), "Q1=7");
  // Beyond its range is at its end.
  back.at = {0, second(-100)};
  EXPECT_EQ(control(ReplayAction::kSeek, back).line, 0u);
  back.at = {};
  EXPECT_EQ(control(ReplayAction::kSeek, back).line, 11u);
}

TEST_F(ReplayerTest, OnlyThePvsThatWereAskedFor) {
  auto wanted = request(0, 11);
  wanted.addresses = {"Q2", "nobody"};
  wanted.records = false;
  wanted.speed = api::ReplayRequest::kAsFastAsItGoes;
  const auto started = reply_of<api::ReplayStarted>(*ask(start_atom_v, wanted));
  EXPECT_THAT(started.unknown, ElementsAre("nobody"));
  id_ = started.replay.id;
  acknowledge();
  EXPECT_THAT(said(), ElementsAre("Q2 here", "Q2=2.5", "Q2 gone"));
  EXPECT_EQ(status().records, 0u);
  EXPECT_THAT(joined(), testing::Not(HasSubstr("Q1")));
}

TEST_F(ReplayerTest, AsFastAsItGoesWaitsForSomebodyWhoTakesIt) {
  auto wanted = request(4, 11);
  wanted.speed = api::ReplayRequest::kAsFastAsItGoes;
  start(wanted);
  ask(ack_atom_v, api::ReplayAck{id_, kOwner, false, 0, 0});  // controls it, and does not read
  EXPECT_THAT(said(), IsEmpty());
  acknowledge(0, kOther);
  EXPECT_THAT(said(), SizeIs(6));
}

TEST_F(ReplayerTest, ASlowReaderIsWaitedForAndASilentOneIsNot) {
  constexpr int kBlocks = 100;
  const std::string large(100'000, 'x');
  for (int i = 0; i < kBlocks; ++i) {
    auto update = value_of(1, i);
    update.value = large;
    append({updates({update})});
  }
  auto wanted = request(11, 11 + kBlocks);
  wanted.speed = api::ReplayRequest::kAsFastAsItGoes;
  start(wanted);
  acknowledge();
  const auto window = journal::ReplayWindow{}.bytes_max / large.size() + 1;
  EXPECT_THAT(said(), SizeIs(testing::Le(window)));
  EXPECT_THAT(said(), SizeIs(testing::Ge(window - 2)));
  pass(2s);
  EXPECT_THAT(said(), SizeIs(testing::Le(window)));
  acknowledge(10);
  EXPECT_THAT(said(), SizeIs(testing::Le(window + 10)));
  EXPECT_THAT(said(), SizeIs(testing::Ge(window + 8)));

  acknowledge(10, kOther);  // and then no more
  acknowledge(1'000'000);
  EXPECT_LT(status().line, 11u + kBlocks);
  for (int i = 0; i < 12; ++i) {
    pass(1s);
    acknowledge(1'000'000);
  }
  EXPECT_EQ(status().phase, ReplayPhase::kFinished);
  EXPECT_EQ(status().readers, 1u);
}

TEST_F(ReplayerTest, EndsWhenItsOwnerVanishes) {
  auto wanted = request(4, 11);
  wanted.paused = true;
  start(wanted);
  acknowledge();
  for (int i = 0; i < 3; ++i) {
    pass(9s);
    acknowledge();
  }
  pass(10s);
  acknowledge(0, kOther);
  EXPECT_THAT(list(), SizeIs(1));
  pass(1s);
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_EQ(news().back().status.phase, ReplayPhase::kEnded);
  EXPECT_THAT(news().back().status.why, HasSubstr("its owner"));
  EXPECT_THAT(error_of(*ask(state_atom_v, api::ReplayRead{id_, false})).message,
              HasSubstr("its owner has not been heard of"));
  EXPECT_THAT(link_->retired(), IsEmpty()) << "lost frames may be asked for";
  pass(ReplayerState::kRemembered);
  EXPECT_THAT(link_->retired(), ElementsAre(kItems, kNews));
  EXPECT_EQ(error_of(*ask_control(ReplayAction::kPause)).code, Code::kNotFound);
}

TEST_F(ReplayerTest, EndsWhenItIsStopped) {
  start(request(4, 11));
  acknowledge();
  control(ReplayAction::kStop);
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_EQ(news().back().status.why, "it was stopped");
  pass(1h);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(ReplayerTest, ThereAreOnlySoManyAtATime) {
  for (std::size_t i = 0; i < ReplayerState::kReplaysMax; ++i) start(request(4, 11));
  const auto refused = error_of(*ask(start_atom_v, request(4, 11)));
  EXPECT_EQ(refused.code, Code::kUnavailable);
  control(ReplayAction::kStop);
  start(request(4, 11));
  std::set<std::uint16_t> streams;
  for (const auto& each : list()) streams.insert(each.stream);
  EXPECT_THAT(streams, SizeIs(ReplayerState::kReplaysMax));
}

TEST_F(ReplayerTest, ARequestThatMeansNothingIsRefused) {
  EXPECT_THAT(error_of(*ask(start_atom_v, request(11, 4))).message, HasSubstr("before it begins"));
  EXPECT_EQ(error_of(*ask(start_atom_v, request(4, 99))).code, Code::kInvalidArgument);
  auto wanted = request(4, 11);
  wanted.speed = 0.01;
  EXPECT_EQ(error_of(*ask(start_atom_v, wanted)).code, Code::kInvalidArgument);
  start(request(4, 11));
  EXPECT_EQ(error_of(*ask_control(static_cast<ReplayAction>(99))).code, Code::kInvalidArgument);
  const auto asked = std::make_shared<test::Asked>();
  caf::anon_send(replayer_, control_atom_v, test::call_of(asked, "replay", "\xc1"));
  settle();
  EXPECT_EQ(error_of(*asked).code, Code::kInvalidArgument);
}

TEST_F(ReplayerTest, NothingOfItIsOnAStreamOfThePresent) {
  auto wanted = request(0, 11);
  wanted.speed = api::ReplayRequest::kAsFastAsItGoes;
  start(wanted);
  acknowledge();
  control(ReplayAction::kSeek);
  for (std::uint32_t stream = 0; stream < bus::kReplayStreams; ++stream) {
    ASSERT_THAT(link_->published(static_cast<bus::StreamNumber>(stream)), IsEmpty());
  }
  for (const auto number : {kItems, kNews}) {
    for (const auto& frame : link_->published(number)) {
      EXPECT_TRUE(bus::is_replay(frame.frame_class));
    }
  }
}

}  // namespace
}  // namespace tidemark::actors
