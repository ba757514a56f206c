// journal/witness.h
//
// A file beside the database that knows the last line which was made durable, and the digest of
// the block that ends with it. A database that comes back shorter, or different, has lost
// acknowledged lines, whatever it says itself. Where lines are told before they are durable it also
// knows which numbers these may have, so that none of them is given again.
//
//   slot 0  4 KiB ┐ written in turn, each with a checksum: a torn write spoils one
//   slot 1  4 KiB ┘ slot, and the other is at most one write older

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/digest.h"
#include "base/result.h"
#include "base/uuid.h"
#include "journal/store.h"

namespace tidemark::journal {

struct Witnessed {
  Line last{};               // durable, with every line before it
  Digest head{};             // of the block that ends with it
  std::uint64_t writes = 0;  // how often the file was written; the larger one is the newer slot
  Line told{0};  // no line after this was told before it was durable; at or before `last`: none was
  Uuid boot{};   // of the start of the machine in which they were told

  bool operator==(const Witnessed&) const = default;
};

inline constexpr std::size_t kWitnessSlotBytes = 4096;

/// Which start of the machine this is: another one after a power cut, the same after the death of a
/// process. Nil when the kernel does not say: then nobody knows what a restart has lost.
Uuid this_boot();

/// Reads only. Empty when there is no file, or no slot of it is sound.
/// Errors: kUnavailable  the file is there and cannot be read.
Result<std::optional<Witnessed>> read_witness(const std::string& path);

class WitnessFile {
 public:
  /// Makes the file when it is not there, of full size, so that no later write needs room.
  /// Errors: kUnavailable.
  static Result<std::unique_ptr<WitnessFile>> open(const std::string& path);
  ~WitnessFile();
  WitnessFile(const WitnessFile&) = delete;
  WitnessFile& operator=(const WitnessFile&) = delete;

  /// Durability  on return it survives power loss.
  /// Threads     one at a time.
  /// Errors      kUnavailable; the older slot is as it was.
  Result<Unit> write(Line last, const Digest& head, Line told = {}, const Uuid& boot = {});
  /// As write(), of the same last line.
  Result<Unit> write_told(Line told, const Uuid& boot) {
    return write(newest_.last, newest_.head, told, boot);
  }

 private:
  WitnessFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  const std::string path_;
  const int fd_;
  Witnessed newest_;  // in the file
};

}  // namespace tidemark::journal
