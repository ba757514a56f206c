// tools/cmd_kv.cpp
//
// kv list, get, set: the keys of the laboratory's subsystems, and their values now.

#include <algorithm>
#include <ostream>
#include <set>

#include "base/glob.h"
#include "model/kv/text.h"
#include "tools/commands.h"
#include "tools/key_read.h"
#include "tools/key_show.h"
#include "tools/nearest.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;
using Updates = std::vector<Result<api::KeyUpdate>>;

Error nothing_matches(const std::string& pattern, const std::vector<Offer>& offers) {
  const auto [subsystem, key] = split_key(pattern);
  const auto hint = is_glob(subsystem) ? "" : did_you_mean(subsystem, names_of(offers));
  return {Code::kNotFound, "no key matches '" + printable(pattern) + "'" + hint};
}

/// What cannot be shown, on standard error. Answers the exit code of the first such error.
Exit report_all(const Context& context, const std::vector<Error>& errors) {
  for (const auto& error : errors) (void)context.report({error.code, printable(error.message)});
  return errors.empty() ? Exit::kFine : exit_of(errors.front());
}

// ---- list ---------------------------------------------------------------------------------------

Cell list_cell(const FoundKey& key, const Result<api::KeyUpdate>& now) {
  if (now) return {key_value_text(now.value().value), quality_color(now.value().quality)};
  if (key.offer->gone()) return {bus::to_string(key.offer->node.state), Color::kMagenta};
  return {"no answer", Color::kMagenta};
}

Json list_json(const FoundKey& key, const Result<api::KeyUpdate>& now) {
  const auto& spec = key.spec();
  Json json = {{"key", key.name()},         {"type", type_text(spec.type)},
               {"unit", spec.unit},         {"readable", spec.readable},
               {"writable", spec.writable}, {"published", spec.published}};
  json.update(update_json(now ? now.value() : api::KeyUpdate{}));
  if (!now) json["quality"] = to_string(api::Quality::kDisconnected);
  json["error"] = now ? Json(nullptr) : Json(now.error().message);
  return json;
}

Exit list_keys(Context& context, Client& client, const std::string& pattern) {
  const auto offers = offers_of(client.directory());
  const auto keys = find_keys(offers, pattern.empty() ? "*" : pattern);
  if (keys.empty() && !pattern.empty()) return context.report(nothing_matches(pattern, offers));
  const auto values = last_values(client, keys, context.budget(2s));
  Table table({{"KEY"}, {"TYPE"}, {"UNIT"}, {"ACCESS"}, {"VALUE"}});
  std::vector<Error> errors;
  std::set<const Offer*> silent;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& spec = keys[i].spec();
    const auto& now = values[i];
    if (context.json) {
      context.print(list_json(keys[i], now));
    } else {
      table.add({keys[i].name(), type_text(spec.type), spec.unit, access_text(spec),
                 list_cell(keys[i], now)});
    }
    // Who is gone is in the list as such; that somebody else is silent is worth a word, once.
    if (!now && !keys[i].offer->gone() && silent.insert(keys[i].offer).second) {
      errors.push_back({now.error().code, keys[i].name() + ": " + now.error().message});
    }
  }
  if (!context.json && !table.empty()) table.print(context.out, context.columns, context.color());
  return report_all(context, errors);
}

// ---- get ----------------------------------------------------------------------------------------

/// Each key once, in the order asked for; what is not there goes to `errors`.
std::vector<FoundKey> asked_for(const std::vector<Offer>& offers,
                                const std::vector<std::string>& names, std::vector<Error>& errors) {
  std::vector<FoundKey> keys;
  std::set<std::string> seen;
  const auto add = [&](const FoundKey& key) {
    if (seen.insert(key.name()).second) keys.push_back(key);
  };
  for (const auto& name : names) {
    if (!is_glob(name)) {
      const auto found = find_key(offers, name);
      if (!found) {
        errors.push_back(found.error());
      } else {
        add(found.value());
      }
      continue;
    }
    const auto found = find_keys(offers, name);
    if (found.empty()) errors.push_back(nothing_matches(name, offers));
    for (const auto& key : found) add(key);
  }
  return keys;
}

Exit get_keys(Context& context, Client& client, const std::vector<std::string>& names) {
  const auto offers = offers_of(client.directory());
  std::vector<Error> errors;
  const auto keys = asked_for(offers, names, errors);
  const auto values = read_keys(client, keys, context.budget(5s));
  Table table({{"KEY"},
               {"VALUE", true},
               {"UNIT"},
               {"TIME", false, false},
               {"QUALITY", false, false},
               {"WRITER"}});
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto name = keys[i].name();
    const auto& unit = keys[i].spec().unit;
    if (!values[i]) {
      // The owner's own words begin with the key's name already when they are about its value.
      const auto& said = values[i].error().message;
      errors.push_back(
          {values[i].error().code, said.starts_with(name) ? said : name + ": " + said});
      if (context.json) context.print({{"key", name}, {"error", said}});
      continue;
    }
    const auto& now = values[i].value();
    if (context.json) {
      Json json = {{"key", name}, {"type", type_text(keys[i].spec().type)}, {"unit", unit}};
      json.update(update_json(now));
      context.print(json);
      continue;
    }
    const auto color = quality_color(now.quality);
    table.add({name,
               {key_value_text(now.value), color},
               unit,
               time_text(now.time),
               {to_string(now.quality), color},
               now.writer});
  }
  if (!table.empty()) table.print(context.out, context.columns, context.color());
  return report_all(context, errors);
}

