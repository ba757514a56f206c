// test/journal/journal_golden.cpp
//
// Writes the golden journal anew: small, always the same lines, and something of everything in it
// that docs/journal-format.md describes. Only for a new format, beside the old one, which must be
// read for ever:
//
//   build/dev/test/journal/journal_golden DIRECTORY
//   build/dev/tools/tidemark log export --journal DIRECTORY | tail -n +2 > expected.ndjson
//
// The examples in docs/journal-format.md are bytes of it.

#include <cstdio>
#include <filesystem>
#include <limits>

#include "golden_limits.h"
#include "journal/expiry.h"
#include "journal/rocks_store.h"
#include "journal/segment_reader.h"
#include "journal/thinner.h"
#include "journal_samples.h"

namespace {

using namespace tidemark;
using namespace tidemark::journal;
using model::kv::Value;

constexpr std::uint32_t kTypes = 15;  // channels from 3 on: one for each type of value

/// The journal, written line by line, everything derived at once.
class Golden {
 public:
  explicit Golden(const std::string& directory) {
    RocksStoreOptions options;
    options.directory = directory;
    options.clock = [this] { return now_; };
    auto opened = open_rocks_journal(options);
    TIDEMARK_CHECK(opened.ok());
    journal_ = std::move(opened).value();
    projections_ =
        std::make_shared<Projections>(journal_.store, journal_.projections, golden_limits());
    TIDEMARK_CHECK(projections_->load().ok());
    ThinnerLimits soon;
    soon.raw_segments_kept = 1;
    soon.segments_at_once = 1;
    thinner_ = std::make_unique<Thinner>(journal_.segments, projections_, soon);
  }

  void records(const std::vector<model::Record>& records) {
    append(section_of(records, b_ + 1, origin_b(), 2));
    b_ += records.size();
  }
  void updates(const std::vector<model::PvUpdate>& updates) {
    append(section_of(updates, a_ + 1, origin_a(), 1));
    a_ += updates.size();
  }
  /// Readings of two channels, and somebody who talks, up to the end of a segment.
  void until(std::uint64_t line) {
    while (raw(journal_.store->last()) < line) {
      const auto next = raw(journal_.store->last()) + 1;
      if (next % 8 == 0) {
        records({message("line " + std::to_string(next))});
      } else {
        auto first = value_of(1, static_cast<double>(next) / 4);
        first.taken_at = now_;
        auto second = value_of(2, 0);
        second.taken_at = now_;
        second.value = static_cast<std::int16_t>(next);
        if (next == line || next % 8 == 7) {
          updates({first});
        } else {
          updates({first, second});
        }
      }
    }
  }
  void expire(RecordClass of, Line last) {
    std::vector<SegmentHeader> headers;
    const SegmentReader segments(journal_.segments->table());
    for (Line at{1}; at <= last; at = Line{raw(headers.back().last) + 1}) {
      const auto found = segments.holding(at);
      TIDEMARK_CHECK(found.ok() && found.value());
      headers.push_back(*found.value());
    }
    const Archive archive(projections_);
    const auto expiry = prepare_expiry(*journal_.segments, archive, of, headers, "age");
    TIDEMARK_CHECK(expiry.ok());
    TIDEMARK_CHECK(journal_.segments->expire(expiry.value()).ok());
  }
  void finish(const std::string& to) {
    settle();
    TIDEMARK_CHECK(journal_.checkpoint(to).ok());
  }

 private:
  void append(Section section) {
    TIDEMARK_CHECK(append_one(*journal_.store, std::move(section)).ok());
    now_ += std::chrono::seconds(1);
    settle();
  }
  void settle() {
    while (projections_->advance(1000).value() || thinner_->step().value()) {
    }
  }

