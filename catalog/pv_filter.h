// catalog/pv_filter.h
//
// A Scope or a search, made ready to be asked about each of 50 000 PVs.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "model/catalog_entries.h"

namespace tidemark::catalog {

/// True when `lowered_part` (lower case) is a part of `text` in any case. No character is special.
bool contains(std::string_view text, std::string_view lowered_part);

/// Every condition that is there must hold.
class PvFilter {
 public:
  void only(const std::vector<Uuid>& pvs) { pvs_.emplace(pvs.begin(), pvs.end()); }
  /// Any of these names or globs is the whole of one of the PV's addresses.
  void names(const std::vector<std::string>& names);
  /// One of these tags. A second call is a second condition.
  void any_of(std::vector<Uuid> tags) { tags_.push_back(std::move(tags)); }
  /// A part of an address, of the device or the description, in any case.
  void text(std::string_view part);
  void nothing() { none_ = true; }

  bool matches(const model::PvEntry& pv) const;
  /// What names() asks of one address alone.
  bool fits(const std::string& address) const;
  /// True when there is no condition.
  bool all() const { return !none_ && !named_ && !pvs_ && tags_.empty() && text_.empty(); }

 private:
  bool none_ = false;
  bool named_ = false;
  std::optional<std::unordered_set<Uuid>> pvs_;
  std::unordered_set<std::string> exact_;
  std::vector<std::string> globs_;
  std::vector<std::vector<Uuid>> tags_;
  std::string text_;  // lower case
};

}  // namespace tidemark::catalog
