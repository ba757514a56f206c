// subsystem/own_keys.h
//
// The keys that a subsystem offers: their specs, their values, and what its owner says to those
// who read and write.
//
//   any thread ── set() ──► current value, and a row of the next frame ──► key stream
//   kv.write ──► executor ──► conform, on_write ──► set() ──► the writer's answer
//
// A lone update goes out at once; under load rows gather while the loop is busy.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bus/link.h"
#include "model/api/subsystem.h"
#include "subsystem/executor.h"
#include "subsystem/outbox.h"

namespace tidemark::subsystem {

struct KeyHandlers {
  /// Errors are the reader's answer.
  std::function<Result<model::kv::Value>()> on_read;
  /// `value` conforms already. Errors are the writer's answer: kRefused with the reason.
  std::function<Result<Unit>(const model::kv::Value& value, const std::string& writer)> on_write;
};

class OwnKeys : public std::enable_shared_from_this<OwnKeys> {
 public:
  static constexpr std::size_t kKeysMax = 100'000;
  /// Of what could not be added: takes everything, keeps nothing.
  static constexpr std::uint32_t kNowhere = ~0u;
  static constexpr std::size_t kFrameBytesMax = 64u << 10;  // then a frame goes out at once

  OwnKeys(std::string subsystem, std::shared_ptr<Executor> executor)
      : subsystem_(std::move(subsystem)), executor_(std::move(executor)) {}

  /// Serves kv.read, kv.write and kv.state, and publishes from now on what is set.
  void open(const std::shared_ptr<bus::Link>& link, std::shared_ptr<Outbox> outbox);

  /// Errors: kConflict, a second key of that name; what check_spec() says. Threads: any.
  Result<std::uint32_t> add(model::kv::KeySpec spec);
  void handle(std::uint32_t key, KeyHandlers handlers);
  KeyHandlers handlers(std::uint32_t key) const;

  /// Errors: what conform() says. Threads: any.
  Result<Unit> set(std::uint32_t key, const model::kv::Value& value,
                   model::api::Quality quality = model::api::Quality::kGood);
  model::api::KeyUpdate get(std::uint32_t key) const;
  std::vector<model::kv::KeySpec> specs() const;

 private:
  struct Key {
    model::kv::KeySpec spec;
    std::shared_ptr<const KeyHandlers> handlers = std::make_shared<KeyHandlers>();
    model::api::KeyUpdate current;
  };

  std::string full_name(const std::string& key) const { return subsystem_ + "/" + key; }
  Result<std::uint32_t> find(const std::string& key) const;
  model::api::KeyUpdate store(std::uint32_t key, model::kv::Value value,
                              model::api::Quality quality, std::string writer);
  void record_locked(const Key& key);
  void flush_locked(bus::Link& link);
  void read(const bus::Call& call);
  void write(const bus::Call& call);
  void state(bus::Link& link, const bus::Call& call);

  const std::string subsystem_;
  const std::shared_ptr<Executor> executor_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::weak_ptr<bus::Link> link_;
  std::shared_ptr<Outbox> outbox_;
  std::vector<Key> keys_;
  std::map<std::string, std::uint32_t, std::less<>> by_name_;
  Bytes rows_;  // packed updates that wait for their frame
  std::uint32_t row_count_ = 0;
  std::uint64_t published_ = 0;  // items of the stream so far
};

}  // namespace tidemark::subsystem
