// bench/journal_past.cpp
//
// Fills a journal as a machine would, as fast as it goes, with its projections; then asks for the
// past of it.
//
//   fill     linac    50 000 PVs, 20 000 updates a second: 3 % of them at 10 Hz, the others now and
//                     then; noise as the simulated linac's, in all bits of a double
//            uniform  every PV in turn: the worst for keyframes
//            day      20 PVs at 10 Hz for a day
//            log      updates, and a log message among ten records
//   state, history, query, scan   ask a journal that is there
//   forever  fill on until killed
//   serve    how long until a killed journal answers
//
// Prints one line of JSON.

#include <rocksdb/db.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>

#include "base/time.h"
#include "journal/archive.h"
#include "journal/reader.h"
#include "journal/reduce.h"
#include "journal/rocks_store.h"
#include "journal/thinner.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;
using model::PvUpdate;

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

double since_ms(SteadyTime begin) {
  return std::chrono::duration<double, std::milli>(steady_now() - begin).count();
}

struct Profile {
  std::uint32_t channels;
  double fast_share;     // of the channels at 10 Hz
  double updates_per_s;  // of the machine
  bool uniform;
};

Profile profile_of(const std::string& name) {
  if (name == "linac") return {50'000, 0.03, 20'000, false};
  if (name == "uniform") return {50'000, 1, 20'000, true};
  if (name == "day") return {20, 1, 200, true};
  if (name == "log") return {50'000, 0.03, 20'000, false};
  throw std::runtime_error("no profile '" + name + "'");
}

class Machine {
 public:
  explicit Machine(Profile profile) : profile_(profile), base_(profile.channels + 1) {
    for (auto& each : base_) each = std::uniform_real_distribution<>(1, 100)(random_);
  }
  std::vector<PvUpdate> next(std::size_t group) {
    std::vector<PvUpdate> updates(group);
    for (auto& update : updates) {
      now_ += Duration{static_cast<std::int64_t>(1e9 / profile_.updates_per_s)};
      const auto channel = pick();
      update.channel = model::ChannelId{channel};
      // The records of a scan are processed one after the other; their stamps have jitter.
      update.taken_at = now_ + Duration{static_cast<std::int64_t>(random_() % 2000)};
      const auto noise = static_cast<double>(random_() & 0xffff) / 65535 - 0.5;
      update.value = base_[channel] * (1 + 0.001 * noise);
      if (random_() % 1000 == 0) update.alarm = {model::Severity::kMinor, 4};
    }
    return updates;
  }
  UtcTime now() const { return now_; }

 private:
  std::uint32_t pick() {
    const auto fast = static_cast<std::uint32_t>(profile_.channels * profile_.fast_share);
    // Three quarters of what comes is from those at 10 Hz.
    if (profile_.uniform || random_() % 4 != 0) return fast_ = fast_ % fast + 1;
    return slow_ = slow_ < fast || slow_ >= profile_.channels ? fast + 1 : slow_ + 1;
  }

  const Profile profile_;
  std::mt19937_64 random_{42};
  std::vector<double> base_;
  std::uint32_t fast_ = 0;
  std::uint32_t slow_ = 0;
  UtcTime now_{std::chrono::seconds(1'700'000'000)};
};

struct Arguments {
  std::string directory;
  std::string profile = "linac";
  std::uint64_t updates = 20'000'000;
  std::size_t group = 1000;
  int count = 50;
};

std::uint64_t io_bytes(const char* what) {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  while (io >> name >> value) {
    if (name == what) return value;
  }
  return 0;
}

double rss_mib(const char* what) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(what)) return std::stod(line.substr(std::string(what).size())) / 1024;
  }
  return 0;
}

std::uint64_t stored_bytes(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file() && entry.path().extension() == ".sst") bytes += entry.file_size();
  }
  return bytes;
}

