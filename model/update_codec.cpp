// model/update_codec.cpp
//
// A batch is a msgpack array of columns (bin, little-endian unless said):
//
//   0  format        1
//   1  count         n
//   2  base time     ns UTC, of the first row
//   3  channels      n × u32
//   4  times         n × i64, each minus the row before (the first minus the base)
//   5  types         n × u8 (value_types.h)
//   6  alarms        n × (u8 severity, u8 status)
//   7  fixed values  the scalars of fixed width, packed in row order
//   8  others        msgpack array in row order: strings, arrays as [type, content], PvMeta
//   9  hidden        empty, or n × u32
//
// Columns, not rows: copying them is what memcpy does, zstd packs them well, and a reader in
// another language takes each with one call.

#include <cstring>

#include "model/packing_impl.h"
#include "model/pv_update.h"
#include "model/value_types.h"

namespace tidemark::model {
namespace {

constexpr std::uint32_t kFormat = 1;
constexpr std::uint32_t kColumns = 10;

/// Bytes of a scalar of that type in the column of fixed values; 0: it is among the others, or
/// has no content.
constexpr std::size_t fixed_bytes(TypeCode type) {
  switch (type) {
    case TypeCode::kDouble: return 8;
    case TypeCode::kFloat:
    case TypeCode::kLong: return 4;
    case TypeCode::kShort:
    case TypeCode::kEnum: return 2;
    case TypeCode::kChar: return 1;
    default: return 0;
  }
}

TypeCode row_type(const PvUpdate& update) {
  switch (update.event) {
    case PvUpdate::Event::kConnected: return TypeCode::kConnected;
    case PvUpdate::Event::kDisconnected: return TypeCode::kDisconnected;
    case PvUpdate::Event::kValue: break;
  }
  return type_code(update.value);
}

bool among_others(TypeCode type) {
  return fixed_bytes(type) == 0 && type != TypeCode::kNone && type != TypeCode::kDisconnected;
}

class Column {
 public:
  explicit Column(std::size_t bytes) : bytes_(bytes, '\0'), at_(bytes_.data()) {}
  template <class T>
  void put(T value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  char* at_;
};

void pack_bin(packing::Packer& packer, BytesView bytes) {
  packer.pack_bin(static_cast<std::uint32_t>(bytes.size()));
  packer.pack_bin_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
}

void put_fixed(Column& column, const PvValue& value) {
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_arithmetic_v<T>) {
          column.put(each);
        } else if constexpr (std::is_same_v<T, EnumIndex>) {
          column.put(each.index);
        }
      },
      value);
}

// PvMeta has no fields() of its own, so that model/pv.h needs no <tuple>.
auto meta_fields(auto& m) {
  return std::tie(m.native_type, m.count, m.readable, m.writable, m.host, m.units, m.precision,
                  m.display_limits, m.alarm_limits, m.warning_limits, m.control_limits, m.labels);
}
struct PackedMeta : PvMeta {
  static auto fields(auto& s) { return meta_fields(s); }
};

/// Walks one column; every take is checked.
class ColumnReader {
 public:
  ColumnReader(const msgpack::object& from, const char* name) {
    if (from.type != msgpack::type::BIN) throw packing::Mismatch{name};
    bytes_ = {from.via.bin.ptr, from.via.bin.size};
    name_ = name;
  }
  template <class T>
  T take() {
    if (bytes_.size() < sizeof(T)) throw packing::Mismatch{name_};
    T value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  bool empty() const { return bytes_.empty(); }
  void expect_bytes(std::size_t bytes) const {
    if (bytes_.size() != bytes) throw packing::Mismatch{name_};
  }
  void expect_end() const {
    if (!bytes_.empty()) throw packing::Mismatch{name_};
  }

 private:
  BytesView bytes_;
  const char* name_;
};

PvValue take_fixed(ColumnReader& fixed, TypeCode type) {
  switch (type) {
    case TypeCode::kNone: return {};
    case TypeCode::kDouble: return fixed.take<double>();
    case TypeCode::kFloat: return fixed.take<float>();
    case TypeCode::kLong: return fixed.take<std::int32_t>();
    case TypeCode::kShort: return fixed.take<std::int16_t>();
    case TypeCode::kChar: return fixed.take<std::uint8_t>();
    case TypeCode::kEnum: return EnumIndex{fixed.take<std::uint16_t>()};
    default: throw packing::Mismatch{"column 5 (types): known ones"};
  }
}

std::vector<PvUpdate> decode_columns(const msgpack::object& root, const UpdateLimits& limits) {
  const auto& columns = packing::array_of(root);
  if (columns.size < kColumns) throw packing::Mismatch{"ten columns"};
  if (columns.ptr[0].as<std::uint32_t>() != kFormat) throw packing::Mismatch{"batch format 1"};
  const auto count = columns.ptr[1].as<std::uint32_t>();
  if (count > limits.updates_max) throw packing::Mismatch{"column 1 (count): within the limit"};
  // Sums wrap like the encoder's differences did; signed overflow would be undefined.
  auto time = static_cast<std::uint64_t>(columns.ptr[2].as<std::int64_t>());
  ColumnReader channels(columns.ptr[3], "column 3 (channels): 4 bytes a row");
  ColumnReader times(columns.ptr[4], "column 4 (times): 8 bytes a row");
  ColumnReader types(columns.ptr[5], "column 5 (types): 1 byte a row");
  ColumnReader alarms(columns.ptr[6], "column 6 (alarms): 2 bytes a row");
  ColumnReader fixed(columns.ptr[7], "column 7 (fixed values): as many as the types say");
  const auto& others = packing::array_of(columns.ptr[8]);
  ColumnReader hidden(columns.ptr[9], "column 9 (hidden): none or 4 bytes a row");
  const std::size_t rows = count;
  channels.expect_bytes(rows * 4);
  times.expect_bytes(rows * 8);
  types.expect_bytes(rows);
  alarms.expect_bytes(rows * 2);
  if (!hidden.empty()) hidden.expect_bytes(rows * 4);
  const bool any_hidden = !hidden.empty();

  std::vector<PvUpdate> updates(rows);
  std::uint32_t next_other = 0;
  for (auto& update : updates) {
    update.channel = static_cast<ChannelId>(channels.take<std::uint32_t>());
    time += times.take<std::uint64_t>();
    update.taken_at = UtcTime{Duration{static_cast<std::int64_t>(time)}};
    const auto type = static_cast<TypeCode>(types.take<std::uint8_t>());
    const auto severity = alarms.take<std::uint8_t>();
    if (severity > 3) throw packing::Mismatch{"column 6 (alarms): severities from 0 to 3"};
    update.alarm = {static_cast<Severity>(severity), alarms.take<std::uint8_t>()};
    if (any_hidden) update.hidden_before = hidden.take<std::uint32_t>();
    if (type == TypeCode::kDisconnected) {
      update.event = PvUpdate::Event::kDisconnected;
    } else if (!among_others(type)) {
      update.value = take_fixed(fixed, type);
    } else {
      if (next_other == others.size) throw packing::Mismatch{"column 8 (others): one per row"};
      const auto& other = others.ptr[next_other++];
      if (type == TypeCode::kConnected) {
        auto meta = std::make_shared<PackedMeta>();
        packing::get(other, *meta);
        update.event = PvUpdate::Event::kConnected;
        update.meta = std::move(meta);
      } else if (type == TypeCode::kString) {
        update.value = other.as<std::string>();
      } else {
        update.value = packing::get_value(other);
        if (type_code(update.value) != type) {
          throw packing::Mismatch{"column 8 (others): of the type in column 5"};
        }
      }
    }
  }
  fixed.expect_end();
  if (next_other != others.size) throw packing::Mismatch{"column 8 (others): one per row"};
  return updates;
}

}  // namespace

