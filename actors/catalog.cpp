#include "actors/catalog.h"

#include <algorithm>
#include <unordered_map>

#include "actors/catalog_policies.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;

/// Numbers the channels of one snapshot: two PVs with one address share a value.
class DraftBuilder {
 public:
  explicit DraftBuilder(const catalog::Catalog& catalog) : catalog_(catalog) {}

  std::uint32_t value_of(const std::string& address) {
    if (address.empty()) return model::kNoValue;
    const auto channel = catalog_.channel_of(address);
    TIDEMARK_CHECK(channel.has_value());
    const auto [found, fresh] =
        index_.try_emplace(model::raw(*channel), static_cast<std::uint32_t>(draft.values.size()));
    if (fresh) {
      auto& value = draft.values.emplace_back();
      value.channel = *channel;
      value.address = address;
    }
    return found->second;
  }

  void add(const model::PvEntry& pv) {
    model::CapturedPv captured;
    captured.pv = pv.id;
    captured.name = pv.name();
    captured.device = pv.device;
    captured.setpoint = value_of(pv.setpoint);
    captured.readback = value_of(pv.readback);
    captured.config = value_of(pv.config);
    captured.abs_tolerance = pv.abs_tolerance;
    captured.rel_tolerance = pv.rel_tolerance;
    captured.read_only = pv.read_only;
    captured.tags = pv.tags;
    draft.pvs.push_back(std::move(captured));
  }

  model::Snapshot draft;

 private:
  const catalog::Catalog& catalog_;
  std::unordered_map<std::uint32_t, std::uint32_t> index_;
};

api::Channels journaled_channels(const catalog::Catalog& catalog) {
  api::Channels channels;
  const auto count = catalog.journaled_through();
  channels.revision = 1 + count + catalog.policy_changes();  // 0 means "never asked"
  channels.channels.reserve(count);
  for (std::uint32_t i = 1; i <= count; ++i) {
    channels.channels.push_back({model::ChannelId{i}, catalog.address_of(model::ChannelId{i})});
  }
  channels.thinned = thinned_channels(catalog);
  return channels;
}

Records unjournaled_channels(const catalog::Catalog& catalog) {
  Records records;
  for (auto i = catalog.journaled_through() + 1; i <= catalog.channel_count(); ++i) {
    records.push_back(
        model::PvDefined{model::ChannelId{i}, catalog.address_of(model::ChannelId{i})});
    if (records.size() == model::kRecordsPerBatchMax) break;
  }
  return records;
}

/// A PV is written through its setpoint or its config address, and not when it is read-only.
Result<Unit> may_write(const catalog::Catalog& catalog, const std::string& address) {
  if (!catalog.channel_of(address)) {
    return Error{Code::kNotFound, "no PV has the address '" + address + "'"};
  }
  api::PvQuery query;
  query.scope.names = {address};
  query.limit = 0;
  const auto page = catalog.list(query);
  if (!page) return page.error();
  Error refused{Code::kRefused, address + " is only read back; write the PV's setpoint"};
  for (const auto& pv : page.value().pvs) {
    if (pv.setpoint != address && pv.config != address) continue;
    if (!pv.read_only) return Unit{};
    refused.message = address + " is defined as read-only";
  }
  return refused;
}

/// PVs `offset` to `offset + limit` by name, of those in scope, with their values.
Result<model::Snapshot> cut(const catalog::Catalog& catalog, const model::Snapshot& whole,
                            const api::SnapshotGet& query) {
  std::vector<const model::CapturedPv*> pvs;
  if (query.scope.all()) {
    for (const auto& pv : whole.pvs) pvs.push_back(&pv);
  } else {
    const auto selected = catalog.select(query.scope);
    if (!selected) return selected.error();
    PvSet ids;
    for (const auto* each : selected.value()) ids.insert(each->id);
    for (const auto& pv : whole.pvs) {
      if (ids.contains(pv.pv)) pvs.push_back(&pv);
    }
  }
  std::sort(pvs.begin(), pvs.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  const auto begin = std::min<std::size_t>(query.offset, pvs.size());
  const auto end = query.limit == 0 ? pvs.size() : std::min(pvs.size(), begin + query.limit);
  model::Snapshot part;
  part.header = whole.header;
  const auto take = [&](std::uint32_t index) {
    if (index == model::kNoValue) return index;
    part.values.push_back(whole.values[index]);
    return static_cast<std::uint32_t>(part.values.size() - 1);
  };
  for (auto i = begin; i < end; ++i) {
    auto pv = *pvs[i];
    pv.setpoint = take(pv.setpoint);
    pv.readback = take(pv.readback);
    pv.config = take(pv.config);
    part.pvs.push_back(std::move(pv));
  }
  return part;
}

}  // namespace

void CatalogState::remember(Shared<model::Snapshot> snapshot) {
  recent.insert(recent.begin(), std::move(snapshot));
  if (recent.size() > kRecentMax) recent.pop_back();
}

Result<Shared<model::Snapshot>> CatalogState::load(const std::string& which) {
  const auto header = catalog->find_snapshot(which);
  if (!header) return header.error();
  const auto known = std::find_if(recent.begin(), recent.end(), [&](const auto& each) {
    return each->header.id == header.value().id;
  });
  if (known != recent.end()) {
    std::rotate(recent.begin(), known, known + 1);
    return recent.front();
  }
  auto snapshot = catalog->load_snapshot(header.value().id);
  if (!snapshot) return snapshot.error();
  remember(share(std::move(snapshot).value()));
  return recent.front();
}

