#include "subsystem/session.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <utility>

#include "base/incarnation.h"
#include "model/packing.h"
#include "site/bus_options.h"

namespace tidemark::subsystem {
namespace {

constexpr Duration kGoodbyePatience = std::chrono::milliseconds(500);

}  // namespace

std::string Session::user_at_host() {
  const auto* entry = ::getpwuid(::getuid());
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return (entry == nullptr ? std::to_string(::getuid()) : entry->pw_name) + std::string("@") + host;
}

Session::Session(SessionOptions options)
    : options_(std::move(options)),
      keys_(std::make_shared<OwnKeys>(options_.name, executor_)),
      events_(std::make_shared<OwnEvents>(options_.name)),
      status_(std::make_shared<OwnStatus>(options_.name)),
      remote_keys_(std::make_shared<RemoteKeys>(executor_, streams_)) {}

Session::~Session() { stop(Duration{0}); }

Result<Unit> Session::start() {
  if (link()) return Error{Code::kUnavailable, options_.name + " is started already"};
  const char* named = std::getenv("TIDEMARK_SITE");
  auto file = options_.site_file;
  if (file.empty()) file = named == nullptr ? "site.toml" : named;
  auto loaded = config::load(file);
  if (!loaded) return loaded.error();
  const auto& site = loaded.value();
  auto registries = site::registries_of(site);
  if (!registries) return registries.error();
  const auto& name = options_.name;
  bus::Incarnation life = 1;
  journal::SpoolPlace spool;
  if (options_.registers) {
    const auto folder = site.data_directory + "/subsystems/" + name;
    spool = {folder + "/spool", site.bus.spool_bytes_max, true};
    const auto incarnation = next_incarnation(folder);
    if (!incarnation) return incarnation.error();
    life = incarnation.value();
  }
  auto options = options_.registers ? site::subsystem_options(site, name, life)
                                    : site::client_options(site, name, options_.key);
  if (!options) return options.error();
  auto& self = options.value().self;
  self.kind = options_.registers ? "subsystem" : "client";
  if (options_.registers) {
    if (options_.uuid) self.uuid = *options_.uuid;
    self.labels = options_.labels;
    self.surface.bytes = surface();
  }
  auto link = bus::open_zmq_link(std::move(options).value());
  if (!link) return link.error();
  return start(std::move(link).value(), std::move(registries).value(),
               bus::node_number(bus::node_uuid(site.name, "journal")), std::move(spool));
}

Result<Unit> Session::start(std::shared_ptr<bus::Link> link, std::vector<bus::NodeInfo> registries,
                            bus::NodeNumber journal, journal::SpoolPlace spool) {
  const auto outbox = Outbox::start(
      link, {.journal = journal, .short_lived = !options_.registers, .spool = std::move(spool)});
  {
    const std::lock_guard lock(mutex_);
    if (link_) return Error{Code::kUnavailable, options_.name + " is started already"};
    link_ = link;
    outbox_ = outbox;
  }
  keys_->open(link, outbox);
  status_->open(link, outbox);
  events_->open(link);
  // Of what somebody missed who only looks, nobody needs a record.
  remote_keys_->open(link, options_.registers ? outbox : nullptr);

  bus::MembershipOptions options;
  options.registries = std::move(registries);
  options.registers = options_.registers;
  options.on_changes = [weak = weak_from_this(),
                        at = link.get()](const std::vector<bus::NodeInfo>& nodes) {
    const auto self = weak.lock();
    if (self) self->changed(*at, nodes);
  };
  options.on_fenced = [weak = weak_from_this()](const Error& error) {
    if (const auto self = weak.lock()) self->ask_to_end(error);
  };
  const std::lock_guard lock(mutex_);
  membership_ = bus::Membership::start(*link, std::move(options));
  return Unit{};
}

bool Session::stop(Duration patience) {
  std::shared_ptr<bus::Link> link;
  std::shared_ptr<bus::Membership> membership;
  std::shared_ptr<Outbox> outbox;
  {
    const std::lock_guard lock(mutex_);
    link = link_;
    membership = std::exchange(membership_, nullptr);
    outbox = outbox_;
  }
  ask_to_end(std::nullopt);
  events_->close();
  if (!link || !membership) {
    executor_->stop();
    return true;
  }
  bool drained_all = false;
  if (patience > Duration{0}) {
    // Shared, as they may be told after we have given up.
    const auto drained = std::make_shared<std::promise<void>>();
    outbox->when_drained([drained] { drained->set_value(); });
    drained_all = drained->get_future().wait_for(patience) == std::future_status::ready;
  }
  if (patience > Duration{0} && options_.registers) {
    const auto left = std::make_shared<std::promise<void>>();
    membership->leave(kGoodbyePatience, [left] { left->set_value(); });
    left->get_future().wait_for(2 * kGoodbyePatience);
  }
  membership.reset();
  executor_->stop();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& watch : watches_) watch->close();
    link_.reset();
  }
  link.reset();  // Ends its loop, without the lock that the loop's callbacks want.
  return drained_all;
}

