#include "tools/replays.h"

#include <charconv>
#include <ostream>

#include "model/api/node.h"
#include "tools/past.h"
#include "tools/show.h"

namespace tidemark::tools {

namespace api = model::api;

Result<api::ReplayStatus> find_replay(const Context& context, Client& client,
                                      const std::string& id) {
  const auto list = client.ask<api::ReplayList>("journal", "journal.replay_list", api::Empty{},
                                                context.budget(std::chrono::seconds(5)));
  if (!list) return list.error();
  const api::ReplayStatus* found = nullptr;
  for (const auto& replay : list.value().replays) {
    if (id.empty() || !replay.id.text().starts_with(id)) continue;
    if (found != nullptr) {
      return Error{Code::kConflict, "several replays begin with '" + printable(id) + "'"};
    }
    found = &replay;
  }
  if (found != nullptr) return *found;
  return Error{Code::kNotFound,
               "there is no replay '" + printable(id) + "': see `tidemark replay list`"};
}

Result<std::pair<std::vector<api::LiveValue>, bool>> replayed_values(
    const Context& context, Client& client, const api::ReplayStatus& replay,
    const std::vector<std::string>& names) {
  api::StateQuery query;
  // Line 0 is before everything, and as a question it would mean now.
  query.at = replay.line == 0 ? api::Moment{0, UtcTime{}} : api::Moment{replay.line, std::nullopt};
  query.addresses = names.empty() ? std::vector<std::string>{"*"} : names;
  std::vector<api::LiveValue> values;
  Unknown unknown(names);
  const auto end = ask_in_parts<api::PastValues, api::PastEnd>(
      context, client, "journal.state", query, [&](api::PastValues part) {
        for (auto& value : part.values) {
          unknown.saw(value.address);
          values.push_back(std::move(value));
        }
      });
  if (!end) return end.error();
  const bool complete = !unknown.report(context, client, end.value().unknown);
  return std::pair(std::move(values), complete);
}

Result<double> parse_speed(std::string_view text) {
  const auto whole = text;
  if (text == "max") return api::ReplayRequest::kAsFastAsItGoes;
  if (text.starts_with('x')) text.remove_prefix(1);
  double speed = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, speed);
  const bool fits = error == std::errc{} && stop == end && speed >= api::ReplayRequest::kSpeedMin &&
                    speed <= api::ReplayRequest::kSpeedMax;
  if (fits) return speed;
  return Error{Code::kInvalidArgument,
               "'" + printable(whole) + "' is no speed: 0.1 to 1000, or max"};
}

std::string speed_text(double speed) {
  if (speed == api::ReplayRequest::kAsFastAsItGoes) return "max";
  return "x" + model::to_text(speed);
}

std::string replay_text(const api::ReplayStatus& replay) {
  return time_text(replay.moment) + ", line " + std::to_string(replay.line) + " of " +
         std::to_string(replay.from) + ".." + std::to_string(replay.to) + ", " +
         std::string(to_string(replay.phase)) + ", " + speed_text(replay.speed);
}

Json replay_json(const api::ReplayStatus& replay) {
  Json out = {{"replay", replay.id.text()},
              {"phase", std::string(to_string(replay.phase))},
              {"moment", time_json(replay.moment)},
              {"line", replay.line},
              {"from", replay.from},
              {"from_time", time_json(replay.from_time)},
              {"to", replay.to},
              {"to_time", time_json(replay.to_time)}};
  out["speed"] =
      replay.speed == api::ReplayRequest::kAsFastAsItGoes ? Json("max") : Json(replay.speed);
  out["updates"] = replay.updates;
  out["records"] = replay.records;
  out["readers"] = replay.readers;
  out["user"] = replay.user;
  return out;
}

Option add_replay_option(Command command, std::string& into) {
  return command
      .add_option("--replay", into, "Of this replay, not of now: its id, or the first digits")
      .type_name("ID");
}

}  // namespace tidemark::tools
