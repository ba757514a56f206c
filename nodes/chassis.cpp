#include "nodes/chassis.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <caf/scoped_actor.hpp>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "bus/curve_keys.h"
#include "bus/zmq_link.h"
#include "config/endpoints.h"
#include "model/packing.h"

namespace tidemark::nodes {
namespace {

std::string host_name() {
  char text[256] = {};
  ::gethostname(text, sizeof text - 1);
  return text;
}

std::string kind_of(const std::string& name) {
  return name.substr(0, name.find_first_of("-0123456789"));
}

Result<bus::NodeInfo> registry_info(const config::Site& site) {
  bus::NodeInfo registry;
  registry.name = "registry";
  registry.kind = "registry";
  registry.uuid = bus::node_uuid(site.name, "registry");
  registry.request_endpoints = {config::registry_endpoint(site)};
  if (site.bus.transport == "ipc") {
    registry.data_endpoints = config::bind_endpoints(site, "registry").data;
  }
  if (site.bus.uses_keys()) {
    auto key = bus::load_public_key(site.bus.keys, "registry");
    if (!key) return key.error();
    registry.public_key.bytes = std::move(key).value();
  }
  return registry;
}

}  // namespace

std::string version() { return TIDEMARK_VERSION; }

Result<Unit> make_directories(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Error{Code::kUnavailable, "cannot make directory " + directory + ": " + error.message()};
  }
  return Unit{};
}

Result<bus::Incarnation> next_incarnation(const std::string& directory) {
  const auto made = make_directories(directory);
  if (!made) return made.error();
  const auto file = directory + "/incarnation";
  bus::Incarnation last = 0;
  std::ifstream(file) >> last;
  const auto next = std::max(last + 1, static_cast<bus::Incarnation>(std::time(nullptr)));
  // Written aside, synced and renamed: a crash leaves the old number or the new one.
  const auto aside = file + ".new";
  const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const auto text = std::to_string(next) + "\n";
  const bool written = fd >= 0 &&
                       ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!written || ::rename(aside.c_str(), file.c_str()) != 0) {
    return Error{Code::kUnavailable, "cannot write " + file + ": " + std::strerror(errno)};
  }
  return next;
}

Result<std::unique_ptr<Chassis>> Chassis::build(NodeContext asked) {
  std::unique_ptr<Chassis> self(new Chassis(std::move(asked)));
  const auto& site = self->context.site;
  const auto& name = self->context.name;
  const auto run = make_directories(site.run_directory);
  if (!run) return run.error();
  const auto incarnation = next_incarnation(site.data_directory + "/" + name);
  if (!incarnation) return incarnation.error();

  bus::ZmqLinkOptions options;
  options.self.name = name;
  options.self.kind = kind_of(name);
  options.self.uuid = bus::node_uuid(site.name, name);
  options.self.incarnation = incarnation.value();
  options.self.host = host_name();
  options.self.pid = static_cast<std::uint32_t>(::getpid());
  options.self.started_at = utc_now();
  auto endpoints = config::bind_endpoints(site, name);
  if (self->context.zmq_context) {  // Neighbours in this process reach us without a socket.
    endpoints.data.insert(endpoints.data.begin(), "inproc://" + name + ".data");
    endpoints.requests.insert(endpoints.requests.begin(), "inproc://" + name + ".req");
  }
  options.bind_data = std::move(endpoints.data);
  options.bind_requests = std::move(endpoints.requests);
  options.context = self->context.zmq_context;
  options.insecure = site.bus.insecure;
  if (site.bus.uses_keys()) {
    auto keys = bus::load_curve_keys(site.bus.keys, name);
    if (!keys) return keys.error();
    options.keys = std::move(keys).value();
    options.key_directory = site.bus.keys;
  }
  if (site.bus.exposed()) {
    self->board->warning("keys", "the bus has no keys (bus.insecure): everybody who reaches " +
                                     site.bus.address + " can read and write");
  }
  auto registry = registry_info(site);
  if (!registry) return registry.error();
  self->registry_ = std::move(registry).value();
  auto link = bus::open_zmq_link(std::move(options));
  if (!link) return link.error();
  self->link = std::move(link).value();

  self->config = std::make_unique<caf::actor_system_config>();
  // Work stealing polls: an idle node would use some per cent of a core, and a message that comes
  // when its workers sleep would wait up to 10 ms. Few, large messages do not need it.
  self->config->set("scheduler.policy", caf::atom("sharing"));
  self->config->set("scheduler.max-threads", std::size_t{2});
  self->config->set("logger.verbosity", caf::atom("quiet"));
  self->system = std::make_unique<caf::actor_system>(*self->config);
  actors::OutboxOptions outbox{self->link, self->number_of("journal"), self->board, {}};
  outbox.limits.bytes_max = site.monitor.holdback_bytes_max;
  self->outbox = self->system->spawn(actors::outbox_actor, std::move(outbox));
  self->gate = self->system->spawn(actors::gate_actor);
  return self;
}

