#include <spdlog/spdlog.h>

#include <map>
#include <mutex>

#include "actors/archivist.h"
#include "actors/journal.h"
#include "journal/projection_thread.h"
#include "journal/rocks_store.h"
#include "nodes/chassis.h"
#include "nodes/kinds.h"

namespace tidemark::nodes {
namespace {

/// What origins are called: from the directory, filled on one thread and read on another.
class NodeNames {
 public:
  void learn(const bus::Directory& directory) {
    const std::lock_guard lock(mutex_);
    for (const auto& node : directory.nodes) names_[node.uuid] = node.name;
  }
  std::string name_of(const Uuid& uuid) const {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(uuid);
    return found == names_.end() ? uuid.text() : found->second;
  }

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<Uuid, std::string> names_;
};

void tell(const journal::ThinnerCounters& counters, actors::Board& board) {
  board.count("tidemark_journal_segments_closed_total",
              "Segments that the log gave up since the node began",
              static_cast<double>(counters.closed - counters.in_log));
  if (counters.in_log == 0) return;
  board.warning("segments", std::to_string(counters.in_log) +
                                " segments of the journal did not read back as they were; their "
                                "blocks are kept in the log");
}

class JournalNode final : public Node {
 public:
  JournalNode(std::unique_ptr<Chassis> chassis, std::shared_ptr<journal::Store> store,
              std::shared_ptr<journal::Projections> projections,
              const std::shared_ptr<journal::Thinner>& thinner)
      : chassis_(std::move(chassis)),
        store_(std::move(store)),
        projections_(std::make_shared<journal::ProjectionThread>(projections, thinner)) {
    auto& c = *chassis_;
    const auto names = std::make_shared<NodeNames>();
    const auto& site = c.context.site;
    for (const auto& each : {"registry", "journal", "keeper", "monitor", "gateway", "supervisor"}) {
      bus::Directory known;
      known.nodes.emplace_back().name = each;
      known.nodes.back().uuid = bus::node_uuid(site.name, each);
      names->learn(known);
    }
    bus::Directory mine;  // Gap records have an origin of their own.
    mine.nodes.emplace_back().name = c.context.name;
    mine.nodes.back().uuid = Uuid::derive(c.link->self().uuid.text() + "/gaps");
    names->learn(mine);

    reader_ = c.system->spawn<caf::detached>(
        actors::journal_reader_actor, store_,
        [names](const Uuid& origin) { return names->name_of(origin); },
        [projections](const std::string& mark) { return projections->marks().lines_of(mark); });
    journal_ = c.system->spawn<caf::detached>(
        actors::journal_actor, store_, c.board, reader_, c.link->self().uuid,
        [end = c.context.end](const Error& error) {
          spdlog::critical("journal: {}; ending, so that the next start reads the truth",
                           error.message);
          end({1, error.message});
        },
        [thread = projections_, thinner, board = c.board] {
          thread->wake();
          tell(thinner->counters(), *board);
        });
    archivist_ = c.system->spawn<caf::detached>(actors::archivist_actor, projections);
    actors::serve_calls(*c.link, "journal.append", journal_, actors::append_atom_v);
    actors::serve_calls(*c.link, "journal.read", reader_, actors::read_atom_v);
    actors::serve_calls(*c.link, "journal.moment", archivist_, actors::moment_atom_v);
    actors::serve_calls(*c.link, "journal.state", archivist_, actors::state_atom_v);
    actors::serve_calls(*c.link, "journal.changes", archivist_, actors::changes_atom_v);
    actors::serve_calls(*c.link, "journal.history", archivist_, actors::history_atom_v);
    actors::serve_calls(*c.link, "journal.bins", archivist_, actors::bins_atom_v);
    actors::serve_calls(*c.link, "journal.blame", archivist_, actors::blame_atom_v);
    actors::serve_calls(*c.link, "journal.marks", archivist_, actors::marks_atom_v);
    c.board->fact("sync", site.journal.sync);
    c.on_directory.push_back([names](const bus::Directory& d) { names->learn(d); });
    c.announce();
  }

  ~JournalNode() override {
    chassis_->leave(std::chrono::seconds(1));
    caf::anon_send_exit(journal_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(reader_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(archivist_, caf::exit_reason::user_shutdown);
  }

  const std::string& name() const override { return chassis_->context.name; }

 private:
  std::unique_ptr<Chassis> chassis_;
  std::shared_ptr<journal::Store> store_;
  std::shared_ptr<journal::ProjectionThread> projections_;
  actors::Archivist archivist_;
  actors::JournalReader reader_;
  actors::Journal journal_;
};

}  // namespace

Result<std::unique_ptr<Node>> make_journal_node(NodeContext context) {
  journal::RocksStoreOptions options;
  options.directory = context.site.data_directory + "/" + context.name + "/store";
  options.sync = context.site.journal.sync == "interval" ? journal::SyncMode::kInterval
                                                         : journal::SyncMode::kBatch;
  // The store before the sockets: a second journal on the directory must not even begin.
  const auto made = make_directories(context.site.data_directory + "/" + context.name);
  if (!made) return made.error();
  auto opened = journal::open_rocks_journal(options);
  if (!opened) return opened.error();
  auto& store = opened.value().store;
  const auto projections = std::make_shared<journal::Projections>(store, opened.value().projections);
  const auto loaded = projections->load();
  if (!loaded) return loaded.error();
  const auto thinner = std::make_shared<journal::Thinner>(opened.value().segments, projections);
  spdlog::info("journal {} opened at line {}", options.directory, journal::raw(store->last()));
  auto chassis = Chassis::build(std::move(context));
  if (!chassis) return chassis.error();
  return std::unique_ptr<Node>(
      std::make_unique<JournalNode>(std::move(chassis).value(), std::move(store), projections,
                                    thinner));
}

}  // namespace tidemark::nodes
