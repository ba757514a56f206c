#include "actors/registry.h"
#include "nodes/chassis.h"
#include "nodes/kinds.h"

namespace tidemark::nodes {
namespace {

namespace api = model::api;

class RegistryNode final : public Node {
 public:
  explicit RegistryNode(std::unique_ptr<Chassis> chassis) : chassis_(std::move(chassis)) {
    auto& c = *chassis_;
    c.link->declare_stream(bus::FrameClass::kDirectory, bus::kDirectoryStream);
    const auto& context = c.context;
    registry_ = c.system->spawn(actors::registry_actor, c.link, c.board, c.outbox,
                                context.site.data_directory + "/" + context.name + "/members");
    actors::serve<bus::NodeInfo, bus::Lease>(c.gate, *c.link, "registry.register", registry_,
                                             actors::add_atom_v);
    actors::serve<bus::Renewal, bus::Lease>(c.gate, *c.link, "registry.renew", registry_,
                                            actors::renew_atom_v);
    actors::serve<bus::Renewal, api::Empty>(c.gate, *c.link, "registry.goodbye", registry_,
                                            actors::goodbye_atom_v);
    actors::serve<api::Exited, api::Empty>(c.gate, *c.link, "registry.exited", registry_,
                                           actors::exited_atom_v);
    actors::serve<bus::Forget, api::Empty>(c.gate, *c.link, "registry.forget", registry_,
                                           actors::remove_atom_v);
    actors::serve<api::Empty, bus::Directory>(c.gate, *c.link, "registry.directory", registry_,
                                              actors::directory_atom_v);
    c.announce();
  }

  ~RegistryNode() override {
    // The journal stops before us: that it did cannot be told to it.
    caf::anon_send_exit(registry_, caf::exit_reason::kill);
  }

  const std::string& name() const override { return chassis_->context.name; }

 private:
  std::unique_ptr<Chassis> chassis_;
  actors::Registry registry_;
};

}  // namespace

Result<std::unique_ptr<Node>> make_registry_node(NodeContext context) {
  auto chassis = Chassis::build(std::move(context));
  if (!chassis) return chassis.error();
  return std::unique_ptr<Node>(std::make_unique<RegistryNode>(std::move(chassis).value()));
}

}  // namespace tidemark::nodes
