// Loading, PVs, tags and channels. history.cpp has snapshots and jobs, pv_import.cpp the import.

#include "catalog/catalog.h"

#include <algorithm>

#include "base/ascii.h"
#include "catalog/keys.h"
#include "model/packing.h"

namespace tidemark::catalog {
namespace {

constexpr std::uint32_t kFormat = 1;

bool by_lowered_name(const model::TagGroup& a, const model::TagGroup& b) {
  return lowered(a.name) < lowered(b.name);
}

Error bad_field(const std::string& field, const std::string& what) {
  return {Code::kInvalidArgument, field + ": " + what};
}

/// A page's last PV, as text that JSON and URLs can carry: id, colon, name.
std::string page_token(const model::PvEntry& pv) { return pv.id.text() + ':' + pv.name(); }

std::optional<std::string> read_page_token(const std::string& token) {
  constexpr std::size_t kIdBytes = 36;
  if (token.size() <= kIdBytes || token[kIdBytes] != ':') return std::nullopt;
  const auto id = Uuid::parse(std::string_view(token).substr(0, kIdBytes));
  if (!id) return std::nullopt;
  return name_key(std::string_view(token).substr(kIdBytes + 1), *id);
}

}  // namespace

Result<Catalog> Catalog::load(std::shared_ptr<Store> store) {
  const auto version = store->get("v");
  if (!version) return version.error();
  if (!version.value()) {
    Bytes format;
    append_le(format, kFormat);
    if (const auto made = store->commit({{"v", format}}); !made) return made.error();
  } else if (version.value()->size() != sizeof kFormat) {
    return Error{Code::kCorruption, "catalog: key v is not a format version"};
  } else if (const auto format = read_le<std::uint32_t>(*version.value(), 0); format != kFormat) {
    return Error{Code::kInvalidArgument, "catalog: format " + std::to_string(format) +
                                             " was written by a later version; this one reads " +
                                             std::to_string(kFormat)};
  }
  Catalog catalog(std::move(store));
  if (const auto read = catalog.read_definitions(); !read) return read.error();
  if (const auto read = catalog.read_history(); !read) return read.error();
  if (const auto read = catalog.read_policies(); !read) return read.error();
  return catalog;
}

Result<Unit> Catalog::read_definitions() {
  std::optional<Error> fault;
  const auto corrupt = [&](const std::string& key, const std::string& what) {
    fault = Error{Code::kCorruption, "catalog: key " + key + ": " + what};
    return false;
  };
  const auto read_group = [&](std::string_view key, BytesView value) {
    auto group = model::unpack<model::TagGroup>(value);
    if (!group) return corrupt("g/", group.error().message);
    if (key != uuid_key('g', group.value().id)) {
      return corrupt("g/" + group.value().id.text(), "holds another group");
    }
    show(std::move(group).value());
    return true;
  };
  const auto read_pv = [&](std::string_view key, BytesView value) {
    auto pv = model::unpack<model::PvEntry>(value);
    if (!pv) return corrupt("p/", pv.error().message);
    if (key != uuid_key('p', pv.value().id)) {
      return corrupt("p/" + pv.value().id.text(), "holds another PV");
    }
    show(std::move(pv).value());
    return true;
  };
  const auto read_channel = [&](std::string_view key, BytesView value) {
    const auto number = static_cast<std::uint32_t>(addresses_.size());
    if (key != channel_key(number)) return corrupt("c/" + std::to_string(number), "is missing");
    channels_.emplace(value, static_cast<model::ChannelId>(number));
    addresses_.emplace_back(value);
    return true;
  };
  auto scanned = store_->scan("g/", read_group);
  if (scanned && !fault) scanned = store_->scan("p/", read_pv);
  if (scanned && !fault) scanned = store_->scan("c/", read_channel);
  if (!scanned) return scanned.error();
  if (fault) return *fault;
  for (const auto& [id, pv] : pvs_) {
    for (const auto* address : {&pv.setpoint, &pv.readback, &pv.config}) {
      if (!address->empty() && channels_.count(*address) == 0) {
        return Error{Code::kCorruption,
                     "catalog: key p/" + id.text() + ": no channel for " + *address};
      }
    }
  }
  const auto through = store_->get("n");
  if (!through) return through.error();
  if (through.value()) {
    if (through.value()->size() != sizeof journaled_through_) {
      return Error{Code::kCorruption, "catalog: key n is not a number"};
    }
    journaled_through_ = read_le<std::uint32_t>(*through.value(), 0);
  }
  return Unit{};
}

void Catalog::show(model::PvEntry entry) {
  const auto id = entry.id;
  const auto [at, added] = pvs_.insert_or_assign(id, std::move(entry));
  const auto& pv = at->second;
  if (!added) return;  // An update never changes an address.
  by_name_.emplace(name_key(pv.name(), id), &pv);
  by_key_.emplace(import_key(pv.setpoint, pv.readback, pv.config), &pv);
}

void Catalog::show(model::TagGroup group) {
  for (const auto& tag : group.tags) group_of_tag_[tag.id] = group.id;
  const auto id = group.id;
  groups_.insert_or_assign(id, std::move(group));
}

const model::PvEntry* Catalog::find(const Uuid& pv) const {
  const auto found = pvs_.find(pv);
  return found == pvs_.end() ? nullptr : &found->second;
}

std::size_t Catalog::pv_count() const { return pvs_.size(); }

std::optional<Uuid> Catalog::find_tag(std::string_view path) const {
  // Both names may have slashes in them, so every one of them may be the border.
  for (auto slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    const auto group_name = lowered(path.substr(0, slash));
    const auto tag_name = lowered(path.substr(slash + 1));
    for (const auto& [id, group] : groups_) {
      if (lowered(group.name) != group_name) continue;
      for (const auto& tag : group.tags) {
        if (lowered(tag.name) == tag_name) return tag.id;
      }
    }
  }
  return std::nullopt;
}

Result<PvFilter> Catalog::filter(const model::Scope& scope) const {
  PvFilter filter;
  if (scope.none) filter.nothing();
  if (!scope.pvs.empty()) {
    for (const auto& pv : scope.pvs) {
      if (pvs_.count(pv) == 0) return Error{Code::kNotFound, "no PV " + pv.text()};
    }
    filter.only(scope.pvs);
  }
  if (!scope.names.empty()) filter.names(scope.names);
  std::map<Uuid, std::vector<Uuid>> by_group;
  for (const auto& path : scope.tags) {
    const auto tag = find_tag(path);
    if (!tag) return Error{Code::kNotFound, "no tag '" + path + "' (expected group/tag)"};
    by_group[group_of_tag_.at(*tag)].push_back(*tag);
  }
  for (auto& [group, tags] : by_group) filter.any_of(std::move(tags));
  return filter;
}

Result<std::vector<const model::PvEntry*>> Catalog::select(const model::Scope& scope) const {
  const auto filter = this->filter(scope);
  if (!filter) return filter.error();
  std::vector<const model::PvEntry*> selected;
  for (const auto& [key, pv] : by_name_) {
    if (filter.value().matches(*pv)) selected.push_back(pv);
  }
  return selected;
}

Result<model::api::PvPage> Catalog::list(const model::api::PvQuery& query) const {
  if (query.limit > kPageMax) {
    return bad_field("limit", std::to_string(query.limit) + " is not from 1 to " +
                                  std::to_string(kPageMax) + " (0: all)");
  }
  std::string after;
  if (!query.after.empty()) {
    auto key = read_page_token(query.after);
    if (!key) return bad_field("after", "is not what an earlier page gave as next");
    after = std::move(*key);
  }
  auto scoped = filter(query.scope);
  if (!scoped) return scoped.error();
  auto& wanted = scoped.value();
  wanted.text(query.text);
  for (const auto& [group, tags] : query.tag_filters) {
    if (!tags.empty()) wanted.any_of(tags);
  }

  model::api::PvPage page;
  const std::size_t limit = query.limit == 0 ? kPvsMax : query.limit;
  std::map<Uuid, bool> groups;
  const bool all = wanted.all();  // Then the total is known, and no page walks through the others.
  if (all) page.total = static_cast<std::uint32_t>(by_name_.size());
  for (auto at = all ? by_name_.upper_bound(after) : by_name_.begin(); at != by_name_.end(); ++at) {
    const auto* pv = at->second;
    if (!all && !wanted.matches(*pv)) continue;
    if (!all) ++page.total;
    if (at->first <= after) continue;
    if (page.pvs.size() == limit) {
      if (page.next.empty()) page.next = page_token(page.pvs.back());
      if (all) break;
      continue;
    }
    page.pvs.push_back(*pv);
    for (const auto& tag : pv->tags) {
      if (const auto group = group_of_tag_.find(tag); group != group_of_tag_.end()) {
        groups[group->second] = true;
      }
    }
  }
  for (const auto& [id, used] : groups) page.tag_groups.push_back(groups_.at(id));
  std::sort(page.tag_groups.begin(), page.tag_groups.end(), by_lowered_name);
  return page;
}

model::api::Tags Catalog::tags() const {
  model::api::Tags tags;
  std::map<Uuid, std::uint32_t> counts;
  for (const auto& [id, group] : groups_) {
    tags.groups.push_back(group);
    for (const auto& tag : group.tags) counts[tag.id] = 0;
  }
  for (const auto& [id, pv] : pvs_) {
    for (const auto& tag : pv.tags) ++counts[tag];
  }
  std::sort(tags.groups.begin(), tags.groups.end(), by_lowered_name);
  tags.pv_counts.assign(counts.begin(), counts.end());
  return tags;
}

std::optional<model::ChannelId> Catalog::channel_of(const std::string& address) const {
  const auto found = channels_.find(address);
  if (found == channels_.end()) return std::nullopt;
  return found->second;
}

const std::string& Catalog::address_of(model::ChannelId channel) const {
  TIDEMARK_CHECK(raw(channel) > 0 && raw(channel) < addresses_.size());
  return addresses_[raw(channel)];
}

std::uint32_t Catalog::channel_count() const {
  return static_cast<std::uint32_t>(addresses_.size() - 1);
}

Result<Unit> Catalog::set_journaled_through(std::uint32_t channel) {
  TIDEMARK_CHECK(channel <= channel_count());
  Bytes number;
  append_le(number, channel);
  const auto committed = store_->commit({{"n", number}});
  if (committed) journaled_through_ = channel;
  return committed;
}

}  // namespace tidemark::catalog
