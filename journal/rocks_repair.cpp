#include "journal/rocks_repair.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>

#include "journal/block_codec.h"
#include "journal/decimated_runs.h"
#include "journal/lost_lines.h"
#include "journal/owner_lock.h"
#include "journal/projection_keys.h"
#include "journal/rocks_database.h"

namespace tidemark::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSpareBytes = 64u << 20;  // what RocksDB wants beside its tables

std::uint64_t bytes_of(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code failure;
  for (fs::recursive_directory_iterator at(directory, failure), end; at != end && !failure;
       at.increment(failure)) {
    if (at->is_regular_file(failure)) bytes += at->file_size(failure);
  }
  return bytes;
}

Result<Unit> make_room(const std::string& from, const std::string& to) {
  std::error_code failure;
  if (fs::exists(to, failure) && !fs::is_empty(to, failure)) {
    return Error{Code::kConflict, to + " is not empty"};
  }
  fs::create_directories(to, failure);
  if (failure) return Error{Code::kUnavailable, "cannot make " + to + ": " + failure.message()};
  const auto space = fs::space(to, failure);
  if (failure) return Error{Code::kUnavailable, to + ": " + failure.message()};
  // Twice: a database that cannot be opened as it is has to be copied first.
  const auto needed = 2 * bytes_of(from) + kSpareBytes;
  if (space.available >= needed) return Unit{};
  fs::remove(to, failure);
  return Error{Code::kUnavailable, "not enough room in " + to + ": " + std::to_string(needed) +
                                       " bytes are needed, and " + std::to_string(space.available) +
                                       " are free"};
}

/// Where the list of tables is damaged RocksDB makes it anew, from the tables; it may drop what
/// contradicts the rest, which the witness and the chain then show.
Result<SalvagedJournal> salvage_copy(const std::string& from, const std::string& copy) {
  std::error_code failure;
  fs::create_directories(copy, failure);
  fs::copy(from + "/db", copy + "/db", fs::copy_options::recursive, failure);
  std::error_code absent;
  if (!failure && fs::exists(from + "/witness", absent)) {
    fs::copy_file(from + "/witness", copy + "/witness", failure);
  }
  if (failure) return Error{Code::kUnavailable, copy + ": " + failure.message()};
  RocksStoreOptions options;
  options.directory = copy;
  const auto repaired = remake_manifest(options);
  if (!repaired) return repaired.error();
  return open_rocks_journal_to_salvage(options);
}

/// The new journal, filled from the front.
class Rewrite {
 public:
  Rewrite(const Store& from, std::string to) : from_(from), to_(std::move(to)) {}

  Result<Unit> open();
  /// Errors: kCancelled, and those of the disk.
  Result<Unit> run(const CheckProgress& progress, RepairReport& report);
  /// What is not known to be there any more.
  Result<Unit> lose(const LineRange& lines, const std::string& why, RepairReport& report);
  Result<Unit> define_channels(RepairReport& report);
  Result<Unit> say(const std::string& text);
  /// What stands in the place of PV updates that expired: no line can tell it. Decimated rows of
  /// which some cannot be read are left out, all of them: nobody could say what is missing.
  Result<Unit> keep_bases(const ProjectionTable& from);
  Line last() const { return store_->last(); }
  bool decimated_lost() const { return decimated_lost_; }

 private:
  Result<Unit> keep_decimated(const ProjectionTable& from);
  /// Errors: kCorruption  it cannot be kept, and nothing was written.
  Result<Unit> keep(Block& block);
  Result<Unit> append(std::vector<InspectedSection> sections);

  const Store& from_;
  const std::string to_;
  std::shared_ptr<Store> store_;
  std::shared_ptr<SegmentStore> segments_;
  UtcTime now_{};  // the time that the next block is given
  bool decimated_lost_ = false;
};

Result<Unit> Rewrite::open() {
  RocksStoreOptions options;
  options.directory = to_;
  options.sync = SyncMode::kInterval;
  options.limits = kBlockLimits;  // What was written once must go in, whatever the limits were.
  options.clock = [this] { return now_; };
  auto opened = open_rocks_journal(std::move(options));
  if (!opened) return opened.error();
  store_ = std::move(opened.value().store);
  segments_ = std::move(opened.value().segments);
  return Unit{};
}

