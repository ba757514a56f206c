// tools/cmd_describe.cpp
//
// describe: all that is known of one of those on the bus.

#include <algorithm>
#include <ostream>

#include "tools/commands.h"
#include "tools/documents.h"
#include "tools/key_show.h"
#include "tools/offers.h"
#include "tools/show.h"
#include "tools/status_items.h"
#include "tools/times.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;

Json key_json(const model::kv::KeySpec& spec) {
  Json json = {{"name", spec.name},
               {"type", type_text(spec.type)},
               {"readable", spec.readable},
               {"writable", spec.writable},
               {"published", spec.published},
               {"journaled", spec.journaled},
               {"unit", spec.unit},
               {"low", nullptr},
               {"high", nullptr},
               {"step", nullptr},
               {"default", nullptr},
               {"description", spec.description}};
  if (spec.low) json["low"] = *spec.low;
  if (spec.high) json["high"] = *spec.high;
  if (spec.step) json["step"] = *spec.step;
  if (spec.default_value) {
    json["default"] = Json::object();
    add_key_value(json["default"], *spec.default_value);
  }
  return json;
}

Json description_json(const Offer& offer, const Result<model::api::StatusItems>& items) {
  auto json = node_json(offer.node);
  json["labels"] = offer.node.labels;
  json["data_endpoints"] = offer.node.data_endpoints;
  json["request_endpoints"] = offer.node.request_endpoints;
  json["description"] = offer.surface.description;
  const bool readable = offer.unreadable.empty();
  json["keys"] = readable ? Json::array() : Json(nullptr);
  for (const auto& key : offer.surface.keys) json["keys"].push_back(key_json(key));
  json["events"] = readable ? Json::array() : Json(nullptr);
  for (const auto& event : offer.surface.events) {
    json["events"].push_back({{"name", event.name},
                              {"argument", type_text(event.argument)},
                              {"description", event.description}});
  }
  json["status_items"] = items ? Json::array() : Json(nullptr);
  if (items) {
    for (const auto& item : items.value()) {
      if (item.shown()) json["status_items"].push_back(item_json(item));
    }
  }
  return json;
}

void print_identity(const Context& context, const Offer& offer) {
  const auto& node = offer.node;
  auto& out = context.out;
  const auto line = [&](const char* title, const std::string& text) {
    if (!text.empty()) out << title << printable(text) << "\n";
  };
  out << paint(printable(node.name), Color::kBold, context.color()) << "  " << printable(node.kind)
      << ", " << paint(bus::to_string(node.state), state_color(node.state), context.color())
      << " for " << duration_text(std::max(context.now() - node.state_since, Duration{0})) << "\n";
  line("", offer.surface.description);
  line("labels       ", joined(node.labels, "  "));
  line("uuid         ", node.uuid.text());
  line("incarnation  ", std::to_string(node.incarnation));
  line("process      ", "pid " + std::to_string(node.pid) + " on " + node.host);
  line("started      ", time_text(node.started_at, 0));
  line("data         ", joined(node.data_endpoints, "  "));
  line("requests     ", joined(node.request_endpoints, "  "));
}

void print_keys(const Context& context, const Offer& offer) {
  if (offer.surface.keys.empty()) return;
  Table table({{"KEY"}, {"TYPE"}, {"ACCESS"}, {"UNIT"}, {"RANGE"}, {"DEFAULT"}, {"DESCRIPTION"}});
  for (const auto& key : offer.surface.keys) {
    table.add({key.name, type_text(key.type), access_text(key), key.unit, range_text(key),
               key.default_value ? key_value_text(*key.default_value) : "", key.description});
  }
  context.out << "\n";
  table.print(context.out, context.columns, context.color());
}

void print_events(const Context& context, const Offer& offer) {
  if (offer.surface.events.empty()) return;
  Table table({{"EVENT"}, {"ARGUMENT"}, {"DESCRIPTION"}});
  for (const auto& event : offer.surface.events) {
    table.add({event.name, type_text(event.argument), event.description});
  }
  context.out << "\n";
  table.print(context.out, context.columns, context.color());
}

Exit describe(Context& context, Client& client, const std::string& name) {
  const auto offers = offers_of(client.directory());
  const auto found = find_node(offers, name);
  if (!found) return context.report(found.error());
  const auto& offer = *found.value();
  if (!offer.unreadable.empty()) context.err << "tidemark: " << why_unreadable(offer) << "\n";
  Result<model::api::StatusItems> items{model::api::StatusItems{}};
  if (offer.is_subsystem) {
    items = offer.gone() ? Error{Code::kUnavailable, name + " is gone"}
                         : status_items_of(client, name, context.budget(2s));
  }
  if (context.json) {
    context.print(description_json(offer, items));
    return Exit::kFine;
  }
  print_identity(context, offer);
  print_keys(context, offer);
  print_events(context, offer);
  if (!items) {
    if (!offer.gone()) {
      context.err << "tidemark: its status items are not known: "
                  << printable(items.error().message) << "\n";
    }
    return Exit::kFine;
  }
  StatusTable table;
  for (const auto& item : items.value()) {
    if (item.shown()) table.add(name, item);
  }
  if (!table.empty()) context.out << "\n";
  table.print(context);
  return Exit::kFine;
}

}  // namespace

void add_describe_command(Command app, Context& context) {
  auto name = std::make_shared<std::string>();
  auto command = add_command(
      app, context, "describe",
      {"Show what somebody on the bus offers",
       "Who it is and where, its keys with type, limits and default, its events, and what is "
       "wrong with it now. ACCESS says whether others may read, write and watch a key.",
       "  tidemark describe psu.1\n"
       "  tidemark describe psu.1 --json | jq -r '.keys[].name'"},
      [&context, name] {
        return with_client(context,
                           [&](Client& client) { return describe(context, client, *name); });
      });
  command.add_option("NAME", *name, "A node or a subsystem; `tidemark ls` lists them").required();
}

}  // namespace tidemark::tools
