// model/kv/codec.cpp
//
// Values as plain msgpack, which any language reads: nil, bool, int, float 64, str, bin, array, a
// map of strings for a struct, and three extension types, big-endian as msgpack is:
//
//   1  timestamp  int64, nanoseconds since 1970
//   2  duration   int64, nanoseconds
//   3  enum       uint16 index, then the label in UTF-8
//
// msgpack has one kind of positive integer, so a uint64 that an int64 can hold comes back as
// int64; conform() gives it the type of its key.

#include <limits>

#include "model/kv/key_spec.h"
#include "model/packing_impl.h"

namespace tidemark::model::packing {
namespace {

/// Sent: never renumber.
constexpr std::int8_t kTimestampExt = 1;
constexpr std::int8_t kDurationExt = 2;
constexpr std::int8_t kEnumExt = 3;

void put_ext(Packer& packer, std::int8_t type, BytesView body) {
  packer.pack_ext(body.size(), type);
  packer.pack_ext_body(body.data(), static_cast<std::uint32_t>(body.size()));
}

void put_nanoseconds(Packer& packer, std::int8_t type, Duration duration) {
  Bytes body;
  append_be(body, static_cast<std::uint64_t>(duration.count()));
  put_ext(packer, type, body);
}

Duration get_nanoseconds(BytesView body) {
  if (body.size() != sizeof(std::int64_t)) throw Mismatch{"8 bytes of nanoseconds"};
  return Duration{static_cast<std::int64_t>(read_be<std::uint64_t>(body, 0))};
}

kv::Value get_ext(const msgpack::object_ext& ext) {
  const BytesView body(ext.data(), ext.size);
  switch (ext.type()) {
    case kTimestampExt: return UtcTime{get_nanoseconds(body)};
    case kDurationExt: return get_nanoseconds(body);
    case kEnumExt:
      if (body.size() < sizeof(std::uint16_t)) throw Mismatch{"2 bytes of enum index"};
      return kv::EnumValue{read_be<std::uint16_t>(body, 0),
                           std::string(body.substr(sizeof(std::uint16_t)))};
    default: throw Mismatch{"extension type 1, 2 or 3"};
  }
}

/// Keeps kValueDepthMax and kValueElementsMax over one value.
class ValueReader {
 public:
  kv::Value read(const msgpack::object& from) {
    if (depth_ > kv::kValueDepthMax) throw Mismatch{"at most 16 levels in a value"};
    switch (from.type) {
      case msgpack::type::NIL: return {};
      case msgpack::type::BOOLEAN: return from.via.boolean;
      case msgpack::type::NEGATIVE_INTEGER: return std::int64_t{from.via.i64};
      case msgpack::type::POSITIVE_INTEGER:
        if (from.via.u64 > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
          return std::uint64_t{from.via.u64};
        }
        return static_cast<std::int64_t>(from.via.u64);
      case msgpack::type::FLOAT32:
      case msgpack::type::FLOAT64: return from.via.f64;
      case msgpack::type::STR: return std::string(from.via.str.ptr, from.via.str.size);
      case msgpack::type::BIN: return Blob{Bytes(from.via.bin.ptr, from.via.bin.size)};
      case msgpack::type::ARRAY: return read_array(from.via.array);
      case msgpack::type::MAP: return read_struct(from.via.map);
      case msgpack::type::EXT: return get_ext(from.via.ext);
    }
    throw Mismatch{"a value"};
  }

 private:
  kv::Value read_array(const msgpack::object_array& from) {
    enter(from.size);
    kv::Array elements;
    elements.reserve(from.size);
    for (std::uint32_t i = 0; i < from.size; ++i) elements.push_back(read(from.ptr[i]));
    --depth_;
    return elements;
  }

  kv::Value read_struct(const msgpack::object_map& from) {
    enter(from.size);
    kv::Struct fields;
    fields.reserve(from.size);
    for (std::uint32_t i = 0; i < from.size; ++i) {
      const auto& [name, value] = from.ptr[i];
      if (name.type != msgpack::type::STR) throw Mismatch{"field names that are strings"};
      fields.push_back({std::string(name.via.str.ptr, name.via.str.size), read(value)});
    }
    --depth_;
    return fields;
  }

  void enter(std::size_t elements) {
    ++depth_;
    elements_ += elements;
    if (elements_ > kv::kValueElementsMax) throw Mismatch{"at most 1048576 elements in a value"};
  }

  std::size_t depth_ = 1;  // of what is read next
  std::size_t elements_ = 0;
};

}  // namespace

void put_value(Packer& packer, const kv::Value& value) {
  value.visit([&](const auto& each) {
    using T = std::decay_t<decltype(each)>;
    if constexpr (std::is_same_v<T, std::monostate>) {
      packer.pack_nil();
    } else if constexpr (std::is_same_v<T, kv::EnumValue>) {
      Bytes body;
      append_be(body, each.index);
      put_ext(packer, kEnumExt, body + each.label);
    } else if constexpr (std::is_same_v<T, UtcTime>) {
      put_nanoseconds(packer, kTimestampExt, each.time_since_epoch());
    } else if constexpr (std::is_same_v<T, Duration>) {
      put_nanoseconds(packer, kDurationExt, each);
    } else if constexpr (std::is_same_v<T, kv::Struct>) {
      packer.pack_map(static_cast<std::uint32_t>(each.size()));
      for (const auto& field : each) {
        packer.pack(field.name);
        put_value(packer, field.value);
      }
    } else {
      put(packer, each);
    }
  });
}

void get_value(const msgpack::object& from, kv::Value& into) { into = ValueReader().read(from); }

}  // namespace tidemark::model::packing

namespace tidemark::model {

TIDEMARK_PACKABLE(kv::Value);
TIDEMARK_PACKABLE(kv::Type);
TIDEMARK_PACKABLE(kv::KeySpec);

}  // namespace tidemark::model
