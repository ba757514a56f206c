// test/subsystem/registry_on_memory.h
//
// A registry on a MemoryBus, as actors/registry.cpp is one on CAF, and a journal that keeps what
// it is told and reads it out: what subsystems need around them.

#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/glob.h"
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
    journal_->serve("journal.read", [this](const bus::Call& call) { read(call); });
  }
  ~MemorySite() {
    registry_.reset();
    journal_.reset();
  }

  /// `began`: one that began a lease ago is settled at once.
  void open_registry(bus::Incarnation incarnation, SteadyTime began = steady_now() - bus::kLease) {
    registry_.reset();
    table_ = std::make_unique<bus::RegistryTable>(incarnation, began);
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
    registry_->serve("registry.forget", [this](const bus::Call& call) {
      const auto changes =
          table_->forget(model::unpack<bus::Forget>(call.payload()).value(), steady_now());
      if (!changes) return call.fail(changes.error());
      publish(changes.value());
      call.done(model::pack(bus::Nothing{}));
    });
    registry_->serve("registry.directory", [this](const bus::Call& call) {
      call.done(model::pack(table_->answer(steady_now())));
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
  /// Of a line: a second each.
  static UtcTime recorded_at(std::uint64_t line) { return UtcTime{std::chrono::seconds(line)}; }

  std::vector<bus::NodeInfo> registries() const { return {member_called("registry")}; }
  bus::NodeNumber journal() const { return bus::node_number(member_called("journal").uuid); }
  bus::MemoryBus& bus() { return bus_; }

  /// What the journal answers to who reads, until it is none.
  void fail_reads(std::optional<Error> why) {
    const std::lock_guard lock(mutex_);
    read_error_ = std::move(why);
    answer_readers();
  }
  /// Lines that the journal has.
  std::uint64_t lines() const {
    const std::lock_guard lock(mutex_);
    return records_.size();
  }

  /// What the journal was told so far.
  template <class T>
  std::vector<T> recorded() const {
    const std::lock_guard lock(mutex_);
    std::vector<T> some;
    for (const auto& [record, incarnation] : records_) {
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
        records_.emplace_back(std::move(record), asked.incarnation);
      }
    }
    call.done(model::pack(model::api::AppendReply{through, records_.size()}));
    answer_readers();
  }
  void read(const bus::Call& call) {
    const std::lock_guard lock(mutex_);
    readers_.emplace_back(call, model::unpack<model::api::ReadRequest>(call.payload()).value());
    answer_readers();
  }
  /// Those for whom there is something, and those who do not wait.
  void answer_readers() {
    std::erase_if(readers_, [this](const auto& reader) {
      const auto& [call, asked] = reader;
      if (read_error_) {
        call.fail(*read_error_);
        return true;
      }
      const auto page = page_of(asked);
      if (page.lines.empty() && asked.wait > Duration{0}) return false;
      call.done(model::pack(page));
      return true;
    });
  }
  model::api::ReadReply page_of(const model::api::ReadRequest& asked) const {
    model::api::ReadReply page{{}, records_.size() + 1, records_.size(), true};
    if (asked.newest_first) return page;
    for (std::uint64_t line = std::max<std::uint64_t>(asked.from, 1); line <= records_.size();
         ++line) {
      const auto& [record, incarnation] = records_[line - 1];
      const bool wanted = (asked.kinds >> static_cast<unsigned>(model::kind_of(record)) & 1) != 0;
      // What expired is shown to everybody, where it was.
      const bool expired = std::holds_alternative<model::Expired>(record);
      if (!expired && (!wanted || !glob_match(asked.subject, model::subject_of(record)))) continue;
      if (asked.since && recorded_at(line) < *asked.since) continue;
      if (page.lines.size() == asked.limit) {
        page.next = line;
        page.end = false;
        break;
      }
      model::api::LogLine& found = page.lines.emplace_back();
      found.line = line;
      found.recorded_at = recorded_at(line);
      found.incarnation = incarnation;
      found.kind = model::kind_of(record);
      found.record.bytes = model::encode_records({record});
    }
    return page;
  }

  bus::MemoryBus bus_;
  std::unique_ptr<bus::RegistryTable> table_;
  std::unique_ptr<bus::Link> registry_;
  bus::Link* open_ = nullptr;  // for its own loop, which runs while registry_ is being reset
  std::unique_ptr<bus::Link> journal_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<std::pair<model::Record, bus::Incarnation>> records_;  // line 1 is the first
  std::vector<std::pair<bus::Call, model::api::ReadRequest>> readers_;
  std::optional<Error> read_error_;
};

}  // namespace tidemark::test
