// journal/projection_keys.h
//
// The keys of what is derived from the log. Numbers are big-endian: the order of keys is theirs.
//
//   g segment u64 · shard u32 · first line u64      a chunk of the shard's quiet channels
//   h segment u64 · channel u32 · first line u64    a chunk of one busy channel
//   k line u64 · first channel u32                  a shard of the keyframe after that line
//   m channel u32 · line u64                        what the IOC said of the channel, from there on
//   p line u64                                      what the record there says of a mark
//   w                                               how far all this is
//
// Chunks are grouped by segment, so that writing one is sequential, dropping one is cheap, and a
// channel's past is one place per segment.

#pragma once

#include "base/bytes.h"
#include "journal/store.h"

namespace tidemark::journal {

/// Lines go in segments of equal length: segment n holds lines n * length + 1 to (n + 1) * length.
struct Segments {
  /// Part of the format: a table is written with one length, and read with the same.
  std::uint64_t length = 1u << 19;

  constexpr std::uint64_t of(Line line) const { return (raw(line) - 1) / length; }
  constexpr Line begin(std::uint64_t segment) const { return Line{segment * length + 1}; }
  constexpr Line end(std::uint64_t segment) const { return Line{(segment + 1) * length}; }
};

/// Channels n * kQuietChannels to (n + 1) * kQuietChannels - 1 are shard n of the quiet ones.
inline constexpr std::uint32_t kQuietChannels = 1024;

inline Bytes segment_key(char kind, std::uint64_t segment, std::uint32_t number = 0,
                         std::uint64_t line = 0) {
  Bytes key(1, kind);
  append_be(key, segment);
  append_be(key, number);
  append_be(key, line);
  return key;
}
inline Bytes chunk_key(std::uint64_t segment, std::uint32_t channel, std::uint64_t line = 0) {
  return segment_key('h', segment, channel, line);
}
inline Bytes quiet_key(std::uint64_t segment, std::uint32_t shard, std::uint64_t line = 0) {
  return segment_key('g', segment, shard, line);
}
inline Bytes shard_key(Line line, std::uint32_t first_channel = 0) {
  Bytes key = "k";
  append_be(key, raw(line));
  append_be(key, first_channel);
  return key;
}
inline Bytes meta_key(std::uint32_t channel, Line line) {
  Bytes key = "m";
  append_be(key, channel);
  append_be(key, raw(line));
  return key;
}
/// Of the record of a begin or an end.
inline Bytes mark_key(Line line) {
  Bytes key = "p";
  append_be(key, raw(line));
  return key;
}
inline Bytes mark_keys_end() { return "q"; }
inline const Bytes kWatermarkKey = "w";

}  // namespace tidemark::journal
