#include <caf/scoped_actor.hpp>

#include "actors/monitor.h"
#include "epics/ca_client.h"
#include "nodes/chassis.h"
#include "nodes/kinds.h"

namespace tidemark::nodes {
namespace {

class MonitorNode final : public Node {
 public:
  MonitorNode(std::unique_ptr<Chassis> chassis, std::shared_ptr<epics::Client> client,
              std::shared_ptr<std::function<void()>> wake)
      : chassis_(std::move(chassis)) {
    auto& c = *chassis_;
    const auto& guard = c.context.site.guard;
    monitor_ = c.system->spawn(
        actors::monitor_actor,
        actors::MonitorOptions{c.link,
                               std::move(client),
                               c.board,
                               c.outbox,
                               c.number_of("keeper"),
                               {guard.pv_updates_per_s_max, guard.pv_bytes_per_s_max}});
    *wake = [monitor = monitor_] { caf::anon_send(monitor, actors::wake_atom_v); };
    actors::serve_calls(*c.link, "monitor.state", monitor_, actors::state_atom_v);
    actors::serve_calls(*c.link, "monitor.read", monitor_, actors::read_atom_v);
    actors::serve_calls(*c.link, "monitor.put", monitor_, actors::put_atom_v);
    actors::serve_calls(*c.link, "monitor.rates", monitor_, actors::rates_atom_v);
    actors::serve_calls(*c.link, "monitor.forecast", monitor_, actors::forecast_atom_v);
    c.on_directory.push_back([monitor = monitor_, keeper = bus::Incarnation{0}](
                                 const bus::Directory& directory) mutable {
      const auto* info = directory.find("keeper");
      if (info == nullptr || info->incarnation == keeper) return;
      keeper = info->incarnation;
      caf::anon_send(monitor, actors::start_atom_v);
    });
    c.announce();
  }

  ~MonitorNode() override {
    {
      caf::scoped_actor self(*chassis_->system);
      self->request(monitor_, caf::timespan(std::chrono::seconds(2)), actors::stop_atom_v)
          .receive([](const Unit&) {}, [](const caf::error&) {});
    }
    chassis_->leave(std::chrono::seconds(2));
    caf::anon_send_exit(monitor_, caf::exit_reason::kill);
  }

  const std::string& name() const override { return chassis_->context.name; }

 private:
  std::unique_ptr<Chassis> chassis_;
  actors::Monitor monitor_;
};

}  // namespace

Result<std::unique_ptr<Node>> make_monitor_node(NodeContext context) {
  const auto& site = context.site;
  epics::CaOptions options;
  options.limits.queue_updates_max = site.monitor.queue_updates_max;
  options.limits.puts_per_ioc = site.epics.puts_per_ioc;
  options.addr_list = site.epics.addr_list;
  options.auto_addr_list = site.epics.auto_addr_list;
  options.server_port = site.epics.server_port;
  options.array_bytes_max = site.epics.array_bytes_max;
  // The actor exists later than the client, and no update comes before the actor adds channels.
  const auto wake = std::make_shared<std::function<void()>>();
  auto client = epics::open_ca_client(options, [wake] { (*wake)(); });
  if (!client) return client.error();
  auto chassis = Chassis::build(std::move(context));
  if (!chassis) return chassis.error();
  return std::unique_ptr<Node>(std::make_unique<MonitorNode>(
      std::move(chassis).value(), std::shared_ptr<epics::Client>(std::move(client).value()), wake));
}

}  // namespace tidemark::nodes
