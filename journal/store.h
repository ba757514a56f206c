// journal/store.h
//
// The durable, append-only history: one Store is one directory on one disk.
//
//   Store (this file)         the contract, and nothing else
//   MemoryStore               the contract in RAM: tests
//   RocksStore                the contract on RocksDB
//   FaultyStore (test/)       any Store, failing on command
//
// test/journal/store_contract_test.cpp runs the same tests against all of them.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "journal/section.h"

namespace tidemark::journal {

/// Position in the journal: 1 for the first record ever, then +1 per record, with no gaps and
/// no reuse. 0 is "before everything".
enum class Line : std::uint64_t {};
constexpr std::uint64_t raw(Line line) { return static_cast<std::uint64_t>(line); }

class ExpiredRuns;

struct StoreLimits {
  std::uint32_t block_sections_max = 4096;    // Sections per append().
  std::uint32_t block_bytes_max = 32u << 20;  // Payload bytes per append(): 32 MiB.
};

/// What append() made of its sections.
struct Appended {
  Line first{};
  Line last{};
  UtcTime recorded_at{};
};

/// One block as it was appended.
struct Block {
  Line first{};
  std::uint32_t count = 0;                    // lines
  UtcTime recorded_at{};                      // never before that of an earlier block
  std::uint32_t kinds = 0;                    // bit n: holds a record of kind n
  model::Level level = model::Level::kDebug;  // the highest in it
  std::vector<Section> sections;
};

/// What a scan may skip without reading payloads.
struct BlockFilter {
  std::uint32_t kinds = ~0u;                  // any of these
  model::Level level = model::Level::kDebug;  // at least this
  std::optional<UtcTime> since{};             // recorded_at, inclusive
  std::optional<UtcTime> until{};             // inclusive
  Line first{1};                              // blocks that end before it end a scan_back()
  Line last{~std::uint64_t{0}};               // blocks that begin after it end a scan()
  /// False: all sections come without their payloads, as they were sent, whatever expired of them.
  /// For who wants to know when blocks were recorded: nothing is unpacked then.
  bool payloads = true;
};

/// Up to where the journal has the records of an origin.
struct OriginMark {
  std::uint32_t incarnation = 0;
  std::uint64_t sequence = 0;  // of its last record here
  UtcTime recorded_at{};
  Line line{};  // of that record
};

/// How long the mark of a short-lived origin (model::api::kShortLived) is kept.
inline constexpr Duration kShortLivedKept = std::chrono::hours(1);
/// So many new ones may come before old ones are looked for.
inline constexpr std::size_t kShortLivedSwept = 1024;
bool is_forgotten(std::uint32_t incarnation, UtcTime recorded_at, UtcTime now);

class Store {
 public:
  virtual ~Store() = default;

  /// Appends `sections` as one block: after a crash either all of them are there or none is.
  ///
  /// Durability  on return the block survives power loss (it was synced).
  /// Blocking    for one disk flush; milliseconds on an SSD, longer under load.
  /// Ownership   `sections` is only read, and only until the call returns.
  /// Threads     one append() at a time, from any thread. Reads may overlap it.
  /// Errors      kInvalidArgument  empty, or over StoreLimits. Nothing written.
  ///             kConflict         a PvDefined names a channel that is bound to another
  ///                               address. Nothing written.
  ///             kUnavailable      disk full. Nothing written; may be repeated.
  ///             kFailed           the disk refused the write or the flush, and what it kept is
  ///                               unknown. Every later append() answers kFailed; reopen to learn.
  virtual Result<Appended> append(std::span<const InspectedSection> sections) = 0;

  /// Calls `visit` for the blocks that hold lines from `from` on and pass `filter`, oldest first,
  /// until `visit` returns false or the end that was current when scan() began. The first block
  /// may begin before `from`. When the filter's kinds have none of kUpdateKinds, sections of
  /// updates come without their payload: to unpack them is most of the work.
  ///
  /// What has expired comes as sections of format kExpired.
  ///
  /// Ownership   the Block belongs to the Store; copy or move out of it to keep it.
  /// Threads     any number of scans, from any thread, alongside append().
  /// Errors      kCorruption  a checksum or the hash chain failed; the message names the lines.
  ///                          Blocks before it were visited and are sound; none after it was.
  virtual Result<Unit> scan(Line from, const BlockFilter& filter,
                            const std::function<bool(Block&)>& visit) const = 0;

  /// The same from the block that holds `from` backwards, newest first.
  virtual Result<Unit> scan_back(Line from, const BlockFilter& filter,
                                 const std::function<bool(Block&)>& visit) const = 0;

  /// The newest durable line; Line{0} when there is none. Never waits for the disk.
  virtual Line last() const = 0;

  /// The last line recorded at or before `time`; Line{0} when there is none.
  virtual Result<Line> line_at(UtcTime time) const = 0;

  /// Empty for an origin that never wrote. Never waits for the disk.
  virtual std::optional<OriginMark> mark_of(const Uuid& origin) const = 0;

  /// How many channels are defined: it only grows. Never waits for the disk.
  virtual std::size_t channel_count() const = 0;

  /// Every channel that is defined, by number. Never waits for the disk.
  virtual std::vector<std::pair<model::ChannelId, std::string>> channels() const = 0;

  /// What a channel is called, from the PvDefined records. Never waits for the disk.
  virtual std::optional<std::string> address_of(model::ChannelId channel) const = 0;

  /// Lines whose records are not here any more (expired_runs.h); never null. Who reads lines, and
  /// finds the same before and after, read none that expired meanwhile. Never waits for the disk.
  virtual std::shared_ptr<const ExpiredRuns> expired() const;
};

}  // namespace tidemark::journal
