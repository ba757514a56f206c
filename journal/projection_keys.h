// journal/projection_keys.h
//
// The keys of what stands beside the log. Numbers are big-endian: the order of keys is theirs.
//
//   a first line u64 · frame u32                    records of the segment that begins there: those
//   b                                               that are kept, log messages, and what is said
//   c                                               of keys and events (record_class.h)
//   d width u64 · shard u32 · bin u64               what is left of the shard's updates in that bin
//   of
//                                                   time, when their lines expired
//   h segment u64 · g · shard u32 · line u64        a chunk of the shard's quiet channels
//   h segment u64 · h · channel u32 · line u64      a chunk of one busy channel
//   h segment u64 · w                               how far the segment's chunks are
//   s first line u64                                its skeleton
//   u first line u64                                its header: without one it is not closed
//   t first line u64                                what each class of it takes
//   v width u64 · first line u64                    lines that expired, and of which d has rows
//   x class u8 · first line u64                     lines whose records of a class expired
//   y line u64 · first channel u32                  a shard of the state after lines whose PV
//   updates
//                                                   expired
//
//   k line u64 · first channel u32                  a shard of the keyframe after that line
//   m channel u32 · line u64                        what the IOC said of the channel, from there on
//   p line u64                                      what the record there says of a mark
//   w                                               how far k, m and p are
//
// k, m, p and w are derived, and can be made again. So can the chunks (h) of a segment that is not
// closed. The rest is the only copy once the blocks of a segment were dropped from the log.
//
// Chunks are grouped by segment, so that writing one is sequential, dropping one is cheap, and a
// channel's past is one place per segment.

#pragma once

#include "base/bytes.h"
#include "journal/record_class.h"
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

inline Bytes segment_chunks_key(std::uint64_t segment) {
  Bytes key = "h";
  append_be(key, segment);
  return key;
}
/// `kind`: g or h.
inline Bytes any_chunk_key(std::uint64_t segment, char kind, std::uint32_t number,
                           std::uint64_t line) {
  Bytes key = segment_chunks_key(segment);
  key.push_back(kind);
  append_be(key, number);
  append_be(key, line);
  return key;
}
inline Bytes chunk_key(std::uint64_t segment, std::uint32_t channel, std::uint64_t line = 0) {
  return any_chunk_key(segment, 'h', channel, line);
}
inline Bytes quiet_key(std::uint64_t segment, std::uint32_t shard, std::uint64_t line = 0) {
  return any_chunk_key(segment, 'g', shard, line);
}
inline Bytes chunks_mark_key(std::uint64_t segment) { return segment_chunks_key(segment) + 'w'; }
inline Bytes piece_key(char kind, Line line) {
  Bytes key(1, kind);
  append_be(key, raw(line));
  return key;
}
inline Bytes header_key(Line first) { return piece_key('u', first); }
inline Bytes skeleton_key(Line first) { return piece_key('s', first); }
inline Bytes frame_key(RecordClass of, Line first, std::uint32_t frame) {
  Bytes key = piece_key(static_cast<char>('a' + static_cast<int>(of)), first);
  append_be(key, frame);
  return key;
}
inline Bytes amounts_key(Line first) { return piece_key('t', first); }
inline Bytes expired_key(RecordClass of, Line first) {
  Bytes key = "x";
  key.push_back(static_cast<char>(of));
  append_be(key, raw(first));
  return key;
}
inline Bytes base_key(Line line, std::uint32_t first_channel = 0) {
  Bytes key = piece_key('y', line);
  append_be(key, first_channel);
  return key;
}
/// `width`: of the bins, ns. Bins before 1970 come first.
inline Bytes decimated_key(std::uint64_t width, std::uint32_t shard, std::int64_t bin) {
  Bytes key = "d";
  append_be(key, width);
  append_be(key, shard);
  append_be(key, static_cast<std::uint64_t>(bin) ^ (std::uint64_t{1} << 63));
  return key;
}
inline Bytes decimated_run_key(std::uint64_t width, Line first) {
  Bytes key = "v";
  append_be(key, width);
  append_be(key, raw(first));
  return key;
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
