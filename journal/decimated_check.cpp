#include "journal/decimated_check.h"

#include <algorithm>
#include <map>

#include "journal/damage.h"
#include "journal/decimated_row.h"
#include "journal/decimated_runs.h"
#include "journal/projection_keys.h"

namespace tidemark::journal {
namespace {

constexpr std::size_t kFaultsMax = 100;  // then one does not learn more from another

struct DecimatedKey {
  std::uint64_t width = 0;
  std::uint32_t shard = 0;
  std::int64_t bin = 0;
};

std::optional<DecimatedKey> parse_decimated_key(BytesView key) {
  if (key.size() != decimated_key(0, 0, 0).size()) return std::nullopt;
  constexpr std::size_t kShardAt = 1 + sizeof(std::uint64_t);
  constexpr std::size_t kBinAt = kShardAt + sizeof(std::uint32_t);
  return DecimatedKey{
      read_be<std::uint64_t>(key, 1), read_be<std::uint32_t>(key, kShardAt),
      static_cast<std::int64_t>(read_be<std::uint64_t>(key, kBinAt) ^ (std::uint64_t{1} << 63))};
}

std::string width_text(Duration width) {
  return std::to_string(std::chrono::duration<double>(width).count()) + " s";
}

bool is_of_run(const std::vector<DecimatedRun>& runs, Line line) {
  return std::any_of(runs.begin(), runs.end(), [&](const DecimatedRun& run) {
    return run.first <= line && line <= run.last;
  });
}

/// Empty: nothing.
std::string fault_in_row(const DecimatedKey& key, const std::vector<DecimatedRun>& runs,
                         const ChannelRow& each) {
  const auto& row = each.row;
  const Duration width{static_cast<std::int64_t>(key.width)};
  if (bin_of(row.earliest, width) != key.bin || bin_of(row.latest, width) != key.bin) {
    return "a row is of another bin";
  }
  if (!is_of_run(runs, row.first) || !is_of_run(runs, row.last)) return "a row is of other lines";
  return {};
}

}  // namespace

Result<DecimatedReport> check_decimated(const ProjectionTable& table, const ExpiredRuns& expired) {
  DecimatedReport report;
  const auto find = [&](const std::string& fault) {
    if (report.faults.size() < kFaultsMax) report.faults.push_back("decimated rows: " + fault);
  };
  const auto corrupt = [&](const Error& error) {
    if (error.code == Code::kCorruption) find(error.message);
    return error.code == Code::kCorruption;
  };
  const auto runs = load_decimated_runs(table);
  if (!runs && !corrupt(runs.error())) return runs.error();
  if (!runs) return report;
  std::map<std::uint64_t, std::vector<DecimatedRun>> by_width;
  for (const auto& run : runs.value()) {
    by_width[static_cast<std::uint64_t>(run.width.count())].push_back(run);
    const auto* whole = expired.holding(RecordClass::kPvUpdates, run.first);
    if (whole == nullptr || whole->last < run.last) {
      find(to_text({run.first, run.last}) + " have not expired");
    }
  }
  std::map<std::uint64_t, std::uint64_t> samples;
  const auto scanned = table.scan("d", "e", [&](BytesView bytes, BytesView value) {
    const auto key = parse_decimated_key(bytes);
    if (!key || !by_width.contains(key->width)) {
      find("nobody knows of one");
      return true;
    }
    const auto rows = decode_rows(value, key->shard);
    if (!rows) {
      find("bin " + std::to_string(key->bin) + " of shard " + std::to_string(key->shard) + ": " +
           rows.error().message);
      return true;
    }
    for (const auto& each : rows.value()) {
      ++report.rows;
      report.samples += each.row.samples;
      samples[key->width] += each.row.samples;
      const auto fault = fault_in_row(*key, by_width[key->width], each);
      if (!fault.empty()) find(fault);
    }
    return true;
  });
  if (!scanned && !corrupt(scanned.error())) return scanned.error();
  for (const auto& [width, of_width] : by_width) {
    std::uint64_t wanted = 0;
    for (const auto& run : of_width) wanted += run.samples;
    if (samples[width] == wanted) continue;
    find("of " + std::to_string(wanted) + " updates in bins of " +
         width_text(of_width.front().width) + " " + std::to_string(samples[width]) + " are there");
  }
  return report;
}

}  // namespace tidemark::journal