Bytes Session::surface() const {
  return model::pack(model::api::Surface{options_.description, keys_->specs(), events_->specs()});
}

void Session::surface_changed() {
  std::shared_ptr<bus::Membership> membership;
  const auto kept = link();  // until it has been told
  {
    const std::lock_guard lock(mutex_);
    membership = membership_;
  }
  if (membership && options_.registers) membership->set_surface(options_.labels, surface());
}

void Session::changed(bus::Link& link, const std::vector<bus::NodeInfo>& nodes) {
  std::vector<std::shared_ptr<StatusWatch>> watches;
  std::vector<std::shared_ptr<DurableKeys>> early;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& node : nodes) directory_.put(node);
    has_directory_ = true;
    watches = watches_;
    early.swap(early_);
  }
  changed_.notify_all();
  remote_keys_->on_changes(nodes);
  for (const auto& watch : watches) watch->on_changes(link, nodes);
  for (const auto& each : early) each->ask(*this, link);
}

Result<Unit> Session::joined(Duration patience) {
  std::unique_lock lock(mutex_);
  const auto here = [&] {
    if (ends_) return true;
    if (!has_directory_) return false;
    if (!options_.registers) return true;
    const auto* self = directory_.find(options_.name);
    return self != nullptr && link_ && self->incarnation == link_->self().incarnation;
  };
  if (!changed_.wait_for(lock, patience, here)) {
    return Error{Code::kUnavailable, "no registry answers: is `tidemark up` running?"};
  }
  if (why_) return *why_;
  return Unit{};
}

std::optional<Error> Session::wait_for_end() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ends_; });
  return why_;
}

void Session::ask_to_end(std::optional<Error> why) {
  {
    const std::lock_guard lock(mutex_);
    if (!ends_) why_ = std::move(why);
    ends_ = true;
  }
  changed_.notify_all();
}

std::optional<Error> Session::may_wait(const std::string& what) {
  if (!Executor::inside()) return std::nullopt;
  return Error{Code::kRefused,
               what +
                   " would wait inside a callback, where nothing that it waits for can arrive; "
                   "use the form that calls back"};
}

Result<bus::NodeInfo> Session::find(const std::string& name, SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  std::optional<bus::NodeInfo> found;
  const auto here = [&] {
    const auto* node = directory_.find(name);
    if (node != nullptr && !bus::is_gone(node->state)) found = *node;
    return found || ends_;
  };
  if (!link_) return Error{Code::kUnavailable, options_.name + " is not on the bus"};
  changed_.wait_until(lock, deadline, here);
  if (found) return *found;
  const auto* gone = directory_.find(name);
  if (gone == nullptr) return Error{Code::kNotFound, "no subsystem '" + name + "' is there"};
  return Error{Code::kUnavailable, name + " is " + std::string(bus::to_string(gone->state)) +
                                       " since " + to_iso(gone->state_since, 0)};
}

bus::Directory Session::directory() const {
  const std::lock_guard lock(mutex_);
  return directory_;
}

std::optional<bus::Directory> Session::settled_directory() const {
  const std::lock_guard lock(mutex_);
  if (!membership_ || !has_directory_) return std::nullopt;
  const auto settled_at = membership_->settled_at();
  if (!settled_at || link_->now() < *settled_at) return std::nullopt;
  return directory_;
}

std::shared_ptr<bus::Link> Session::link() const {
  const std::lock_guard lock(mutex_);
  return link_;
}

