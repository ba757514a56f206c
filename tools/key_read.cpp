#include "tools/key_read.h"

#include <algorithm>
#include <map>

#include "model/api/monitor.h"
#include "model/api/node.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using Updates = std::vector<Result<api::KeyUpdate>>;

constexpr std::size_t kQuestionsAtOnce = 200;  // few enough for anybody's queue

/// By their position in the surface.
Result<std::map<std::uint32_t, api::KeyUpdate>> state_of(Pending& pending) {
  std::map<std::uint32_t, api::KeyUpdate> state;
  std::optional<Error> bad;
  auto answer = pending.wait([&](const Bytes& packed) {
    auto part = model::unpack<api::KeyUpdates>(packed);
    if (!part) {
      bad = Error{Code::kCorruption, "kv.state: " + part.error().message};
      return;
    }
    for (auto& update : part.value()) state[update.key] = std::move(update);
  });
  if (!answer) return answer.error();
  if (bad) return *bad;
  return state;
}

}  // namespace

Updates read_keys(Client& client, const std::vector<FoundKey>& keys, Duration budget) {
  Updates values;
  for (std::size_t at = 0; at < keys.size(); at += kQuestionsAtOnce) {
    const auto end = std::min(at + kQuestionsAtOnce, keys.size());
    std::vector<std::shared_ptr<Pending>> asked;
    for (auto i = at; i < end; ++i) {
      asked.push_back(client.begin(keys[i].offer->node.name, "kv.read",
                                   api::KeyRead{keys[i].spec().name}, budget));
    }
    for (const auto& pending : asked) {
      values.push_back(Client::wait_for<api::KeyUpdate>(*pending, "kv.read"));
    }
  }
  return values;
}

Updates last_values(Client& client, const std::vector<FoundKey>& keys, Duration budget) {
  std::map<const Offer*, std::shared_ptr<Pending>> asked;
  std::vector<FoundKey> unpublished;
  for (const auto& key : keys) {
    if (!key.spec().published) {
      if (key.spec().readable) unpublished.push_back(key);
      continue;
    }
    auto& pending = asked[key.offer];
    if (!pending) pending = client.begin(key.offer->node.name, "kv.state", api::Empty{}, budget);
  }
  auto read = read_keys(client, unpublished, budget);
  std::map<const Offer*, Result<std::map<std::uint32_t, api::KeyUpdate>>> states;
  for (const auto& [offer, pending] : asked) states.emplace(offer, state_of(*pending));

  Updates values;
  auto next = read.begin();
  for (const auto& key : keys) {
    if (!key.spec().published) {
      values.push_back(key.spec().readable ? std::move(*next++)
                                           : Result<api::KeyUpdate>(api::KeyUpdate{}));
      continue;
    }
    const auto& state = states.at(key.offer);
    if (!state) {
      values.push_back(state.error());
      continue;
    }
    const auto found = state.value().find(key.number);
    values.push_back(found == state.value().end() ? api::KeyUpdate{} : found->second);
  }
  return values;
}

}  // namespace tidemark::tools
