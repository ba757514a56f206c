#include "actors/keeper.h"
#include "catalog/rocks_store.h"
#include "nodes/chassis.h"
#include "nodes/kinds.h"

namespace tidemark::nodes {
namespace {

namespace api = model::api;
using namespace actors;  // verbs and handles

class KeeperNode final : public Node {
 public:
  KeeperNode(std::unique_ptr<Chassis> chassis, std::shared_ptr<catalog::Catalog> catalog)
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
    c.announce();
  }

  ~KeeperNode() override {
    chassis_->leave(std::chrono::seconds(2));
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
};

}  // namespace

Result<std::unique_ptr<Node>> make_keeper_node(NodeContext context) {
  const auto directory = context.site.data_directory + "/" + context.name;
  const auto made = make_directories(directory);
  if (!made) return made.error();
  auto store = catalog::open_rocks_store(directory + "/store");
  if (!store) return store.error();
  auto catalog = catalog::Catalog::load(std::shared_ptr<catalog::Store>(std::move(store).value()));
  if (!catalog) return catalog.error();
  auto chassis = Chassis::build(std::move(context));
  if (!chassis) return chassis.error();
  return std::unique_ptr<Node>(std::make_unique<KeeperNode>(
      std::move(chassis).value(), std::make_shared<catalog::Catalog>(std::move(catalog).value())));
}

}  // namespace tidemark::nodes
