// tools/cmd_rates.cpp
//
// pv rates: who fills the disk.

#include <ostream>

#include "model/api/policy.h"
#include "tools/amounts.h"
#include "tools/commands.h"
#include "tools/policy_show.h"
#include "tools/show.h"
#include "tools/times.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

Json document(const api::ChannelRate& rate) {
  return {{"address", rate.address},
          {"seen", rate_json(rate.seen)},
          {"archived", rate_json(rate.archived)},
          {"policy", rate.policy.empty() ? Json(nullptr) : Json(rate.policy)},
          {"guarded", rate.guarded}};
}

std::string thinned_by(const api::ChannelRate& rate) {
  if (!rate.guarded) return rate.policy;
  return rate.policy.empty() ? "guard" : rate.policy + ", guard";
}

Exit rates(Context& context, Client& client, std::uint32_t top) {
  const auto asked = client.ask<api::Rates>("monitor", "monitor.rates", api::RatesQuery{{}, top},
                                            context.budget(5s));
  if (!asked) return context.report(asked.error());
  const auto& answer = asked.value();
  Table table({{"PV"},
               {"COMES", true, false},
               {"ARCHIVED", true, false},
               {"BYTES/S", true, false},
               {"A DAY", true, false},
               {"SHARE", true, false},
               {"THINNED BY"}});
  auto documents = Json::array();
  for (const auto& each : answer.channels) {
    documents.push_back(document(each));
    table.add({each.address,
               rate_text(each.seen.updates_per_s),
               rate_text(each.archived.updates_per_s),
               bytes_text(each.archived.bytes_per_s),
               bytes_text(each.archived.bytes_per_s * kSecondsPerDay),
               part_text(each.archived.bytes_per_s, answer.archived.bytes_per_s),
               {thinned_by(each), each.guarded ? Color::kYellow : Color::kNone}});
  }
  if (context.json) {
    context.print({{"measured_s", std::chrono::duration<double>(answer.measured).count()},
                   {"channels", answer.channel_count},
                   {"seen", rate_json(answer.seen)},
                   {"archived", rate_json(answer.archived)},
                   {"noisiest", std::move(documents)}});
    return Exit::kFine;
  }
  if (!table.empty()) table.print(context.out, context.columns, context.color());
  context.out << answer.channel_count << " PVs have changed: " << rate_text(answer.seen)
              << " come, " << rate_text(answer.archived) << " are archived, by the last "
              << duration_text(answer.measured) << ", before it is compressed\n";
  return Exit::kFine;
}

}  // namespace

void add_rates_command(Command pv, Context& context) {
  auto top = std::make_shared<std::uint32_t>(20);
  auto command = add_command(
      pv, context, "rates",
      {"Show the noisiest PVs: who fills the disk",
       "Rates are those of the last five minutes. Bytes are those of updates before they are "
       "compressed; the journal needs fewer. THINNED BY names the policy, and the storage guard "
       "when a PV exceeds its budget.",
       "  tidemark pv rates --top 10"},
      [&context, top] {
        return with_client(context, [&](Client& client) { return rates(context, client, *top); });
      });
  command.add_option("--top", *top, "At most so many (20)");
}

}  // namespace tidemark::tools
