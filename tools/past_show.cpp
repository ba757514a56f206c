#include "tools/past_show.h"

#include "tools/documents.h"
#include "tools/show.h"
#include "tools/times.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using model::LiveState;

}  // namespace

Cell condition_cell(const api::LiveValue& value) {
  if (value.state != LiveState::kConnected) {
    return {state_text(value.state), state_color(value.state)};
  }
  return {alarm_text(value.alarm), alarm_color(value.alarm)};
}

Cell value_cell(const api::LiveValue& value) {
  auto text = value_text(value.value, value.labels, value.precision);
  if (const auto* array = std::get_if<model::SharedArray>(&value.value)) {
    constexpr std::size_t kWidth = 40;  // or one waveform makes the table hundreds wide
    const auto size = std::visit([](const auto& elements) { return elements.size(); }, **array);
    const auto tail = " " + std::to_string(size) + "]";
    if (display_width(text) > kWidth) text = shorten(text, kWidth - tail.size()) + tail;
  }
  return {std::move(text), alarm_color(value.alarm)};
}

Json past_json(const api::LiveValue& value, std::uint64_t line) {
  auto out = live_json(value);
  out.erase("received_at");
  out["line"] = line;
  return out;
}

Json change_json(const api::LiveValue& before, const api::LiveValue& after, std::uint64_t line) {
  const auto side = [](const api::LiveValue& value) {
    auto out = live_json(value);
    for (const auto* name : {"address", "received_at", "host", "writable"}) out.erase(name);
    return out;
  };
  Json out = {{"address", after.address}, {"before", side(before)}, {"after", side(after)}};
  const auto delta = delta_of(before.value, after.value);
  out["delta"] = delta ? number_json(*delta) : Json(nullptr);
  out["line"] = line;
  return out;
}

Json sample_json(const model::PvUpdate& update, const std::vector<std::string>& labels,
                 std::uint64_t line) {
  Json out = {{"taken_at", time_json(update.taken_at)}};
  const auto event = event_text(update.event);
  out["event"] = event.empty() ? "value" : event;
  out["type"] = model::type_name(update.value);
  add_value(out, update.value, labels);
  out["alarm"] = alarm_json(update.alarm);
  out["hidden_before"] = update.hidden_before;
  out["line"] = line;
  return out;
}

Json bin_json(const api::Bin& bin) {
  Json out = {{"begin", time_json(bin.begin)},
              {"samples", bin.samples},
              {"count", bin.count},
              {"first", number_json(bin.first)},
              {"last", number_json(bin.last)},
              {"min", number_json(bin.min)},
              {"mean", number_json(bin.mean)},
              {"max", number_json(bin.max)},
              {"deviation", number_json(bin.deviation)},
              {"worst", model::to_string(bin.worst)},
              {"disconnected", bin.disconnected}};
  if (bin.median) out["median"] = number_json(*bin.median);
  if (bin.decimated_until) out["decimated_until"] = time_json(*bin.decimated_until);
  return out;
}

Json expired_json(const model::Expired& expired) {
  return {{"of", expired.of},
          {"first", expired.first},
          {"last", expired.last},
          {"since", time_json(expired.since)},
          {"until", time_json(expired.until)},
          {"lines", expired.lines}};
}

void tell_expired(const Context& context, const std::vector<model::Expired>& expired) {
  for (const auto& each : expired) {
    if (context.json) {
      context.print({{"expired", expired_json(each)}});
    } else {
      auto shown = each;
      shown.bytes = 0;
      context.err << "tidemark: " << model::describe(shown) << "\n";
    }
  }
}

Json decimated_json(const api::Decimated& decimated) {
  return {{"first", decimated.first},
          {"last", decimated.last},
          {"since", time_json(decimated.since)},
          {"until", time_json(decimated.until)},
          {"width_s", std::chrono::duration<double>(decimated.width).count()},
          {"samples", decimated.samples}};
}

void tell_decimated(const Context& context, const std::vector<api::Decimated>& decimated,
                    const std::string& how) {
  for (const auto& each : decimated) {
    if (context.json) {
      context.print({{"decimated", decimated_json(each)}});
    } else {
      context.err << "tidemark: of lines " << each.first << " to " << each.last
                  << " there is one row for each " << duration_text(each.width)
                  << " of a PV: " << how << "\n";
    }
  }
}

Json blamed_json(const api::BlamedChange& change) {
  auto out = past_json(change.value, change.line);
  out["recorded_at"] = time_json(change.recorded_at);
  out["job"] = nullptr;
  if (!change.job.is_nil()) {
    out["job"] = {{"id", change.job.text()}, {"type", change.type}, {"title", change.title},
                  {"user", change.user},     {"snapshot", nullptr}, {"clamped", change.clamped}};
    if (!change.snapshot.is_nil()) out["job"]["snapshot"] = change.snapshot.text();
  }
  return out;
}

std::string csv_value(const model::PvValue& value) {
  if (value.index() == 0) return "";
  if (!std::holds_alternative<model::SharedArray>(value)) return model::to_text(value);
  return value_json(value).at("value").dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string csv_label(const model::PvValue& value, const std::vector<std::string>& labels) {
  const auto* index = std::get_if<model::EnumIndex>(&value);
  return index != nullptr && index->index < labels.size() ? labels[index->index] : "";
}

std::string csv_number(double number) { return model::to_text(model::PvValue(number)); }

std::string csv_time(UtcTime time) { return time == UtcTime{} ? "" : to_iso(time, 9); }

std::optional<double> delta_of(const model::PvValue& before, const model::PvValue& after) {
  const auto number = [](const model::PvValue& value) -> std::optional<double> {
    if (std::holds_alternative<model::EnumIndex>(value)) return std::nullopt;
    return model::as_number(value);
  };
  const auto was = number(before);
  const auto is = number(after);
  if (!was || !is) return std::nullopt;
  return *is - *was;
}

std::string event_text(model::PvUpdate::Event event) {
  switch (event) {
    case model::PvUpdate::Event::kValue: break;
    case model::PvUpdate::Event::kConnected: return "connected";
    case model::PvUpdate::Event::kDisconnected: return "disconnected";
  }
  return "";
}

}  // namespace tidemark::tools
