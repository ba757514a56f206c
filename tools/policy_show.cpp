#include "tools/policy_show.h"

#include <ostream>

#include "tools/amounts.h"
#include "tools/show.h"
#include "tools/times.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;

Json number_or_null(double number) { return number == 0 ? Json(nullptr) : Json(number); }

std::string or_none(const std::string& policy) { return policy.empty() ? "-" : policy; }

}  // namespace

Json rate_json(const api::Rate& rate) {
  return {{"updates_per_s", rate.updates_per_s},
          {"bytes_per_s", rate.bytes_per_s},
          {"bytes_per_day", rate.bytes_per_s * kSecondsPerDay}};
}

Json thinning_json(const model::Thinning& thinning) {
  return {
      {"deadband", thinning.deadband_abs ? Json(*thinning.deadband_abs) : Json(nullptr)},
      {"deadband_relative", thinning.deadband_rel ? Json(*thinning.deadband_rel) : Json(nullptr)},
      {"updates_per_s_max", number_or_null(thinning.updates_per_s_max)},
      {"waveform_bytes_per_s_max", number_or_null(thinning.waveform_bytes_per_s_max)},
      {"off", thinning.off}};
}

Json policy_json(const api::PolicyEntry& entry) {
  const auto& policy = entry.policy;
  Json json = {{"name", policy.name},
               {"order", policy.order},
               {"tags", policy.scope.tags},
               {"names", policy.scope.names}};
  json.update(thinning_json(policy.thinning));
  json["channels"] = entry.channels;
  json["modified_at"] = time_json(policy.modified_at);
  json["modified_by"] = policy.modified_by;
  return json;
}

Json preview_json(const api::PolicyPreview& preview) {
  auto largest = Json::array();
  for (const auto& each : preview.largest) {
    largest.push_back({{"address", each.address},
                       {"policy_before", each.policy_before},
                       {"policy_after", each.policy_after},
                       {"seen", rate_json(each.seen)},
                       {"before", rate_json(each.before)},
                       {"after", rate_json(each.after)}});
  }
  return {{"replaces", preview.replaces ? policy_json({*preview.replaces, 0}) : Json(nullptr)},
          {"channels", preview.channels},
          {"measured_s", std::chrono::duration<double>(preview.measured).count()},
          {"monitor_alive", preview.monitor_alive},
          {"seen", rate_json(preview.seen)},
          {"before", rate_json(preview.before)},
          {"after", rate_json(preview.after)},
          {"largest", std::move(largest)}};
}

std::string rate_text(const api::Rate& rate) {
  return rate_text(rate.updates_per_s) + ", " + bytes_text(rate.bytes_per_s * kSecondsPerDay) +
         " a day";
}

void print_policy(const Context& context, const api::PolicyEntry& entry) {
  const auto& policy = entry.policy;
  auto& out = context.out;
  out << "policy       " << policy.name << "\n"
      << "order        " << policy.order << "\n"
      << "archives     " << model::describe(policy.thinning) << "\n";
  for (const auto& tag : policy.scope.tags) out << "tag          " << printable(tag) << "\n";
  for (const auto& name : policy.scope.names) out << "name         " << printable(name) << "\n";
  out << "decides      about " << entry.channels << " addresses\n"
      << "modified     " << time_text(policy.modified_at) << " by " << printable(policy.modified_by)
      << "\n";
}

void print_preview(const Context& context, std::ostream& out, const api::PolicyPreview& preview) {
  if (preview.replaces) out << "before: " << model::describe(*preview.replaces) << "\n";
  if (preview.channels == 0) {
    out << "no address would be archived otherwise\n";
    return;
  }
  Table table({{"PV"},
               {"POLICY"},
               {"SEEN", true, false},
               {"NOW", true, false},
               {"THEN", true, false},
               {"SAVES A DAY", true, false}});
  for (const auto& each : preview.largest) {
    const auto policy = each.policy_before == each.policy_after
                            ? each.policy_after
                            : or_none(each.policy_before) + " → " + or_none(each.policy_after);
    const double saves = (each.before.bytes_per_s - each.after.bytes_per_s) * kSecondsPerDay;
    table.add({each.address, policy, rate_text(each.seen.updates_per_s),
               rate_text(each.before.updates_per_s), rate_text(each.after.updates_per_s),
               saves < 0 ? "-" + bytes_text(-saves) : bytes_text(saves)});
  }
  table.print(out, context.columns, context.color());
  if (preview.channels > preview.largest.size()) {
    out << "… and " << preview.channels - preview.largest.size() << " more\n";
  }
  out << preview.channels << " addresses would be archived otherwise";
  if (!preview.monitor_alive) {
    out << "; the monitor is away, so nobody knows what that saves\n";
    return;
  }
  out << ": " << rate_text(preview.after) << " in place of " << rate_text(preview.before) << "\n"
      << "by what came in the last " << duration_text(preview.measured)
      << ", before it is compressed\n";
}

}  // namespace tidemark::tools
