// bench/count_journal.cpp
//
// What a stopped journal holds of counters that step by one: how many updates, how fast they
// became durable, and whether one is missing.
//
//   count_journal DIRECTORY [--from NS] [--until NS]
//
// The rate is that of the blocks recorded between the two times (nanoseconds since 1970); the
// steps are checked over all that is there. Prints one line of JSON.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "journal/rocks_store.h"
#include "model/pv_update.h"
#include "model/record.h"

namespace tidemark {
namespace {

struct Arguments {
  std::string directory;
  std::int64_t from_ns = 0;
  std::int64_t until_ns = INT64_MAX;
};

/// The counter of one channel. A new connection begins anew: what an IOC counted while nobody
/// listened is not lost.
struct Counter {
  double last = 0;
  bool known = false;
};

class Count {
 public:
  explicit Count(const Arguments& arguments) : arguments_(arguments) {}

  void block(const journal::Block& block) {
    const auto recorded = block.recorded_at.time_since_epoch().count();
    const bool inside = recorded >= arguments_.from_ns && recorded <= arguments_.until_ns;
    std::uint64_t values = 0;
    for (const auto& section : block.sections) {
      if (section.format == journal::SectionFormat::kUpdates) values += updates(section);
      if (section.format == journal::SectionFormat::kRecords) records(section);
    }
    updates_ += values;
    if (!inside) return;
    // The first block is the start of the interval: what is in it came before.
    if (first_ns_ == 0) {
      first_ns_ = recorded;
    } else {
      inside_ += values;
    }
    last_ns_ = recorded;
    ++blocks_;
  }

  void print() const {
    const auto seconds = static_cast<double>(last_ns_ - first_ns_) * 1e-9;
    std::printf(
        "{\"updates\":%llu,\"channels\":%zu,\"lost\":%.0f,\"holes\":%llu,\"gaps\":%llu,"
        "\"hidden\":%llu,\"updates_inside\":%llu,\"blocks_inside\":%llu,\"seconds\":%.3f,"
        "\"updates_per_s\":%.1f}\n",
        count(updates_), counters_.size(), lost_, count(holes_), count(gaps_), count(hidden_),
        count(inside_), count(blocks_), seconds,
        seconds > 0 ? static_cast<double>(inside_) / seconds : 0);
  }

 private:
  static unsigned long long count(std::uint64_t number) { return number; }

  std::uint64_t updates(const journal::Section& section) {
    const auto decoded = model::decode_updates(section.payload);
    if (!decoded) throw std::runtime_error(decoded.error().message);
    std::uint64_t values = 0;
    for (const auto& update : decoded.value()) {
      auto& counter = counters_[model::raw(update.channel)];
      hidden_ += update.hidden_before;
      if (update.event != model::PvUpdate::Event::kValue) {
        counter.known = false;
        continue;
      }
      ++values;
      const auto number = model::as_number(update.value).value_or(0);
      // The same value twice: an alarm, or what a subscription says first.
      if (counter.known && number != counter.last && number != counter.last + 1) {
        ++holes_;
        lost_ += number > counter.last ? number - counter.last - 1 : 1;
      }
      counter = {number, true};
    }
    return values;
  }

  void records(const journal::Section& section) {
    const auto decoded = model::decode_records(section.payload);
    if (!decoded) throw std::runtime_error(decoded.error().message);
    for (const auto& record : decoded.value()) {
      if (model::kind_of(record) == model::RecordKind::kGap) ++gaps_;
    }
  }

  const Arguments arguments_;
  std::unordered_map<std::uint32_t, Counter> counters_;
  std::uint64_t updates_ = 0;
  std::uint64_t inside_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t holes_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t hidden_ = 0;
  double lost_ = 0;
  std::int64_t first_ns_ = 0;
  std::int64_t last_ns_ = 0;
};

void run(const Arguments& arguments) {
  const auto store = journal::open_rocks_store({.directory = arguments.directory});
  if (!store) throw std::runtime_error(store.error().message);
  if (journal::raw(store.value()->last()) == 0) throw std::runtime_error("the journal is empty");
  Count count(arguments);
  const auto scanned = store.value()->scan(journal::Line{1}, {}, [&](journal::Block& block) {
    count.block(block);
    return true;
  });
  if (!scanned) throw std::runtime_error(scanned.error().message);
  count.print();
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  tidemark::Arguments arguments;
  CLI::App app("Counts the updates of a stopped journal, and those that are missing.");
  app.add_option("directory", arguments.directory, "of the journal")->required();
  app.add_option("--from", arguments.from_ns, "start of the interval, ns since 1970");
  app.add_option("--until", arguments.until_ns, "end of it");
  CLI11_PARSE(app, argc, argv);
  try {
    tidemark::run(arguments);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "count_journal: %s\n", failure.what());
    return 1;
  }
}
