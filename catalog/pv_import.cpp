// Catalog::import_csv(): from the good rows of a file to one commit.
//
//   rows ── compare with the catalog and with each other ──► changes, problems
//   changes ──► tags, channels, PVs ──► one Store::commit ──► shown

#include <algorithm>
#include <unordered_set>

#include "base/ascii.h"
#include "catalog/catalog.h"
#include "catalog/csv_import.h"
#include "catalog/keys.h"
#include "model/packing.h"

namespace tidemark::catalog {

using model::api::ImportProblem;
using model::api::ImportReport;

class Import {
 public:
  Import(Catalog& catalog, const CsvFile& file, const std::string& user, UtcTime now)
      : catalog_(catalog), file_(file), user_(user), now_(now) {
    for (const auto& [id, group] : catalog.groups_) {
      groups_.emplace(lowered(group.name), group);
      for (const auto& tag : group.tags) tags_.emplace(tag_key(group.name, tag.name), tag.id);
    }
    for (const auto& name : file.tag_groups) {
      if (const auto found = groups_.find(lowered(name)); found != groups_.end()) {
        replaced_groups_.push_back(found->second.id);
      }
    }
    report_.rows = static_cast<std::uint32_t>(file.rows.size() + file.problems.size());
    for (const auto& problem : file.problems) problems_.push_back({problem.line, problem.message});
  }

  void read_rows() {
    lines_.reserve(file_.rows.size());
    for (const auto& row : file_.rows) read_row(row);
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    report_.problem_count = static_cast<std::uint32_t>(problems_.size());
    if (problems_.size() > ImportReport::kProblemsMax) {
      problems_.resize(ImportReport::kProblemsMax);
    }
    report_.problems = std::move(problems_);
  }

  Result<Unit> check_limits() const {
    const auto pvs = catalog_.pvs_.size() + report_.created;
    if (pvs > kPvsMax) {
      return Error{Code::kUnavailable, "there would be " + std::to_string(pvs) +
                                           " PVs; the limit is " + std::to_string(kPvsMax)};
    }
    const auto channels = catalog_.channel_count() + addresses_.size();
    if (channels > model::LiveTable::kChannelMax) {
      return Error{Code::kUnavailable, "there would be " + std::to_string(channels) +
                                           " addresses; the limit is " +
                                           std::to_string(model::LiveTable::kChannelMax)};
    }
    return Unit{};
  }

  Result<Unit> commit() {
    std::vector<Write> writes;
    writes.reserve(entries_.size() + addresses_.size() + groups_.size());
    for (const auto& entry : entries_) {
      writes.push_back({uuid_key('p', entry.id), model::pack(entry)});
    }
    for (const auto& [name, group] : groups_) {
      if (changed_groups_.count(name) > 0)
        writes.push_back({uuid_key('g', group.id), model::pack(group)});
    }
    auto number = catalog_.channel_count();
    for (const auto& address : addresses_) writes.push_back({channel_key(++number), address});
    if (writes.empty()) return Unit{};
    const auto committed = catalog_.store_->commit(writes);
    if (committed) show();
    return committed;
  }

  ImportReport& report() { return report_; }

 private:
  static std::string tag_key(std::string_view group, std::string_view tag) {
    return lowered(group) + '\0' + lowered(tag);
  }

  void read_row(const CsvRow& row) {
    auto key = import_key(row.setpoint, row.readback, row.config);
    const auto found = catalog_.by_key_.find(key);
    const auto* known = found == catalog_.by_key_.end() ? nullptr : found->second;
    const auto [first, alone] = lines_.emplace(std::move(key), row.line);
    const auto column = !row.setpoint.empty()   ? std::string("Setpoint")
                        : !row.readback.empty() ? std::string("Readback")
                                                : std::string("Config");
    const auto& name = !row.setpoint.empty()   ? row.setpoint
                       : !row.readback.empty() ? row.readback
                                               : row.config;
    if (!alone) {
      problems_.push_back({row.line, column + ": '" + name + "' is in line " +
                                         std::to_string(first->second) + " already"});
      return;
    }
    if (known && (known->readback != row.readback || known->config != row.config)) {
      problems_.push_back({row.line, column + ": '" + name + "' belongs to a PV with " +
                                         other_addresses(*known) + "; this row has " +
                                         other_addresses(row)});
      return;
    }
    if (known) {
      update(row, *known);
    } else {
      create(row);
    }
  }

  static std::string other_addresses(const auto& pv) {
    const auto named = [](const std::string& address) {
      return address.empty() ? std::string("none") : "'" + address + "'";
    };
    return "readback " + named(pv.readback) + " and config " + named(pv.config);
  }