bus::NodeNumber Chassis::number_of(const std::string& node) const {
  return bus::node_number(bus::node_uuid(context.site.name, node));
}

model::api::NodeStatus Chassis::status() const {
  const auto& me = link->self();
  model::api::NodeStatus now;
  now.name = me.name;
  now.kind = me.kind;
  now.version = version();
  now.incarnation = me.incarnation;
  now.pid = me.pid;
  now.started_at = me.started_at;
  const auto counters = link->counters();
  board->count("tidemark_bus_frames_sent_total", "Data frames sent",
               static_cast<double>(counters.frames_sent));
  board->count("tidemark_bus_frames_received_total", "Data frames received",
               static_cast<double>(counters.frames_received));
  board->count("tidemark_bus_malformed_total", "Frames and envelopes dropped as malformed",
               static_cast<double>(counters.malformed));
  board->count("tidemark_bus_stale_total", "Frames dropped as of an older incarnation",
               static_cast<double>(counters.stale));
  board->count("tidemark_bus_requests_timed_out_total", "Requests without an answer in time",
               static_cast<double>(counters.requests_timed_out));
  board->fill(now);
  return now;
}

void Chassis::announce() {
  link->serve("node.status", [this](const bus::Call& call) { call.done(model::pack(status())); });
  actors::MemberOptions options;
  options.link = link;
  options.registry = registry_;
  options.board = board;
  options.on_directory = [this,
                          journal = bus::Incarnation{0}](const bus::Directory& directory) mutable {
    const auto* info = directory.find("journal");
    if (info != nullptr && info->state == bus::NodeState::kAlive && info->incarnation != journal) {
      journal = info->incarnation;
      caf::anon_send(outbox, actors::wake_atom_v);
    }
    for (const auto& listener : on_directory) listener(directory);
  };
  options.on_fenced = [this](const Error& error) {
    spdlog::error("{}", error.message);
    context.end({3, error.message});
  };
  member = system->spawn(actors::member_actor, std::move(options));
}

void Chassis::leave(Duration patience) {
  caf::scoped_actor self(*system);
  if (outbox) {
    self->request(outbox, caf::timespan(patience), actors::stop_atom_v)
        .receive([](const Unit&) {},
                 [](const caf::error&) {
                   spdlog::warn("ending although the journal does not have all we said");
                 });
  }
  if (member) {
    self->request(member, caf::timespan(std::chrono::seconds(1)), actors::stop_atom_v)
        .receive([](const Unit&) {}, [](const caf::error&) {});
  }
}

Chassis::~Chassis() {
  // Actors hold the link, and callbacks of the link hold actors: silence the link first, then end
  // the actors by force, since some of them wait for others for ever.
  for (const auto& actor : {caf::actor_cast<caf::actor>(outbox), caf::actor_cast<caf::actor>(gate),
                            caf::actor_cast<caf::actor>(member)}) {
    if (actor) caf::anon_send_exit(actor, caf::exit_reason::kill);
  }
  if (member) {
    caf::scoped_actor self(*system);
    self->wait_for(member);  // Nobody calls the listeners any more.
  }
  on_directory.clear();  // They hold actors, and the system waits for detached ones.
  outbox = nullptr;
  gate = nullptr;
  member = nullptr;
  link.reset();
  system.reset();
}

}  // namespace tidemark::nodes