  UtcTime now_ = at_second(0);
  std::uint64_t a_ = 0;  // records of origin_a(), an IOC's monitor
  std::uint64_t b_ = 0;
  RocksJournal journal_;
  std::shared_ptr<Projections> projections_;
  std::unique_ptr<Thinner> thinner_;
};

std::vector<model::PvValue> values() {
  using model::PvArray;
  using model::SharedArray;
  const auto array = [](PvArray elements) { return SharedArray(std::move(elements)); };
  return {0.1,
          2.5F,
          std::int32_t{-2'147'483'647},
          std::int16_t{-32'768},
          std::uint8_t{255},
          model::EnumIndex{1},
          std::string("caf\xc3\xa9 \"1\""),
          array(std::vector<double>{1, -0.0, std::numeric_limits<double>::infinity()}),
          array(std::vector<float>{0.5F, std::numeric_limits<float>::quiet_NaN()}),
          array(std::vector<std::int32_t>{1, -1}),
          array(std::vector<std::int16_t>{}),
          array(std::vector<std::uint8_t>{0, 128, 255}),
          array(std::vector<model::EnumIndex>{{0}, {3}}),
          array(std::vector<std::string>{"", "two"}),
          std::monostate{}};
}

std::vector<model::PvUpdate> updates_of_all_types() {
  std::vector<model::PvUpdate> all;
  std::uint32_t channel = 3;
  for (const auto& value : values()) {
    model::PvUpdate connected;
    connected.channel = model::ChannelId{channel};
    connected.event = model::PvUpdate::Event::kConnected;
    connected.taken_at = at_second(channel);
    auto meta = std::make_shared<model::PvMeta>();
    meta->native_type = std::string(model::type_name(value));
    meta->host = "ioc-1:5064";
    if (channel == 3) {
      meta->units = "mA";
      meta->precision = 3;
      meta->display_limits = model::Range{-10, 10};
      meta->control_limits = model::Range{-9.5, 9.5};
    }
    if (channel == 8) meta->labels = {"Off", "On"};
    connected.meta = std::move(meta);
    all.push_back(connected);
    auto update = value_of(channel, 0);
    update.value = value;
    if (channel == 4) update.alarm = {model::Severity::kMajor, 3};
    if (channel == 5) update.hidden_before = 7;
    if (!std::holds_alternative<std::monostate>(value)) all.push_back(update);
    ++channel;
  }
  for (const double value :
       {-0.0, std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::denorm_min(), 1e300}) {
    all.push_back(value_of(3, value));
  }
  all.push_back(disconnected(4));
  return all;
}

std::vector<model::Record> keys_of_all_types() {
  const std::vector<Value> all{Value{},
                               true,
                               std::int64_t{-9'223'372'036'854'775'807},
                               std::uint64_t{18'446'744'073'709'551'615U},
                               0.1,
                               "text",
                               model::Blob{Bytes("\0\xff", 2)},
                               model::kv::EnumValue{1, "On"},
                               at_second(5),
                               std::chrono::milliseconds{1500},
                               model::kv::Array{1.5, 2.5},
                               model::kv::Struct{{"a", 1}, {"b", model::kv::Struct{{"c", "d"}}}}};
  std::vector<model::Record> records;
  for (const auto& value : all) {
    const auto number = records.size();
    records.push_back(model::KvUpdate{"psu.1/key" + std::to_string(number), value,
                                      at_second(static_cast<std::int64_t>(number)),
                                      number % 2 == 0 ? "" : "ops", number});
  }
  return records;
}

std::vector<model::Record> records_of_all_kinds() {
  const auto job = Uuid::derive("job");
  const auto call = Uuid::derive("call");
  const model::ChannelId channel{3};
  const std::string address = "PV:3";
  Bytes later = "\x93";  // [99, "what", 1], of a later version
  later += "\x63\xa4what\x01";
  return {
      model::JobAccepted{job, "pv_put", "put PV:3", "ops@desk", "one value"},
      model::PutIntended{channel, address, 1.5, job},
      model::PutConfirmed{channel, address, job},
      model::PutRefused{channel, address, job, "no write access"},
      model::PutUnknown{channel, address, job, "no answer in 5 s"},
      model::JobProgress{job, 1, 3},
      model::JobFinished{job, "failed", "1 of 3 written"},
      model::EventCalled{call, "home", "ops", {"psu.1", "psu.2"}, model::kv::Struct{{"axis", "x"}}},
      model::EventFeedback{call, "home", "psu.1", "half way", 0.5},
      model::EventAnswered{call, "home", "psu.1", "done", "", true},
      model::StatusChanged{"psu.1/interlock", model::Level::kWarning, 7, "door open", true, ""},
      model::LogMessage{model::Level::kError, "psu.1", "over current",
                        model::kv::Struct{{"amperes", 12.5}}, "supply", at_second(3)},
      model::SnapshotTaken{Uuid::derive("snapshot"), "before shutdown", 12, 1, job},
      model::TagChanged{"area/li21", "created", "ops@desk"},
      model::CatalogChanged{"pv PV:3", "imported", "ops@desk"},
      model::NodeUp{"monitor", 2, "host-1", 4711},
      model::NodeDown{"monitor", 2, "killed by signal 9"},
      model::NodeRestarted{"monitor", 4712, 1, "killed by signal 9", 9, {"last", "words"}},
      model::Gap{origin_a(), "monitor", 1, 5, 8, at_second(1), at_second(2), "dropped"},
      model::StreamGap{"keeper", "monitor", 1, 2, 10, 20},
      model::PolicyChanged{"slow", "", "at most one a second", "ops@desk"},
      model::UnknownRecord{99, later}};
}

std::vector<model::Record> marks() {
  const auto run = Uuid::derive("run 7");
  const auto shot = Uuid::derive("shot 1");
  return {model::MarkBegin{run, "run 7", {"keep", "physics"}, "ops", {}, {}},
          model::MarkBegin{shot, "shot 1", {}, "ops", model::kv::Struct{{"energy", 12.5}}, {}},
          model::MarkEnd{shot, "shot 1", "ops", {}, {}},
          model::MarkEnd{run, "run 7", "ops", {}, at_second(20)},
          model::MarkBegin{Uuid::derive("shift"), "shift", {}, "", {}, {}}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::filesystem::exists(argv[1])) {
    std::fprintf(stderr, "usage: journal_golden DIRECTORY, which is not there yet\n");
    return 2;
  }
  const TempDir scratch;
  Golden golden(scratch.path() + "/journal");
  std::vector<model::Record> defined;
  for (std::uint32_t channel = 1; channel < 3 + kTypes; ++channel) {
    defined.push_back(model::PvDefined{model::ChannelId{channel}, "PV:" + std::to_string(channel)});
  }
  golden.records({defined.begin(), defined.begin() + 2});
  golden.until(3 * kGoldenSegment);
  golden.records({defined.begin() + 2, defined.end()});
  golden.records(marks());
  golden.updates(updates_of_all_types());
  golden.records(records_of_all_kinds());
  golden.records(keys_of_all_types());
  golden.until(9 * kGoldenSegment);
  golden.expire(RecordClass::kPvUpdates, Line{2 * kGoldenSegment});
  golden.expire(RecordClass::kLogMessages, Line{kGoldenSegment});
  golden.finish(argv[1]);
  // What RocksDB leaves for itself, and does not read.
  for (const auto& entry : std::filesystem::directory_iterator(std::string(argv[1]) + "/db")) {
    const auto name = entry.path().filename().string();
    if (name.starts_with("OPTIONS") || name.starts_with("LOG") || name == "LOCK") {
      std::filesystem::remove(entry.path());
    }
  }
}
