// tidemark/convert.h
//
// From a Value to the type that a program works with, exactly or not at all.

#pragma once

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "model/kv/text.h"
#include "model/kv/type.h"
#include "model/kv/value.h"

namespace tidemark {

using model::Blob;
using model::kv::Array;
using model::kv::EnumValue;
using model::kv::Field;
using model::kv::Struct;
using model::kv::Type;
using model::kv::Value;

/// Errors: kInvalidArgument, "a string where a double is wanted".
template <class T>
Result<T> from_value(const Value& value);

namespace detail {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsArray : std::false_type {};
template <class T, std::size_t kCount>
struct IsArray<std::array<T, kCount>> : std::true_type {};

/// What C++ says of the type of a key: of enums, structs and mixed arrays, nothing.
template <class T>
Type declared_type() {
  if constexpr (std::is_same_v<T, EnumValue> || std::is_same_v<T, Struct> ||
                std::is_same_v<T, Array>) {
    return Type{};
  } else {
    return model::kv::type_of<T>();
  }
}

inline Error unlike(const Value& value, const Type& wanted) {
  return {Code::kInvalidArgument, model::kv::to_text(value, 8) + " is no " + to_text(wanted)};
}

}  // namespace detail

template <class T>
Result<T> from_value(const Value& value) {
  const auto unlike = [&] { return detail::unlike(value, detail::declared_type<T>()); };
  if constexpr (std::is_same_v<T, Value>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (const auto* flag = value.get_if<bool>()) return *flag;
    return unlike();
  } else if constexpr (std::is_integral_v<T>) {
    if (const auto* number = value.get_if<std::int64_t>(); number && std::in_range<T>(*number)) {
      return static_cast<T>(*number);
    }
    if (const auto* number = value.get_if<std::uint64_t>(); number && std::in_range<T>(*number)) {
      return static_cast<T>(*number);
    }
    return unlike();
  } else if constexpr (std::is_floating_point_v<T>) {
    if (const auto* number = value.get_if<double>()) return static_cast<T>(*number);
    return unlike();
  } else if constexpr (detail::IsVector<T>::value || detail::IsArray<T>::value) {
    const auto* elements = value.get_if<Array>();
    if (elements == nullptr) return unlike();
    T converted{};
    if constexpr (detail::IsArray<T>::value) {
      if (elements->size() != converted.size()) return unlike();
    } else {
      converted.resize(elements->size());
    }
    for (std::size_t i = 0; i < elements->size(); ++i) {
      auto element = from_value<typename T::value_type>((*elements)[i]);
      if (!element) return element.error();
      converted[i] = std::move(element).value();
    }
    return converted;
  } else {
    if (const auto* same = value.get_if<T>()) return *same;
    return unlike();
  }
}

}  // namespace tidemark