  void create(const CsvRow& row) {
    model::PvEntry entry;
    entry.id = Uuid::random();
    entry.setpoint = row.setpoint;
    entry.readback = row.readback;
    entry.config = row.config;
    entry.device = row.device;
    entry.description = row.description;
    entry.abs_tolerance = row.abs_tolerance;
    entry.rel_tolerance = row.rel_tolerance;
    entry.read_only = row.read_only;
    entry.tags = tags_of(row);
    entry.created_at = now_;
    entry.created_by = user_;
    keep(std::move(entry));
    for (const auto* address : {&row.setpoint, &row.readback, &row.config}) {
      if (address->empty() || catalog_.channels_.count(*address) > 0) continue;
      if (new_addresses_.insert(*address).second) addresses_.push_back(*address);
    }
    ++report_.created;
  }

  void update(const CsvRow& row, const model::PvEntry& known) {
    auto entry = known;
    const auto& columns = file_.columns;
    if (columns.device) entry.device = row.device;
    if (columns.description) entry.description = row.description;
    if (columns.abs_tolerance) entry.abs_tolerance = row.abs_tolerance;
    if (columns.rel_tolerance) entry.rel_tolerance = row.rel_tolerance;
    if (columns.read_only) entry.read_only = row.read_only;
    auto tags = tags_of(row);
    for (const auto& tag : known.tags) {
      const auto group = catalog_.group_of_tag_.find(tag);
      const bool replaced = group != catalog_.group_of_tag_.end() &&
                            std::find(replaced_groups_.begin(), replaced_groups_.end(),
                                      group->second) != replaced_groups_.end();
      if (!replaced) tags.push_back(tag);
    }
    std::sort(tags.begin(), tags.end());
    entry.tags = std::move(tags);
    if (entry == known) {
      ++report_.unchanged;
    } else {
      keep(std::move(entry));
      ++report_.updated;
    }
  }

  void keep(model::PvEntry entry) {
    entry.modified_at = now_;
    entry.modified_by = user_;
    entries_.push_back(std::move(entry));
  }

  /// Their ids, sorted; those that nobody has made yet are made.
  std::vector<Uuid> tags_of(const CsvRow& row) {
    std::vector<Uuid> ids;
    for (const auto& [group, tag] : row.tags) {
      auto& id = tags_[tag_key(group, tag)];
      if (id.is_nil()) {
        id = Uuid::random();
        add_tag(group, {id, tag, ""});
      }
      ids.push_back(id);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  void add_tag(const std::string& group_name, model::Tag tag) {
    const auto name = lowered(group_name);
    changed_groups_.insert(name);
    auto& group = groups_[name];
    if (group.id.is_nil()) {
      group.id = Uuid::random();
      group.name = group_name;
      group.created_at = now_;
    }
    group.modified_at = now_;
    group.tags.push_back(std::move(tag));
    ++report_.tags_created;
  }

  void show() {
    for (auto& [name, group] : groups_) {
      if (changed_groups_.count(name) > 0) catalog_.show(std::move(group));
    }
    for (auto& address : addresses_) {
      const auto number = static_cast<std::uint32_t>(catalog_.addresses_.size());
      catalog_.channels_.emplace(address, static_cast<model::ChannelId>(number));
      catalog_.addresses_.push_back(std::move(address));
    }
    for (auto& entry : entries_) catalog_.show(std::move(entry));
  }

  Catalog& catalog_;
  const CsvFile& file_;
  const std::string& user_;
  const UtcTime now_;

  ImportReport report_;
  std::vector<ImportProblem> problems_;
  std::vector<model::PvEntry> entries_;                   // created or changed
  std::vector<std::string> addresses_;                    // that have no number yet, in order
  std::unordered_set<std::string> new_addresses_;         // the same
  std::unordered_map<std::string, std::uint32_t> lines_;  // by import_key()
  std::map<std::string, model::TagGroup> groups_;         // by lowered name
  std::unordered_set<std::string> changed_groups_;        // keys of groups_
  std::unordered_map<std::string, Uuid> tags_;            // by tag_key()
  std::vector<Uuid> replaced_groups_;                     // those with a column
};

Result<ImportReport> Catalog::import_csv(const model::api::ImportRequest& request, UtcTime now) {
  const auto file = parse_csv(request.csv);
  if (!file) return file.error();
  Import import(*this, file.value(), request.user, now);
  import.read_rows();
  auto& report = import.report();
  if (const auto within = import.check_limits(); !within) return within.error();
  const bool stopped = report.problem_count > 0 && !request.skip_bad;
  if (!request.dry_run && !stopped) {
    if (const auto committed = import.commit(); !committed) return committed.error();
    report.imported = true;
  }
  return std::move(report);
}

}  // namespace tidemark::catalog
