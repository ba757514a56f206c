// model/catalog_entries.h
//
// What people define: PVs with their addresses and tolerances, and tags in groups.

#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace tidemark::model {

inline constexpr std::size_t kCatalogTextBytesMax = 255;  // of every name and description

/// One device property: what is set, what is read back, what configures it. At least one of the
/// three addresses is there.
struct PvEntry {
  Uuid id;
  std::string setpoint;  // addresses; empty: none
  std::string readback;
  std::string config;
  std::string device;
  std::string description;
  double abs_tolerance = 0;  // in the PV's units
  double rel_tolerance = 0;  // of the reference value, 0.01 is one per cent
  bool read_only = false;
  std::vector<Uuid> tags;
  UtcTime created_at{};
  UtcTime modified_at{};
  std::string created_by;
  std::string modified_by;

  static auto fields(auto& s) {
    return std::tie(s.id, s.setpoint, s.readback, s.config, s.device, s.description,
                    s.abs_tolerance, s.rel_tolerance, s.read_only, s.tags, s.created_at,
                    s.modified_at, s.created_by, s.modified_by);
  }
  /// What people call it: the setpoint, else the readback, else the config address.
  const std::string& name() const {
    return !setpoint.empty() ? setpoint : !readback.empty() ? readback : config;
  }
  bool operator==(const PvEntry&) const = default;
};

struct Tag {
  Uuid id;
  std::string name;
  std::string description;
  static auto fields(auto& s) { return std::tie(s.id, s.name, s.description); }
  bool operator==(const Tag&) const = default;
};

struct TagGroup {
  Uuid id;
  std::string name;
  std::string description;
  std::vector<Tag> tags;
  UtcTime created_at{};
  UtcTime modified_at{};
  static auto fields(auto& s) {
    return std::tie(s.id, s.name, s.description, s.tags, s.created_at, s.modified_at);
  }
  bool operator==(const TagGroup&) const = default;
};

/// Which PVs: those in all of the given conditions. Everything empty: all of them.
struct Scope {
  std::vector<Uuid> pvs;           // these
  std::vector<std::string> names;  // globs on any of the three addresses
  std::vector<std::string> tags;   // "group/tag": OR within a group, AND across groups
  bool none = false;               // an explicit empty list: nothing, not everything

  static auto fields(auto& s) { return std::tie(s.pvs, s.names, s.tags, s.none); }
  bool all() const { return pvs.empty() && names.empty() && tags.empty() && !none; }
  bool operator==(const Scope&) const = default;
};

}  // namespace tidemark::model
