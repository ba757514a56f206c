// catalog/keys.h
//
// How the Catalog's keys are spelt; catalog.h lists them.

#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/uuid.h"
#include "model/catalog_entries.h"

namespace tidemark::catalog {

inline std::string_view raw_bytes(const Uuid& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

inline std::string uuid_key(char kind, const Uuid& id) {
  std::string key{kind, '/'};
  key += raw_bytes(id);
  return key;
}

inline std::string channel_key(std::uint32_t channel) {
  std::string key = "c/";
  append_be(key, channel);
  return key;
}

/// Orders PVs by name; unique, and where the next page begins.
inline std::string name_key(std::string_view name, const Uuid& id) {
  std::string key(name);
  key += '\0';
  key += raw_bytes(id);
  return key;
}

/// What makes two rows of an import the same PV, or a conflict: a setpoint belongs to one PV.
/// Without one it is the readback and config address together.
inline std::string import_key(const std::string& setpoint, const std::string& readback,
                              const std::string& config) {
  return !setpoint.empty() ? setpoint : '\0' + readback + '\0' + config;
}

}  // namespace tidemark::catalog
