#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/glob.h"
#include "fake_site.h"
#include "model/api/journal.h"
#include "model/api/marks.h"
#include "model/api/past.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using namespace std::chrono_literals;

/// A journal that keeps the records of marks in a list. A record is recorded in the second of its
/// line.
class MarkCommands : public testing::Test {
 protected:
  void SetUp() override {
    site_.start("journal");
    site_.serve<api::AppendRequest, api::AppendReply>(
        "journal", "journal.append",
        [this](const auto& request) -> Result<api::AppendReply> { return append(request); });
    site_.serve<api::MarksQuery, api::MarkList>(
        "journal", "journal.marks",
        [this](const auto& query) -> Result<api::MarkList> { return list(query); });
    site_.serve<api::ReadRequest, api::ReadReply>(
        "journal", "journal.read", [this](const auto& request) -> Result<api::ReadReply> {
          const std::lock_guard lock(mutex_);
          read_ = request;
          api::ReadReply reply;
          reply.end = true;
          return reply;
        });
    site_.serve<api::Moment, api::MomentReply>("journal", "journal.moment",
                                               [this](const auto& moment) { return find(moment); });
  }

  Result<api::MomentReply> find(const api::Moment& moment) {
    const std::lock_guard lock(mutex_);
    auto line = moment.line;
    for (const auto& mark : marks_) {
      if (mark.name == moment.mark) line = mark.begin->line;
    }
    if (line == 0) return Error{Code::kNotFound, "no mark '" + moment.mark + "'"};
    return api::MomentReply{line, UtcTime{std::chrono::seconds(line)}, line_};
  }

  Result<api::AppendReply> append(const api::AppendRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    for (const auto& section : request.sections) {
      const auto records = model::decode_records(section.payload.bytes).value();
      for (const auto& record : records) take(record, ++line_);
    }
    return api::AppendReply{1, line_};
  }
  void take(const model::Record& record, std::uint64_t line) {
    const auto when = [&](UtcTime at) {
      return at == UtcTime{} ? UtcTime{std::chrono::seconds(line)} : at;
    };
    if (const auto* begin = std::get_if<model::MarkBegin>(&record)) {
      marks_.insert(marks_.begin(),
                    {begin->mark,
                     begin->name,
                     begin->tags,
                     api::MarkPoint{line, when(begin->at), line, begin->who, begin->data},
                     {}});
    } else if (const auto* end = std::get_if<model::MarkEnd>(&record)) {
      for (auto& mark : marks_) {
        if (mark.id != end->mark) continue;
        mark.end = api::MarkPoint{line, when(end->at), line, end->who, end->data};
      }
    }
  }
  api::MarkList list(const api::MarksQuery& query) {
    const std::lock_guard lock(mutex_);
    query_ = query;
    api::MarkList reply;
    reply.left_out = left_out_;
    for (const auto& mark : marks_) {
      if (query.open && mark.end) continue;
      const bool meant = mark.name == query.mark || mark.id.text().starts_with(query.mark);
      if (!meant || !glob_match(query.name.empty() ? "*" : query.name, mark.name)) continue;
      ++reply.found;
      if (reply.marks.size() < query.limit) reply.marks.push_back(mark);
    }
    return reply;
  }
  Json json(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const auto ran = site_.run(std::move(arguments));
    EXPECT_EQ(ran.exit, 0) << ran.err;
    return Json::parse(ran.out);
  }

  FakeSite site_;
  std::mutex mutex_;
  // Guarded by mutex_; after a command, nobody else is there.
  std::vector<api::AppendRequest> requests_;
  std::vector<api::MarkEntry> marks_;  // newest first
  std::uint64_t line_ = 0;
  std::uint64_t left_out_ = 0;
  api::MarksQuery query_;
  api::ReadRequest read_;
};

