// actors/gate.h
//
// From the bus to a typed actor and back: a request's payload becomes the actor's question, its
// answer the payload of the reply. The bus loop thread only hands over; decoding and encoding
// are done here, on CAF's workers.
//
//   serve<api::PvQuery, api::PvPage>(gate, link, "keeper.pv_list", catalog, list_atom_v);

#pragma once

#include "actors/messages.h"
#include "model/packing.h"

namespace tidemark::actors {

class GateWork;

using Gate = caf::typed_actor<
    /// Runs one request's work.
    caf::reacts_to<run_atom, std::shared_ptr<GateWork>>>;

class GateWork {
 public:
  virtual ~GateWork() = default;
  virtual void run(Gate::pointer self) = 0;
};

Gate::behavior_type gate_actor(Gate::pointer self);

namespace detail {

template <class T>
const T& unshared(const T& value) {
  return value;
}
template <class T>
const T& unshared(const std::shared_ptr<const T>& value) {
  return *value;
}

/// What an actor answers to send as Reply: Reply itself, or Shared<Reply>.
template <class Request, class Reply, class Wire, class Actor, class Atom>
class AskActor final : public GateWork {
 public:
  AskActor(bus::Call call, Actor actor) : call_(std::move(call)), actor_(std::move(actor)) {}

  void run(Gate::pointer self) override {
    auto request = model::unpack<Request>(call_.payload());
    if (!request) return call_.fail({Code::kInvalidArgument, request.error().message});
    const auto answered = [call = call_](const Wire& reply) {
      call.done(model::pack<Reply>(unshared(reply)));
    };
    const auto failed = [call = call_](const caf::error& error) { call.fail(from_caf(error)); };
    if constexpr (std::is_same_v<Request, model::api::Empty>) {
      self->request(actor_, caf::infinite, Atom{}).then(answered, failed);
    } else {
      self->request(actor_, caf::infinite, Atom{}, std::move(request).value())
          .then(answered, failed);
    }
  }

 private:
  bus::Call call_;
  Actor actor_;
};

template <class Wire, class Actor, class Atom, class Request>
class AskForOutsider final : public GateWork {
 public:
  AskForOutsider(Actor actor, Request request, std::function<void(Result<Wire>)> reply)
      : actor_(std::move(actor)), request_(std::move(request)), reply_(std::move(reply)) {}

  void run(Gate::pointer self) override {
    self->request(actor_, caf::infinite, Atom{}, std::move(request_))
        .then([reply = reply_](const Wire& answer) { reply(answer); },
              [reply = reply_](const caf::error& error) { reply(from_caf(error)); });
  }

 private:
  Actor actor_;
  Request request_;
  std::function<void(Result<Wire>)> reply_;
};

}  // namespace detail

/// Asks `actor` on behalf of code that is no actor. `reply` comes once, on a CAF worker.
template <class Wire, class Actor, class Atom, class Request>
void ask(const Gate& gate, const Actor& actor, Atom, Request request,
         std::function<void(Result<Wire>)> reply) {
  std::shared_ptr<GateWork> work =
      std::make_shared<detail::AskForOutsider<Wire, Actor, Atom, Request>>(
          actor, std::move(request), std::move(reply));
  caf::anon_send(gate, run_atom_v, std::move(work));
}

/// From now on `method` is answered by `actor`, which takes (Atom, Request), or (Atom) when Request
/// is Empty, and answers Wire: Reply or Shared<Reply>.
template <class Request, class Reply, class Wire = Reply, class Actor, class Atom>
void serve(const Gate& gate, bus::Link& link, std::string method, const Actor& actor, Atom) {
  link.serve(std::move(method), [gate, actor](bus::Call call) {
    std::shared_ptr<GateWork> work =
        std::make_shared<detail::AskActor<Request, Reply, Wire, Actor, Atom>>(std::move(call),
                                                                              actor);
    caf::anon_send(gate, run_atom_v, std::move(work));
  });
}

/// From now on every call of `method` goes to `actor` as (Atom, Call): for answers in parts.
template <class Actor, class Atom>
void serve_calls(bus::Link& link, std::string method, const Actor& actor, Atom) {
  link.serve(std::move(method),
             [actor](bus::Call call) { caf::anon_send(actor, Atom{}, std::move(call)); });
}

}  // namespace tidemark::actors

TIDEMARK_LOCAL(std::shared_ptr<tidemark::actors::GateWork>)
