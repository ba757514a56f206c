// test/subsystem/registry_on_memory.h
//
// A registry on a MemoryBus, as actors/registry.cpp is one on CAF, and a journal that keeps what
// it is told: what subsystems need around them.

#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bus/memory_link.h"
#include "bus/registry_table.h"
#include "model/api/journal.h"
#include "model/api/node.h"
#include "model/packing.h"

namespace tidemark::test {

inline bus::NodeInfo member_called(const std::string& name, bus::Incarnation incarnation = 1) {
  bus::NodeInfo info;
  info.name = name;
  info.kind = "subsystem";
  info.uuid = bus::node_uuid("test", name);
  info.incarnation = incarnation;
  info.host = "host";
  info.pid = 1000 + incarnation;
  return info;
}

class MemorySite {
 public:
  MemorySite() {
    open_registry(1);
    journal_ = bus_.open(member_called("journal"));
    journal_->serve("journal.append", [this](const bus::Call& call) { append(call); });
  }
  ~MemorySite() {
    registry_.reset();
    journal_.reset();
  }

  void open_registry(bus::Incarnation incarnation) {
    registry_.reset();
    table_ = std::make_unique<bus::RegistryTable>(incarnation);
    registry_ = bus_.open(member_called("registry", incarnation));
    open_ = registry_.get();
    registry_->declare_stream(bus::FrameClass::kDirectory, bus::kDirectoryStream);
    // Everything on the registry's loop thread, so the table needs no lock.
    registry_->serve("registry.register", [this](const bus::Call& call) {
      grant(call, table_->add(model::unpack<bus::NodeInfo>(call.payload()).value(), steady_now(),
                              utc_now()));
    });
    registry_->serve("registry.renew", [this](const bus::Call& call) {
      grant(call, table_->renew(model::unpack<bus::Renewal>(call.payload()).value(), steady_now(),
                                utc_now()));
    });
    registry_->serve("registry.goodbye", [this](const bus::Call& call) {
      publish(table_->goodbye(model::unpack<bus::Renewal>(call.payload()).value(), utc_now()));
      call.done(model::pack(bus::Nothing{}));
    });
    registry_->serve("registry.directory", [this](const bus::Call& call) {
      call.done(model::pack(table_->directory()));
    });
    registry_->after(Duration{0}, [this] {
      // It renews for the next hour.
      publish(table_->add(member_called("journal"), steady_now() + std::chrono::hours(1), utc_now())
                  .value());
      look();
    });
  }
  void close_registry() { registry_.reset(); }
  /// As its supervisor would: that process has ended.
  void say_ended(const std::string& name, bus::Incarnation incarnation = 1) {
    registry_->after(Duration{0}, [this, name, pid = 1000 + incarnation] {
      publish(table_->exited(name, pid, "killed", utc_now()));
    });
  }

  std::shared_ptr<bus::Link> link(bus::NodeInfo self) {
    return std::shared_ptr<bus::Link>(bus_.open(std::move(self)));
  }
  std::vector<bus::NodeInfo> registries() const { return {member_called("registry")}; }
  bus::NodeNumber journal() const { return bus::node_number(member_called("journal").uuid); }
  bus::MemoryBus& bus() { return bus_; }

  /// What the journal was told so far.
  template <class T>
  std::vector<T> recorded() const {
    const std::lock_guard lock(mutex_);
    std::vector<T> some;
    for (const auto& record : records_) {
      if (const auto* one = std::get_if<T>(&record)) some.push_back(*one);
    }
    return some;
  }

 private:
  void grant(const bus::Call& call, const Result<bus::RegistryTable::Changes>& changes) {
    if (!changes) return call.fail(changes.error());
    publish(changes.value());
    call.done(model::pack(table_->lease()));
  }
  void publish(const bus::RegistryTable::Changes& changes) {
    if (changes.empty()) return;
    const auto items = bus::RegistryTable::items(changes);
    open_->publish(bus::FrameClass::kDirectory, bus::kDirectoryStream,
                   static_cast<std::uint32_t>(items.size()), model::pack(items));
  }
  void look() {
    open_->after(std::chrono::milliseconds(100), [this] {
      publish(table_->tick(steady_now(), utc_now()));
      look();
    });
  }
  void append(const bus::Call& call) {
    const auto asked = model::unpack<model::api::AppendRequest>(call.payload()).value();
    const std::lock_guard lock(mutex_);
    std::uint64_t through = 0;
    for (const auto& section : asked.sections) {
      through = section.sequence + section.count - 1;
      for (auto& record : model::decode_records(section.payload.bytes).value()) {
        records_.push_back(std::move(record));
      }
    }
    call.done(model::pack(model::api::AppendReply{through, records_.size()}));
  }

  bus::MemoryBus bus_;
  std::unique_ptr<bus::RegistryTable> table_;
  std::unique_ptr<bus::Link> registry_;
  bus::Link* open_ = nullptr;  // for its own loop, which runs while registry_ is being reset
  std::unique_ptr<bus::Link> journal_;
  mutable std::mutex mutex_;
  std::vector<model::Record> records_;  // guarded by mutex_
};

}  // namespace tidemark::test