// ---- set ----------------------------------------------------------------------------------------

Exit set_key(Context& context, Client& client, const std::string& name, const std::string& text) {
  const auto offers = offers_of(client.directory());
  const auto key = find_key(offers, name);
  if (!key) return context.report(key.error());
  const auto& spec = key.value().spec();
  const auto value = model::kv::parse_text(text, spec.type);
  if (!value) {
    return context.report({Code::kInvalidArgument, name + " is of type " + type_text(spec.type) +
                                                       ": " + printable(value.error().message)});
  }
  // Whether it conforms is the owner's to say: his key may have changed since he said so.
  const auto accepted = client.ask<api::KeyUpdate>(
      key.value().offer->node.name, "kv.write",
      api::KeyWrite{spec.name, value.value(), context.user}, context.budget(5s));
  if (!accepted) {
    const auto& said = accepted.error().message;
    return context.report(
        {accepted.error().code, printable(said.starts_with(name) ? said : name + ": " + said)});
  }
  if (context.json) {
    Json json = {{"key", name}, {"type", type_text(spec.type)}, {"unit", spec.unit}};
    json.update(update_json(accepted.value()));
    context.print(json);
    return Exit::kFine;
  }
  context.out << printable(name) << " is " << printable(key_value_text(accepted.value().value));
  if (!spec.unit.empty()) context.out << " " << printable(spec.unit);
  context.out << "\n";
  return Exit::kFine;
}

// ---- options ------------------------------------------------------------------------------------

void add_key_list(Command kv, Context& context) {
  auto pattern = std::make_shared<std::string>();
  auto command = add_command(
      kv, context, "list",
      {"List keys with type, unit, access and value",
       "PATTERN is SUBSYSTEM/KEY with * and ?; a subsystem alone means all its keys. "
       "ACCESS says whether others may read, write and watch a key.",
       "  tidemark kv list\n"
       "  tidemark kv list psu.1\n"
       "  tidemark kv list '*/voltage'"},
      [&context, pattern] {
        return with_client(context,
                           [&](Client& client) { return list_keys(context, client, *pattern); });
      });
  command.add_option("PATTERN", *pattern, "Which keys (default: all)");
}

void add_key_get(Command kv, Context& context) {
  auto names = std::make_shared<std::vector<std::string>>();
  auto command =
      add_command(kv, context, "get",
                  {"Show values of keys, asked of their owners now",
                   "A key is SUBSYSTEM/KEY, or a pattern with * and ?. The exit code tells when "
                   "a key is not there, or its owner is away or refuses.",
                   "  tidemark kv get psu.1/current\n"
                   "  tidemark kv get 'psu.*/current' --json"},
                  [&context, names] {
                    return with_client(
                        context, [&](Client& client) { return get_keys(context, client, *names); });
                  });
  command.add_option("KEY", *names, "Keys or patterns").required();
}

void add_key_set(Command kv, Context& context) {
  auto name = std::make_shared<std::string>();
  auto value = std::make_shared<std::string>();
  auto command = add_command(
      kv, context, "set",
      {"Write one key",
       "VALUE is read by the key's type, and its owner decides: what he accepted is printed; his "
       "reason against it is an error, and the exit code 1. The journal keeps each write.",
       "  tidemark kv set psu.1/setpoint 4.25\n"
       "  tidemark kv set shutter.2/mode open\n"
       "  tidemark kv set scan/points '[1, 2, 3]'\n"
       "  tidemark kv set laser/pulse '{width: 20ns, on: true}'"},
      [&context, name, value] {
        return with_client(context,
                           [&](Client& client) { return set_key(context, client, *name, *value); });
      });
  command.add_option("KEY", *name, "SUBSYSTEM/KEY").required();
  command.add_option("VALUE", *value, "What to write").required();
}

}  // namespace

void add_kv_commands(Command app, Context& context) {
  auto kv = add_group(app, "kv",
                      {"List, read, write and watch keys of subsystems",
                       "A key is one value that a subsystem of the laboratory publishes or "
                       "accepts: SUBSYSTEM/KEY.",
                       "  tidemark kv list psu.1\n  tidemark kv get 'psu.*/current'"});
  add_key_list(kv, context);
  add_key_get(kv, context);
  add_key_set(kv, context);
  add_kv_watch_command(kv, context);
}

}  // namespace tidemark::tools