TEST_F(MarkCommands, BeginSaysWhereItIs) {
  const auto ran = site_.run({"log", "mark", "begin", "shot 1", "--tag", "a", "--tag", "b"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("shot 1 ("));
  EXPECT_THAT(ran.out, HasSubstr("begins at line 1"));
  ASSERT_THAT(marks_, SizeIs(1));
  EXPECT_THAT(marks_[0].tags, ElementsAre("a", "b"));
  EXPECT_EQ(marks_[0].begin->who, "ada@console");
  EXPECT_EQ(requests_[0].incarnation, api::kShortLived) << "the journal forgets who ran it";
}

TEST_F(MarkCommands, DataIsAStructOfWhatWasGuessed) {
  const auto mark = json({"log", "mark", "begin", "shot 1", "--data", "shot=4711", "--data",
                          "target=Al foil", "--data", "energy=4.5"});
  const auto wanted = Json{{"shot", 4711}, {"target", "Al foil"}, {"energy", 4.5}};
  EXPECT_EQ(mark.at("begin").at("data"), wanted);
  EXPECT_TRUE(mark.at("open").get<bool>());
  EXPECT_TRUE(mark.at("end").is_null());
}

TEST_F(MarkCommands, DataThatIsNoPairIsRefusedBeforeAnythingIsSaid) {
  const auto ran = site_.run({"log", "mark", "begin", "shot 1", "--data", "4711"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("'4711' is not like shot=4711"));
  EXPECT_EQ(site_.run({"log", "mark", "begin", "x", "--data", "a=1", "--data", "a=2"}).exit, 2);
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(MarkCommands, EndMeansTheNewestThatIsOpen) {
  site_.run({"log", "mark", "begin", "shot"});
  site_.run({"log", "mark", "begin", "shot"});
  const auto ran = site_.run({"log", "mark", "end", "shot", "--data", "result=good"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("is line 2 to 3, 1.000s"));
  EXPECT_TRUE(marks_[0].end);
  EXPECT_FALSE(marks_[1].end);
  EXPECT_EQ(site_.run({"log", "mark", "end", marks_[1].id.text()}).exit, 0);
  EXPECT_TRUE(marks_[1].end);
}

TEST_F(MarkCommands, EndOfWhatHasEndedOrNeverBeganIsSaid) {
  const auto none = site_.run({"log", "mark", "end", "shot"});
  EXPECT_EQ(none.exit, 1);
  EXPECT_THAT(none.err, HasSubstr("the journal has no mark 'shot'"));
  site_.run({"log", "mark", "begin", "shot"});
  site_.run({"log", "mark", "end", "shot"});
  EXPECT_THAT(site_.run({"log", "mark", "end", "shto"}).err,
              HasSubstr("no mark 'shto'; did you mean 'shot'?"));
  const auto again = site_.run({"log", "mark", "end", "shot"});
  EXPECT_NE(again.exit, 0);
  EXPECT_THAT(again.err, HasSubstr("'shot' has ended: 1970-01-01T00:00:02"));
  EXPECT_THAT(requests_, SizeIs(2));
}

TEST_F(MarkCommands, SetSaysBothEndsAtOnce) {
  const auto ran = site_.run({"log", "mark", "set", "beam loss", "--from", "2026-11-21T14:05:00Z",
                              "--to", "2026-11-21T14:06:30Z", "--tag", "fault"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("1m 30s"));
  ASSERT_THAT(requests_, SizeIs(1));
  EXPECT_EQ(requests_[0].sections.at(0).count, 2u);
  EXPECT_EQ(marks_[0].begin->at, *parse_iso("2026-11-21T14:05:00Z"));
  EXPECT_EQ(marks_[0].end->at, *parse_iso("2026-11-21T14:06:30Z"));
}

TEST_F(MarkCommands, TimesThatCannotBeAreRefused) {
  const auto exit = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"log", "mark"});
    return site_.run(std::move(arguments)).exit;
  };
  EXPECT_EQ(exit({"set", "x", "--from", "-1m", "--to", "-2m"}), 2);
  EXPECT_EQ(exit({"set", "x", "--from", "-1m", "--to", "2999-01-01"}), 2) << "yet to come";
  EXPECT_EQ(exit({"set", "x", "--from", "-1m"}), 2);
  EXPECT_EQ(exit({"begin", "x", "--at", "24:00"}), 2);
  EXPECT_EQ(exit({"list", "--since", "24:00"}), 2);
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(MarkCommands, LinesAndMarksStandForTheirTimes) {
  site_.run({"log", "mark", "begin", "shift"});
  site_.run({"log", "mark", "begin", "shot"});
  const auto ran = site_.run({"log", "mark", "set", "loss", "--from", "shift", "--to", "@2"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(marks_[0].begin->at, UtcTime{1s});
  EXPECT_EQ(marks_[0].end->at, UtcTime{2s});
  EXPECT_EQ(site_.run({"log", "mark", "list", "--since", "@2", "--until", "shot"}).exit, 0);
  EXPECT_EQ(query_.since, UtcTime{2s});
  EXPECT_EQ(query_.until, UtcTime{2s});
  const auto none = site_.run({"log", "mark", "begin", "x", "--at", "shto"});
  EXPECT_EQ(none.exit, 1);
  EXPECT_THAT(none.err, HasSubstr("--at: no mark 'shto'; did you mean 'shot'?"));
}

TEST_F(MarkCommands, QueryBetweenLinesAndMarksAsksForLines) {
  site_.run({"log", "mark", "begin", "shift"});
  site_.run({"log", "mark", "begin", "shot"});
  EXPECT_EQ(site_.run({"log", "query", "--since", "@17", "--until", "@40"}).exit, 0);
  EXPECT_EQ(read_.from, 40u) << "newest first";
  EXPECT_EQ(read_.to, 17u);
  EXPECT_FALSE(read_.since || read_.until);
  site_.run({"log", "query", "--since", "shot", "--oldest-first"});
  EXPECT_EQ(read_.from, 2u);
  EXPECT_EQ(read_.to, 0u);
  site_.run({"log", "export", "--since", "shift", "--until", "shot", "--to", "@40"});
  EXPECT_EQ(read_.from, 1u);
  EXPECT_EQ(read_.to, 2u);
  site_.run({"log", "query", "--since", "1h", "--until", "now"});
  EXPECT_EQ(*read_.until - *read_.since, 1h);
  EXPECT_EQ(site_.run({"log", "query", "--until", "shto"}).exit, 1);
}

TEST_F(MarkCommands, EndBeforeItsBeginIsRefused) {
  EXPECT_EQ(site_.run({"log", "mark", "begin", "x", "--at", "-1m"}).exit, 0);
  const auto ran = site_.run({"log", "mark", "end", "x", "--at", "-2m"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("'x' began later"));
}

TEST_F(MarkCommands, ListShowsThemAsATable) {
  site_.run({"log", "mark", "begin", "shift", "--tag", "operation"});
  site_.run({"log", "mark", "begin", "shot 1", "--data", "n=1"});
  site_.run({"log", "mark", "end", "shot 1", "--data", "result=good"});
  const auto ran = site_.run({"log", "mark", "list"});
  EXPECT_THAT(ran.out, HasSubstr("{n: 1}; {result: good}"));
  EXPECT_THAT(ran.out, HasSubstr("2..3"));
  EXPECT_THAT(ran.out, HasSubstr("1.000s"));
  EXPECT_THAT(ran.out, HasSubstr("open"));
  EXPECT_THAT(site_.run({"log", "mark", "list", "--open"}).out, Not(HasSubstr("shot 1")));
  const auto one = site_.run({"log", "mark", "list", "--limit", "1"});
  EXPECT_THAT(one.err, HasSubstr("1 more: --limit"));
}

TEST_F(MarkCommands, ListIsRowsForSpreadsheets) {
  site_.run({"log", "mark", "begin", "shift, long", "--tag", "a", "--tag", "b"});
  site_.run({"log", "mark", "begin", "shot 1", "--data", "n=1"});
  site_.run({"log", "mark", "end", "shot 1"});
  const auto ran = site_.run({"log", "mark", "list", "--csv"});
  EXPECT_EQ(ran.out,
            "id,name,tags,begin,begin_line,begin_record,begin_who,begin_data,end,end_line,"
            "end_record,end_who,end_data\n" +
                marks_[0].id.text() +
                ",shot 1,[],1970-01-01T00:00:02.000000000Z,2,2,ada@console,\"{\"\"n\"\":1}\","
                "1970-01-01T00:00:03.000000000Z,3,3,ada@console,\n" +
                marks_[1].id.text() +
                ",\"shift, long\",\"[\"\"a\"\",\"\"b\"\"]\",1970-01-01T00:00:01.000000000Z,1,1,"
                "ada@console,,,,,,\n");
  EXPECT_EQ(site_.run({"log", "mark", "list", "--csv", "--json"}).exit, 2);
}

TEST_F(MarkCommands, ListSaysThatMarksWereLeftOut) {
  EXPECT_EQ(site_.run({"log", "mark", "list"}).err, "");
  left_out_ = 3;
  const auto ran = site_.run({"log", "mark", "list"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr("no room for more marks: 3 begins and ends of marks"));
}

TEST_F(MarkCommands, QueryIsRowsForSpreadsheets) {
  site_.serve<api::ReadRequest, api::ReadReply>("journal", "journal.read",
                                                [](const auto&) -> Result<api::ReadReply> {
                                                  api::ReadReply reply;
                                                  reply.end = true;
                                                  auto& line = reply.lines.emplace_back();
                                                  line.line = 17;
                                                  line.recorded_at = UtcTime{1s};
                                                  line.origin = "monitor";
                                                  line.kind = model::RecordKind::kPvUpdate;
                                                  line.subject = "QUAD:1";
                                                  line.text = "4.25";
                                                  line.value = 4.25;
                                                  line.taken_at = UtcTime{1s};
                                                  return reply;
                                                });
  const auto ran = site_.run({"log", "query", "--csv"});
  EXPECT_EQ(ran.out,
            "line,recorded_at,origin,incarnation,sequence,kind,level,subject,text,type,value,"
            "severity,taken_at,record\n"
            "17,1970-01-01T00:00:01.000000000Z,monitor,0,0,PvUpdate,debug,QUAD:1,4.25,double,4.25,"
            "NO_ALARM,1970-01-01T00:00:01.000000000Z,\n");
  EXPECT_EQ(site_.run({"log", "query", "--csv", "--json"}).exit, 2);
}

TEST_F(MarkCommands, ListAsksForWhatItIsGiven) {
  site_.run({"log", "mark", "list", "--name", "shot *", "--tag", "beam", "--since",
             "2026-11-21T14:05:00Z", "--limit", "0"});
  EXPECT_EQ(query_.name, "shot *");
  EXPECT_EQ(query_.tag, "beam");
  EXPECT_EQ(query_.since, parse_iso("2026-11-21T14:05:00Z"));
  EXPECT_FALSE(query_.until);
  EXPECT_EQ(query_.limit, api::MarksQuery::kMarksMax);
}

TEST_F(MarkCommands, QueryInsideAMarkAsksByItsId) {
  site_.run({"log", "mark", "begin", "shot"});
  EXPECT_EQ(site_.run({"log", "query", "--in", "shot"}).exit, 0);
  EXPECT_EQ(read_.mark, marks_[0].id.text());
  const auto none = site_.run({"log", "query", "--in", "shot 2"});
  EXPECT_EQ(none.exit, 1);
  EXPECT_THAT(none.err, HasSubstr("no mark 'shot 2'"));
}

TEST_F(MarkCommands, QueryAsksWithAllFilters) {
  const auto ran = site_.run({"log", "query", "--regex", "beam (on|off)", "--field",
                              "data.shot=4711", "--field", "user!=anna", "--origin", "psu.*"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(read_.regex, "beam (on|off)");
  EXPECT_THAT(read_.field_tests, ElementsAre("data.shot=4711", "user!=anna"));
  EXPECT_EQ(read_.origin, "psu.*");
}

}  // namespace
}  // namespace tidemark::tools