Result<Unit> Rewrite::append(std::vector<InspectedSection> sections) {
  const auto appended = store_->append(sections);
  if (!appended) return appended.error();
  return Unit{};
}

Result<Unit> Rewrite::keep(Block& block) {
  if (raw(block.first) != raw(store_->last()) + 1) {
    return Error{Code::kCorruption, "the block is only in part behind the damage"};
  }
  std::vector<InspectedSection> sections;
  for (auto& section : block.sections) {
    auto inspected = inspect(std::move(section));
    if (!inspected) return inspected.error();
    sections.push_back(std::move(inspected).value());
  }
  now_ = block.recorded_at;
  auto appended = append(std::move(sections));
  if (!appended && (appended.error().code == Code::kConflict ||
                    appended.error().code == Code::kInvalidArgument)) {
    return Error{Code::kCorruption, appended.error().message};
  }
  return appended;
}

Result<Unit> Rewrite::lose(const LineRange& lines, const std::string& why, RepairReport& report) {
  report.lost.push_back({lines, why});
  for (auto& section : lost_sections(lines, why, now_)) {
    const auto appended = append({std::move(section)});
    if (!appended) return appended;
  }
  return Unit{};
}

Result<Unit> Rewrite::run(const CheckProgress& progress, RepairReport& report) {
  const auto end = from_.last();
  BlockFilter filter;
  filter.last = end;
  while (store_->last() < end) {
    const Line next{raw(store_->last()) + 1};
    Result<Unit> kept = Unit{};
    LineRange block_lines;
    bool go_on = true;
    const auto scanned = from_.scan(next, filter, [&](Block& block) {
      block_lines = {next, Line{raw(block.first) + block.count - 1}};
      block_lines.first = std::max(block.first, Line{raw(store_->last()) + 1});
      kept = keep(block);
      if (kept) report.kept += block.count;
      go_on = progress(raw(store_->last()));
      return kept.ok() && go_on;
    });
    if (!go_on) return Error{Code::kCancelled, "stopped before it was done"};
    if (!kept && kept.error().code != Code::kCorruption) return kept;
    if (kept && !scanned && scanned.error().code != Code::kCorruption) return scanned;
    if (kept && scanned) break;
    const auto& error = kept ? scanned.error() : kept.error();
    auto lines = kept ? lines_of(error).value_or(LineRange{next, end}) : block_lines;
    // All up to the next sound block, and no line twice.
    lines.first = Line{raw(store_->last()) + 1};
    lines.last = std::min(std::max(lines.last, lines.first), end);
    const auto lost = lose(lines, error.message, report);
    if (!lost) return lost;
  }
  return Unit{};
}

Result<Unit> Rewrite::define_channels(RepairReport& report) {
  std::vector<model::Record> records;
  const auto flush = [&]() -> Result<Unit> {
    if (records.empty()) return Unit{};
    report.addresses += records.size();
    auto appended = append({own_section(records, Line{raw(store_->last()) + 1}, now_)});
    records.clear();
    return appended;
  };
  for (const auto& [channel, address] : from_.channels()) {
    if (store_->address_of(channel)) continue;
    records.emplace_back(model::PvDefined{channel, address});
    if (records.size() < model::kRecordsPerBatchMax) continue;
    const auto flushed = flush();
    if (!flushed) return flushed;
  }
  return flush();
}

Result<Unit> Rewrite::say(const std::string& text) {
  const model::LogMessage message{model::Level::kWarning, "journal", text};
  return append({own_section({message}, Line{raw(store_->last()) + 1}, now_)});
}

Result<Unit> Rewrite::keep_bases(const ProjectionTable& from) {
  std::vector<KeyValue> rows;
  const auto runs = expired_key(RecordClass::kPvUpdates, Line{0});
  for (const auto& [begin, end] : {std::pair<Bytes, Bytes>(runs, "y"), {"y", "z"}}) {
    const auto scanned = from.scan(begin, end, [&](BytesView key, BytesView value) {
      rows.emplace_back(key, value);
      return true;
    });
    // Damaged, too: then states behind lines that expired are not known any more.
    if (!scanned && scanned.error().code != Code::kCorruption) return scanned;
  }
  const auto kept = rows.empty() ? Result<Unit>(Unit{}) : segments_->put(rows);
  return kept ? keep_decimated(from) : kept;
}