CatalogActor::behavior_type catalog_actor(CatalogActor::stateful_pointer<CatalogState> self,
                                          std::shared_ptr<catalog::Catalog> owned) {
  auto& state = self->state;
  state.catalog = std::move(owned);
  auto& catalog = *state.catalog;
  return {
      [&catalog](import_atom, const api::ImportRequest& request) {
        return to_caf(catalog.import_csv(request, utc_now()));
      },
      [&catalog](list_atom, const api::PvQuery& query) -> caf::result<Shared<api::PvPage>> {
        auto page = catalog.list(query);
        if (!page) return to_caf(page.error());
        return share(std::move(page).value());
      },
      [&catalog](tags_atom) { return catalog.tags(); },
      [&catalog](channels_atom) { return share(journaled_channels(catalog)); },
      [&catalog](find_atom) { return unjournaled_channels(catalog); },
      [&catalog](journaled_atom, std::uint32_t channel) {
        return to_caf(catalog.set_journaled_through(channel));
      },
      [&catalog](select_atom, const model::Scope& scope) -> caf::result<Draft> {
        const auto pvs = catalog.select(scope);
        if (!pvs) return to_caf(pvs.error());
        DraftBuilder builder(catalog);
        for (const auto* pv : pvs.value()) builder.add(*pv);
        return std::make_shared<model::Snapshot>(std::move(builder.draft));
      },
      [&catalog](scope_atom, const model::Scope& scope) -> caf::result<Shared<PvSet>> {
        const auto pvs = catalog.select(scope);
        if (!pvs) return to_caf(pvs.error());
        PvSet ids;
        for (const auto* pv : pvs.value()) ids.insert(pv->id);
        return share(std::move(ids));
      },
      [&catalog](find_atom, const std::string& address) -> caf::result<std::uint32_t> {
        const auto channel = catalog.channel_of(address);
        if (!channel) {
          return to_caf(Error{Code::kNotFound, "no PV has the address '" + address + "'"});
        }
        return model::raw(*channel);
      },
      [&catalog](put_atom, const std::string& address) {
        return to_caf(may_write(catalog, address));
      },
      [&state, &catalog](add_atom, const Shared<model::Snapshot>& snapshot) -> caf::result<Unit> {
        const auto added = catalog.add_snapshot(*snapshot);
        if (!added) return to_caf(added.error());
        state.remember(snapshot);
        return Unit{};
      },
      [&state](load_atom, const std::string& which) -> caf::result<Shared<model::Snapshot>> {
        auto snapshot = state.load(which);
        if (!snapshot) return to_caf(snapshot.error());
        return std::move(snapshot).value();
      },
      [&state, &catalog](snapshot_atom,
                         const api::SnapshotGet& query) -> caf::result<Shared<model::Snapshot>> {
        auto whole = state.load(query.snapshot);
        if (!whole) return to_caf(whole.error());
        if (query.scope.all() && query.offset == 0 && query.limit == 0) {
          return std::move(whole).value();
        }
        auto part = cut(catalog, *whole.value(), query);
        if (!part) return to_caf(part.error());
        return share(std::move(part).value());
      },
      [&state, &catalog](remove_atom,
                         const std::string& which) -> caf::result<model::SnapshotHeader> {
        const auto header = catalog.find_snapshot(which);
        if (!header) return to_caf(header.error());
        const auto removed = catalog.delete_snapshot(header.value().id);
        if (!removed) return to_caf(removed.error());
        std::erase_if(state.recent,
                      [&](const auto& each) { return each->header.id == header.value().id; });
        return header.value();
      },
      [&catalog](list_atom, const api::SnapshotQuery& query) -> caf::result<api::SnapshotList> {
        auto list = catalog.list_snapshots(query);
        if (!list) return to_caf(list.error());
        return api::SnapshotList{std::move(list).value()};
      },
      [&catalog](policies_atom) { return policy_list(catalog); },
      [&catalog](put_atom, const model::Policy& policy) -> caf::result<model::Policy> {
        const auto* known = catalog.find_policy(policy.name);
        const auto before = known == nullptr ? model::Policy{} : *known;
        const auto kept = catalog.set_policy(policy);
        if (!kept) return to_caf(kept.error());
        return before;
      },
      [&catalog](remove_atom, const api::PolicyRemove& request) -> caf::result<model::Policy> {
        const auto* known = catalog.find_policy(request.name);
        const auto before = known == nullptr ? model::Policy{} : *known;
        const auto removed = catalog.remove_policy(request.name);
        if (!removed) return to_caf(removed.error());
        return before;
      },
      [&catalog](explain_atom, const api::PolicyQuestion& question) {
        return to_caf(catalog.explain(question.address));
      },
      [&catalog](forecast_atom,
                 const api::PolicyPreviewQuery& query) -> caf::result<Shared<PolicyChange>> {
        auto change = policy_change(catalog, query);
        if (!change) return to_caf(change.error());
        return share(std::move(change).value());
      },
      [&catalog](put_atom, const Shared<model::Job>& job, const Uuid& idempotency) {
        return to_caf(catalog.put_job(*job, idempotency));
      },
      [&catalog](find_atom, const Uuid& idempotency) {
        const auto* job = catalog.job_of(idempotency);
        return share(job == nullptr ? model::Job{} : *job);
      },
      [&catalog](job_atom, const Uuid& id) -> caf::result<Shared<model::Job>> {
        const auto* job = catalog.find_job(id);
        if (job == nullptr) return to_caf(Error{Code::kNotFound, "no job " + id.text()});
        return share(*job);
      },
      [&catalog](jobs_atom, const api::JobsQuery& query) {
        return api::JobList{catalog.list_jobs(query.limit)};
      },
  };
}

}  // namespace tidemark::actors
