#include "actors/registry.h"

#include <spdlog/spdlog.h>

#include <cstdio>
#include <fstream>
#include <utility>

#include "base/files.h"
#include "bus/registration.h"
#include "model/api/subsystem.h"

namespace tidemark::actors {
namespace {

using bus::RegistryTable;
using model::api::Empty;
using model::api::Exited;

constexpr Duration kRegistryLook = std::chrono::milliseconds(250);
constexpr std::size_t kRegistryMemoryBytesMax = 256u << 20;  // kNodesMax of them with 25 kB each

Result<Unit> check(const bus::Forget& asked) {
  if (const auto fine = bus::check_node_name(asked.name); !fine) return fine;
  if (asked.uuid == Uuid{}) return Error{Code::kInvalidArgument, "the UUID is that of nobody"};
  if (!asked.who.empty() && asked.who.size() <= bus::kNodeTextBytesMax) return Unit{};
  return Error{Code::kInvalidArgument,
               "who says so? Expected 1 to " + std::to_string(bus::kNodeTextBytesMax) + " bytes"};
}

/// All that others will read of it; past this line nobody looks again.
Result<Unit> check(const bus::NodeInfo& asked) {
  if (const auto fine = bus::check_registration(asked); !fine) return fine;
  if (asked.surface.bytes.empty()) return Unit{};
  const auto surface = model::api::read_surface(asked.surface.bytes);
  if (surface) return Unit{};
  return Error{surface.error().code, "surface: " + surface.error().message};
}

}  // namespace

void RegistryState::tell(const RegistryTable::Changes& changes) {
  if (changes.empty()) return;
  changed = true;
  const auto items = RegistryTable::items(changes);
  Records records;
  for (const auto& change : changes) {
    const auto& node = change.node;
    switch (change.kind) {
      case RegistryTable::Change::Kind::kUp:
      case RegistryTable::Change::Kind::kBack:
        spdlog::info("{} is {}: incarnation {}, {} pid {}", node.name,
                     change.kind == RegistryTable::Change::Kind::kUp ? "up" : "back",
                     node.incarnation, node.host, node.pid);
        records.push_back(model::NodeUp{node.name, node.incarnation, node.host, node.pid});
        break;
      case RegistryTable::Change::Kind::kSuperseded:
      case RegistryTable::Change::Kind::kDown:
        spdlog::info("{} (incarnation {}) is gone: {}", node.name, node.incarnation, change.reason);
        records.push_back(model::NodeDown{node.name, node.incarnation, change.reason});
        break;
      case RegistryTable::Change::Kind::kOther: break;
    }
  }
  link->publish(bus::FrameClass::kDirectory, bus::kDirectoryStream,
                static_cast<std::uint32_t>(items.size()), model::pack(items));
  if (!records.empty()) caf::anon_send(outbox, append_atom_v, std::move(records));
  board->gauge("tidemark_registry_nodes_alive", "Nodes and subsystems with a lease",
               static_cast<double>(table->alive()));
}

void RegistryState::say_forgotten(const bus::NodeInfo& node, const std::string& who) {
  const auto said = node.name + " is forgotten: so says " + who;
  spdlog::info(said);
  model::kv::Struct data{{"node", node.name},
                         {"uuid", node.uuid.text()},
                         {"incarnation", std::uint64_t{node.incarnation}},
                         {"who", who}};
  caf::anon_send(outbox, append_atom_v,
                 Records{model::LogMessage{model::Level::kWarning, link->self().name, said,
                                           std::move(data), "registry", utc_now()}});
}

void RegistryState::remember() {
  if (memory.empty()) return;
  const auto bytes = read_file(memory, kRegistryMemoryBytesMax);
  if (!bytes && bytes.error().code == Code::kNotFound) return;  // The first life.
  auto nodes = bytes ? model::unpack<std::vector<bus::NodeInfo>>(bytes.value())
                     : Result<std::vector<bus::NodeInfo>>(bytes.error());
  if (!nodes) {
    spdlog::error("{}: who was there before is not known: {}", memory, nodes.error().message);
    return;
  }
  std::erase_if(nodes.value(), [](const bus::NodeInfo& node) { return !check(node); });
  table->remember(std::move(nodes).value());
}

void RegistryState::keep() {
  if (memory.empty() || !std::exchange(changed, false)) return;
  // Not synced: it is for a process that dies, and leases must not wait for a slow disk. What a
  // power cut leaves of it is all of it, an older one, or nothing that can be read.
  const auto fresh = memory + ".new";
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  out << model::pack(table->to_remember());
  out.close();
  if (!out || std::rename(fresh.c_str(), memory.c_str()) != 0) {
    spdlog::error("cannot write {}: who is there is forgotten with this process", memory);
  }
}

Registry::behavior_type registry_actor(Registry::stateful_pointer<RegistryState> self,
                                       std::shared_ptr<bus::Link> link,
                                       std::shared_ptr<Board> board, Outbox outbox,
                                       std::string memory) {
  auto& state = self->state;
  state.link = std::move(link);
  state.board = std::move(board);
  state.outbox = std::move(outbox);
  state.table = std::make_unique<RegistryTable>(state.link->self().incarnation, steady_now());
  state.memory = std::move(memory);
  state.remember();
  self->send(self, tick_atom_v);
  const auto granted =
      [&state](const Result<RegistryTable::Changes>& changes) -> caf::result<bus::Lease> {
    if (!changes) return to_caf(changes.error());
    state.tell(changes.value());
    return state.table->lease();
  };

  return {
      [&state, granted](add_atom, const bus::NodeInfo& asked) -> caf::result<bus::Lease> {
        if (const auto fine = check(asked); !fine) return to_caf(fine.error());
        return granted(state.table->add(asked, steady_now(), utc_now()));
      },
      [&state, granted](renew_atom, const bus::Renewal& renewal) {
        return granted(state.table->renew(renewal, steady_now(), utc_now()));
      },
      [&state](goodbye_atom, const bus::Renewal& leaving) {
        state.tell(state.table->goodbye(leaving, utc_now()));
        state.keep();  // Before whoever stops us does: it must not be missed.
        return Empty{};
      },
      [&state](exited_atom, const Exited& exited) {
        state.tell(state.table->exited(exited.name, exited.pid, exited.reason, utc_now()));
        return Empty{};
      },
      [&state](remove_atom, const bus::Forget& asked) -> caf::result<Empty> {
        if (const auto fine = check(asked); !fine) return to_caf(fine.error());
        const auto changes = state.table->forget(asked, steady_now());
        if (!changes) return to_caf(changes.error());
        state.tell(changes.value());
        state.say_forgotten(changes.value().front().node, asked.who);
        state.keep();
        return Empty{};
      },
      [&state](directory_atom) { return state.table->answer(steady_now()); },
      [self, &state](tick_atom) {
        self->delayed_send(self, kRegistryLook, tick_atom_v);
        state.tell(state.table->tick(steady_now(), utc_now()));
        state.keep();
      },
  };
}

}  // namespace tidemark::actors
