// model/kv/type.h
//
// What kind of value a key takes, as a value itself: it can be sent, compared, and written as
// text, in the catalogue and on the command line:
//
//   double   enum(off|on|moving)   double[]   int64[3]   {x: double, n: int64[]}[]   any

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/kv/value.h"

namespace tidemark::model::kv {

/// Sent, and the order of Value's contents: never renumber, only append.
enum class Kind : std::uint8_t {
  kAny = 0,  // of a type: anything; of a value: none
  kBool = 1,
  kInt64 = 2,
  kUint64 = 3,
  kDouble = 4,
  kString = 5,
  kBytes = 6,
  kEnum = 7,
  kTimestamp = 8,
  kDuration = 9,
  kArray = 10,
  kStruct = 11,
};
std::string_view to_string(Kind kind);  // "any", "bool", …; "unknown"

inline Kind kind_of(const Value& value) { return static_cast<Kind>(value.index()); }

/// Levels of arrays and structs in each other, a scalar being one. Types are written by people.
inline constexpr std::size_t kTypeDepthMax = 8;

struct TypeField;

struct Type {
  Kind kind = Kind::kAny;
  std::vector<std::string> labels;      // of an enum, by index
  std::vector<Type> element;            // of an array: one
  std::optional<std::uint32_t> length;  // of an array that is always this long
  std::vector<TypeField> members;       // of a struct, in order

  bool operator==(const Type& other) const;
  static auto fields(auto& s) { return std::tie(s.kind, s.labels, s.element, s.length, s.members); }
  /// See check_type(). unpack() refuses a type that is not.
  bool coherent() const;
};

struct TypeField {
  std::string name;
  Type type;
  bool operator==(const TypeField&) const = default;
  static auto fields(auto& s) { return std::tie(s.name, s.type); }
};

Type scalar(Kind kind);
Type enum_of(std::vector<std::string> labels);
Type array_of(Type element, std::optional<std::uint32_t> length = std::nullopt);
Type struct_of(std::vector<TypeField> members);

/// Errors: kInvalidArgument, when a part belongs to another kind or is missing, labels or field
/// names are empty or there twice, or kTypeDepthMax is passed.
Result<Unit> check_type(const Type& type);

std::string to_text(const Type& type);

/// The inverse of to_text(); the result passes check_type().
/// Errors: kInvalidArgument, naming the position and what was expected there.
Result<Type> parse_type(std::string_view text);

namespace detail {
template <class T>
struct TypeOf;
}

/// The type for a C++ type: bool, integers, float, double, std::string, Blob, UtcTime, Duration,
/// Value (any), and std::vector and std::array of these.
template <class T>
Type type_of() {
  return detail::TypeOf<T>::make();
}

namespace detail {
template <Kind kKind>
struct Scalar {
  static Type make() { return scalar(kKind); }
};
template <>
struct TypeOf<Value> : Scalar<Kind::kAny> {};
template <>
struct TypeOf<bool> : Scalar<Kind::kBool> {};
template <std::signed_integral T>
struct TypeOf<T> : Scalar<Kind::kInt64> {};
template <std::unsigned_integral T>
struct TypeOf<T> : Scalar<Kind::kUint64> {};
template <std::floating_point T>
struct TypeOf<T> : Scalar<Kind::kDouble> {};
template <>
struct TypeOf<std::string> : Scalar<Kind::kString> {};
template <>
struct TypeOf<Blob> : Scalar<Kind::kBytes> {};
template <>
struct TypeOf<UtcTime> : Scalar<Kind::kTimestamp> {};
template <>
struct TypeOf<Duration> : Scalar<Kind::kDuration> {};
template <class T>
struct TypeOf<std::vector<T>> {
  static Type make() { return array_of(type_of<T>()); }
};
template <class T, std::size_t kCount>
struct TypeOf<std::array<T, kCount>> {
  static Type make() { return array_of(type_of<T>(), std::uint32_t{kCount}); }
};
}  // namespace detail

}  // namespace tidemark::model::kv
