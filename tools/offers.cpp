#include "tools/offers.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/glob.h"
#include "tools/nearest.h"
#include "tools/table.h"

namespace tidemark::tools {
std::vector<Offer> offers_of(const bus::Directory& directory) {
  std::vector<Offer> offers;
  for (const auto& node : directory.nodes) {
    auto& offer = offers.emplace_back();
    offer.node = node;
    offer.is_subsystem = !node.surface.bytes.empty();
    if (!offer.is_subsystem) continue;
    auto surface = model::unpack<model::api::Surface>(node.surface.bytes);
    if (surface) {
      offer.surface = std::move(surface).value();
    } else {
      offer.unreadable = surface.error().message;
    }
  }
  std::sort(offers.begin(), offers.end(), [](const Offer& a, const Offer& b) {
    return std::tie(a.is_subsystem, a.node.name) < std::tie(b.is_subsystem, b.node.name);
  });
  return offers;
}

std::string why_unreadable(const Offer& offer) {
  return "what " + printable(offer.node.name) +
         " offers cannot be read: " + printable(offer.unreadable);
}

Result<const Offer*> find_node(const std::vector<Offer>& offers, const std::string& name) {
  for (const auto& offer : offers) {
    if (offer.node.name == name) return &offer;
  }
  return Error{Code::kNotFound, "nobody on the bus is called '" + printable(name) + "'" +
                                    did_you_mean(name, names_of(offers))};
}

Result<const Offer*> find_subsystem(const std::vector<Offer>& offers, const std::string& name) {
  const auto found = find_node(offers, name);
  if (found && !found.value()->is_subsystem) {
    return Error{Code::kInvalidArgument, "'" + printable(name) +
                                             "' is a node of Tidemark, no subsystem: it has no "
                                             "keys, events or status items"};
  }
  return found;
}

Result<FoundKey> find_key(const std::vector<Offer>& offers, const std::string& name) {
  const auto slash = name.find('/');
  if (slash == std::string::npos) {
    auto message = "'" + printable(name) + "' is no key: keys are SUBSYSTEM/KEY";
    if (find_node(offers, name)) {
      message += "; all keys of it are '" + name + "/*'";
    } else if (const auto keys = find_keys(offers, "*/" + name); !keys.empty()) {
      message += "; did you mean '" + keys.front().name() + "'?";
    }
    return Error{Code::kInvalidArgument, std::move(message)};
  }
  const auto owner = find_subsystem(offers, name.substr(0, slash));
  if (!owner) return owner.error();
  const auto& offer = *owner.value();
  if (!offer.unreadable.empty()) {
    return Error{Code::kCorruption, why_unreadable(offer)};
  }
  const auto key = name.substr(slash + 1);
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < offer.surface.keys.size(); ++i) {
    const FoundKey found{&offer, i};
    if (found.spec().name == key) return found;
    names.push_back(found.name());
  }
  return Error{Code::kNotFound, printable(offer.node.name) + " has no key '" + printable(key) +
                                    "'" + did_you_mean(name, names)};
}

std::pair<std::string, std::string> split_key(const std::string& pattern) {
  const auto slash = pattern.find('/');
  if (slash == std::string::npos) return {pattern, "*"};
  return {pattern.substr(0, slash), pattern.substr(slash + 1)};
}

std::vector<FoundKey> find_keys(const std::vector<Offer>& offers, const std::string& pattern) {
  const auto [subsystem, key] = split_key(pattern);
  std::vector<FoundKey> found;
  for (const auto& offer : offers) {
    if (!glob_match(subsystem, offer.node.name)) continue;
    for (std::uint32_t i = 0; i < offer.surface.keys.size(); ++i) {
      if (glob_match(key, offer.surface.keys[i].name)) found.push_back({&offer, i});
    }
  }
  return found;
}

std::vector<std::string> names_of(const std::vector<Offer>& offers) {
  std::vector<std::string> names;
  for (const auto& offer : offers) names.push_back(offer.node.name);
  return names;
}

std::vector<std::string> event_names(const std::vector<Offer>& offers) {
  std::set<std::string> names;
  for (const auto& offer : offers) {
    if (offer.gone()) continue;
    for (const auto& event : offer.surface.events) names.insert(event.name);
  }
  return {names.begin(), names.end()};
}

const model::api::EventSpec* find_event(const Offer& offer, const std::string& event) {
  for (const auto& each : offer.surface.events) {
    if (each.name == event) return &each;
  }
  return nullptr;
}

}  // namespace tidemark::tools
