// test/offline/offline_test.cpp
//
// The command line on a journal's directory: read beside a writer, checked, repaired, backed up.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "journal/expired_runs.h"
#include "journal/projections.h"
#include "journal/retainer.h"
#include "journal/thinner.h"
#include "test/journal/journal_files.h"

namespace tidemark::journal {
namespace {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

struct Ran {
  int exit = -1;
  std::string out;
  /// One document a line.
  std::vector<json> documents() const {
    std::vector<json> all;
    std::istringstream in(out);
    for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
    return all;
  }
};

class Offline : public ::testing::Test {
 protected:
  Offline() {
    RocksStoreOptions options;
    options.directory = directory_;
    auto opened = open_rocks_journal(options);
    EXPECT_TRUE(opened) << opened.error().message;
    journal_ = std::move(opened).value();
    append(section_of({model::PvDefined{model::ChannelId{1}, "MAG:Q1"},
                       model::PvDefined{model::ChannelId{2}, "MAG:Q2"}},
                      1, origin_b()));
    append(section_of(std::vector<model::PvUpdate>{value_of(1, 1.5), value_of(2, 7)}, 1));
    append(section_of({message("beam lost", model::Level::kWarning)}, 3, origin_b()));
    append(section_of(std::vector<model::PvUpdate>{value_of(1, 2.5)}, 3));
  }
  void append(Section section) {
    const auto appended = append_one(*journal_.store, std::move(section));
    EXPECT_TRUE(appended) << appended.error().message;
  }
  void close() { journal_ = {}; }

  /// Standard error goes to the test's own.
  Ran run(const std::string& arguments) {
    Ran ran;
    const auto command =
        "cd " + dir_.path() + " && TZ=UTC0 " + std::string(TIDEMARK_PROGRAM) + " " + arguments;
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return ran;
    char buffer[4096];
    std::size_t bytes = 0;
    while ((bytes = std::fread(buffer, 1, sizeof buffer, pipe)) > 0) ran.out.append(buffer, bytes);
    const int status = ::pclose(pipe);
    ran.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ran;
  }
  std::string here() const { return " --journal " + directory_; }

  const TempDir dir_;
  const std::string directory_ = dir_.path() + "/journal";
  RocksJournal journal_;
};

TEST_F(Offline, LinesAreReadBesideTheirWriter) {
  const auto one = run("log show 5" + here());
  EXPECT_EQ(one.exit, 0);
  EXPECT_THAT(one.out, HasSubstr("beam lost"));
  const auto all = run("log query --limit 0 --oldest-first --json" + here()).documents();
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[4]["text"], "beam lost");
  EXPECT_EQ(run("log query --level warning --json" + here()).documents().size(), 1u);
  EXPECT_EQ(run("log show 7" + here() + " 2>/dev/null").exit, 1);
  append(section_of({message("more")}, 4, origin_b()));
  EXPECT_EQ(run("log show 7" + here()).exit, 0);
}

TEST_F(Offline, ThePastIsReadBesideItsWriter) {
  const auto state = run("state 'MAG:*' --at @4 --json" + here()).documents();
  ASSERT_EQ(state.size(), 2u);
  EXPECT_EQ(state[0]["value"], 1.5);
  const auto history = run("history MAG:Q1 --since @2 --json" + here()).documents();
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[1]["value"], 2.5);
  const auto different = run("diff @4 @6 --json" + here());
  EXPECT_EQ(different.documents().size(), 1u);
  EXPECT_EQ(run("diff @4 @6 --exit-code" + here()).exit, 1);
  EXPECT_EQ(run("blame MAG:Q1 --json" + here()).documents().size(), 2u);
  EXPECT_EQ(run("log mark list --json" + here()).exit, 0);
}

