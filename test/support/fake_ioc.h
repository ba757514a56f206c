// test/support/fake_ioc.h
//
// An epics::Client on values in RAM, with the IOC in the same object: a test defines PVs, changes,
// disconnects, and holds or refuses puts. It passes the same contract test as CaClient.
//
// No thread and no clock: everything happens inside the call that causes it, and timeouts come
// when the test says so (expire_puts(), expire_reads()).

#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "epics/client.h"
#include "epics/put_window.h"
#include "epics/update_queue.h"

namespace tidemark::test {

class FakeIoc final : public epics::Client {
 public:
  explicit FakeIoc(
      std::function<void()> wake = [] {}, epics::ClientLimits limits = {});

  // ---- What a test does as the IOC. Threads: any.

  /// There is a PV `name` from now on: channels of that address connect. An empty native_type
  /// and host in `meta` are filled in. Defining it again reconnects it.
  void define(const std::string& name, model::PvValue value, model::PvMeta meta = {});
  /// A new value of a defined PV.
  void set(const std::string& name, model::PvValue value, model::Alarm alarm = {});
  void set(const std::string& name, model::PvValue value, model::Alarm alarm, UtcTime taken_at);
  void disconnect(const std::string& name);
  void connect(const std::string& name);
  void disconnect_all();
  void connect_all();

  /// Puts to it are refused by the IOC from now on; an empty reason takes that back.
  void refuse_puts(const std::string& name, std::string reason);
  /// Puts arrive and are carried out, but are not confirmed until release_puts(); at most
  /// puts_per_ioc are in flight meanwhile.
  void hold_puts();
  void release_puts();
  /// The deadline of all puts in flight has come: they are unknown.
  void expire_puts();
  void hold_reads();
  void release_reads();
  void expire_reads();

  /// What was written, in order.
  std::vector<std::pair<std::string, model::PvValue>> written() const;
  std::optional<model::PvValue> value(const std::string& name) const;

  // ---- epics::Client

  void add(std::vector<epics::ChannelSpec> channels) override;
  void remove(std::vector<model::ChannelId> channels) override;
  std::vector<model::PvUpdate> drain() override;
  void read(std::vector<model::ChannelId> channels, Duration timeout,
            std::function<void(std::vector<epics::ReadOutcome>)> on_done) override;
  void put(std::vector<epics::Put> puts, Duration timeout,
           std::function<void(std::vector<epics::PutOutcome>)> on_outcomes) override;
  epics::ClientStatus status() const override;

 private:
  struct Pv {
    model::PvValue value;
    model::Alarm alarm;
    UtcTime taken_at{};
    std::shared_ptr<const model::PvMeta> meta;
    bool connected = true;
    std::string refuses;
  };
  struct Channel {
    std::string address;
    epics::PutLane lane{};
    bool ever_connected = false;
    std::unique_ptr<epics::UpdateQueue::Tap> tap = std::make_unique<epics::UpdateQueue::Tap>();
  };
  using OnOutcomes = std::function<void(std::vector<epics::PutOutcome>)>;
  struct PutBatch {
    std::vector<epics::PutOutcome> outcomes;  // to be handed over
    OnOutcomes on_outcomes;
  };
  struct PutJob {
    std::shared_ptr<PutBatch> batch;
    model::ChannelId channel{};
    std::string address;
    model::PvValue value;
  };
  struct Read {
    std::vector<model::ChannelId> channels;
    std::function<void(std::vector<epics::ReadOutcome>)> on_done;
  };

  // All of these: mutex_ is held.
  Pv* pv_of(const Channel& channel);
  void push_connected(model::ChannelId id, Channel& channel, const Pv& pv);
  void push_value(model::ChannelId id, const Channel& channel, const Pv& pv);
  void set_connected(const std::string& name, Pv& pv, bool connected);
  void lose_puts(const Channel& channel);
  void pump_puts();
  void finish(epics::PutId id, epics::PutState state, std::string reason);
  void settle(const std::shared_ptr<PutBatch>& batch, epics::PutOutcome outcome);
  std::vector<epics::ReadOutcome> answer(const std::vector<model::ChannelId>& channels,
                                         bool in_time);
  // mutex_ is not held.
  void deliver();
  void answer_reads(bool in_time);

  epics::UpdateQueue queue_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Pv> pvs_;
  std::unordered_map<model::ChannelId, Channel> channels_;
  std::uint64_t next_lane_ = 1;
  epics::PutWindow window_;
  std::map<epics::PutId, PutJob> puts_;
  std::deque<epics::PutId> held_puts_;
  std::uint64_t next_put_ = 1;
  bool holds_puts_ = false;
  std::vector<std::shared_ptr<PutBatch>> settled_;
  std::vector<std::pair<std::string, model::PvValue>> written_;
  bool holds_reads_ = false;
  std::vector<Read> held_reads_;
};

}  // namespace tidemark::test