Result<Unit> Rewrite::keep_decimated(const ProjectionTable& from) {
  constexpr std::size_t kPutBytes = 16u << 20;  // of one write
  const auto runs = load_decimated_runs(from);
  if (!runs && runs.error().code != Code::kCorruption) return runs.error();
  const auto readable = from.scan("d", "e", [](BytesView, BytesView) { return true; });
  if (!readable && readable.error().code != Code::kCorruption) return readable;
  if (!runs || !readable) {
    decimated_lost_ = true;
    return Unit{};
  }
  std::vector<KeyValue> rows;
  std::size_t bytes = 0;
  Result<Unit> put = Unit{};
  const auto scanned = from.scan("d", "e", [&](BytesView key, BytesView value) {
    bytes += key.size() + value.size();
    rows.emplace_back(key, value);
    if (bytes < kPutBytes) return true;
    put = segments_->put(rows);
    rows.clear();
    bytes = 0;
    return put.ok();
  });
  if (!put || !scanned) return put ? scanned : put;
  // Last: without them the rows do not count.
  for (const auto& run : runs.value()) rows.push_back(encode_decimated_run(run));
  return rows.empty() ? Result<Unit>(Unit{}) : segments_->put(rows);
}

/// `told`: numbers up to it may be known to somebody.
Result<RepairReport> rewrite(const SalvagedJournal& from, Line told, const std::string& to,
                             const CheckProgress& progress) {
  RepairReport report;
  report.findings = from.findings;
  Rewrite out(*from.journal.store, to);
  auto done = out.open();
  if (done) done = out.run(progress, report);
  if (done) done = out.keep_bases(*from.journal.projections);
  if (!report.findings.empty()) told = std::max(told, Line{raw(out.last()) + kUnwitnessedLines});
  if (done && told > out.last()) {
    const LineRange unknown{Line{raw(out.last()) + 1}, told};
    done = out.lose(unknown, "they may have been written, and are not used again", report);
  }
  if (done) done = out.define_channels(report);
  if (done && !report.lost.empty()) {
    std::uint64_t lines = 0;
    for (const auto& each : report.lost) lines += raw(each.lines.last) - raw(each.lines.first) + 1;
    done = out.say("repaired: " + std::to_string(lines) + " lines are lost, " +
                   std::to_string(report.kept) + " were kept");
  }
  if (done && out.decimated_lost()) {
    done = out.say(
        "repaired: what PV updates that expired were decimated to cannot be read, and is "
        "left out");
  }
  if (!done) return done.error();
  report.last = out.last();
  return report;
}

/// What a power cut may have taken, when there was one.
Line told_in(const std::string& directory) {
  const auto witnessed = read_witness(directory + "/witness");
  if (!witnessed || !witnessed.value() || witnessed.value()->boot == this_boot()) return Line{0};
  return witnessed.value()->told;
}

}  // namespace

Result<RepairReport> repair_journal(const std::string& from, const std::string& to,
                                    const CheckProgress& progress) {
  std::error_code absent;
  if (!fs::exists(from + "/db", absent)) {
    return Error{Code::kNotFound, "there is no journal in " + from};
  }
  const auto alone = OwnerLock::look(from);
  if (!alone) return alone.error();
  const auto room = make_room(from, to);
  if (!room) return room.error();
  RocksStoreOptions options;
  options.directory = from;
  auto salvaged = open_rocks_journal_to_salvage(options);
  const auto told = told_in(from);
  if (salvaged) return rewrite(salvaged.value(), told, to, progress);
  if (salvaged.error().code != Code::kCorruption) return salvaged.error();

  const auto copy = to + "/copy";
  auto again = salvage_copy(from, copy);
  if (!again) return again.error();
  again.value().findings.insert(again.value().findings.begin(), salvaged.error());
  auto report = rewrite(again.value(), told, to, progress);
  again.value().journal = {};  // closed before its files go
  std::error_code ignored;
  fs::remove_all(copy, ignored);
  return report;
}

}  // namespace tidemark::journal
