// model/kv/text.h
//
// Values as people read and type them on the command line:
//
//   0.1   on   2026-11-21T14:05:00.000000000Z   1500ms   0x00ff   [1, 2, 3]   {x: 1, name: "a b"}
//
// A string or a label by itself stands as it is; inside an array or a struct it is in quotes unless
// it is one word.

#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "model/kv/type.h"
#include "model/kv/value.h"

namespace tidemark::model::kv {

/// Full precision; "none" for none. Of a longer array the first `elements_max` elements and how
/// many there are, which parse_text() does not read: [1, 2, … 1000].
std::string to_text(const Value& value,
                    std::size_t elements_max = std::numeric_limits<std::size_t>::max());

/// The inverse of to_text() for every value of `type` that holds no `any`. Enums also by index,
/// times (1678 to 2261) as parse_iso() takes them, durations as a number and ns, us, ms, s, m, h or
/// d.
///
/// An `any` is guessed: none, true and false, integers, floating-point numbers, quoted strings,
/// arrays and structs of such; all else is a string. `type` passes check_type().
///
/// Errors: kInvalidArgument, naming the position and what was expected there. Limits of a key are
/// not looked at, nor lengths: that is conform() (key_spec.h).
Result<Value> parse_text(std::string_view text, const Type& type);

}  // namespace tidemark::model::kv
