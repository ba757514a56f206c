// tools/replays.h
//
// Replays of the journal: which one is meant, what its PVs are called, how it is shown.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/api/replay.h"
#include "tools/command_line.h"
#include "tools/context.h"

namespace tidemark::tools {

/// The one with that id, or its first digits. Errors: kNotFound; kConflict  several begin so.
Result<model::api::ReplayStatus> find_replay(const Context& context, Client& client,
                                             const std::string& id);

/// The PVs that fit, as they are where the replay is, and whether all exact names were known: what
/// is not is said on standard error.
Result<std::pair<std::vector<model::api::LiveValue>, bool>> replayed_values(
    const Context& context, Client& client, const model::api::ReplayStatus& replay,
    const std::vector<std::string>& names);

/// "10", "x10", "max". Errors: kInvalidArgument.
Result<double> parse_speed(std::string_view text);
/// "x10", "max".
std::string speed_text(double speed);
/// "14:05:07.123Z, line 4711 of 9000, running x10".
std::string replay_text(const model::api::ReplayStatus& replay);
Json replay_json(const model::api::ReplayStatus& replay);

/// --replay ID.
Option add_replay_option(Command command, std::string& into);

}  // namespace tidemark::tools
