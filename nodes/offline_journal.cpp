#include "nodes/offline_journal.h"

#include <caf/actor_system_config.hpp>

#include "bus/memory_link.h"
#include "bus/node.h"
#include "journal/rocks_store.h"
#include "model/packing.h"
#include "nodes/journal_reads.h"

namespace tidemark::nodes {
namespace {

/// With the UUID that it has on its site, when that is known: exports name the journal by it.
bus::NodeInfo node_called(const std::string& site, const std::string& name) {
  bus::NodeInfo info;
  info.name = name;
  info.kind = name;
  info.uuid = bus::node_uuid(site.empty() ? "offline" : site, name);
  info.incarnation = 1;
  info.state = bus::NodeState::kAlive;
  return info;
}

class Offline final : public OfflineJournal {
 public:
  Offline(const std::string& site, const std::shared_ptr<journal::Store>& store,
          std::shared_ptr<const journal::Projections> projections) {
    config_.set("scheduler.max-threads", std::size_t{1});
    config_.set("scheduler.policy", caf::atom("sharing"));
    config_.set("logger.verbosity", caf::atom("quiet"));
    system_ = std::make_unique<caf::actor_system>(config_);
    registry_ = bus_.open(node_called(site, "registry"));
    journal_ = bus_.open(node_called(site, "journal"));
    reads_ =
        std::make_unique<JournalReads>(*system_, *journal_, site, store, std::move(projections));
    bus::Directory all;
    all.registry = 1;
    all.nodes = {registry_->self(), journal_->self()};
    registry_->serve("registry.directory",
                     [packed = model::pack(all)](const bus::Call& call) { call.done(packed); });
  }
  ~Offline() override {
    // Links hold actors, and the system waits for those.
    registry_.reset();
    journal_.reset();
    reads_.reset();
  }

  std::unique_ptr<bus::Link> link() override {
    auto self = node_called("", "cli");
    self.uuid = Uuid::random();
    return bus_.open(self);
  }
  bus::NodeInfo registry() const override { return registry_->self(); }

 private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  bus::MemoryBus bus_;
  std::unique_ptr<bus::Link> registry_;
  std::unique_ptr<bus::Link> journal_;
  std::unique_ptr<JournalReads> reads_;
};

}  // namespace

Result<std::unique_ptr<OfflineJournal>> OfflineJournal::open(const std::string& directory,
                                                             const std::string& site) {
  journal::RocksStoreOptions options;
  options.directory = directory;
  auto opened = journal::open_rocks_journal_to_read(options);
  if (!opened) return opened.error();
  const auto projections =
      std::make_shared<journal::Projections>(opened.value().store, opened.value().projections);
  const auto loaded = projections->load();
  if (!loaded) return loaded.error();
  return std::unique_ptr<OfflineJournal>(
      std::make_unique<Offline>(site, opened.value().store, projections));
}

}  // namespace tidemark::nodes
