// tools/show.h
//
// Values as people and as programs read them. JSON has no NaN and no infinity: they are null,
// and "special" beside says which.

#pragma once

#include <string>
#include <vector>

#include "base/uuid.h"
#include "bus/node.h"
#include "model/live_table.h"
#include "model/pv.h"
#include "tools/context.h"
#include "tools/table.h"

namespace tidemark::tools {

/// For people: with the PV's precision when that is above 0 and does not hide the number; else
/// in full. "-" when there is none.
std::string value_text(const model::PvValue& value, const std::vector<std::string>& labels = {},
                       std::int16_t precision = 0);

/// Adds "value", and where they apply "label" (enums) and "special": "nan", "inf", "-inf", or of
/// an array {"<index>": "nan", …}. All digits.
void add_value(Json& object, const model::PvValue& value,
               const std::vector<std::string>& labels = {});
/// The same as an object of its own.
Json value_json(const model::PvValue& value, const std::vector<std::string>& labels = {});

/// "nan", "inf" or "-inf"; nullptr for a number that JSON has.
const char* special_of(double number);
Json number_json(double number);

/// "HIHI MAJOR"; empty without an alarm.
std::string alarm_text(const model::Alarm& alarm);
Color alarm_color(const model::Alarm& alarm);
Json alarm_json(const model::Alarm& alarm);

/// "ok" when connected.
std::string state_text(model::LiveState state);
Color state_color(model::LiveState state);
Color state_color(bus::NodeState state);

/// "-" and null for the epoch, which means never.
std::string time_text(UtcTime time, int digits = 3);
Json time_json(UtcTime time);

/// The first eight digits: enough to name one of a site's snapshots.
std::string short_id(const Uuid& id);

}  // namespace tidemark::tools
