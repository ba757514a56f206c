#include "tools/import_plan.h"

#include <algorithm>
#include <tuple>

namespace tidemark::tools {
namespace {

using model::api::AppendRequest;

constexpr std::uint8_t kImportFormat = 2;  // of a section: records
constexpr std::size_t kRequestBytes = 1u << 20;
constexpr std::size_t kRequestLines = 1000;
constexpr std::size_t kTogether = 5000;  // lines whose order among origins may change
constexpr std::size_t kLineBytes = 200;  // of one record, at the least

void fill(AppendRequest& request, const std::vector<const ImportedLine*>& lines) {
  for (std::size_t at = 0; at < lines.size();) {
    std::vector<model::Record> records;
    const auto first = lines[at]->sequence;
    while (at < lines.size() && lines[at]->sequence == first + records.size()) {
      records.push_back(lines[at++]->record);
    }
    request.sections.push_back({first, static_cast<std::uint32_t>(records.size()), kImportFormat,
                                utc_now(), model::Blob{model::encode_records(records)}});
  }
}

}  // namespace

Uuid origin_at(const Uuid& origin, int level) {
  return level == 0 ? origin : Uuid::derive(origin.text() + "/late " + std::to_string(level));
}

std::uint64_t put_in_order(std::vector<ImportedLine>& lines) {
  const auto key = [](const ImportedLine& line) {
    return std::tie(line.sequence, line.origin, line.order);
  };
  std::stable_sort(lines.begin(), lines.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto twice = std::unique(lines.begin(), lines.end(),
                                 [&](const auto& a, const auto& b) { return key(a) == key(b); });
  const auto count = static_cast<std::uint64_t>(lines.end() - twice);
  lines.erase(twice, lines.end());
  std::map<Uuid, std::uint64_t> last;
  for (auto& line : lines) {
    auto& before = last[line.origin];
    line.sequence = std::max(line.sequence, before + 1);
    before = line.sequence;
  }
  return count;
}

Result<std::uint64_t> leave_new(std::vector<ImportedLine>& lines, KnownOrigins& known) {
  std::uint64_t there = 0;
  std::vector<ImportedLine> fresh;
  fresh.reserve(lines.size());
  for (auto& line : lines) {
    bool taken = false;
    for (int level = 0; level <= kLateMax && !taken; ++level) {
      const auto origin = origin_at(line.origin, level);
      auto& has = known[origin];
      taken = true;
      if (line.sequence > has.through) {
        has.through = line.sequence;
        has.numbers.push_back(line.sequence);  // the highest: they stay sorted
        line.origin = origin;
        fresh.push_back(std::move(line));
      } else if (std::binary_search(has.numbers.begin(), has.numbers.end(), line.sequence)) {
        ++there;
      } else {
        taken = false;
      }
    }
    if (!taken) {
      return Error{Code::kConflict, line.node + ": older than what was imported before, for the " +
                                        std::to_string(kLateMax + 1) +
                                        "th time; import files in the order of their times"};
    }
  }
  lines = std::move(fresh);
  return there;
}

std::vector<AppendRequest> requests_of(const std::vector<ImportedLine>& lines,
                                       const std::map<Uuid, std::uint64_t>& after) {
  std::vector<AppendRequest> requests;
  auto last = after;
  for (std::size_t begin = 0; begin < lines.size(); begin += kTogether) {
    std::map<Uuid, std::vector<const ImportedLine*>> by_origin;
    const auto end = std::min(begin + kTogether, lines.size());
    for (std::size_t i = begin; i < end; ++i) by_origin[lines[i].origin].push_back(&lines[i]);
    for (const auto& [origin, all] : by_origin) {
      for (std::size_t at = 0; at < all.size();) {
        std::vector<const ImportedLine*> some;
        std::size_t bytes = 0;
        while (at < all.size() && some.size() < kRequestLines && bytes < kRequestBytes) {
          bytes += kLineBytes + model::describe(all[at]->record).size();
          some.push_back(all[at++]);
        }
        AppendRequest request{origin, some.front()->node, 1, last[origin], {}, 0, true, true};
        fill(request, some);
        last[origin] = some.back()->sequence;
        requests.push_back(std::move(request));
      }
    }
  }
  return requests;
}

}  // namespace tidemark::tools