/// The first segment is closed, and without its updates.
class OfflineExpired : public Offline {
 protected:
  OfflineExpired() {
    std::vector<model::PvUpdate> updates;
    for (int i = 0; i < 65'536; ++i) updates.push_back(value_of(1, i));
    for (std::uint64_t i = 0; i < 17; ++i) append(section_of(updates, 4 + i * updates.size()));
    const auto projections = std::make_shared<Projections>(journal_.store, journal_.projections);
    EXPECT_TRUE(projections->load());
    while (projections->advance(1 << 20).value()) {
    }
    ThinnerLimits soon;
    soon.raw_segments_kept = 0;
    soon.segments_at_once = 1;
    Thinner thinner(journal_.segments, projections, soon);
    while (thinner.step().value()) {
    }
    RetainerOptions options;
    options.rules[static_cast<std::size_t>(RecordClass::kPvUpdates)].bytes = 1;
    options.decimate = std::chrono::hours(1);
    options.pause = Duration{0};
    Retainer retainer(journal_.segments, projections, options);
    while (retainer.step().value()) {
    }
    EXPECT_NE(journal_.store->expired()->holding(RecordClass::kPvUpdates, Line{1}), nullptr);
  }
};

TEST_F(OfflineExpired, IsShownWhereItWas) {
  const auto lines = run("log query --oldest-first --limit 5 --json" + here()).documents();
  ASSERT_EQ(lines.size(), 7u);  // five lines, and two that stand for others
  EXPECT_EQ(lines[0]["kind"], "PvDefined");
  EXPECT_EQ(lines[2]["kind"], "Expired");
  EXPECT_EQ(lines[2]["line"], 3);
  EXPECT_THAT(std::string(lines[2]["text"]), HasSubstr("lines 3 to 4"));
  EXPECT_EQ(lines[3]["text"], "beam lost");
  EXPECT_EQ(lines[4]["kind"], "Expired");
  EXPECT_THAT(std::string(lines[4]["text"]), HasSubstr("lines 6 to 524288"));
  EXPECT_EQ(lines[5]["line"], 524'289);
  const auto one = run("log show 4711" + here());
  EXPECT_EQ(one.exit, 0);
  EXPECT_THAT(one.out, HasSubstr("have expired"));
  const auto said = run("log query --kind Expired --json" + here()).documents();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(std::string(said[0]["text"]), HasSubstr("by bytes"));

  const auto stats = run("journal stats --json " + directory_).documents();
  const auto& updates = stats.at(0)["classes"].at(3);
  EXPECT_EQ(updates["name"], "pv_updates");
  EXPECT_EQ(updates["floor_line"], 524'288);
  EXPECT_EQ(updates["expired_lines"], 524'285);  // all but two definitions and a message
  EXPECT_EQ(stats.at(0)["pv_decimated"]["updates"], 524'285);
  const auto shown = run("journal stats " + directory_).out;
  EXPECT_THAT(shown, HasSubstr("GONE UP TO LINE"));
  EXPECT_THAT(shown, HasSubstr("524285 PV updates that expired are decimated to"));
  close();
  const auto checked = run("journal check " + directory_);
  EXPECT_EQ(checked.exit, 0) << checked.out;
  EXPECT_THAT(checked.out, HasSubstr("524285 of them have expired"));
  EXPECT_THAT(checked.out,
              HasSubstr("524285 of these are PV updates that are in 2 decimated rows"));
}

TEST_F(OfflineExpired, IsSaidOfThePast) {
  const auto history = run("history MAG:Q1 --since @2 --limit 3 --json" + here()).documents();
  ASSERT_EQ(history.size(), 5u);
  EXPECT_EQ(history[3]["expired"]["last"], 524'288);
  EXPECT_EQ(history[4]["decimated"]["last"], 524'288);
  EXPECT_EQ(history[4]["decimated"]["width_s"], 3600);
  EXPECT_EQ(history[0]["line"], 524'289);
  const auto bins = run("history MAG:Q1 --since @2 --bins 2 --json" + here()).documents();
  EXPECT_EQ(bins.at(0)["expired"]["first"], 1);
  EXPECT_EQ(bins.at(1)["decimated"]["samples"], 524'285);
  EXPECT_TRUE(bins.at(2).contains("decimated_until"));
  const auto unknown = run("state MAG:Q2 --at @4711 --json" + here());
  EXPECT_EQ(unknown.exit, 1);
  EXPECT_EQ(unknown.documents().back()["expired"]["last"], 524'288);
  const auto known = run("state MAG:Q2 --at @524288 --json" + here());
  EXPECT_EQ(known.exit, 0);
  EXPECT_EQ(known.documents().at(0)["value"], 7);
  const auto blame = run("blame MAG:Q2 --json" + here()).documents();
  ASSERT_EQ(blame.size(), 2u);
  EXPECT_TRUE(blame[0].contains("expired"));
  EXPECT_EQ(blame[1]["value"], 7);
  const auto refused = run("diff @4711 now 2>&1" + here());
  EXPECT_EQ(refused.exit, 1);
  EXPECT_THAT(refused.out, HasSubstr("have expired"));
}

TEST_F(Offline, OfNoJournalIsAFailure) {
  const auto ran = run("log show 1 --journal nowhere 2>&1");
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, HasSubstr("nowhere"));
  EXPECT_EQ(run("journal stats 2>&1").exit, 2) << "neither a directory nor a site";
}

TEST_F(Offline, StatsAreOfTheJournalBesideItsWriter) {
  const auto stats = run("journal stats --json " + directory_).documents();
  ASSERT_EQ(stats.size(), 1u);
  EXPECT_EQ(stats[0]["first_line"], 1);
  EXPECT_EQ(stats[0]["last_line"], 6);
  EXPECT_EQ(stats[0]["channels"], 2);
  EXPECT_EQ(stats[0]["origins"].size(), 2u);
  EXPECT_GT(stats[0]["bytes"], 0);
  const auto text = run("journal stats " + directory_);
  EXPECT_EQ(text.exit, 0);
  EXPECT_THAT(text.out, HasSubstr("write-ahead log"));
}

TEST_F(Offline, TheDirectoryComesFromTheSiteFile) {
  close();
  std::ofstream(dir_.path() + "/site.toml") << "[site]\nname = \"t\"\ndata = \"data\"\n";
  fs::create_directories(dir_.path() + "/data/journal");
  fs::rename(directory_, dir_.path() + "/data/journal/store");
  const auto stats = run("journal stats --json").documents();
  ASSERT_EQ(stats.size(), 1u);
  EXPECT_EQ(stats[0]["last_line"], 6);
}

TEST_F(Offline, ASoundJournalIsFoundSoundAlsoBesideItsWriter) {
  const auto checked = run("journal check --json " + directory_);
  EXPECT_EQ(checked.exit, 0);
  const auto document = checked.documents().at(0);
  EXPECT_EQ(document["sound"], true);
  EXPECT_EQ(document["sound_lines"], 6);
  EXPECT_EQ(document["projections"]["sound"], true);
  EXPECT_EQ(run("journal check " + directory_).exit, 0);
}

TEST_F(Offline, DamageIsNamedRepairedAndTheOriginalKept) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(append_lines(*journal_.store, 2, 1000));
  close();
  journal_ = {};
  {
    RocksStoreOptions options;
    options.directory = directory_;
    ASSERT_TRUE(open_rocks_journal(options));  // carries the lines over into a table
  }
  const auto table = largest_file(directory_ + "/db", ".sst");
  flip_bit(table, fs::file_size(table) / 2);
  const auto before = files_of(directory_);

  const auto checked = run("journal check --json " + directory_);
  EXPECT_EQ(checked.exit, 1);
  const auto document = checked.documents().at(0);
  EXPECT_EQ(document["sound"], false);
  ASSERT_EQ(document["damage"].size(), 1u);
  const auto first = document["damage"][0]["first"].get<std::uint64_t>();
  const auto last = document["damage"][0]["last"].get<std::uint64_t>();
  EXPECT_EQ(document["sound_lines"].get<std::uint64_t>(), 206 - (last - first + 1));

  const auto repaired = run("journal repair --json " + directory_);
  EXPECT_EQ(repaired.exit, 0);
  const auto report = repaired.documents().at(0);
  ASSERT_EQ(report["lost"].size(), 1u);
  EXPECT_EQ(report["lost"][0]["first"], first);
  EXPECT_EQ(report["lost"][0]["last"], last);
  EXPECT_TRUE(files_of(directory_) == before);
  const auto sound = directory_ + ".repaired";
  EXPECT_EQ(run("journal check " + sound).exit, 0);
  const auto said = run("log show " + std::to_string(first) + " --journal " + sound);
  EXPECT_THAT(said.out, HasSubstr("are lost"));
}

TEST_F(Offline, ARebuildNeedsTheJournalForItself) {
  EXPECT_EQ(run("journal rebuild " + directory_ + " 2>/dev/null").exit, 1);
  close();
  EXPECT_EQ(run("journal rebuild " + directory_).exit, 0);
  EXPECT_EQ(run("journal check " + directory_).exit, 0);
}

TEST_F(Offline, ABackupIsMadeCheckedReadAndRestored) {
  close();
  const auto made = run("journal backup backups --json" + here());
  ASSERT_EQ(made.exit, 0);
  const auto backup = made.documents().at(0)["directory"].get<std::string>();
  EXPECT_EQ(made.documents().at(0)["last_line"], 6);
  EXPECT_EQ(run("journal check " + backup).exit, 0);
  EXPECT_EQ(run("log show 5 --journal " + backup).exit, 0);
  ASSERT_EQ(run("journal restore-backup " + backup + " restored").exit, 0);
  EXPECT_EQ(run("log query --json --journal restored").documents().size(), 6u);
  EXPECT_EQ(run("journal restore-backup " + backup + " restored 2>/dev/null").exit, 1);
  flip_bit(backup + "/witness", 20);
  const auto checked = run("journal check --json " + backup);
  EXPECT_EQ(checked.exit, 1);
  EXPECT_THAT(checked.documents().at(0)["findings"].dump(), HasSubstr("witness"));
}

}  // namespace
}  // namespace tidemark::journal
