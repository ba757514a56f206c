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
  Answering(std::shared_ptr<Outbox> outbox, Incarnation self, Clock clock, Bytes caller, CallId id,
            SteadyTime deadline, std::shared_ptr<std::atomic<bool>> cancelled)
      : outbox_(std::move(outbox)),
        self_(self),
        clock_(std::move(clock)),
        caller_(std::move(caller)),
        id_(id),
        deadline_(deadline),
        cancelled_(std::move(cancelled)) {}

  ~Answering() override { finish(Error{Code::kFailed, "the call was dropped without an answer"}); }

  void progress(Bytes payload) override {
    if (finished_.load()) return;
    ++parts_;  // One that does not fit is lost, and must show.
    if (payload.size() > kPayloadMax) return;
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

  bool cancelled() const override { return cancelled_->load() || clock_.steady() > deadline_; }

 private:
  static constexpr std::size_t kPayloadMax = kEnvelopeBytesMax - kEnvelopeHeaderBytes;

  Bytes encode(EnvelopeKind kind, BytesView payload) const {
    Envelope header;
    header.kind = kind;
    header.call = id_;
    header.parts = parts_.load();
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
  const Clock clock_;
  const Bytes caller_;
  const CallId id_;
  const SteadyTime deadline_;
  const std::shared_ptr<std::atomic<bool>> cancelled_;
  std::atomic<bool> finished_{false};
  std::atomic<std::uint64_t> parts_{0};
};

Bytes ServedCalls::refusal(CallId id, const Error& error) const {
  Envelope header;
  header.kind = EnvelopeKind::kFailed;
  header.call = id;
  header.incarnation = self_;
  return encode_envelope(header, {}, pack_failure(error));
}

std::optional<Call> ServedCalls::open(const Bytes& caller, Envelope request) {
  const auto deadline = clock_.steady() + std::min(request.budget, kBudgetMax);
  const auto [at, is_new] = calls_.try_emplace(Key{caller, request.call});
  if (!is_new) return std::nullopt;
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  at->second = Entry{cancelled, deadlines_.emplace(deadline, at->first), nullptr, false};
  ++open_;
  auto sink = std::make_shared<Answering>(outbox_, self_, clock_, caller, request.call, deadline,
                                          std::move(cancelled));
  return Call(std::move(request.method), std::move(request.payload), caller_of(request.call),
              deadline, std::move(sink));
}

SharedBytes ServedCalls::again(const Bytes& caller, CallId id) const {
  const auto found = calls_.find(Key{caller, id});
  return found == calls_.end() ? nullptr : found->second.answer;
}

void ServedCalls::cancel(const Bytes& caller, CallId id) {
  const auto found = calls_.find(Key{caller, id});
  if (found != calls_.end() && found->second.cancelled) found->second.cancelled->store(true);
}

void ServedCalls::close(const Bytes& caller, CallId id, const Bytes& answer) {
  const auto found = calls_.find(Key{caller, id});
  if (found == calls_.end() || !found->second.cancelled) return;
  auto& call = found->second;
  call.cancelled.reset();
  --open_;
  if (answer.size() <= kAnswerBytesEach && answer_bytes_ + answer.size() <= kAnswerBytesMax) {
    call.answer = std::make_shared<const Bytes>(answer);
  } else {
    static const Error kNotKept{Code::kTimeout, "it was answered, and the answer was not kept"};
    call.answer = std::make_shared<const Bytes>(refusal(id, kNotKept));
  }
  answer_bytes_ += call.answer->size();
}

void ServedCalls::expire() {
  const auto now = clock_.steady();
  while (!deadlines_.empty() && deadlines_.begin()->first < now) {
    const auto found = calls_.find(deadlines_.begin()->second);
    auto& call = found->second;
    const bool forgets = call.late || calls_.size() > kLateMax;
    if (!call.late) give_up(call);
    const auto deadline = call.deadline->first;
    deadlines_.erase(call.deadline);
    if (forgets) {
      calls_.erase(found);
    } else {
      call.deadline = deadlines_.emplace(deadline + kLate, found->first);
    }
  }
}

void ServedCalls::give_up(Entry& call) {
  call.late = true;
  if (call.cancelled) {
    call.cancelled->store(true);
    call.cancelled.reset();
    --open_;
  }
  if (call.answer) answer_bytes_ -= call.answer->size();
  call.answer.reset();
}

}  // namespace tidemark::bus
