// tools/offers.h
//
// Who is on the bus and what they offer, out of a directory; and finding in it what somebody
// typed. Who or what is not there is answered with the name that looks most like it.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "bus/node.h"
#include "model/api/subsystem.h"

namespace tidemark::tools {

/// One of those on the bus. Nodes of Tidemark offer nothing.
struct Offer {
  bus::NodeInfo node;
  bool is_subsystem = false;
  model::api::Surface surface;  // empty when it cannot be read
  std::string unreadable;       // why not, or empty
  bool gone() const { return bus::is_gone(node.state); }
};

/// One key of one of them. Valid as long as the offers.
struct FoundKey {
  const Offer* offer = nullptr;
  std::uint32_t number = 0;  // its position in the surface
  const model::kv::KeySpec& spec() const { return offer->surface.keys[number]; }
  std::string name() const { return offer->node.name + "/" + spec().name; }
};

/// In the order of their names; subsystems behind the nodes of Tidemark.
std::vector<Offer> offers_of(const bus::Directory& directory);

/// "what psu.1 offers cannot be read: …", of one that has `unreadable`.
std::string why_unreadable(const Offer& offer);

/// Errors: kNotFound.
Result<const Offer*> find_node(const std::vector<Offer>& offers, const std::string& name);
/// Errors: as find_node(); kInvalidArgument, it offers nothing: it is a node of Tidemark.
Result<const Offer*> find_subsystem(const std::vector<Offer>& offers, const std::string& name);
/// `name` is "psu.1/current".
/// Errors: as find_subsystem(); kNotFound, no such key; kInvalidArgument, not the name of a key;
/// kCorruption, what the subsystem offers cannot be read.
Result<FoundKey> find_key(const std::vector<Offer>& offers, const std::string& name);

/// Those that match; "psu.*" alone means all keys of it.
std::vector<FoundKey> find_keys(const std::vector<Offer>& offers, const std::string& pattern);
/// The subsystem's and the key's part of such a pattern.
std::pair<std::string, std::string> split_key(const std::string& pattern);

std::vector<std::string> names_of(const std::vector<Offer>& offers);
/// Each once, of those subsystems that live.
std::vector<std::string> event_names(const std::vector<Offer>& offers);
const model::api::EventSpec* find_event(const Offer& offer, const std::string& event);

}  // namespace tidemark::tools