bool operator==(const PvUpdate& a, const PvUpdate& b) {
  const bool metas = a.meta == b.meta || (a.meta && b.meta && *a.meta == *b.meta);
  return metas && a.channel == b.channel && a.event == b.event && a.alarm == b.alarm &&
         a.hidden_before == b.hidden_before && a.taken_at == b.taken_at &&
         same_value(a.value, b.value);
}

Bytes encode_updates(const std::vector<PvUpdate>& updates) {
  const auto rows = updates.size();
  TIDEMARK_CHECK(rows <= UpdateLimits{}.updates_max);
  std::size_t fixed_size = 0;
  std::uint32_t others = 0;
  bool any_hidden = false;
  Column types(rows);
  for (const auto& update : updates) {
    const auto type = row_type(update);
    types.put(static_cast<std::uint8_t>(type));
    fixed_size += fixed_bytes(type);
    others += among_others(type) ? 1 : 0;
    any_hidden |= update.hidden_before != 0;
  }
  Column channels(rows * 4);
  Column times(rows * 8);
  Column alarms(rows * 2);
  Column fixed(fixed_size);
  Column hidden(any_hidden ? rows * 4 : 0);
  const auto base = rows == 0 ? 0 : updates.front().taken_at.time_since_epoch().count();
  auto before = static_cast<std::uint64_t>(base);
  for (const auto& update : updates) {
    channels.put(raw(update.channel));
    const auto time = static_cast<std::uint64_t>(update.taken_at.time_since_epoch().count());
    times.put(time - before);
    before = time;
    alarms.put(static_cast<std::uint8_t>(update.alarm.severity));
    alarms.put(update.alarm.status);
    if (any_hidden) hidden.put(update.hidden_before);
    if (update.event == PvUpdate::Event::kValue) put_fixed(fixed, update.value);
  }

  Bytes out;
  out.reserve(rows * 24 + fixed_size + 64);
  packing::Sink sink{out};
  packing::Packer packer(sink);
  packer.pack_array(kColumns);
  packer.pack(kFormat);
  packer.pack(static_cast<std::uint32_t>(rows));
  packer.pack(static_cast<std::int64_t>(base));
  pack_bin(packer, channels.bytes());
  pack_bin(packer, times.bytes());
  pack_bin(packer, types.bytes());
  pack_bin(packer, alarms.bytes());
  pack_bin(packer, fixed.bytes());
  packer.pack_array(others);
  if (others > 0) {
    for (const auto& update : updates) {
      const auto type = row_type(update);
      if (!among_others(type)) continue;
      if (type == TypeCode::kConnected) {
        TIDEMARK_CHECK(update.meta != nullptr);
        packing::put(packer, PackedMeta{*update.meta});
      } else if (type == TypeCode::kString) {
        packer.pack(std::get<std::string>(update.value));
      } else {
        packing::put_value(packer, update.value);
      }
    }
  }
  pack_bin(packer, hidden.bytes());
  return out;
}

Result<std::vector<PvUpdate>> decode_updates(BytesView bytes, const UpdateLimits& limits) {
  if (bytes.size() > limits.batch_bytes_max) {
    return Error{Code::kCorruption, "PV batch of " + std::to_string(bytes.size()) + " bytes"};
  }
  std::vector<PvUpdate> updates;
  const auto read = packing::visit_packed(
      bytes, [&](const msgpack::object& root) { updates = decode_columns(root, limits); });
  if (!read) return Error{Code::kCorruption, "PV batch: " + read.error().message};
  return updates;
}

}  // namespace tidemark::model