/// Bytes of tables by column family, each by the updates.
Json split_of(const std::string& directory, double updates) {
  std::vector<std::string> names;
  const auto path = directory + "/db";
  rocksdb::DB::ListColumnFamilies({}, path, &names);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::OpenForReadOnly({}, path, families, &handles, &opened);
  if (!status.ok()) throw std::runtime_error(status.ToString());
  const std::unique_ptr<rocksdb::DB> db(opened);
  Json split;
  for (auto* handle : handles) {
    std::uint64_t bytes = 0;
    db->GetIntProperty(handle, rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
    split[handle->GetName()] = static_cast<double>(bytes) / updates;
    db->DestroyColumnFamilyHandle(handle);
  }
  return split;
}

class Journal {
 public:
  explicit Journal(const Arguments& arguments, Machine* machine = nullptr) {
    journal::RocksStoreOptions options;
    options.directory = arguments.directory;
    if (machine != nullptr) options.clock = [machine] { return machine->now(); };
    auto opened = must(journal::open_rocks_journal(options));
    store = opened.store;
    projections = std::make_shared<journal::Projections>(store, opened.projections);
    must(projections->load());
    thinner = std::make_unique<journal::Thinner>(opened.segments, projections);
  }
  void append(const std::vector<PvUpdate>& updates) {
    append(journal::SectionFormat::kUpdates, updates.size(), model::encode_updates(updates));
  }
  void append(journal::SectionFormat format, std::size_t count, Bytes payload) {
    journal::Section section;
    section.origin = Uuid::derive("bench");
    section.incarnation = 1;
    section.sequence = sequence_ += count;
    section.count = static_cast<std::uint32_t>(count);
    section.format = format;
    section.payload = std::move(payload);
    const auto inspected = must(journal::inspect(std::move(section)));
    must(store->append({&inspected, 1}));
  }
  /// What the projection thread does, in line.
  bool advance() {
    const bool more = must(projections->advance(1u << 16));
    return must(thinner->step()) || more;
  }
  void catch_up() {
    while (advance()) {
    }
  }

  std::shared_ptr<journal::Store> store;
  std::shared_ptr<journal::Projections> projections;
  std::unique_ptr<journal::Thinner> thinner;

 private:
  std::uint64_t sequence_ = static_cast<std::uint64_t>(utc_now().time_since_epoch().count());
};

void define(Journal& journal, std::uint32_t channels) {
  std::vector<model::Record> records;
  for (std::uint32_t channel = 1; channel <= channels; ++channel) {
    records.push_back(model::PvDefined{model::ChannelId{channel}, "PV:" + std::to_string(channel)});
    if (records.size() < 10'000 && channel != channels) continue;
    journal.append(journal::SectionFormat::kRecords, records.size(),
                   model::encode_records(records));
    records.clear();
  }
}

Json fill(const Arguments& arguments) {
  const auto profile = profile_of(arguments.profile);
  Machine machine(profile);
  Json report;
  {
    Journal journal(arguments, &machine);
    define(journal, profile.channels);
    const auto written_before = io_bytes("write_bytes:");
    const auto begin = steady_now();
    std::uint64_t messages = 0;
    for (std::uint64_t done = 0; done < arguments.updates; done += arguments.group) {
      journal.append(machine.next(arguments.group));
      if (arguments.profile == "log") {
        std::vector<model::Record> records;
        for (std::size_t i = 0; i < arguments.group / 9; ++i) {
          const bool rare = ++messages % 1000 == 0;
          records.push_back(model::LogMessage{
              rare ? model::Level::kWarning : model::Level::kInfo, "psu." + std::to_string(i),
              rare ? "interlock opened" : "cycle " + std::to_string(messages) + " done"});
        }
        journal.append(journal::SectionFormat::kRecords, records.size(),
                       model::encode_records(records));
      }
      while (raw(journal.store->last()) - raw(journal.projections->projected()) > 65'536) {
        journal.advance();
      }
    }
    journal.catch_up();
    const auto seconds = since_ms(begin) / 1000;
    const auto counters = journal.projections->counters();
    const auto updates = static_cast<double>(arguments.updates);
    report = {
        {"seconds", seconds},
        {"updates_per_s", updates / seconds},
        {"rss_mib", rss_mib("VmRSS:")},
        {"peak_mib", rss_mib("VmHWM:")},
        {"chunks", counters.chunks},
        {"keyframes", counters.keyframes},
        {"projection_bytes_per_update", static_cast<double>(counters.bytes_written) / updates},
        {"written_bytes_per_update",
         static_cast<double>(io_bytes("write_bytes:") - written_before) / updates}};
  }
  { Journal again(arguments); }  // writes out what is in the write-ahead log still
  const auto updates = static_cast<double>(arguments.updates);
  const auto stored = static_cast<double>(stored_bytes(arguments.directory));
  report["bytes_per_update"] = stored / updates;
  report["by_family"] = split_of(arguments.directory, updates);
  return report;
}

Json percentiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(share * static_cast<double>(values.size())))];
  };
  return {{"p50_ms", at(0.5)}, {"p99_ms", at(0.99)}, {"max_ms", values.back()}};
}

Json state(const Arguments& arguments) {
  Journal journal(arguments);
  journal.catch_up();
  const journal::Archive archive(journal.projections);
  std::mt19937_64 random(7);
  std::vector<double> times;
  std::size_t channels = 0;
  for (int i = 0; i < arguments.count; ++i) {
    // Not the first second of it, when half of the machine had said nothing yet.
    const auto last = raw(journal.store->last());
    const journal::Line line{last / 10 + random() % (last - last / 10)};
    const auto begin = steady_now();
    const auto found = must(archive.state_at(line));
    times.push_back(since_ms(begin));
    channels = found.size();
  }
  auto report = percentiles(times);
  report["channels"] = channels;
  report["lines"] = raw(journal.store->last());
  return report;
}

