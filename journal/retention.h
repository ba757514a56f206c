// journal/retention.h
//
// What has to go: decided from how old and how large the parts of closed segments are, and from
// what is pinned. A plain function; who does it is the Retainer.
//
//   parts of a class, oldest first ── age, bytes, pins ──► stretches that are due, and why

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "journal/damage.h"
#include "journal/record_class.h"

namespace tidemark::journal {

/// Of one class. Empty: whatever there is stays.
struct RetentionRule {
  std::optional<Duration> age;         // since it was recorded
  std::optional<std::uint64_t> bytes;  // on the disk, of all parts that are there
  bool operator==(const RetentionRule&) const = default;
};

/// What a closed segment has of a class.
struct StoredPart {
  Line segment{};  // its first line, which names it
  Line first{};    // lines that are without the class when it expires
  Line last{};
  UtcTime latest{};  // when the last of them was recorded
  std::uint64_t bytes = 0;
  bool operator==(const StoredPart&) const = default;
};

/// Why something expired.
enum class ExpiryReason : std::uint8_t { kAge, kBytes, kWatermark };
std::string_view to_string(ExpiryReason reason);  // "age", "bytes", "watermark"

/// Parts `begin` to `end - 1`, which follow each other without a gap.
struct DueParts {
  std::size_t begin = 0;
  std::size_t end = 0;
  ExpiryReason reason{};
  bool operator==(const DueParts&) const = default;
};

/// So many parts that have anything go at once: what is written then stays some megabytes.
inline constexpr std::size_t kPartsAtOnce = 16;
/// So many of PV updates that are decimated: of half a million updates that change more slowly than
/// the bins are wide, there are as many rows, of some hundred bytes each in memory.
inline constexpr std::size_t kDecimatedPartsAtOnce = 1;

/// Parts whose last line is older than the age; and of the rest the oldest, until all that are left
/// have no more than the bytes, or only pinned ones could go. A part that has a line of `pinned`
/// stays. Parts without a byte go only together with others.
std::vector<DueParts> due(std::span<const StoredPart> parts, const RetentionRule& rule,
                          std::span<const LineRange> pinned, UtcTime now,
                          std::size_t at_once = kPartsAtOnce);

/// The oldest that make so much room, as far as they are older than `kept`.
std::vector<DueParts> due_for_room(std::span<const StoredPart> parts, std::uint64_t bytes,
                                   Duration kept, std::span<const LineRange> pinned, UtcTime now,
                                   std::size_t at_once = kPartsAtOnce);

}  // namespace tidemark::journal
