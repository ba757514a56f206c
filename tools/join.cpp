#include "tools/join.h"

#include "subsystem/session.h"

namespace tidemark::tools {

Result<std::unique_ptr<tidemark::Client>> join(Client& client, Duration patience) {
  auto made = std::make_unique<tidemark::Client>();
  // It records nothing, so that it does without a journal.
  const auto journal = client.node("journal");
  const auto number = journal ? bus::node_number(journal->uuid) : bus::NodeNumber{};
  const auto session = made->session();
  const auto started = session->start(client.shared_link(), client.registries(), number);
  if (!started) return started.error();
  const auto joined = session->joined(patience);
  if (!joined) return joined.error();
  return made;
}

}  // namespace tidemark::tools
