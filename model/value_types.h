// model/value_types.h
//
// The numbers of the value types, as stored and sent: never renumber.

#pragma once

#include <cstdint>

#include "model/pv.h"

namespace tidemark::model {

enum class TypeCode : std::uint8_t {
  kNone = 0,
  kDouble = 1,
  kFloat = 2,
  kLong = 3,
  kShort = 4,
  kChar = 5,
  kEnum = 6,
  kString = 7,
  kDoubleArray = 17,  // array of type n: 16 + n
  kFloatArray = 18,
  kLongArray = 19,
  kShortArray = 20,
  kCharArray = 21,
  kEnumArray = 22,
  kStringArray = 23,
  kConnected = 64,  // rows of a PV batch that are not values
  kDisconnected = 65,
};

inline constexpr std::size_t kArrayBytesMax = 15u << 20;  // of one waveform; a frame holds 16 MiB

inline TypeCode type_code(const PvValue& value) {
  if (const auto* array = std::get_if<SharedArray>(&value)) {
    return static_cast<TypeCode>(17 + (*array)->index());
  }
  return static_cast<TypeCode>(value.index());
}

}  // namespace tidemark::model
