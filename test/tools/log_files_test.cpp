// log write, export and import against a journal that keeps what it is told in a list.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "fake_site.h"
#include "model/api/journal.h"
#include "model/api/past.h"
#include "tools/typed_json.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using model::kv::Struct;
using model::kv::Value;
using testing::HasSubstr;
using testing::SizeIs;

class LogFiles : public testing::Test {
 protected:
  LogFiles() {
    char folder[] = "/tmp/tidemark-files-XXXXXX";
    directory_ = ::mkdtemp(folder);
    site_.start("journal");
    site_.serve<api::AppendRequest, api::AppendReply>(
        "journal", "journal.append", [this](const auto& request) { return append(request); });
    site_.serve<api::ReadRequest, api::ReadReply>(
        "journal", "journal.read", [this](const auto& request) { return read(request); });
    site_.serve<api::Moment, api::MomentReply>(
        "journal", "journal.moment", [this](const auto& moment) -> Result<api::MomentReply> {
          const std::lock_guard lock(mutex_);
          const auto line = moment.line == 0 ? lines_.size() : moment.line;
          return api::MomentReply{line, {}, lines_.size()};
        });
  }
  ~LogFiles() override { std::filesystem::remove_all(directory_); }

  Result<api::AppendReply> append(const api::AppendRequest& request) {
    const std::lock_guard lock(mutex_);
    auto& through = through_[request.origin];
    for (const auto& section : request.sections) {
      auto number = section.sequence;
      for (const auto& record : model::decode_records(section.payload.bytes).value()) {
        api::LogLine line;
        line.line = lines_.size() + 1;
        line.recorded_at = UtcTime{std::chrono::seconds(1'764'000'000 + line.line)};
        line.origin = request.origin.text();
        line.incarnation = request.incarnation;
        line.sequence = number++;
        line.kind = model::kind_of(record);
        line.level = model::level_of(record);
        line.subject = model::subject_of(record);
        line.text = model::describe(record);
        line.record.bytes = model::encode_records({record});
        if (line.sequence > through) lines_.push_back(line);
      }
      through = std::max(through, number - 1);
    }
    return api::AppendReply{through, lines_.size()};
  }
  /// Two lines a page, so that there are pages.
  Result<api::ReadReply> read(const api::ReadRequest& request) {
    const std::lock_guard lock(mutex_);
    api::ReadReply reply;
    reply.last_line = lines_.size();
    reply.next = request.from;
    while (reply.next <= lines_.size() && reply.lines.size() < 2) {
      const auto& line = lines_[reply.next - 1];
      const bool wanted = (request.to == 0 || line.line <= request.to) &&
                          (request.kinds >> static_cast<int>(line.kind) & 1) != 0;
      if (wanted) reply.lines.push_back(line);
      ++reply.next;
    }
    reply.end = reply.next > lines_.size();
    return reply;
  }

  std::string write_file(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
    return directory_ + "/" + name;
  }
  std::string file(const std::string& name) const {
    std::ifstream stream(directory_ + "/" + name);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return lines_.size();
  }
  model::Record last() {
    const std::lock_guard lock(mutex_);
    return model::decode_records(lines_.back().record.bytes).value().at(0);
  }

  std::string directory_;
  std::mutex mutex_;
  std::vector<api::LogLine> lines_;        // guarded by mutex_
  std::map<Uuid, std::uint64_t> through_;  // guarded by mutex_
  FakeSite site_;
};

TEST_F(LogFiles, AScriptWritesAMessageWithFields) {
  const auto ran = site_.run({"log", "write", "warning", "pressure rises", "--field", "mbar=2.5e-6",
                              "--field", "gauge=VG:3", "--category", "vacuum"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const auto said = std::get<model::LogMessage>(last());
  EXPECT_EQ(said.level, model::Level::kWarning);
  EXPECT_EQ(said.source, "ada@console");
  EXPECT_EQ(said.text, "pressure rises");
  EXPECT_EQ(said.data, Value(Struct{{"mbar", 2.5e-6}, {"gauge", "VG:3"}}));
  EXPECT_EQ(said.category, "vacuum");
  EXPECT_NE(said.at, UtcTime{});
}

TEST_F(LogFiles, AMessageThatCannotBeMeantIsNotWritten) {
  EXPECT_THAT(site_.run({"log", "write", "loud", "x"}).err, HasSubstr("'loud' is none of"));
  const auto ran = site_.run({"log", "write", "info", "x", "--field", "shot"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("--field: 'shot' is not like shot=4711"));
  EXPECT_EQ(count(), 0u);
}

TEST_F(LogFiles, AnExportHasAHeadAndALineForEachLine) {
  for (const auto* text : {"one", "two", "three"}) site_.run({"log", "write", "info", text});
  const auto ran = site_.run({"log", "export"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  std::istringstream out(ran.out);
  std::string line;
  std::vector<Json> lines;
  while (std::getline(out, line)) lines.push_back(parse_json_line(line).value());
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_EQ(lines[0]["format"], "tidemark-journal");
  EXPECT_EQ(lines[3]["line"], 3);
  EXPECT_EQ(lines[3]["record"]["text"], "three");
}

TEST_F(LogFiles, AnExportAsCsvHasTitles) {
  site_.run({"log", "write", "info", "a, b", "--field", "n=1"});
  const auto ran = site_.run({"log", "export", "--format", "csv"});
  EXPECT_THAT(ran.out, HasSubstr("line,recorded_at,origin,"));
  EXPECT_THAT(ran.out, HasSubstr("\"a, b, {n: 1}\""));
}

TEST_F(LogFiles, AnExportGoesOnWhereAFileEnds) {
  for (const auto* text : {"one", "two", "three"}) site_.run({"log", "write", "info", text});
  const auto path = directory_ + "/out";
  ASSERT_EQ(site_.run({"log", "export", "-o", path, "--to", "@2"}).exit, 0);
  const auto part = file("out");
  EXPECT_EQ(site_.run({"log", "export", "-o", path}).exit, 1) << "it is not overwritten";
  ASSERT_EQ(site_.run({"log", "export", "-o", path, "--resume"}).exit, 0);
  EXPECT_THAT(file("out"), testing::StartsWith(part));
  EXPECT_THAT(file("out"), HasSubstr("three"));
  const auto whole = file("out");
  site_.run({"log", "export", "-o", path, "--resume"});
  EXPECT_EQ(file("out"), whole);
}

TEST_F(LogFiles, AFileOfSomethingElseIsNotGoneOnWith) {
  const auto path = write_file("out", "something\n");
  const auto ran = site_.run({"log", "export", "-o", path, "--resume"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(file("out"), "something\n");
}

TEST_F(LogFiles, WhatIsImportedAgainIsThereAlready) {
  const auto line = [](int seq) {
    return R"({"v":1,"origin":{"uuid":"00112233-4455-6677-8899-aabbccddeeff","ts_ns":)" +
           std::to_string(1'600'000'000'000'000'000 + seq) + R"(},"seq":)" + std::to_string(seq) +
           R"(,"level":"INFO","msg":"m","l_type":"SW","data":null,"ingest_ts_ns":5})" + "\n";
  };
  const auto late = write_file("late", line(5) + "\n" + line(6));
  const auto early = write_file("early", line(1) + line(2) + line(2));
  EXPECT_THAT(site_.run({"log", "import", late, "--dry-run"}).out,
              HasSubstr("would import 2 of 2"));
  EXPECT_EQ(count(), 0u);
  EXPECT_THAT(site_.run({"log", "import", late}).out, HasSubstr("imported 2 of 2"));
  const auto both = site_.run({"log", "import", late, early});
  EXPECT_THAT(both.out, HasSubstr("imported 2 of 5"));
  EXPECT_THAT(both.out, HasSubstr("2 were there already"));
  EXPECT_THAT(both.out, HasSubstr("1 are in the files twice"));
  EXPECT_THAT(site_.run({"log", "import", early, late}).out, HasSubstr("imported 0 of 5"));
  EXPECT_EQ(count(), 4u);
}

TEST_F(LogFiles, ABrokenLineIsNamedAndNothingIsImported) {
  const auto path = write_file("bad", "{}\n\n[]\n");
  const auto ran = site_.run({"log", "import", path});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr(path + ":1: v: only 1 is known"));
  EXPECT_THAT(ran.err, HasSubstr(path + ":3: not an object"));
  EXPECT_THAT(ran.err, HasSubstr("2 broken lines; nothing was imported"));
  EXPECT_EQ(count(), 0u);
  EXPECT_THAT(site_.run({"log", "import", directory_ + "/none"}).err, HasSubstr("cannot read"));
}

}  // namespace
}  // namespace tidemark::tools
