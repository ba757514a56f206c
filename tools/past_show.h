// tools/past_show.h
//
// What the journal says about the past, as people and as programs read it.

#pragma once

#include <string>
#include <vector>

#include "model/api/past.h"
#include "tools/context.h"
#include "tools/table.h"

namespace tidemark::tools {

/// The alarm; of a PV that was not connected, that.
Cell condition_cell(const model::api::LiveValue& value);
/// With its precision and label; red, yellow or magenta in an alarm.
Cell value_cell(const model::api::LiveValue& value);

/// live_json() less what only a live value has, and with the line.
Json past_json(const model::api::LiveValue& value, std::uint64_t line);
Json change_json(const model::api::LiveValue& before, const model::api::LiveValue& after,
                 std::uint64_t line);
Json sample_json(const model::PvUpdate& update, const std::vector<std::string>& labels,
                 std::uint64_t line);
Json bin_json(const model::api::Bin& bin);
Json expired_json(const model::Expired& expired);
/// With --json as objects of their own, `{"expired": …}`; else on standard error.
void tell_expired(const Context& context, const std::vector<model::Expired>& expired);
Json decimated_json(const model::api::Decimated& decimated);
/// The same way. `how`: what is done with them, such as "--bins shows them".
void tell_decimated(const Context& context, const std::vector<model::api::Decimated>& decimated,
                    const std::string& how);
Json blamed_json(const model::api::BlamedChange& change);

/// All digits; arrays as JSON, enums as their index.
std::string csv_value(const model::PvValue& value);
std::string csv_label(const model::PvValue& value, const std::vector<std::string>& labels);
std::string csv_number(double number);
/// Nanoseconds; empty for the epoch, which means never.
std::string csv_time(UtcTime time);

/// after - before, when both are numbers and no enums.
std::optional<double> delta_of(const model::PvValue& before, const model::PvValue& after);

/// "connected", "disconnected"; empty for a value.
std::string event_text(model::PvUpdate::Event event);

}  // namespace tidemark::tools
