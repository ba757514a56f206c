// bench/journal_append.cpp
//
// How many PV updates a second the journal takes, each group durable before the next one.
//
//   tidemark   encode the group, inspect it, append it with sync
//   --raw      RocksDB alone: the encoded groups, one synced Put each
//
// Prints one line of JSON. The directory is left as it is, to be looked at or scanned.

#include <rocksdb/db.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "base/time.h"
#include "journal/rocks_store.h"
#include "journal/section.h"
#include "model/pv_update.h"

namespace tidemark {
namespace {

constexpr std::uint32_t kChannels = 50'000;

/// Channels that drift like readbacks do: a random walk, quantised as an ADC's 16 bits are, each
/// channel scanned at 10 Hz in groups as an IOC sends them.
class Machine {
 public:
  Machine() : values_(kChannels) {
    for (auto& value : values_) value = std::uniform_real_distribution<>(-10, 10)(random_);
  }
  std::vector<model::PvUpdate> next(std::size_t group) {
    std::vector<model::PvUpdate> updates(group);
    for (auto& update : updates) {
      // A scan task walks its records one after the other, a microsecond or two each.
      channel_ = channel_ % kChannels + 1;
      now_ += Duration{1000 + static_cast<std::int64_t>(random_() % 1000)};
      auto& value = values_[channel_ - 1];
      value += std::normal_distribution<>(0, 0.01)(random_);
      update.channel = model::ChannelId{channel_};
      update.taken_at = now_;
      update.value = static_cast<double>(static_cast<std::int64_t>(value * 3276.8)) / 3276.8;
      if (random_() % 1000 == 0) update.alarm = {model::Severity::kMinor, 4};
    }
    return updates;
  }

 private:
  std::mt19937_64 random_{42};
  std::vector<double> values_;
  std::uint32_t channel_ = 0;
  UtcTime now_ = utc_now();
};

class RawDatabase {
 public:
  explicit RawDatabase(const std::string& directory) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(options, directory, &db);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    db_.reset(db);
  }
  void put(const Bytes& value) {
    Bytes key;
    append_be(key, ++keys_);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const auto status = db_->Put(synced, key, value);
    if (!status.ok()) throw std::runtime_error(status.ToString());
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::uint64_t keys_ = 0;
};

std::uint64_t bytes_in(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file() && entry.path().filename().string().ends_with(".sst")) {
      bytes += entry.file_size();
    }
  }
  return bytes;
}

struct Arguments {
  std::string directory;
  std::uint64_t updates = 20'000'000;
  std::size_t group = 1000;
  bool raw = false;
};

void run(const Arguments& arguments) {
  // Generating updates is not what is measured: groups are made ahead, and used in turn.
  constexpr std::size_t kGroupsAhead = 500;
  Machine machine;
  std::vector<std::vector<model::PvUpdate>> groups;
  for (std::size_t i = 0; i < kGroupsAhead; ++i) groups.push_back(machine.next(arguments.group));

  std::unique_ptr<RawDatabase> raw;
  std::unique_ptr<journal::Store> store;
  std::vector<Bytes> encoded;
  if (arguments.raw) {
    raw = std::make_unique<RawDatabase>(arguments.directory);
    for (const auto& group : groups) encoded.push_back(model::encode_updates(group));
  } else {
    auto opened = journal::open_rocks_store({.directory = arguments.directory});
    if (!opened) throw std::runtime_error(opened.error().message);
    store = std::move(opened).value();
  }

  const Uuid origin = Uuid::derive("bench");
  const std::uint64_t count = arguments.updates / arguments.group;
  std::vector<double> commit_ms;
  commit_ms.reserve(count);
  std::uint64_t payload_bytes = 0;
  const auto begin = steady_now();
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto start = steady_now();
    if (raw) {
      raw->put(encoded[i % kGroupsAhead]);
      payload_bytes += encoded[i % kGroupsAhead].size();
    } else {
      journal::Section section{
          .origin = origin,
          .incarnation = 1,
          .sequence = i * arguments.group + 1,
          .count = static_cast<std::uint32_t>(arguments.group),
          .format = journal::SectionFormat::kUpdates,
          .sent_at = utc_now(),
          .payload = model::encode_updates(groups[i % kGroupsAhead]),
      };
      payload_bytes += section.payload.size();
      const auto inspected = journal::inspect(std::move(section));
      if (!inspected) throw std::runtime_error(inspected.error().message);
      const auto appended = store->append({&inspected.value(), 1});
      if (!appended) throw std::runtime_error(appended.error().message);
    }
    commit_ms.push_back(std::chrono::duration<double, std::milli>(steady_now() - start).count());
  }
  const double seconds = std::chrono::duration<double>(steady_now() - begin).count();

  double scanned_per_s = 0;
  if (store) {
    const auto scan_begin = steady_now();
    std::uint64_t updates = 0;
    const auto scanned = store->scan(journal::Line{1}, {}, [&](journal::Block& block) {
      for (const auto& section : block.sections) {
        updates += model::decode_updates(section.payload).value().size();
      }
      return true;
    });
    if (!scanned) throw std::runtime_error(scanned.error().message);
    scanned_per_s = static_cast<double>(updates) /
                    std::chrono::duration<double>(steady_now() - scan_begin).count();
  }
  store.reset();
  raw.reset();
  double reopen_ms = 0;
  if (!arguments.raw) {
    // Opening writes out what a stopped journal left in its write-ahead log.
    const auto reopen_begin = steady_now();
    const auto reopened = journal::open_rocks_store({.directory = arguments.directory});
    if (!reopened) throw std::runtime_error(reopened.error().message);
    reopen_ms = std::chrono::duration<double, std::milli>(steady_now() - reopen_begin).count();
  }

  std::sort(commit_ms.begin(), commit_ms.end());
  const auto updates = static_cast<double>(count * arguments.group);
  std::printf(
      "{\"mode\":\"%s\",\"updates\":%llu,\"group\":%zu,\"seconds\":%.2f,\"updates_per_s\":%.0f,"
      "\"commit_p50_ms\":%.3f,\"commit_p99_ms\":%.3f,\"commit_max_ms\":%.3f,"
      "\"payload_bytes_per_update\":%.2f,\"bytes_per_update\":%.2f,\"scan_updates_per_s\":%.0f,"
      "\"reopen_ms\":%.0f}\n",
      arguments.raw ? "raw" : "tidemark", static_cast<unsigned long long>(count * arguments.group),
      arguments.group, seconds, updates / seconds, commit_ms[commit_ms.size() / 2],
      commit_ms[commit_ms.size() * 99 / 100], commit_ms.back(),
      static_cast<double>(payload_bytes) / updates,
      static_cast<double>(bytes_in(arguments.directory)) / updates, scanned_per_s, reopen_ms);
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  tidemark::Arguments arguments;
  CLI::App app("Appends groups of PV updates to a journal, synced.");
  app.add_option("--dir", arguments.directory, "a new directory")->required();
  app.add_option("--updates", arguments.updates, "how many in all");
  app.add_option("--group", arguments.group, "updates per append")->check(CLI::Range(1, 65'536));
  app.add_flag("--raw", arguments.raw, "RocksDB alone");
  CLI11_PARSE(app, argc, argv);
  try {
    tidemark::run(arguments);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "journal_append: %s\n", failure.what());
    return 1;
  }
}