bool Session::is_on_bus() const {
  const std::lock_guard lock(mutex_);
  return link_ != nullptr;
}

bus::Answer Session::ask(const std::string& node, const std::string& method, Bytes payload,
                         Duration budget, std::function<void(Bytes)> on_progress) {
  if (const auto refused = may_wait("'" + method + "'")) return *refused;
  const auto deadline = steady_now() + budget;
  const auto info = find(node, deadline);
  if (!info) return info.error();
  const auto at = link();
  if (!at) return Error{Code::kUnavailable, options_.name + " is not on the bus"};
  const auto answered = std::make_shared<std::promise<bus::Answer>>();
  auto answer = answered->get_future();
  at->request(bus::node_number(info.value().uuid), method, std::move(payload),
              {std::max(deadline - steady_now(), Duration{0}), std::move(on_progress)},
              [answered](bus::Answer got) { answered->set_value(std::move(got)); });
  return answer.get();  // The link answers each request, at the latest when it closes.
}

void Session::ask_later(const std::string& node, const std::string& method, Bytes payload,
                        Duration budget, std::function<void(bus::Answer)> on_answer) {
  const auto at = link();
  const auto info = find(node, steady_now());
  const auto call_back = [executor = executor_,
                          on_answer = std::move(on_answer)](bus::Answer answer) {
    executor->post([on_answer, answer = std::move(answer)] { on_answer(answer); });
  };
  if (!info) return call_back(info.error());
  if (!at) return call_back(Error{Code::kUnavailable, options_.name + " is not on the bus"});
  at->request(bus::node_number(info.value().uuid), method, std::move(payload), {budget, {}},
              call_back);
}

std::shared_ptr<EventCallRun> Session::call(EventWish wish) {
  std::shared_ptr<Outbox> outbox;
  const auto at = link();
  {
    const std::lock_guard lock(mutex_);
    outbox = outbox_;
  }
  if (!at) return nullptr;
  if (wish.caller.empty()) wish.caller = options_.name;
  return EventCallRun::start(at, std::move(outbox), std::move(wish));
}

std::shared_ptr<DurableKeys> Session::follow_keys(DurableWish wish) {
  auto made = std::make_shared<DurableKeys>(weak_from_this(), std::move(wish));
  std::shared_ptr<bus::Link> link;
  {
    const std::lock_guard lock(mutex_);
    if (has_directory_) {
      link = link_;
    } else {
      early_.push_back(made);
    }
  }
  if (link) made->ask(*this, *link);
  return made;
}

std::shared_ptr<StatusWatch> Session::watch_status(std::string pattern,
                                                   StatusWatch::OnItem on_item) {
  auto made =
      std::make_shared<StatusWatch>(std::move(pattern), executor_, streams_, std::move(on_item));
  std::shared_ptr<bus::Link> link;
  {
    const std::lock_guard lock(mutex_);
    watches_.push_back(made);
    link = link_;
  }
  if (link) {
    link->after(Duration{0}, [weak = weak_from_this(), made, at = link.get()] {
      if (const auto self = weak.lock()) made->on_changes(*at, self->directory().nodes);
    });
  }
  return made;
}

void Session::unwatch_status(const std::shared_ptr<StatusWatch>& watch) {
  watch->close();
  std::shared_ptr<bus::Link> link;
  {
    const std::lock_guard lock(mutex_);
    std::erase(watches_, watch);
    link = link_;
  }
  if (link) link->after(Duration{0}, [watch] { watch->stop(); });
}

Result<Unit> Session::record(model::Record record) {
  std::shared_ptr<Outbox> outbox;
  {
    const std::lock_guard lock(mutex_);
    outbox = outbox_;
  }
  if (!outbox) return Error{Code::kUnavailable, options_.name + " is not on the bus"};
  return outbox->append(std::move(record));
}

Session::Counted Session::counted() const {
  const std::lock_guard lock(mutex_);
  Counted counted;
  if (link_) counted.link = link_->counters();
  if (outbox_) {
    counted.records_held_bytes = outbox_->held_bytes();
    counted.records_dropped = outbox_->dropped();
  }
  return counted;
}

}  // namespace tidemark::subsystem
