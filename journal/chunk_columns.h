// journal/chunk_columns.h
//
// Updates by columns, as a chunk has them: for who goes through many of them and wants two of the
// columns. Sorted by channel and then line. A plain value; decode_chunk() fills it again and again
// without giving back its memory.

#pragma once

#include <vector>

#include "journal/store.h"
#include "model/pv_update.h"
#include "model/value_types.h"

namespace tidemark::journal {

/// One update of a channel, and where it stands in the journal.
struct Sample {
  Line line{};
  model::PvUpdate update;
};

struct ChunkColumns {
  struct Channel {
    model::ChannelId channel{};
    std::uint32_t count = 0;
  };
  struct Values {
    model::TypeCode type{};
    std::uint32_t count = 0;
  };
  std::vector<Channel> channels;
  std::vector<std::int64_t> lines;
  std::vector<std::int64_t> times;  // ns
  std::vector<model::Alarm> alarms;
  std::vector<std::int64_t> hidden;  // empty: none hid others
  std::vector<Values> values;        // stretches of one type, across channels
  /// Of numbers and enums: a double's or a float's bits, or the integer. Else the index in others.
  std::vector<std::uint64_t> bits;
  std::vector<model::PvUpdate> others;

  std::size_t size() const { return lines.size(); }
  void clear();
};

/// Connections and losses have a type too.
model::TypeCode type_of(const model::PvUpdate& update);
/// Of a plain type; else none.
model::PvValue value_of(model::TypeCode type, std::uint64_t bits);
/// The other way: of a value that is plain; else 0.
std::uint64_t bits_of(const model::PvValue& value);
/// Numbers and enums, whose bits stand for themselves.
bool is_plain(model::TypeCode type);

ChunkColumns columns_of(const std::vector<Sample>& samples);
/// Appends to `out`.
void append_samples(const ChunkColumns& columns, std::vector<Sample>& out);

}  // namespace tidemark::journal