Json history(const Arguments& arguments) {
  Journal journal(arguments);
  journal.catch_up();
  const journal::Archive archive(journal.projections);
  std::vector<double> times;
  std::uint64_t samples = 0;
  std::size_t bins = 0;
  for (int i = 0; i < arguments.count; ++i) {
    journal::Reduction wanted;
    wanted.from = journal::Line{1};
    wanted.to = journal.store->last();
    wanted.begin = UtcTime{std::chrono::seconds(1'700'000'000)};
    wanted.end = wanted.begin + std::chrono::hours(24);
    const auto begin = steady_now();
    const auto found = must(
        journal::reduce(archive, model::ChannelId{static_cast<std::uint32_t>(1 + i % 20)}, wanted));
    times.push_back(since_ms(begin));
    samples = 0;
    bins = found.bins.size();
    for (const auto& each : found.bins) samples += each.samples;
  }
  auto report = percentiles(times);
  report["samples"] = samples;
  report["bins"] = bins;
  return report;
}

/// The newest that fit, asked for page by page as `log query` does. Answers how many there are.
std::size_t newest(const journal::Store& store, journal::Query wanted) {
  const auto limit = wanted.limit;
  wanted.newest_first = true;
  wanted.to = store.last();
  std::size_t found = 0;
  while (true) {
    wanted.limit = limit - static_cast<std::uint32_t>(found);
    const auto page = must(journal::read(store, wanted));
    found += page.entries.size();
    if (page.end || found >= limit) return found;
    wanted.to = page.next;
  }
}

Json query(const Arguments& arguments) {
  Journal journal(arguments);
  std::vector<double> rare;
  std::vector<double> text;
  std::size_t found = 0;
  for (int i = 0; i < arguments.count; ++i) {
    journal::Query wanted;
    wanted.limit = 100;
    wanted.kinds = journal::kind_bit(model::RecordKind::kLogMessage);
    wanted.level = model::Level::kWarning;
    auto begin = steady_now();
    found = newest(*journal.store, wanted);
    rare.push_back(since_ms(begin));
    wanted.level = model::Level::kDebug;
    wanted.text = "interlock";
    begin = steady_now();
    found = std::min(found, newest(*journal.store, wanted));
    text.push_back(since_ms(begin));
  }
  return {{"level", percentiles(rare)},
          {"text", percentiles(text)},
          {"found", found},
          {"lines", raw(journal.store->last())}};
}

Json scan(const Arguments& arguments) {
  Journal journal(arguments);
  const auto begin = steady_now();
  std::uint64_t updates = 0;
  must(journal.store->scan(journal::Line{1}, {}, [&](journal::Block& block) {
    for (const auto& section : block.sections) {
      if (section.format != journal::SectionFormat::kUpdates) continue;
      updates += must(model::decode_updates(section.payload)).size();
    }
    return true;
  }));
  return {{"updates_per_s", static_cast<double>(updates) / (since_ms(begin) / 1000)},
          {"updates", updates}};
}

[[noreturn]] void forever(const Arguments& arguments) {
  const auto profile = profile_of(arguments.profile);
  Machine machine(profile);
  Journal journal(arguments);
  std::printf("ready\n");
  std::fflush(stdout);
  while (true) {
    journal.append(machine.next(arguments.group));
    journal.advance();
  }
}

Json serve(const Arguments& arguments) {
  const auto begin = steady_now();
  Journal journal(arguments);
  const auto opened = since_ms(begin);
  const journal::Archive archive(journal.projections);
  const auto found = must(archive.state_at(journal.store->last()));
  const auto served = since_ms(begin);
  journal.catch_up();
  return {{"opened_ms", opened},
          {"serving_ms", served},
          {"caught_up_ms", since_ms(begin)},
          {"channels", found.size()},
          {"lines", raw(journal.store->last())}};
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  using namespace tidemark;
  Arguments arguments;
  std::string what;
  CLI::App app("Fills a journal, and asks for the past.");
  app.add_option("WHAT", what, "fill, state, history, query, scan, forever, serve")->required();
  app.add_option("--dir", arguments.directory, "of the journal")->required();
  app.add_option("--profile", arguments.profile, "linac, uniform, day, log");
  app.add_option("--updates", arguments.updates, "how many in all");
  app.add_option("--group", arguments.group, "updates of one append");
  app.add_option("--count", arguments.count, "how often is asked");
  CLI11_PARSE(app, argc, argv);
  try {
    if (what == "forever") forever(arguments);
    const auto report = what == "fill"      ? fill(arguments)
                        : what == "state"   ? state(arguments)
                        : what == "history" ? history(arguments)
                        : what == "query"   ? query(arguments)
                        : what == "scan"    ? scan(arguments)
                        : what == "serve"   ? serve(arguments)
                                            : throw std::runtime_error("cannot '" + what + "'");
    std::puts(report.dump().c_str());
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "journal_past: %s\n", failure.what());
    return 1;
  }
  return 0;
}
