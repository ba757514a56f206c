// epics/put_value.h
//
// Turns the value of a put into the type that the PV has, when nothing is lost by it. What a
// person types is a double or a text; what a snapshot holds may be of the type of last year.

#pragma once

#include <string>

#include "model/pv.h"

namespace tidemark::epics {

/// `value` as the native type of a PV with `meta`.
///
///   to a number     from a number that it holds exactly (a float may round a double), a text
///                   that is one, an enum's index
///   to an enum      from an index, a number or a text: a label, or else the number of a state
///   to a string     from any scalar
///   to an array     from an array of the same rules, not longer than the PV; from a scalar as
///                   its first element. To a scalar from an array of one element.
///
/// Errors: kRefused, saying what does not fit (without the PV's name).
Result<model::PvValue> to_native(const model::PvValue& value, const model::PvMeta& meta);

}  // namespace tidemark::epics
