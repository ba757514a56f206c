#include "nodes/chassis.h"

#include <spdlog/spdlog.h>

#include <caf/scoped_actor.hpp>
#include <future>
#include <set>

#include "base/digest.h"
#include "model/packing.h"
#include "nodes/journal_log.h"
#include "site/bus_options.h"

namespace tidemark::nodes {
namespace {

constexpr Duration kGoodbyePatience = std::chrono::milliseconds(500);

std::string kind_of(const std::string& name) {
  return name.substr(0, name.find_first_of("-0123456789"));
}

/// Of who is there, and in which incarnation: who disagrees with the others has another one.
std::uint32_t checksum_of(const bus::Directory& directory) {
  std::set<std::string> there;
  for (const auto& node : directory.nodes) {
    if (!is_gone(node.state)) there.insert(node.name + " " + std::to_string(node.incarnation));
  }
  std::uint32_t sum = 0;
  for (const auto& line : there) sum = crc32(line + "\n", sum);
  return sum;
}

}  // namespace

std::string version() { return TIDEMARK_VERSION; }

Result<std::unique_ptr<Chassis>> Chassis::build(NodeContext asked) {
  std::unique_ptr<Chassis> self(new Chassis(std::move(asked)));
  const auto& site = self->context.site;
  const auto& name = self->context.name;
  const auto run = make_directories(site.run_directory);
  if (!run) return run.error();
  const auto incarnation = next_incarnation(site.data_directory + "/" + name);
  if (!incarnation) return incarnation.error();

  auto asked_options = site::node_options(site, name);
  if (!asked_options) return asked_options.error();
  auto options = std::move(asked_options).value();
  options.self.kind = kind_of(name);
  options.self.incarnation = incarnation.value();
  options.context = self->context.zmq_context;
  if (options.context) {  // Neighbours in this process reach us without a socket.
    options.bind_data.insert(options.bind_data.begin(), "inproc://" + name + ".data");
    options.bind_requests.insert(options.bind_requests.begin(), "inproc://" + name + ".req");
  }
  if (site.bus.exposed()) {
    self->board->warning("keys", "the bus has no keys (bus.insecure): everybody who reaches " +
                                     site.bus.address + " can read and write");
  }
  auto registries = site::registries_of(site);
  if (!registries) return registries.error();
  self->registries_ = std::move(registries).value();
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
  actors::OutboxOptions outbox{self->link, self->number_of("journal"), self->board, {}, {}};
  outbox.limits.bytes_max = site.monitor.holdback_bytes_max;
  outbox.spool = {site.data_directory + "/" + name + "/spool", site.bus.spool_bytes_max};
  self->outbox = self->system->spawn(actors::outbox_actor, std::move(outbox));
  self->gate = self->system->spawn(actors::gate_actor);
  if (self->context.log) self->context.log->attach(self->link, site);
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
  const auto count = [&](const char* name, const char* help, std::uint64_t value) {
    board->count(std::string("tidemark_bus_") + name + "_total", help, static_cast<double>(value));
  };
  count("frames_sent", "Data frames sent", counters.frames_sent);
  count("frames_received", "Data frames received", counters.frames_received);
  count("bytes_sent", "Bytes of frames, requests and answers sent", counters.bytes_sent);
  count("bytes_received", "Bytes of frames, requests and answers received",
        counters.bytes_received);
  count("malformed", "Frames and envelopes dropped as malformed", counters.malformed);
  count("stale", "Frames dropped as of an older incarnation", counters.stale);
  count("skipped", "Frames dropped unread after this node stood still", counters.skipped);
  count("dropped", "Frames and answers not sent because a queue was full", counters.dropped);
  count("frames_sent_again", "Frames sent again to who had lost them", counters.frames_sent_again);
  count("requests_sent", "Requests sent", counters.requests_sent);
  count("requests_sent_again", "Requests sent again after a silence", counters.requests_sent_again);
  count("requests_served", "Requests answered", counters.requests_served);
  count("requests_asked_twice", "Requests that came again, and were done once",
        counters.requests_asked_twice);
  count("requests_timed_out", "Requests without an answer in time", counters.requests_timed_out);
  count("refused", "Connections refused: no key, a wrong one, one not allowed", counters.refused);
  board->fill(now);
  return now;
}

void Chassis::announce() {
  link->serve("node.status", [this](const bus::Call& call) { call.done(model::pack(status())); });
  bus::MembershipOptions options;
  options.registries = registries_;
  options.on_directory = [this,
                          journal = bus::Incarnation{0}](const bus::Directory& directory) mutable {
    const auto* info = directory.find("journal");
    if (info != nullptr && info->state == bus::NodeState::kAlive && info->incarnation != journal) {
      journal = info->incarnation;
      caf::anon_send(outbox, actors::wake_atom_v);
    }
    board->gauge(
        "tidemark_directory_checksum",
        "CRC-32 of who is there, in this node's own copy of the directory: the same in all",
        checksum_of(directory));
    for (const auto& listener : on_directory) listener(directory);
  };
  options.on_reached = [board = board](bool reached) {
    if (!reached) spdlog::warn("no registry answers; going on without it");
    board->warning("registry",
                   reached ? "" : "no registry answers; peers that know each other go on");
  };
  options.on_fenced = [this](const Error& error) {
    spdlog::error("{}", error.message);
    context.end({3, error.message});
  };
  membership = bus::Membership::start(*link, std::move(options));
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
  if (context.log) context.log->flush(patience);
  if (membership) {
    // Shared, as it may be told after we have given up.
    const auto left = std::make_shared<std::promise<void>>();
    membership->leave(kGoodbyePatience, [left] { left->set_value(); });
    left->get_future().wait_for(2 * kGoodbyePatience);
  }
}

Chassis::~Chassis() {
  // Actors hold the link, and callbacks of the link hold actors: silence the link first, then end
  // the actors by force, since some of them wait for others for ever.
  for (const auto& actor :
       {caf::actor_cast<caf::actor>(outbox), caf::actor_cast<caf::actor>(gate)}) {
    if (actor) caf::anon_send_exit(actor, caf::exit_reason::kill);
  }
  if (membership) {
    membership.reset();
    // After this turn of its loop nobody calls the listeners any more.
    const auto turned = std::make_shared<std::promise<void>>();
    link->after(Duration{0}, [turned] { turned->set_value(); });
    turned->get_future().wait_for(2 * kGoodbyePatience);
  }
  outbox = nullptr;
  gate = nullptr;
  if (context.log) context.log->detach(link);
  link.reset();
  on_directory.clear();  // They hold actors, and the system waits for detached ones.
  system.reset();
}

}  // namespace tidemark::nodes
