// test/model/kv_arbitrary.h
//
// Arbitrary types and values of the key/value surface for rapidcheck.

#pragma once

#include "arbitrary.h"
#include "model/kv/type.h"

namespace tidemark::model::kv::arbitrary {

using model::arbitrary::any;
using model::arbitrary::any_double;

/// Distinct and not empty, some of them not words.
inline std::vector<std::string> any_names() {
  std::vector<std::string> names;
  const auto count = *rc::gen::inRange(1, 4);
  for (int i = 0; i < count; ++i) names.push_back(any<std::string>() + std::to_string(i));
  return names;
}

/// Without `any`. kArray comes before kStruct, and both only while there is depth left.
inline Type any_type(int depth = 3) {
  const auto kinds = static_cast<int>(depth > 0 ? Kind::kStruct : Kind::kDuration);
  const auto kind = static_cast<Kind>(*rc::gen::inRange(1, kinds + 1));
  if (kind == Kind::kEnum) return enum_of(any_names());
  if (kind == Kind::kArray) {
    const auto length = *rc::gen::inRange<std::uint32_t>(0, 4);
    return array_of(any_type(depth - 1), length > 0 ? std::optional(length) : std::nullopt);
  }
  if (kind == Kind::kStruct) {
    std::vector<TypeField> members;
    for (auto& name : any_names()) members.push_back({std::move(name), any_type(depth - 1)});
    return struct_of(std::move(members));
  }
  return scalar(kind);
}

/// Within the years that have a text.
inline UtcTime any_time() {
  constexpr std::int64_t kNanoseconds = 9'000'000'000'000'000'000;
  return UtcTime{Duration{any<std::int64_t>() % kNanoseconds}};
}

inline Value any_value_of(const Type& type) {
  switch (type.kind) {
    case Kind::kAny: return {};
    case Kind::kBool: return any<bool>();
    case Kind::kInt64: return any<std::int64_t>();
    case Kind::kUint64: return any<std::uint64_t>();
    case Kind::kDouble: return any_double();
    case Kind::kString: return any<std::string>();
    case Kind::kBytes: return Blob{any<std::string>()};
    case Kind::kEnum: {
      const auto index = *rc::gen::inRange<std::size_t>(0, type.labels.size());
      return EnumValue{static_cast<std::uint16_t>(index), type.labels[index]};
    }
    case Kind::kTimestamp: return any_time();
    case Kind::kDuration: return Duration{any<std::int64_t>()};
    case Kind::kArray: {
      Array elements(type.length ? *type.length : *rc::gen::inRange<std::size_t>(0, 4));
      for (auto& each : elements) each = any_value_of(type.element.front());
      return elements;
    }
    case Kind::kStruct: {
      Struct fields;
      for (const auto& each : type.members) fields.push_back({each.name, any_value_of(each.type)});
      return fields;
    }
  }
  return {};
}

}  // namespace tidemark::model::kv::arbitrary
