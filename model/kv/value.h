// model/kv/value.h
//
// What a key of a laboratory subsystem holds, and what calls carry: a scalar, an array, or a
// struct with named fields, nested at will. A value knows its own kind, and nothing else: units,
// limits and labels are the key's (key_spec.h).
//
// Arrays and structs are shared and never changed, so copying any value is cheap.

#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/packing.h"

namespace tidemark::model::kv {

struct Value;
struct Field;
using Array = std::vector<Value>;
using Struct = std::vector<Field>;  // In the order of its type.

/// One of the labels of an enum. The index alone is enough to write one: conform() adds the label.
struct EnumValue {
  std::uint16_t index = 0;
  std::string label;
  bool operator==(const EnumValue&) const = default;
};

/// What no decoder takes, so that hostile bytes cost neither stack nor memory: levels of arrays
/// and structs in each other, a scalar being one, and elements and fields of a value in all.
inline constexpr std::size_t kValueDepthMax = 16;
inline constexpr std::size_t kValueElementsMax = 1u << 20;

struct Value {
  Value() = default;  // none
  template <std::same_as<bool> B>
  Value(B flag) : content_(flag) {}
  template <std::integral I>
  requires(!std::same_as<I, bool>) Value(I number) : content_(widest(number)) {}
  template <std::floating_point F>
  Value(F number) : content_(static_cast<double>(number)) {}
  Value(const char* text) : content_(std::string(text)) {}
  Value(std::string_view text) : content_(std::string(text)) {}
  Value(std::string text) : content_(std::move(text)) {}
  Value(Blob bytes) : content_(std::move(bytes)) {}
  Value(EnumValue choice) : content_(std::move(choice)) {}
  Value(UtcTime time) : content_(time) {}
  template <class Rep, class Period>
  requires std::convertible_to<std::chrono::duration<Rep, Period>, Duration> Value(
      std::chrono::duration<Rep, Period> duration)
      : content_(Duration(duration)) {}
  Value(Array elements);
  Value(Struct fields);
  template <std::convertible_to<Value> T>
  Value(const std::vector<T>& elements);
  template <std::convertible_to<Value> T, std::size_t kCount>
  Value(const std::array<T, kCount>& elements);

  /// The content, when it is a T: bool, std::int64_t, std::uint64_t, double, std::string, Blob,
  /// EnumValue, UtcTime, Duration, Array or Struct. Null when it is not.
  template <class T>
  const T* get_if() const;
  bool is_none() const { return std::holds_alternative<std::monostate>(content_); }

  /// The field of that name; null when there is none, or this is no struct.
  const Value* field(std::string_view name) const;

  /// The position of the content in the list below: the number of its Kind (type.h).
  std::size_t index() const { return content_.index(); }

  /// Calls `visitor` with the content: std::monostate, or one of the types of get_if().
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const;

 private:
  template <class T>
  using Shared = std::shared_ptr<const T>;  // Never null.

  template <std::integral I>
  static auto widest(I number) {
    return static_cast<std::conditional_t<std::is_signed_v<I>, std::int64_t, std::uint64_t>>(
        number);
  }

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Blob,
               EnumValue, UtcTime, Duration, Shared<Array>, Shared<Struct>>
      content_;
};

struct Field {
  std::string name;
  Value value;
};

/// Of the same kind and content; 1 is not 1.0, and NaN is not NaN.
bool operator==(const Value& a, const Value& b);
bool operator==(const Field& a, const Field& b);

/// As ==, but NaN is NaN: nobody could tell the two apart.
bool same_value(const Value& a, const Value& b);

/// Errors: kInvalidArgument, over kValueDepthMax or kValueElementsMax: nobody would decode it.
Result<Unit> check_size(const Value& value);

template <std::convertible_to<Value> T>
Value::Value(const std::vector<T>& elements) : Value(Array(elements.begin(), elements.end())) {}

template <std::convertible_to<Value> T, std::size_t kCount>
Value::Value(const std::array<T, kCount>& elements)
    : Value(Array(elements.begin(), elements.end())) {}

template <class T>
const T* Value::get_if() const {
  if constexpr (std::same_as<T, Array> || std::same_as<T, Struct>) {
    const auto* shared = std::get_if<Shared<T>>(&content_);
    return shared ? shared->get() : nullptr;
  } else {
    return std::get_if<T>(&content_);
  }
}

template <class Visitor>
decltype(auto) Value::visit(Visitor&& visitor) const {
  return std::visit(
      [&](const auto& each) -> decltype(auto) {
        if constexpr (requires { each.get(); }) {
          return visitor(*each);
        } else {
          return visitor(each);
        }
      },
      content_);
}

}  // namespace tidemark::model::kv
