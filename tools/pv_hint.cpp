#include "tools/pv_hint.h"

#include "base/glob.h"
#include "model/api/keeper.h"
#include "tools/nearest.h"

namespace tidemark::tools {

std::string pv_hint(Client& client, const std::string& address) {
  constexpr auto kBudget = std::chrono::seconds(1);
  constexpr std::size_t kNameMin = 3;  // shorter ones are like too many
  if (is_glob(address) || address.size() < kNameMin) return "";
  const auto half = address.size() / 2;
  const model::api::LiveQuery query{{address.substr(0, half) + "*", "*" + address.substr(half)}};
  const auto reply = client.ask<model::api::LiveReply>("keeper", "keeper.pv_live", query, kBudget);
  if (!reply) return "";
  std::vector<std::string> names;
  for (const auto& value : reply.value().values) {
    if (value.address == address) return "";  // It is known, and something else is wrong.
    names.push_back(value.address);
  }
  return did_you_mean(address, names);
}

Error with_pv_hint(Client& client, Error error, const std::string& address) {
  if (error.code == Code::kNotFound) error.message += pv_hint(client, address);
  return error;
}

}  // namespace tidemark::tools
