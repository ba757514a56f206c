// journal/head.h
//
// The newest updates of each channel, which are in no chunk yet: 24 bytes each, beside strings and
// arrays. Not guarded.

#pragma once

#include <vector>

#include "journal/chunk.h"
#include "journal/projection_keys.h"

namespace tidemark::journal {

class Head {
 public:
  void add(Line line, const model::PvUpdate& update);

  /// The channel's samples with lines from `from` to `to`, oldest first, appended to `out`.
  void copy(model::ChannelId channel, Line from, Line to, std::vector<Sample>& out) const;
  /// Calls `take` with the channel and its samples up to `through`, in pieces that a chunk takes,
  /// none of which crosses a segment.
  void for_chunks(
      Line through, const Segments& segments,
      const std::function<void(model::ChannelId, const std::vector<Sample>&)>& take) const;
  /// Forgets what is at or before `through`.
  void drop(Line through);

  std::size_t samples() const { return samples_; }
  /// Some upper bound of the memory.
  std::size_t bytes() const { return samples_ * sizeof(Packed) + content_bytes_; }

 private:
  struct Packed {
    std::uint64_t line;
    std::int64_t taken_at;
    std::uint64_t bits;  // of a scalar; else where it is in others
    std::uint8_t type;   // model::TypeCode, or kOther
    std::uint8_t severity;
    std::uint8_t status;
  };
  static constexpr std::uint8_t kOther = 0xff;
  struct Channel {
    std::vector<Packed> samples;
    std::vector<model::PvUpdate> others;  // no scalar, or updates that hid some
  };

  static Sample unpack(model::ChannelId channel, const Channel& from, const Packed& packed);

  std::vector<Channel> channels_;  // by number
  std::size_t samples_ = 0;
  std::size_t content_bytes_ = 0;
};

}  // namespace tidemark::journal
