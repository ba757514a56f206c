// bus/served_calls.cpp

#include "bus/served_calls.h"

#include <algorithm>
#include <string>
#include <utility>

#include "bus/engine.h"
#include "bus/failure.h"

namespace tidemark::bus {

/// Encodes on the handler's thread, so the loop only sends.
class ServedCalls::Answering : public Call::Sink {
 public:
  Answering(std::shared_ptr<Outbox> outbox, Incarnation self, Bytes caller, CallId id,
            SteadyTime deadline, std::shared_ptr<std::atomic<bool>> cancelled)
      : outbox_(std::move(outbox)),
        self_(self),
        caller_(std::move(caller)),
        id_(id),
        deadline_(deadline),
        cancelled_(std::move(cancelled)) {}

  ~Answering() override { finish(Error{Code::kFailed, "the call was dropped without an answer"}); }

  void progress(Bytes payload) override {
    if (finished_.load() || payload.size() > kPayloadMax) return;
    send(EnvelopeKind::kProgress, payload);
  }

  void finish(Answer answer) override {
    if (finished_.exchange(true)) return;
    if (answer && answer.value().size() > kPayloadMax) {
      answer =
          Error{Code::kInvalidArgument, "the answer of " + std::to_string(answer.value().size()) +
                                            " bytes is larger than the bus carries"};
    }
    if (answer) {
      send(EnvelopeKind::kDone, answer.value());
    } else {
      send(EnvelopeKind::kFailed, pack_failure(answer.error()));
    }
  }

  bool cancelled() const override { return cancelled_->load() || steady_now() > deadline_; }

 private:
  static constexpr std::size_t kPayloadMax = kEnvelopeBytesMax - kEnvelopeHeaderBytes;

  Bytes encode(EnvelopeKind kind, BytesView payload) const {
    Envelope header;
    header.kind = kind;
    header.call = id_;
    header.incarnation = self_;
    return encode_envelope(header, {}, payload);
  }

  void send(EnvelopeKind kind, BytesView payload) {
    Bytes bytes = encode(kind, payload);
    const std::size_t size = bytes.size();
    if (outbox_->push(job(kind, std::move(bytes)), size) || kind == EnvelopeKind::kProgress) return;
    const Error full{Code::kUnavailable, "the server's queue of answers is full"};
    outbox_->push(job(EnvelopeKind::kFailed, encode(EnvelopeKind::kFailed, pack_failure(full))));
  }

  Outbox::Job job(EnvelopeKind kind, Bytes bytes) const {
    return [caller = caller_, id = id_, deadline = deadline_, bytes = std::move(bytes),
            final = kind != EnvelopeKind::kProgress](Engine& engine) mutable {
      engine.answer(caller, id, deadline, std::move(bytes), final);
    };
  }

  const std::shared_ptr<Outbox> outbox_;
  const Incarnation self_;
  const Bytes caller_;
  const CallId id_;
  const SteadyTime deadline_;
  const std::shared_ptr<std::atomic<bool>> cancelled_;
  std::atomic<bool> finished_{false};
};

std::optional<Call> ServedCalls::open(const Bytes& caller, Envelope request, SteadyTime now) {
  const auto deadline = now + std::min(request.budget, kBudgetMax);
  const auto [at, is_new] = calls_.try_emplace(Key{caller, request.call});
  if (!is_new) return std::nullopt;
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  at->second = Entry{cancelled, deadlines_.emplace(deadline, at->first)};
  auto sink = std::make_shared<Answering>(outbox_, self_, caller, request.call, deadline,
                                          std::move(cancelled));
  return Call(std::move(request.method), std::move(request.payload), caller_of(request.call),
              deadline, std::move(sink));
}

void ServedCalls::cancel(const Bytes& caller, CallId id) {
  const auto found = calls_.find(Key{caller, id});
  if (found != calls_.end()) found->second.cancelled->store(true);
}

void ServedCalls::close(const Bytes& caller, CallId id) {
  const auto found = calls_.find(Key{caller, id});
  if (found == calls_.end()) return;
  deadlines_.erase(found->second.deadline);
  calls_.erase(found);
}

void ServedCalls::expire(SteadyTime now) {
  while (!deadlines_.empty() && deadlines_.begin()->first < now) {
    const Key key = deadlines_.begin()->second;
    cancel(key.caller, key.id);
    close(key.caller, key.id);
  }
}

}  // namespace tidemark::bus
