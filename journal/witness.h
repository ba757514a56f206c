// journal/witness.h
//
// A file beside the database that knows the last line which was made durable, and the digest of
// the block that ends with it. A database that comes back shorter, or different, has lost
// acknowledged lines, whatever it says itself.
//
//   slot 0  4 KiB ┐ written in turn, each with a checksum: a torn write spoils one
//   slot 1  4 KiB ┘ slot, and the other is at most one write older

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/digest.h"
#include "base/result.h"
#include "journal/store.h"

namespace tidemark::journal {

struct Witnessed {
  Line last{};               // durable, with every line before it
  Digest head{};             // of the block that ends with it
  std::uint64_t writes = 0;  // how often the file was written; the larger one is the newer slot

  bool operator==(const Witnessed&) const = default;
};

inline constexpr std::size_t kWitnessSlotBytes = 4096;

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
  Result<Unit> write(Line last, const Digest& head);

 private:
  WitnessFile(std::string path, int fd, std::uint64_t writes)
      : path_(std::move(path)), fd_(fd), writes_(writes) {}

  const std::string path_;
  const int fd_;
  std::uint64_t writes_;
};

}  // namespace tidemark::journal
