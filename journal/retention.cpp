#include "journal/retention.h"

#include <algorithm>
#include <numeric>

namespace tidemark::journal {
namespace {

bool is_pinned(const StoredPart& part, std::span<const LineRange> pinned) {
  return std::any_of(pinned.begin(), pinned.end(), [&](const LineRange& range) {
    return part.first <= range.last && part.last >= range.first;
  });
}

bool is_older(const StoredPart& part, Duration age, UtcTime now) {
  // Not now - age, which may be before all times.
  return part.latest < now && now - part.latest > age;
}

using Reasons = std::vector<std::optional<ExpiryReason>>;

/// What goes at once: in a row, for one reason.
std::vector<DueParts> grouped(std::span<const StoredPart> parts, const Reasons& reasons,
                              std::size_t at_once) {
  std::vector<DueParts> all;
  for (std::size_t begin = 0; begin < parts.size();) {
    if (!reasons[begin]) {
      ++begin;
      continue;
    }
    auto end = begin;
    std::size_t filled = 0;
    do {
      filled += parts[end].bytes > 0 ? 1 : 0;
      ++end;
    } while (end < parts.size() && reasons[end] == reasons[begin] &&
             raw(parts[end].first) == raw(parts[end - 1].last) + 1 &&
             (filled < at_once || parts[end].bytes == 0));
    if (filled > 0) all.push_back({begin, end, *reasons[begin]});
    begin = end;
  }
  return all;
}

/// Marks the oldest parts that are not marked yet, until `bytes` of them are.
template <class May>
void take_oldest(std::span<const StoredPart> parts, std::uint64_t bytes, ExpiryReason reason,
                 Reasons& reasons, May&& may) {
  for (std::size_t i = 0; i < parts.size() && bytes > 0; ++i) {
    if (reasons[i] || !may(parts[i])) continue;
    reasons[i] = reason;
    bytes -= std::min(bytes, parts[i].bytes);
  }
}

}  // namespace

std::string_view to_string(ExpiryReason reason) {
  switch (reason) {
    case ExpiryReason::kAge: return "age";
    case ExpiryReason::kBytes: return "bytes";
    case ExpiryReason::kWatermark: return "watermark";
  }
  return "unknown";
}

std::vector<DueParts> due(std::span<const StoredPart> parts, const RetentionRule& rule,
                          std::span<const LineRange> pinned, UtcTime now, std::size_t at_once) {
  Reasons reasons(parts.size());
  std::uint64_t left = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (rule.age && is_older(parts[i], *rule.age, now) && !is_pinned(parts[i], pinned)) {
      reasons[i] = ExpiryReason::kAge;
    } else {
      left += parts[i].bytes;
    }
  }
  if (rule.bytes && left > *rule.bytes) {
    take_oldest(parts, left - *rule.bytes, ExpiryReason::kBytes, reasons,
                [&](const StoredPart& part) { return !is_pinned(part, pinned); });
  }
  return grouped(parts, reasons, at_once);
}

std::vector<DueParts> due_for_room(std::span<const StoredPart> parts, std::uint64_t bytes,
                                   Duration kept, std::span<const LineRange> pinned, UtcTime now,
                                   std::size_t at_once) {
  Reasons reasons(parts.size());
  take_oldest(parts, bytes, ExpiryReason::kWatermark, reasons, [&](const StoredPart& part) {
    return is_older(part, kept, now) && !is_pinned(part, pinned);
  });
  return grouped(parts, reasons, at_once);
}

}  // namespace tidemark::journal
