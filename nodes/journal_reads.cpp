#include "nodes/journal_reads.h"

#include "bus/node.h"
#include "journal/segment_store.h"

namespace tidemark::nodes {
namespace {

constexpr std::uint64_t kNearLines = 16'384;  // read in a few milliseconds, whatever the filter

}  // namespace

NodeNames::NodeNames(const std::string& site) {
  for (const auto* each : {"registry", "journal", "keeper", "monitor", "gateway", "supervisor"}) {
    const auto uuid = bus::node_uuid(site, each);
    names_[uuid] = each;
    names_[Uuid::derive(uuid.text() + "/log")] = std::string(each) + "/log";
  }
  // Gap records have an origin of their own.
  names_[Uuid::derive(bus::node_uuid(site, "journal").text() + "/gaps")] = "journal";
  names_[journal::retention_origin()] = "journal";
  names_[Uuid{}] = "journal";  // what it says in the place of lines that expired
}

void NodeNames::learn(const bus::Directory& directory) {
  const std::lock_guard lock(mutex_);
  for (const auto& node : directory.nodes) {
    names_[node.uuid] = node.name;
    names_[Uuid::derive(node.uuid.text() + "/log")] = node.name + "/log";  // journal_log.h
  }
}

std::string NodeNames::name_of(const Uuid& uuid) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(uuid);
  return found == names_.end() ? uuid.text() : found->second;
}

JournalReads::JournalReads(caf::actor_system& system, bus::Link& link, const std::string& site,
                           const std::shared_ptr<journal::Store>& store,
                           std::shared_ptr<const journal::Projections> projections)
    : names_(std::make_shared<NodeNames>(site)) {
  const auto spawn_reader = [&](actors::JournalReader followers) {
    return system.spawn<caf::detached>(
        actors::journal_reader_actor, store,
        [names = names_](const Uuid& origin) { return names->name_of(origin); },
        [projections](const std::string& mark) { return projections->marks().lines_of(mark); },
        std::move(followers));
  };
  followers_ = spawn_reader({});
  searches_ = spawn_reader(followers_);
  link.serve("journal.read", [store, followers = followers_, searches = searches_](bus::Call call) {
    const auto request = model::unpack<model::api::ReadRequest>(call.payload());
    const bool follows = request && request.value().wait > Duration{0} &&
                         !request.value().newest_first &&
                         request.value().from + kNearLines > journal::raw(store->last());
    caf::anon_send(follows ? followers : searches, actors::read_atom_v, std::move(call));
  });
  archivist_ = system.spawn<caf::detached>(actors::archivist_actor, std::move(projections));
  actors::serve_calls(link, "journal.moment", archivist_, actors::moment_atom_v);
  actors::serve_calls(link, "journal.state", archivist_, actors::state_atom_v);
  actors::serve_calls(link, "journal.changes", archivist_, actors::changes_atom_v);
  actors::serve_calls(link, "journal.history", archivist_, actors::history_atom_v);
  actors::serve_calls(link, "journal.bins", archivist_, actors::bins_atom_v);
  actors::serve_calls(link, "journal.blame", archivist_, actors::blame_atom_v);
  actors::serve_calls(link, "journal.marks", archivist_, actors::marks_atom_v);
}

JournalReads::~JournalReads() {
  caf::anon_send_exit(searches_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(followers_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(archivist_, caf::exit_reason::user_shutdown);
}

}  // namespace tidemark::nodes
