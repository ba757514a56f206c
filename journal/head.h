// journal/head.h
//
// The newest updates of each channel, which are in no chunk yet: 32 bytes each, beside strings and
// arrays. Not guarded.

#pragma once

#include <vector>

#include "journal/chunk.h"
#include "journal/packed_update.h"
#include "journal/projection_keys.h"

namespace tidemark::journal {

class Head {
 public:
  void add(Line line, const model::PvUpdate& update);

  /// The channel's samples with lines from `from` to `to`, oldest first, appended to `out`.
  void copy(model::ChannelId channel, Line from, Line to, std::vector<Sample>& out) const;
  /// Calls `take` with the samples up to `through`, in pieces that are a chunk each, and whether
  /// that is one of quiet channels.
  void for_chunks(Line through,
                  const std::function<void(const std::vector<Sample>&, bool quiet)>& take) const;
  /// Forgets what is at or before `through`.
  void drop(Line through);

  std::size_t samples() const { return samples_; }
  /// Some upper bound of the memory.
  std::size_t bytes() const { return samples_ * sizeof(Packed) + content_bytes_; }

 private:
  struct Packed : PackedUpdate {
    std::uint64_t line = 0;
  };
  /// A channel with fewer samples is quiet, unless they are large.
  static constexpr std::size_t kBusySamples = 64;
  static constexpr std::size_t kQuietContentMax = 4096;
  /// Of one busy channel: less to unpack for who wants a part.
  static constexpr std::size_t kBusyChunkSamples = 8192;
  struct Channel {
    std::vector<Packed> samples;
    std::vector<model::PvUpdate> others;  // no scalar, or updates that hid some
  };

  std::size_t take_channel(std::uint32_t number, Line through, std::vector<Sample>& out) const;
  static Sample unpack(model::ChannelId channel, const Channel& from, const Packed& packed);

  std::vector<Channel> channels_;  // by number
  std::size_t samples_ = 0;
  std::size_t content_bytes_ = 0;
};

}  // namespace tidemark::journal
