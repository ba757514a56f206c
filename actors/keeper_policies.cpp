// actors/keeper_policies.cpp
//
// The keeper's part in policies.
//
//   set      catalog ─► PolicyChanged durable ─► answer, and the catalog stream tells the monitor
//   preview  catalog says whom it concerns ─► the monitor, what that saves ─► answer

#include <algorithm>
#include <cmath>

#include "actors/keeper.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;

constexpr Duration kForecastBudget = std::chrono::seconds(5);
constexpr std::uint32_t kEffectsMax = 10'000;  // in one answer

}  // namespace

void KeeperState::record_policy(model::PolicyChanged change,
                                caf::typed_response_promise<api::Empty> promise) {
  self->request(options.outbox, caf::infinite, append_atom_v, Records{std::move(change)})
      .then([this, promise](std::uint64_t) {
        announce_channels();
        caf::typed_response_promise<api::Empty>(promise).deliver(api::Empty{});
      });
}

caf::result<api::Empty> KeeperState::set_policy(const api::PolicySet& request) {
  auto promise = self->make_response_promise<api::Empty>();
  auto policy = request.policy;
  policy.modified_at = utc_now();
  policy.modified_by = request.user;
  self->request(options.catalog, caf::infinite, put_atom_v, policy)
      .then(
          [this, promise, policy](const model::Policy& before) {
            record_policy({policy.name, before.name.empty() ? "" : model::describe(before),
                           model::describe(policy), policy.modified_by},
                          promise);
          },
          fails(promise));
  return promise;
}

caf::result<api::Empty> KeeperState::remove_policy(const api::PolicyRemove& request) {
  auto promise = self->make_response_promise<api::Empty>();
  self->request(options.catalog, caf::infinite, remove_atom_v, request)
      .then(
          [this, promise, user = request.user](const model::Policy& before) {
            record_policy({before.name, model::describe(before), "", user}, promise);
          },
          fails(promise));
  return promise;
}

caf::result<api::PolicyPreview> KeeperState::preview(const api::PolicyPreviewQuery& query) {
  auto promise = self->make_response_promise<api::PolicyPreview>();
  self->request(options.catalog, caf::infinite, forecast_atom_v, query)
      .then(
          [this, promise, limit = query.limit](const Shared<PolicyChange>& change) {
            const auto number = ++previews;
            previewing.emplace(number, Previewing{change, limit, promise});
            options.link->request(options.monitor, "monitor.forecast",
                                  model::pack(change->question), {kForecastBudget, {}},
                                  [me = caf::actor_cast<Keeper>(self), number](bus::Answer answer) {
                                    caf::anon_send(me, answered_atom_v, number, std::move(answer));
                                  });
          },
          fails(promise));
  return promise;
}

void KeeperState::answer_preview(std::uint64_t number, const bus::Answer& answer) {
  auto asked = previewing.extract(number);
  if (asked.empty()) return;
  auto& [change, limit, promise] = asked.mapped();
  api::PolicyPreview preview;
  preview.replaces = change->replaces;
  preview.channels = static_cast<std::uint32_t>(change->effects.size());
  auto effects = change->effects;
  auto forecast =
      answer ? model::unpack<api::Forecast>(answer.value()) : Result<api::Forecast>(answer.error());
  preview.monitor_alive = forecast && forecast.value().rows.size() == effects.size();
  if (preview.monitor_alive) {
    preview.measured = forecast.value().measured;
    for (std::size_t i = 0; i < effects.size(); ++i) {
      const auto& row = forecast.value().rows[i];
      effects[i].seen = row.seen;
      effects[i].before = row.before;
      effects[i].after = row.after;
      preview.seen += row.seen;
      preview.before += row.before;
      preview.after += row.after;
    }
  }
  const auto change_of = [](const api::PolicyEffect& effect) {
    return std::abs(effect.after.bytes_per_s - effect.before.bytes_per_s);
  };
  std::stable_sort(effects.begin(), effects.end(),
                   [&](const auto& a, const auto& b) { return change_of(a) > change_of(b); });
  effects.resize(std::min<std::size_t>({effects.size(), limit, kEffectsMax}));
  preview.largest = std::move(effects);
  promise.deliver(std::move(preview));
}

}  // namespace tidemark::actors
