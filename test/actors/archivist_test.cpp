// test/actors/archivist_test.cpp

#include "actors/archivist.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "actors/mark_list.h"
#include "actors/restore_detail.h"
#include "journal/memory_store.h"
#include "test/support/actor_test.h"
#include "test/support/fake_link.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using model::PvUpdate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

UtcTime second(std::int64_t n) { return UtcTime{std::chrono::seconds(1'700'000'000 + n)}; }

PvUpdate value_of(std::uint32_t channel, double value, std::int64_t at) {
  PvUpdate update;
  update.channel = model::ChannelId{channel};
  update.taken_at = second(at);
  update.value = value;
  return update;
}

PvUpdate connected(std::uint32_t channel) {
  PvUpdate update;
  update.channel = model::ChannelId{channel};
  update.event = PvUpdate::Event::kConnected;
  model::PvMeta meta;
  meta.units = "A";
  update.meta = std::make_shared<model::PvMeta>(meta);
  return update;
}

/// Q1 and Q2: lines 1, 2 define them, 3, 4 connect them (second 0), 5, 6 are their first values
/// (second 10), 7 moves Q1 (second 20), 8 moves it back (second 30).
class ArchivistTest : public test::ActorTest {
 protected:
  ArchivistTest() {
    append(std::vector<model::Record>{model::PvDefined{model::ChannelId{1}, "Q1"},
                                      model::PvDefined{model::ChannelId{2}, "Q2"}});
    append(std::vector<PvUpdate>{connected(1), connected(2)});
    now_ = second(10);
    append(std::vector<PvUpdate>{value_of(1, 1.5, 9), value_of(2, 2.5, 9)});
    now_ = second(20);
    append(std::vector<PvUpdate>{value_of(1, 7.0, 19)});
    now_ = second(30);
    append(std::vector<PvUpdate>{value_of(1, 1.5, 29)});
    archivist_ = spawn(archivist_actor, std::shared_ptr<const journal::Projections>(projections_));
  }

  template <class Payload>
  void append(const Payload& payload) {
    journal::Section section;
    section.origin = Uuid::derive("test");
    section.incarnation = 1;
    section.sequence = ++sequence_;
    section.count = static_cast<std::uint32_t>(payload.size());
    if constexpr (std::is_same_v<Payload, std::vector<PvUpdate>>) {
      section.format = journal::SectionFormat::kUpdates;
      section.payload = model::encode_updates(payload);
    } else {
      section.payload = model::encode_records(payload);
    }
    const auto inspected = journal::inspect(std::move(section)).value();
    ASSERT_TRUE(store_->append({&inspected, 1}));
  }
  template <class Atom, class Request>
  std::shared_ptr<test::Asked> ask(Atom atom, const Request& request) {
    auto asked = std::make_shared<test::Asked>();
    caf::anon_send(archivist_, atom, test::call_of(asked, "past", model::pack(request)));
    settle();
    return asked;
  }
  template <class Reply>
  static Reply reply_of(const test::Asked& asked) {
    EXPECT_TRUE(asked.answer && asked.answer->ok())
        << (asked.answer ? asked.answer->error().message : "no answer");
    return model::unpack<Reply>(asked.answer->value()).value();
  }
  static api::Moment at_line(std::uint64_t line) { return {line, std::nullopt}; }
  static api::Moment at_mark(std::string mark) { return {0, std::nullopt, std::move(mark)}; }
  static api::Moment at_second(std::int64_t n) { return {0, second(n)}; }

  UtcTime now_ = second(0);
  std::uint64_t sequence_ = 0;
  std::shared_ptr<journal::MemoryStore> store_ =
      std::make_shared<journal::MemoryStore>(journal::StoreLimits{}, [this] { return now_; });
  std::shared_ptr<journal::Projections> projections_ = std::make_shared<journal::Projections>(
      store_, std::make_shared<journal::MemoryProjectionTable>());
  Archivist archivist_;
};

TEST_F(ArchivistTest, AMomentIsTheLastLineRecordedByThen) {
  const auto found = reply_of<api::MomentReply>(*ask(moment_atom_v, at_second(25)));
  EXPECT_EQ(found.line, 7u);
  EXPECT_EQ(found.recorded_at, second(20));
  EXPECT_EQ(found.last_line, 8u);
  EXPECT_EQ(reply_of<api::MomentReply>(*ask(moment_atom_v, at_second(-1))).line, 0u);
  EXPECT_EQ(reply_of<api::MomentReply>(*ask(moment_atom_v, api::Moment{})).line, 8u);
}

TEST_F(ArchivistTest, ALineThatIsNotThereYetIsSaid) {
  const auto asked = ask(state_atom_v, api::StateQuery{at_line(9), {}});
  EXPECT_EQ(asked->answer->error().code, Code::kInvalidArgument);
  EXPECT_THAT(asked->answer->error().message, HasSubstr("the last is 8"));
}

TEST_F(ArchivistTest, StateHasEveryPvAsItWas) {
  const auto asked = ask(state_atom_v, api::StateQuery{at_line(7), {}});
  EXPECT_EQ(reply_of<api::PastEnd>(*asked).parts, 1u);
  const auto part = model::unpack<api::PastValues>(asked->parts.at(0)).value();
  ASSERT_THAT(part.values, SizeIs(2));
  EXPECT_EQ(part.values[0].address, "Q1");
  EXPECT_EQ(part.values[0].value, model::PvValue{7.0});
  EXPECT_EQ(part.values[0].units, "A");
  EXPECT_THAT(part.lines, ElementsAre(7, 6));
}

TEST_F(ArchivistTest, StateOfSomeNamesWhoIsUnknown) {
  const auto asked = ask(state_atom_v, api::StateQuery{at_line(8), {"*2", "Q9"}});
  EXPECT_THAT(reply_of<api::PastEnd>(*asked).unknown, ElementsAre("Q9"));
  EXPECT_THAT(model::unpack<api::PastValues>(asked->parts.at(0)).value().values, SizeIs(1));
}

TEST_F(ArchivistTest, ChangesAreThoseThatStillDiffer) {
  const auto some = ask(changes_atom_v, api::ChangesQuery{at_second(10), at_second(20), {}});
  EXPECT_EQ(reply_of<api::ChangesEnd>(*some).looked_at, 2u);
  const auto part = model::unpack<api::Changes>(some->parts.at(0)).value();
  ASSERT_THAT(part.before, SizeIs(1));
  EXPECT_EQ(part.before[0].value, model::PvValue{1.5});
  EXPECT_EQ(part.after[0].value, model::PvValue{7.0});
  EXPECT_THAT(part.lines, ElementsAre(7));

  const auto back = ask(changes_atom_v, api::ChangesQuery{at_second(10), at_second(30), {}});
  EXPECT_EQ(reply_of<api::ChangesEnd>(*back).parts, 0u) << "it is as it was";
}

TEST_F(ArchivistTest, HistoryBeginsWithWhatWasInForce) {
  const auto asked = ask(history_atom_v, api::HistoryQuery{"Q1", at_second(15), {}, 0});
  EXPECT_EQ(reply_of<api::HistoryEnd>(*asked).now.value, model::PvValue{1.5});
  const auto part = model::unpack<api::HistorySamples>(asked->parts.at(0)).value();
  EXPECT_THAT(part.lines, ElementsAre(5, 7, 8));
  const auto updates = model::decode_updates(part.updates.bytes).value();
  EXPECT_EQ(updates[1], value_of(1, 7.0, 19));
}

TEST_F(ArchivistTest, AHistoryThatEndsBeforeItBeginsIsRefused) {
  const auto asked = ask(history_atom_v, api::HistoryQuery{"Q1", at_line(8), at_line(7), 0});
  EXPECT_EQ(asked->answer->error().code, Code::kInvalidArgument);
  EXPECT_THAT(asked->answer->error().message, HasSubstr("ends before it begins"));
}

TEST_F(ArchivistTest, HistoryInBins) {
  const auto reply = reply_of<api::HistoryBins>(
      *ask(bins_atom_v, api::BinsQuery{"Q1", at_second(0), at_second(30), 3}));
  ASSERT_THAT(reply.bins, SizeIs(3));
  EXPECT_EQ(reply.width, std::chrono::seconds(10));
  EXPECT_EQ(reply.bins[1].count, 1u);
  EXPECT_EQ(reply.bins[1].max, 7.0);
}

TEST_F(ArchivistTest, StateByTheSourcesTimeNamesItsRule) {
  now_ = second(40);
  append(std::vector<PvUpdate>{value_of(1, 5.0, 33)});  // line 9, seven seconds late
  const auto state = [&](std::int64_t at, std::int64_t lateness) {
    api::StateQuery query{at_second(at), {"Q1"}, std::chrono::seconds(lateness)};
    const auto asked = ask(state_atom_v, query);
    const auto end = reply_of<api::PastEnd>(*asked);
    const auto part = model::unpack<api::PastValues>(asked->parts.at(0)).value();
    return std::pair(end.source.value(), part.values.at(0).value);
  };
  const auto [rule, value] = state(33, 10);
  EXPECT_EQ(rule.at, second(33));
  EXPECT_EQ(rule.lateness, std::chrono::seconds(10));
  EXPECT_EQ(rule.certain, 7u);
  EXPECT_EQ(rule.last, 9u);
  EXPECT_EQ(value, model::PvValue{5.0});
  EXPECT_EQ(state(33, 2).second, model::PvValue{1.5}) << "it came too late";
  EXPECT_EQ(state(32, 10).second, model::PvValue{1.5}) << "it was not taken yet";
  const auto far =
      ask(state_atom_v, api::StateQuery{at_second(33), {"Q1"}, api::kLatenessMax + Duration{1}});
  EXPECT_EQ(far->answer->error().code, Code::kInvalidArgument);
  EXPECT_THAT(far->answer->error().message, HasSubstr("lateness: 0 to 60 s"));
}

TEST_F(ArchivistTest, HistoryByTheSourcesTimeIsInItsOrderPageByPage) {
  now_ = second(40);
  append(std::vector<PvUpdate>{value_of(1, 5.0, 33), value_of(1, 4.0, 25)});  // lines 9 and 10
  api::HistoryQuery query{"Q1", at_second(15), at_second(35), 2, 0, std::chrono::seconds(30), {}};
  std::vector<std::uint64_t> lines;
  while (true) {
    const auto asked = ask(history_atom_v, query);
    const auto end = reply_of<api::HistoryEnd>(*asked);
    EXPECT_EQ(end.lateness, query.lateness);
    for (const auto& packed : asked->parts) {
      const auto part = model::unpack<api::HistorySamples>(packed).value();
      lines.insert(lines.end(), part.lines.begin(), part.lines.end());
    }
    EXPECT_EQ(end.cut, end.next.has_value());
    if (!end.cut) break;
    query.after = end.next;
  }
  EXPECT_THAT(lines, ElementsAre(5, 7, 10, 8, 9)) << "taken at 9, 19, 25, 29, 33";

  const auto bins = reply_of<api::HistoryBins>(
      *ask(bins_atom_v,
           api::BinsQuery{"Q1", at_second(20), at_second(30), 1, true, std::chrono::seconds(30)}));
  ASSERT_THAT(bins.bins, SizeIs(1));
  EXPECT_EQ(bins.bins[0].count, 2u) << "what was taken outside is in no bin";
  EXPECT_EQ(bins.bins[0].median, 2.75);
  EXPECT_EQ(bins.lateness, std::chrono::seconds(30));
}

TEST_F(ArchivistTest, ALineThroughAHistoryHasItsSpikes) {
  for (int i = 0; i < 100; ++i) {
    now_ = second(40 + i);
    append(std::vector<PvUpdate>{value_of(1, i == 50 ? 99.0 : 1.0, 40 + i)});
  }
  api::HistoryQuery query{"Q1", at_line(8), {}, 0, 10, {}, {}};
  const auto asked = ask(history_atom_v, query);
  EXPECT_FALSE(reply_of<api::HistoryEnd>(*asked).cut);
  const auto part = model::unpack<api::HistorySamples>(asked->parts.at(0)).value();
  const auto updates = model::decode_updates(part.updates.bytes).value();
  EXPECT_THAT(updates, SizeIs(10));
  EXPECT_EQ(updates.front(), value_of(1, 1.0, 40));
  EXPECT_THAT(updates, testing::Contains(value_of(1, 99.0, 90)));
  query.line_points = api::HistoryQuery::kLinePointsMax + 1;
  EXPECT_EQ(ask(history_atom_v, query)->answer->error().code, Code::kInvalidArgument);
}

TEST_F(ArchivistTest, InfiniteValuesHaveNoDeviation) {
  now_ = second(40);
  append(std::vector<PvUpdate>{value_of(1, std::numeric_limits<double>::infinity(), 39)});
  const auto reply = reply_of<api::HistoryBins>(
      *ask(bins_atom_v, api::BinsQuery{"Q1", at_second(30), at_second(40), 1}));
  ASSERT_THAT(reply.bins, SizeIs(1));
  EXPECT_TRUE(std::isinf(reply.bins[0].max));
  EXPECT_TRUE(std::isnan(reply.bins[0].deviation));
}

TEST_F(ArchivistTest, BlameNamesTheJobThatWroteIt) {
  const auto job = Uuid::random();
  append(std::vector<model::Record>{
      model::JobAccepted{job, "snapshot_restore", "before beam", "ann@ring", ""},
      model::PutIntended{model::ChannelId{1}, "Q1", 9.0, job}});
  now_ = second(31);
  append(std::vector<PvUpdate>{value_of(1, 9.0, 31)});
  const auto reply = reply_of<api::Blame>(*ask(blame_atom_v, api::BlameQuery{"Q1", {}, 2}));
  ASSERT_THAT(reply.changes, SizeIs(2));
  EXPECT_EQ(reply.changes[0].line, 11u);
  EXPECT_EQ(reply.changes[0].job, job);
  EXPECT_EQ(reply.changes[0].title, "before beam");
  EXPECT_EQ(reply.changes[0].user, "ann@ring");
  EXPECT_EQ(reply.changes[1].value.value, model::PvValue{1.5});
  EXPECT_EQ(reply.changes[1].job, Uuid{});
}

TEST_F(ArchivistTest, BlameOfAWaveformComesInPages) {
  constexpr std::size_t kElements = 10'000'000;  // 10 MB: an answer has one of them
  constexpr std::size_t kAnswerMax = 48u << 20;
  for (int i = 0; i < 4; ++i) {
    now_ = second(40 + i);
    auto update = value_of(2, 0, 40 + i);
    update.value = model::SharedArray(std::vector<std::uint8_t>(kElements, std::uint8_t(200 + i)));
    append(std::vector<PvUpdate>{update});
  }
  api::BlameQuery query{"Q2", {}, 6};
  std::vector<std::uint64_t> lines;
  std::size_t pages = 0;
  while (true) {
    const auto asked = ask(blame_atom_v, query);
    EXPECT_LE(asked->answer->value().size(), kAnswerMax);
    const auto reply = reply_of<api::Blame>(*asked);
    ASSERT_FALSE(reply.changes.empty());
    for (const auto& each : reply.changes) lines.push_back(each.line);
    ++pages;
    if (reply.next == 0) break;
    query.count -= static_cast<std::uint32_t>(reply.changes.size());
    query.at = at_line(reply.next);
  }
  EXPECT_THAT(lines, ElementsAre(12, 11, 10, 9, 6, 4));
  EXPECT_EQ(pages, 5U);
}

TEST_F(ArchivistTest, BlameNamesTheSnapshotThatWasRestored) {
  const auto job = Uuid::random();
  const auto snapshot = Uuid::random();
  model::RestorePlan plan;
  append(std::vector<model::Record>{
      model::JobAccepted{job, "snapshot_restore", "before beam", "ann@ring",
                         restore_detail(snapshot, plan, "snapshot of what?")},
      model::PutIntended{model::ChannelId{1}, "Q1", 9.0, job}});
  append(std::vector<PvUpdate>{value_of(1, 9.0, 31)});
  const auto reply = reply_of<api::Blame>(*ask(blame_atom_v, api::BlameQuery{"Q1", {}, 1}));
  EXPECT_EQ(reply.changes.at(0).snapshot, snapshot);
  EXPECT_FALSE(reply.changes.at(0).clamped);
  EXPECT_EQ(snapshot_in("snapshot of what?"), Uuid{}) << "of an earlier version";
}

/// Q1 is put to 20, and its IOC, which takes no more than 10, says what it took.
class ClampedPut : public ArchivistTest {
 protected:
  void put(double value) {
    append(std::vector<model::Record>{model::JobAccepted{job_, "pv_put", "Q1", "ann@ring", ""},
                                      model::PutIntended{model::ChannelId{1}, "Q1", value, job_}});
  }
  void confirm() {
    append(std::vector<model::Record>{model::PutConfirmed{model::ChannelId{1}, "Q1", job_}});
  }
  api::BlamedChange newest() {
    return reply_of<api::Blame>(*ask(blame_atom_v, api::BlameQuery{"Q1", {}, 1})).changes.at(0);
  }
  Uuid job_ = Uuid::random();
};

TEST_F(ClampedPut, IsBlamedAndSaysSo) {
  put(20);
  confirm();
  now_ = second(31);
  append(std::vector<PvUpdate>{value_of(1, 10.0, 31)});
  EXPECT_EQ(newest().job, job_);
  EXPECT_EQ(newest().user, "ann@ring");
  EXPECT_TRUE(newest().clamped);
}

TEST_F(ClampedPut, IsBlamedWhenTheUpdateWasFasterThanTheAnswer) {
  put(20);
  append(std::vector<PvUpdate>{value_of(1, 10.0, 31)});
  EXPECT_EQ(newest().job, Uuid{}) << "nobody knows yet whether it was written";
  confirm();
  EXPECT_EQ(newest().job, job_);
}

TEST_F(ClampedPut, ThatWasRefusedIsNotBlamed) {
  put(20);
  append(std::vector<model::Record>{
      model::PutRefused{model::ChannelId{1}, "Q1", job_, "no write access"}});
  append(std::vector<PvUpdate>{value_of(1, 10.0, 31)});
  EXPECT_EQ(newest().job, Uuid{});
}

TEST_F(ClampedPut, IsNotBlamedForWhatCameAfterItsEffectOrLongAfterIt) {
  put(20);
  confirm();
  append(std::vector<PvUpdate>{value_of(1, 10.0, 31)});
  append(std::vector<PvUpdate>{value_of(1, 3.0, 32)});
  EXPECT_EQ(newest().job, Uuid{}) << "somebody else's";
  put(20);
  confirm();
  now_ = second(45);
  append(std::vector<PvUpdate>{value_of(1, 10.0, 45)});
  EXPECT_EQ(newest().job, Uuid{}) << "too late";
}

TEST_F(ClampedPut, ThatAnotherPutFollowedIsNotBlamed) {
  put(20);
  confirm();
  const auto first = std::exchange(job_, Uuid::random());
  put(30);
  append(std::vector<PvUpdate>{value_of(1, 10.0, 31)});
  EXPECT_EQ(newest().job, Uuid{}) << "of the second nobody knows whether it was written";
  confirm();
  EXPECT_EQ(newest().job, job_);
  EXPECT_NE(newest().job, first);
}

TEST_F(ArchivistTest, BlameTellsPutsThatFollowEachOtherApart) {
  const auto first = Uuid::random();
  const auto second_job = Uuid::random();
  append(
      std::vector<model::Record>{model::PutIntended{model::ChannelId{1}, "Q1", 5.0, first},
                                 model::PutIntended{model::ChannelId{1}, "Q1", 6.0, second_job}});
  append(std::vector<PvUpdate>{value_of(1, 5.0, 31), value_of(1, 6.0, 32)});
  const auto reply = reply_of<api::Blame>(*ask(blame_atom_v, api::BlameQuery{"Q1", {}, 2}));
  EXPECT_EQ(reply.changes.at(0).job, second_job);
  EXPECT_EQ(reply.changes.at(1).job, first);
}

TEST_F(ArchivistTest, BlameKnowsAValueThatItsRecordRounds) {
  const auto job = Uuid::random();
  append(std::vector<model::Record>{model::PutIntended{model::ChannelId{1}, "Q1", 4.75, job}});
  auto rounded = value_of(1, 0, 31);
  rounded.value = std::int32_t{4};
  append(std::vector<PvUpdate>{rounded});
  const auto reply = reply_of<api::Blame>(*ask(blame_atom_v, api::BlameQuery{"Q1", {}, 1}));
  EXPECT_EQ(reply.changes.at(0).job, job);
  EXPECT_FALSE(reply.changes.at(0).clamped);
}

TEST_F(ArchivistTest, MarksThatThereIsNoRoomForAreSaid) {
  journal::ProjectionLimits limits;
  limits.marks_bytes_max = 1;
  const auto small = std::make_shared<journal::Projections>(
      store_, std::make_shared<journal::MemoryProjectionTable>(), limits);
  ASSERT_TRUE(small->load());
  Board board;
  warn_of_left_out(small->marks(), board);
  api::NodeStatus status;
  board.fill(status);
  EXPECT_THAT(status.warnings, SizeIs(0));

  append(std::vector<model::Record>{model::MarkBegin{Uuid::derive("a"), "shot 1", {}, "ann", {}},
                                    model::MarkBegin{Uuid::derive("b"), "shot 2", {}, "ann", {}},
                                    model::MarkEnd{Uuid::derive("b"), "shot 2", "ann", {}}});
  EXPECT_EQ(list_marks(small->marks(), {}).value().left_out, 2u);
  while (small->advance(1000).value()) {
  }
  warn_of_left_out(small->marks(), board);
  status = {};
  board.fill(status);
  ASSERT_THAT(status.warnings, SizeIs(1));
  EXPECT_THAT(status.warnings[0], HasSubstr("2 begins and ends of marks are in the log only"));
}

TEST_F(ArchivistTest, AMarkIsAMoment) {
  const auto id = Uuid::derive("shot 12");
  append(std::vector<model::Record>{model::MarkBegin{id, "shot 12", {}, "ann", {}}});
  now_ = second(40);
  append(std::vector<PvUpdate>{value_of(1, 4.0, 39)});
  EXPECT_EQ(reply_of<api::MomentReply>(*ask(moment_atom_v, at_mark("shot 12"))).line, 9u);
  const auto open = ask(moment_atom_v, at_mark("shot 12.end"));
  EXPECT_EQ(open->answer->error().code, Code::kInvalidArgument);
  EXPECT_THAT(open->answer->error().message, HasSubstr("'shot 12' is open"));
  append(std::vector<model::Record>{model::MarkEnd{id, "shot 12", "ann", {}}});
  const auto end = reply_of<api::MomentReply>(*ask(moment_atom_v, at_mark("shot 12.end")));
  EXPECT_EQ(end.line, 11u);
  EXPECT_EQ(end.recorded_at, second(40));

  const auto changes =
      ask(changes_atom_v, api::ChangesQuery{at_mark("shot 12"), at_mark("shot 12.end"), {}});
  EXPECT_EQ(reply_of<api::ChangesEnd>(*changes).parts, 1u);
  EXPECT_THAT(model::unpack<api::Changes>(changes->parts.at(0)).value().lines, ElementsAre(10));
  EXPECT_EQ(ask(moment_atom_v, at_mark("shot 13"))->answer->error().code, Code::kNotFound);
}

TEST_F(ArchivistTest, MarksComeWithWhatWasSaid) {
  const auto id = Uuid::derive("shot 12");
  append(std::vector<model::Record>{
      model::MarkBegin{id, "shot 12", {"beam"}, "ann", model::kv::Value(4711)},
      model::MarkBegin{Uuid::derive("old"), "dip", {}, "bob", {}, second(15)},
      model::MarkEnd{id, "shot 12", "ann", model::kv::Value("good")}});
  const auto all = reply_of<api::MarkList>(*ask(marks_atom_v, api::MarksQuery{}));
  ASSERT_THAT(all.marks, SizeIs(2));
  EXPECT_EQ(all.found, 2u);
  EXPECT_EQ(all.marks[0].begin, (api::MarkPoint{9, second(30), 9, "ann", model::kv::Value(4711)}));
  EXPECT_EQ(all.marks[0].end,
            (api::MarkPoint{11, second(30), 11, "ann", model::kv::Value("good")}));
  EXPECT_EQ(all.marks[1].begin, (api::MarkPoint{6, second(15), 10, "bob", {}}))
      << "set after the fact, for what was in force at that time";
  EXPECT_FALSE(all.marks[1].end);

  api::MarksQuery query;
  query.open = true;
  EXPECT_EQ(reply_of<api::MarkList>(*ask(marks_atom_v, query)).marks[0].name, "dip");
  query = {};
  query.tag = "beam";
  query.limit = 0;
  const auto counted = reply_of<api::MarkList>(*ask(marks_atom_v, query));
  EXPECT_THAT(counted.marks, SizeIs(0));
  EXPECT_EQ(counted.found, 1u);
}

TEST_F(ArchivistTest, APvThatNobodyKnowsIsNotFound) {
  const auto asked = ask(blame_atom_v, api::BlameQuery{"Q9", {}, 1});
  EXPECT_EQ(asked->answer->error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tidemark::actors
