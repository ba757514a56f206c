#include <atomic>
#include <caf/scoped_actor.hpp>

#include "actors/backup.h"
#include "actors/keeper.h"
#include "catalog/backup.h"
#include "catalog/rocks_store.h"
#include "nodes/chassis.h"
#include "nodes/kinds.h"

namespace tidemark::nodes {
namespace {

namespace api = model::api;
using namespace actors;  // verbs and handles

constexpr Duration kSaidPatience = std::chrono::seconds(10);

/// What keeper.backup does. The catalog first, and then it waits until the journal has what the
/// keeper said: a backup of the journal after it knows all that the catalog knows.
WriteBackup backups_of(std::shared_ptr<const catalog::Store> store, caf::actor_system& system,
                       Outbox outbox) {
  return [store = std::move(store), &system, outbox = std::move(outbox)](
             const api::BackupRequest& request, const BackupProgress&) -> Result<api::BackupReply> {
    if (request.name.empty()) {
      return Error{Code::kInvalidArgument, "a backup of the catalog needs a name"};
    }
    const auto path = request.directory + "/" + request.name;
    const auto written = catalog::write_backup(*store, path);
    if (!written) return written.error();
    Result<api::BackupReply> reply = api::BackupReply{path, 0, written.value().bytes, 0};
    caf::scoped_actor self(system);
    self->request(outbox, caf::timespan(kSaidPatience), stop_atom_v)
        .receive([](const Unit&) {},
                 [&](const caf::error&) {
                   reply = Error{
                       Code::kUnavailable,
                       "the journal does not have all that the keeper said; " + path + " is whole"};
                 });
    return reply;
  };
}

class KeeperNode final : public Node {
 public:
  KeeperNode(std::unique_ptr<Chassis> chassis, std::shared_ptr<catalog::Catalog> catalog,
             std::shared_ptr<const catalog::Store> store)
      : chassis_(std::move(chassis)) {
    auto& c = *chassis_;
    catalog_ = c.system->spawn<caf::detached>(catalog_actor, std::move(catalog));
    live_ =
        c.system->spawn(live_actor, LiveOptions{c.link, c.number_of("monitor"), c.board, c.outbox});
    keeper_ = c.system->spawn(keeper_actor,
                              KeeperOptions{c.link, c.board, c.outbox, catalog_, live_,
                                            c.number_of("monitor"), c.number_of("journal")});

    answer<api::Empty, api::Channels, Shared<api::Channels>>("channels", catalog_, channels_atom_v);
    answer<api::PvQuery, api::PvPage, Shared<api::PvPage>>("pv_list", catalog_, list_atom_v);
    answer<api::Empty, api::Tags>("tags", catalog_, tags_atom_v);
    answer<api::SnapshotQuery, api::SnapshotList>("snapshot_list", catalog_, list_atom_v);
    answer<api::SnapshotGet, model::Snapshot, Shared<model::Snapshot>>("snapshot_get", catalog_,
                                                                       snapshot_atom_v);
    answer<api::JobsQuery, api::JobList>("jobs", catalog_, jobs_atom_v);
    answer<api::LiveQuery, api::LiveReply, Shared<api::LiveReply>>("pv_live", live_, live_atom_v);
    answer<api::ImportRequest, api::ImportReport>("pv_import", keeper_, import_atom_v);
    answer<api::SnapshotRequest, model::Job>("snapshot_create", keeper_, snapshot_atom_v);
    answer<api::SnapshotDelete, api::Empty>("snapshot_delete", keeper_, remove_atom_v);
    answer<api::CompareRequest, api::CompareReply, Shared<api::CompareReply>>(
        "snapshot_compare", keeper_, compare_atom_v);
    answer<api::RestoreRequest, model::RestorePlan, Shared<model::RestorePlan>>(
        "restore_plan", keeper_, plan_atom_v);
    answer<api::RestoreRequest, model::Job>("restore", keeper_, restore_atom_v);
    answer<api::PutRequest, model::Job>("pv_put", keeper_, put_atom_v);
    answer<api::JobQuery, model::Job>("job", keeper_, job_atom_v);
    answer<api::JobQuery, model::Job>("job_cancel", keeper_, cancel_atom_v);
    answer<api::Empty, api::PolicyList>("policy_list", catalog_, policies_atom_v);
    answer<api::PolicyQuestion, api::PolicyExplanation>("policy_explain", catalog_, explain_atom_v);
    answer<api::PolicySet, api::Empty>("policy_set", keeper_, put_atom_v);
    answer<api::PolicyRemove, api::Empty>("policy_remove", keeper_, remove_atom_v);
    answer<api::PolicyPreviewQuery, api::PolicyPreview>("policy_preview", keeper_, forecast_atom_v);
    backup_ = c.system->spawn<caf::detached>(
        backup_actor, backups_of(std::move(store), *c.system, c.outbox), backup_stop_);
    serve_calls(*c.link, "keeper.backup", backup_, start_atom_v);
    c.announce();
  }

  ~KeeperNode() override {
    chassis_->leave(std::chrono::seconds(2));
    backup_stop_->store(true);
    caf::anon_send_exit(backup_, caf::exit_reason::kill);
    caf::anon_send_exit(keeper_, caf::exit_reason::kill);
    caf::anon_send_exit(live_, caf::exit_reason::kill);
    caf::anon_send_exit(catalog_, caf::exit_reason::user_shutdown);
  }

  const std::string& name() const override { return chassis_->context.name; }

 private:
  template <class Request, class Reply, class Wire = Reply, class Actor, class Atom>
  void answer(const char* method, const Actor& actor, Atom atom) {
    serve<Request, Reply, Wire>(chassis_->gate, *chassis_->link, std::string("keeper.") + method,
                                actor, atom);
  }

  std::unique_ptr<Chassis> chassis_;
  CatalogActor catalog_;
  Live live_;
  Keeper keeper_;
  const std::shared_ptr<std::atomic<bool>> backup_stop_ =
      std::make_shared<std::atomic<bool>>(false);
  BackupWriter backup_;
};

}  // namespace

Result<std::unique_ptr<Node>> make_keeper_node(NodeContext context) {
  const auto directory = context.site.data_directory + "/" + context.name;
  const auto made = make_directories(directory);
  if (!made) return made.error();
  auto opened = catalog::open_rocks_store(directory + "/store");
  if (!opened) return opened.error();
  const std::shared_ptr<catalog::Store> store = std::move(opened).value();
  auto catalog = catalog::Catalog::load(store);
  if (!catalog) return catalog.error();
  auto chassis = Chassis::build(std::move(context));
  if (!chassis) return chassis.error();
  return std::unique_ptr<Node>(std::make_unique<KeeperNode>(
      std::move(chassis).value(), std::make_shared<catalog::Catalog>(std::move(catalog).value()),
      store));
}

}  // namespace tidemark::nodes
