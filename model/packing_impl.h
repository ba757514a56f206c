// model/packing_impl.h
//
// How packing.h does it, on msgpack-c. Include it in *_codec.cpp files only.

#pragma once

#include <bit>
#include <cstdint>
#include <map>
#include <msgpack.hpp>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/uuid.h"
#include "model/packing.h"
#include "model/pv.h"

namespace tidemark::model::kv {
struct Value;
}

namespace tidemark::model::packing {

struct Mismatch {  // Thrown inside this file only; unpack() turns it into an Error.
  const char* expected;
};

/// Depth and sizes before anything is allocated. Arrays: 1 M elements; strings and bytes 64 MiB,
/// the size of a request, since they are not copied while decoding.
inline msgpack::unpack_limit limits() {
  constexpr std::size_t kElements = 1u << 20;
  constexpr std::size_t kBytes = 64u << 20;
  constexpr std::size_t kDepth = 32;  // A kv::Value or kv::Type takes 24 at most; the rest is ours.
  return {kElements, 4096, kBytes, kBytes, kBytes, kDepth};
}

struct Sink {  // A std::string as msgpack wants its buffers.
  Bytes& out;
  void write(const char* data, std::size_t size) { out.append(data, size); }
};
using Packer = msgpack::packer<Sink>;

template <class T>
concept HasFields = requires(T& value) {
  T::fields(value);
};

/// Has parts that can contradict each other, and says whether they do.
template <class T>
concept HasCoherence = requires(const T& value) {
  value.coherent();
};

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsStringMap : std::false_type {};
template <class T>
struct IsStringMap<std::map<std::string, T>> : std::true_type {};
template <class T>
struct IsPair : std::false_type {};
template <class A, class B>
struct IsPair<std::pair<A, B>> : std::true_type {};

/// Bytes that are msgpack already.
inline void put_raw(Packer& packer, BytesView packed) {
  packer.pack_bin_body(packed.data(), static_cast<std::uint32_t>(packed.size()));
}

/// msgpack-c packs a double that is a whole number as an integer, and so loses the sign of -0.0.
inline void put_double(Packer& packer, double number) {
  Bytes raw(1, '\xcb');
  append_be(raw, std::bit_cast<std::uint64_t>(number));
  put_raw(packer, raw);
}
inline void put_float(Packer& packer, float number) {
  Bytes raw(1, '\xca');
  append_be(raw, std::bit_cast<std::uint32_t>(number));
  put_raw(packer, raw);
}

void put_value(Packer& packer, const PvValue& value);
PvValue get_value(const msgpack::object& from);
void put_value(Packer& packer, const kv::Value& value);
void get_value(const msgpack::object& from, kv::Value& into);

template <class T>
void put(Packer& packer, const T& value) {
  if constexpr (HasFields<T>) {
    const auto fields = T::fields(value);
    packer.pack_array(static_cast<std::uint32_t>(std::tuple_size_v<decltype(fields)>));
    std::apply([&](const auto&... field) { (put(packer, field), ...); }, fields);
  } else if constexpr (std::is_same_v<T, PvValue> || std::is_same_v<T, kv::Value>) {
    put_value(packer, value);
  } else if constexpr (std::is_same_v<T, Blob>) {
    packer.pack_bin(static_cast<std::uint32_t>(value.bytes.size()));
    packer.pack_bin_body(value.bytes.data(), static_cast<std::uint32_t>(value.bytes.size()));
  } else if constexpr (std::is_same_v<T, double>) {
    put_double(packer, value);
  } else if constexpr (std::is_enum_v<T>) {
    packer.pack(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_same_v<T, UtcTime>) {
    packer.pack(static_cast<std::int64_t>(value.time_since_epoch().count()));
  } else if constexpr (std::is_same_v<T, Duration>) {
    packer.pack(static_cast<std::int64_t>(value.count()));
  } else if constexpr (std::is_same_v<T, Uuid>) {
    packer.pack_bin(static_cast<std::uint32_t>(value.bytes.size()));
    packer.pack_bin_body(reinterpret_cast<const char*>(value.bytes.data()),
                         static_cast<std::uint32_t>(value.bytes.size()));
  } else if constexpr (std::is_same_v<T, Range>) {
    packer.pack_array(2);
    put_double(packer, value.low);
    put_double(packer, value.high);
  } else if constexpr (std::is_same_v<T, Alarm>) {
    packer.pack_array(2);
    packer.pack(static_cast<std::uint8_t>(value.severity));
    packer.pack(value.status);
  } else if constexpr (IsOptional<T>::value) {
    if (value) {
      put(packer, *value);
    } else {
      packer.pack_nil();
    }
  } else if constexpr (IsVector<T>::value) {
    packer.pack_array(static_cast<std::uint32_t>(value.size()));
    for (const auto& each : value) put(packer, each);
  } else if constexpr (IsPair<T>::value) {
    packer.pack_array(2);
    put(packer, value.first);
    put(packer, value.second);
  } else if constexpr (IsStringMap<T>::value) {
    packer.pack_map(static_cast<std::uint32_t>(value.size()));
    for (const auto& [key, each] : value) {
      packer.pack(key);
      put(packer, each);
    }
  } else {
    packer.pack(value);  // bool, integers, double, std::string
  }
}

inline const msgpack::object_array& array_of(const msgpack::object& from) {
  if (from.type != msgpack::type::ARRAY) throw Mismatch{"an array"};
  return from.via.array;
}

template <class T>
void get(const msgpack::object& from, T& into) {
  if constexpr (HasFields<T>) {
    const auto& array = array_of(from);
    auto fields = T::fields(into);
    std::uint32_t at = 0;
    const auto next = [&](auto& field) {
      if (at < array.size) get(array.ptr[at], field);
      ++at;
    };
    std::apply([&](auto&... field) { (next(field), ...); }, fields);
    if constexpr (HasCoherence<T>) {
      if (!into.coherent()) throw Mismatch{"parts that fit together"};
    }
  } else if constexpr (std::is_same_v<T, PvValue>) {
    into = get_value(from);
  } else if constexpr (std::is_same_v<T, kv::Value>) {
    get_value(from, into);
  } else if constexpr (std::is_same_v<T, Blob>) {
    into.bytes = from.as<std::string>();
  } else if constexpr (std::is_enum_v<T>) {
    into = static_cast<T>(from.as<std::underlying_type_t<T>>());
  } else if constexpr (std::is_same_v<T, UtcTime>) {
    into = UtcTime{Duration{from.as<std::int64_t>()}};
  } else if constexpr (std::is_same_v<T, Duration>) {
    into = Duration{from.as<std::int64_t>()};
  } else if constexpr (std::is_same_v<T, Uuid>) {
    if (from.type != msgpack::type::BIN || from.via.bin.size != into.bytes.size()) {
      throw Mismatch{"16 bytes of UUID"};
    }
    std::memcpy(into.bytes.data(), from.via.bin.ptr, into.bytes.size());
  } else if constexpr (std::is_same_v<T, Range>) {
    const auto& array = array_of(from);
    if (array.size < 2) throw Mismatch{"low and high"};
    into = Range{array.ptr[0].as<double>(), array.ptr[1].as<double>()};
  } else if constexpr (std::is_same_v<T, Alarm>) {
    const auto& array = array_of(from);
    if (array.size < 2) throw Mismatch{"severity and status"};
    into = Alarm{static_cast<Severity>(array.ptr[0].as<std::uint8_t>()),
                 array.ptr[1].as<std::uint8_t>()};
    if (into.severity > Severity::kInvalid) throw Mismatch{"a severity from 0 to 3"};
  } else if constexpr (IsOptional<T>::value) {
    if (from.is_nil()) {
      into.reset();
    } else {
      get(from, into.emplace());
    }
  } else if constexpr (IsVector<T>::value) {
    const auto& array = array_of(from);
    into.clear();
    into.reserve(array.size);
    for (std::uint32_t i = 0; i < array.size; ++i) get(array.ptr[i], into.emplace_back());
  } else if constexpr (IsPair<T>::value) {
    const auto& array = array_of(from);
    if (array.size < 2) throw Mismatch{"a pair"};
    get(array.ptr[0], into.first);
    get(array.ptr[1], into.second);
  } else if constexpr (IsStringMap<T>::value) {
    if (from.type != msgpack::type::MAP) throw Mismatch{"a map"};
    into.clear();
    for (std::uint32_t i = 0; i < from.via.map.size; ++i) {
      const auto& entry = from.via.map.ptr[i];
      get(entry.val, into[entry.key.as<std::string>()]);
    }
  } else {
    into = from.as<T>();
  }
}

/// msgpack-c copies strings and bytes into its zone unless told to point into the input.
inline bool by_reference(msgpack::type::object_type, std::size_t, void*) { return true; }

template <class Visit>
Result<Unit> visit_packed(BytesView bytes, Visit&& visit) {
  try {
    std::size_t offset = 0;
    const auto handle =
        msgpack::unpack(bytes.data(), bytes.size(), offset, &by_reference, nullptr, limits());
    if (offset != bytes.size()) {
      return Error{Code::kCorruption,
                   "msgpack: " + std::to_string(bytes.size() - offset) + " bytes after the end"};
    }
    visit(handle.get());
    return Unit{};
  } catch (const Mismatch& mismatch) {
    return Error{Code::kCorruption, std::string("msgpack: expected ") + mismatch.expected};
  } catch (const std::exception& failure) {
    return Error{Code::kCorruption, std::string("msgpack: ") + failure.what()};
  }
}

}  // namespace tidemark::model::packing

namespace tidemark::model {

template <class T>
Bytes pack(const T& value) {
  Bytes out;
  packing::Sink sink{out};
  packing::Packer packer(sink);
  packing::put(packer, value);
  return out;
}

template <class T>
Result<T> unpack(BytesView bytes) {
  T value{};
  const auto read =
      packing::visit_packed(bytes, [&](const msgpack::object& from) { packing::get(from, value); });
  if (!read) return read.error();
  return value;
}

}  // namespace tidemark::model

#define TIDEMARK_PACKABLE(Type)                                  \
  template ::tidemark::Bytes tidemark::model::pack(const Type&); \
  template ::tidemark::Result<Type> tidemark::model::unpack<Type>(::tidemark::BytesView)
