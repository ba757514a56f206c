// test/model/arbitrary.h
//
// Arbitrary values, updates and records for rapidcheck. Its seed is printed with a failure.

#pragma once

#include <rapidcheck.h>

#include <bit>
#include <limits>

#include "model/pv_update.h"
#include "model/record.h"

namespace tidemark::model::arbitrary {

template <class T>
T any() {
  return *rc::gen::arbitrary<T>();
}

/// Also NaN, infinities and -0: rapidcheck gives only ordinary ones.
inline double any_double() {
  using Limits = std::numeric_limits<double>;
  return *rc::gen::oneOf(rc::gen::arbitrary<double>(),
                         rc::gen::element(Limits::quiet_NaN(), Limits::infinity(),
                                          -Limits::infinity(), -0.0, Limits::denorm_min()));
}
inline EnumIndex any_enum() { return EnumIndex{any<std::uint16_t>()}; }

template <class T>
std::vector<T> any_vector(T (*one)()) {
  std::vector<T> out(*rc::gen::inRange<std::size_t>(0, 6));
  for (auto& each : out) each = one();
  return out;
}

inline PvArray any_array() {
  switch (*rc::gen::inRange(0, 7)) {
    case 0: return any_vector<double>(&any_double);
    case 1: return any_vector<float>(&any<float>);
    case 2: return any_vector<std::int32_t>(&any<std::int32_t>);
    case 3: return any_vector<std::int16_t>(&any<std::int16_t>);
    case 4: return any_vector<std::uint8_t>(&any<std::uint8_t>);
    case 5: return any_vector<EnumIndex>(&any_enum);
    default: return any_vector<std::string>(&any<std::string>);
  }
}

inline PvValue any_value() {
  switch (*rc::gen::inRange(0, 9)) {
    case 0: return {};
    case 1: return any_double();
    case 2: return any<float>();
    case 3: return any<std::int32_t>();
    case 4: return any<std::int16_t>();
    case 5: return any<std::uint8_t>();
    case 6: return any_enum();
    case 7: return any<std::string>();
    default: return SharedArray(any_array());
  }
}

inline UtcTime any_time() { return UtcTime{Duration{any<std::int64_t>()}}; }

inline Uuid any_uuid() {
  Uuid id;
  for (auto& byte : id.bytes) byte = any<std::uint8_t>();
  return id;
}

inline std::optional<Range> any_range() {
  if (any<bool>()) return std::nullopt;
  return Range{any<double>(), any<double>()};
}

inline std::shared_ptr<const PvMeta> any_meta() {
  PvMeta meta;
  meta.native_type = any<std::string>();
  meta.count = any<std::uint32_t>();
  meta.readable = any<bool>();
  meta.writable = any<bool>();
  meta.host = any<std::string>();
  meta.units = any<std::string>();
  meta.precision = any<std::int16_t>();
  meta.display_limits = any_range();
  meta.alarm_limits = any_range();
  meta.warning_limits = any_range();
  meta.control_limits = any_range();
  meta.labels = any_vector<std::string>(&any<std::string>);
  return std::make_shared<const PvMeta>(std::move(meta));
}

inline PvUpdate any_update() {
  PvUpdate update;
  update.channel = static_cast<ChannelId>(*rc::gen::inRange<std::uint32_t>(0, 20));
  update.event = static_cast<PvUpdate::Event>(*rc::gen::inRange(0, 3));
  update.alarm = {static_cast<Severity>(*rc::gen::inRange(0, 4)), any<std::uint8_t>()};
  update.hidden_before = *rc::gen::inRange<std::uint32_t>(0, 3);
  update.taken_at = any_time();
  if (update.event == PvUpdate::Event::kValue) update.value = any_value();
  if (update.event == PvUpdate::Event::kConnected) update.meta = any_meta();
  return update;
}

inline std::vector<PvUpdate> any_updates() { return any_vector<PvUpdate>(&any_update); }

template <class T>
void fill(T& field) {
  if constexpr (std::is_same_v<T, ChannelId>) {
    field = static_cast<ChannelId>(any<std::uint32_t>());
  } else if constexpr (std::is_same_v<T, Uuid>) {
    field = any_uuid();
  } else if constexpr (std::is_same_v<T, UtcTime>) {
    field = any_time();
  } else if constexpr (std::is_same_v<T, Level>) {
    field = static_cast<Level>(*rc::gen::inRange(0, 4));
  } else if constexpr (std::is_same_v<T, PvValue>) {
    do {
      field = any_value();
    } while (!(field == field));  // Records are compared with ==, and NaN is not equal to itself.
  } else if constexpr (std::is_same_v<T, kv::Value>) {
    field = any<bool>() ? kv::Value{any<std::int64_t>()} : kv::Value{any<std::string>()};
  } else {
    field = any<T>();
  }
}

/// Of every kind that this version knows.
template <std::size_t kIndex = 0>
Record any_record_of(std::size_t index) {
  if constexpr (kIndex + 1 < std::variant_size_v<Record>) {  // the last one is UnknownRecord
    if (index > kIndex) return any_record_of<kIndex + 1>(index);
    std::variant_alternative_t<kIndex, Record> record;
    auto fields = decltype(record)::fields(record);
    std::apply([](auto&... field) { (fill(field), ...); }, fields);
    return record;
  } else {
    return NodeUp{};
  }
}
inline Record any_record() {
  return any_record_of(*rc::gen::inRange<std::size_t>(0, std::variant_size_v<Record> - 1));
}

}  // namespace tidemark::model::arbitrary
