#include <mutex>
#include <optional>

#include "actors/live.h"
#include "bus/change.h"
#include "gateway/server.h"
#include "nodes/chassis.h"
#include "nodes/kinds.h"

namespace tidemark::nodes {
namespace {

namespace api = model::api;

constexpr Duration kBudget = std::chrono::seconds(9);  // the gateway itself gives up after ten

/// The gateway's questions: live values from this node's own table, the rest from the keeper.
class BusBackend final : public gateway::Backend {
 public:
  BusBackend(Chassis& chassis, actors::Live live) : chassis_(chassis), live_(std::move(live)) {}

  void list_pvs(api::PvQuery query, gateway::Reply<api::PvPage> reply) override {
    ask(keeper(), "keeper.pv_list", query, std::move(reply));
  }
  void live(api::LiveQuery query, gateway::Reply<api::LiveReply> reply) override {
    actors::ask<actors::Shared<api::LiveReply>>(
        chassis_.gate, live_, actors::live_atom_v, std::move(query),
        [reply = std::move(reply)](Result<actors::Shared<api::LiveReply>> found) {
          if (!found) return reply(found.error());
          reply(*found.value());
        });
  }
  void create_snapshot(api::SnapshotRequest request, gateway::Reply<model::Job> reply) override {
    ask(keeper(), "keeper.snapshot_create", request, std::move(reply));
  }
  void list_snapshots(api::SnapshotQuery query, gateway::Reply<api::SnapshotList> reply) override {
    ask(keeper(), "keeper.snapshot_list", query, std::move(reply));
  }
  void get_snapshot(api::SnapshotGet query, gateway::Reply<model::Snapshot> reply) override {
    ask(keeper(), "keeper.snapshot_get", query, std::move(reply));
  }
  void tags(gateway::Reply<api::Tags> reply) override {
    ask(keeper(), "keeper.tags", api::Empty{}, std::move(reply));
  }
  void job(api::JobQuery query, gateway::Reply<model::Job> reply) override {
    ask(keeper(), "keeper.job", query, std::move(reply));
  }
  void node_statuses(gateway::Reply<std::vector<api::NodeStatus>> reply) override;

 private:
  bus::NodeNumber keeper() const { return chassis_.number_of("keeper"); }

  template <class Request, class Reply>
  void ask(bus::NodeNumber node, const char* method, const Request& request,
           gateway::Reply<Reply> reply) {
    chassis_.link->request(node, method, model::pack(request), {kBudget, {}},
                           [reply = std::move(reply)](bus::Answer answer) {
                             if (!answer) return reply(answer.error());
                             reply(model::unpack<Reply>(answer.value()));
                           });
  }

  Chassis& chassis_;
  actors::Live live_;
};

void BusBackend::node_statuses(gateway::Reply<std::vector<api::NodeStatus>> reply) {
  struct Collection {
    std::mutex mutex;
    // Guarded by mutex.
    std::vector<api::NodeStatus> statuses;
    std::size_t missing = 0;
  };
  const auto& nodes = chassis_.context.site.nodes;
  const auto collection = std::make_shared<Collection>();
  collection->missing = nodes.size();
  const auto arrived = [collection, reply](std::optional<api::NodeStatus> status) {
    const std::lock_guard lock(collection->mutex);
    if (status) collection->statuses.push_back(std::move(*status));
    if (--collection->missing == 0) reply(std::move(collection->statuses));
  };
  for (const auto& node : nodes) {
    if (node == chassis_.context.name) {
      arrived(chassis_.status());  // A node is not its own peer.
      continue;
    }
    chassis_.link->request(chassis_.number_of(node), "node.status", model::pack(api::Empty{}),
                           {std::chrono::seconds(1), {}}, [arrived](const bus::Answer& answer) {
                             if (!answer) return arrived(std::nullopt);
                             auto status = model::unpack<api::NodeStatus>(answer.value());
                             if (!status) return arrived(std::nullopt);
                             arrived(std::move(status).value());
                           });
  }
}

class GatewayNode final : public Node {
 public:
  explicit GatewayNode(std::unique_ptr<Chassis> chassis) : chassis_(std::move(chassis)) {
    auto& c = *chassis_;
    live_ = c.system->spawn(actors::live_actor,
                            actors::LiveOptions{c.link, c.number_of("monitor"), c.board, c.outbox});
    backend_ = std::make_unique<BusBackend>(c, live_);
  }

  Result<Unit> serve() {
    auto& c = *chassis_;
    const auto& site = c.context.site;
    auto server =
        gateway::start_server({site.gateway.listen, site.gateway.squirrel_envelope, {}}, *backend_);
    if (!server) return server.error();
    server_ = std::move(server).value();
    const auto address = site.gateway.listen.substr(0, site.gateway.listen.rfind(':'));
    c.board->fact("url", "http://" + address + ":" + std::to_string(server_->port()));
    follow_channels();
    c.announce();
    return Unit{};
  }

  ~GatewayNode() override {
    server_.reset();
    chassis_->leave(std::chrono::milliseconds(500));
    caf::anon_send_exit(live_, caf::exit_reason::kill);
    live_ = nullptr;
  }

  const std::string& name() const override { return chassis_->context.name; }

 private:
  /// What the channels are called: asked again whenever the keeper says that they changed.
  void follow_channels() {
    auto& c = *chassis_;
    const auto ask = [link = c.link, keeper = c.number_of("keeper"), live = live_] {
      link->request(keeper, "keeper.channels", model::pack(api::Empty{}),
                    {std::chrono::seconds(5), {}}, [live](bus::Answer answer) {
                      if (!answer) return;
                      auto channels = model::unpack<api::Channels>(answer.value());
                      if (!channels) return;
                      caf::anon_send(live, actors::channels_atom_v,
                                     actors::share(std::move(channels).value()));
                    });
    };
    bus::on_change(*c.link, bus::FrameClass::kEvent, {c.number_of("keeper"), bus::kCatalogStream},
                   ask);
  }

  std::unique_ptr<Chassis> chassis_;
  actors::Live live_;
  std::unique_ptr<BusBackend> backend_;
  std::unique_ptr<gateway::Server> server_;
};

}  // namespace

Result<std::unique_ptr<Node>> make_gateway_node(NodeContext context) {
  auto chassis = Chassis::build(std::move(context));
  if (!chassis) return chassis.error();
  auto node = std::make_unique<GatewayNode>(std::move(chassis).value());
  const auto serving = node->serve();
  if (!serving) return serving.error();
  return std::unique_ptr<Node>(std::move(node));
}

}  // namespace tidemark::nodes
