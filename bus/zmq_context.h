// bus/zmq_context.h
//
// A ZeroMQ context, shared by the links of one process, and who may connect to its servers.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "bus/zap.h"

namespace tidemark::bus {

class ZmqContext {
 public:
  ZmqContext();
  /// Waits until what its sockets may still send is sent, 200 ms at most.
  ~ZmqContext();
  ZmqContext(const ZmqContext&) = delete;
  ZmqContext& operator=(const ZmqContext&) = delete;

  void* get() const { return context_; }

  /// From now on CURVE servers admit the allowed keys of `directory`. Threads: any.
  /// Errors: kUnavailable  they cannot be read.
  ///         kConflict     another directory decides already.
  Result<Unit> admit_keys_of(const std::string& directory);

  /// Connections to our servers that failed in the handshake: without a key, with one that is not
  /// allowed, or not ZMTP at all. The links report them. Threads: any.
  std::uint64_t refused() const { return refused_; }
  void add_refused(std::uint64_t count) { refused_ += count; }

 private:
  void* const context_;
  std::atomic<std::uint64_t> refused_{0};

  std::mutex mutex_;
  // Guarded by mutex_.
  std::string directory_;
  std::unique_ptr<ZapHandler> zap_;
};

}  // namespace tidemark::bus
