#include "subsystem/status_watch.h"

#include "base/glob.h"
#include "model/api/monitor.h"

namespace tidemark::subsystem {

namespace api = model::api;

void StatusWatch::on_changes(bus::Link& link, const std::vector<bus::NodeInfo>& changed) {
  if (closed_) return;
  for (const auto& node : changed) {
    // Tidemark's own nodes have no surface, and no status items.
    if (node.surface.bytes.empty() || !glob_match(pattern_, node.name)) continue;
    if (followed_.contains(node.uuid)) continue;
    bus::StateFollowerOptions options;
    options.stream = {bus::node_number(node.uuid), api::kStatusStream};
    options.method = "status.state";
    options.payload = model::pack(bus::Nothing{});
    options.read_state = [](std::vector<Bytes> parts,
                            const Bytes& answer) -> Result<bus::WholeState> {
      const auto end = model::unpack<api::StateEnd>(answer);
      if (!end) return end.error();
      for (const auto& part : parts) {
        if (const auto items = model::unpack<api::StatusItems>(part); !items) return items.error();
      }
      return bus::WholeState{end.value().incarnation, end.value().sequence, std::move(parts)};
    };
    const auto take = [weak = weak_from_this(), name = node.name,
                       uuid = node.uuid](const Bytes& payload) -> Result<Unit> {
      const auto self = weak.lock();
      if (!self) return Unit{};
      self->count(uuid);
      return self->take(name, payload);
    };
    options.on_state = [take](const std::vector<Bytes>& parts) {
      for (const auto& part : parts) (void)take(part);  // read_state has read them
    };
    options.on_items = take;
    followed_[node.uuid].follower = bus::StateFollower::start(link, std::move(options));
  }
}

void StatusWatch::stop() {
  for (auto& [uuid, followed] : followed_) followed.follower->stop();
  followed_.clear();
}

void StatusWatch::count(const Uuid& node) {
  const auto found = followed_.find(node);
  if (found == followed_.end()) return;
  streams_->add(found->second.follower->counters(), found->second.counted);
}

Result<Unit> StatusWatch::take(const std::string& subsystem, const Bytes& payload) {
  const auto items = model::unpack<api::StatusItems>(payload);
  if (!items) return items.error();
  for (const auto& item : items.value()) {
    executor_->post([self = shared_from_this(), subsystem, item] {
      if (!self->closed_) self->on_item_(subsystem, item);
    });
  }
  return Unit{};
}

}  // namespace tidemark::subsystem
