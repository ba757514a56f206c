// bus/zmq_context.cpp

#include "bus/zmq_context.h"

#include <zmq.h>

#include <utility>

namespace tidemark::bus {
namespace {

constexpr int kSocketsMax = 4096;  // ZeroMQ's own default of 1023 is one DEALER per node

}  // namespace

ZmqContext::ZmqContext() : context_(zmq_ctx_new()) {
  TIDEMARK_CHECK(context_ != nullptr);
  zmq_ctx_set(context_, ZMQ_MAX_SOCKETS, kSocketsMax);
}

ZmqContext::~ZmqContext() {
  zap_.reset();  // its socket would keep the context
  zmq_ctx_term(context_);
}

Result<Unit> ZmqContext::admit_keys_of(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  if (zap_ != nullptr) {
    if (directory_ == directory) return Unit{};
    return Error{Code::kConflict, directory_ + " decides already who may connect"};
  }
  auto zap = ZapHandler::start(context_, directory);
  if (!zap) return zap.error();
  zap_ = std::move(zap).value();
  directory_ = directory;
  return Unit{};
}

}  // namespace tidemark::bus
