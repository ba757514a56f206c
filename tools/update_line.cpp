#include "tools/update_line.h"

#include <algorithm>
#include <charconv>

#include "tools/show.h"

namespace tidemark::tools {
namespace {

void append(std::string& out, const Json& json) {
  // replace: a string that an IOC gave need not be UTF-8.
  out += json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void append(std::string& out, std::uint64_t number) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

bool needs_no_escape(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

void append(std::string& out, std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), needs_no_escape)) return append(out, Json(text));
  out += '"';
  out += text;
  out += '"';
}

void append(std::string& out, UtcTime time) {
  if (time == UtcTime{}) {
    out += "null";
    return;
  }
  out += '"';
  out += to_iso(time, 9);
  out += '"';
}

/// `name` with the comma before it.
template <class T>
void append(std::string& out, std::string_view name, const T& value) {
  out += ",\"";
  out += name;
  out += "\":";
  append(out, value);
}

/// "value", and "special" where it applies.
void append_value(std::string& out, const model::PvValue& value) {
  Json members = Json::object();
  add_value(members, value);
  for (const auto& [name, member] : members.items()) append(out, name, member);
}

}  // namespace

void append_update_line(std::string& out, const model::api::LogLine& line) {
  out += "{\"line\":";
  append(out, line.line);
  append(out, "recorded_at", line.recorded_at);
  append(out, "origin", std::string_view(line.origin));
  append(out, "incarnation", std::uint64_t{line.incarnation});
  append(out, "sequence", line.sequence);
  append(out, "kind", model::to_string(line.kind));
  append(out, "level", model::to_string(line.level));
  append(out, "subject", std::string_view(line.subject));
  append(out, "text", std::string_view(line.text));
  append(out, "type", model::type_name(line.value));
  append_value(out, line.value);
  if (line.alarm == model::Alarm{}) {
    static const auto none = "\"alarm\":" + alarm_json({}).dump();
    out += ',';
    out += none;
  } else {
    append(out, "alarm", alarm_json(line.alarm));
  }
  append(out, "taken_at", line.taken_at);
  out += '}';
}

}  // namespace tidemark::tools
