// test/actors/node_test.h
//
// What the actors of one node need around them: a link, a board, an outbox, a journal.

#pragma once

#include <memory>

#include "fake_journal.h"
#include "test/support/actor_test.h"
#include "test/support/fake_link.h"

namespace tidemark::actors {

class NodeTest : public test::ActorTest {
 protected:
  explicit NodeTest(const std::string& node = "keeper")
      : link_(std::make_shared<test::FakeLink>(test::node_called(node))) {}

  void TearDown() override {
    link_->forget();
    end_actors();
  }

  /// Sends, and settles.
  template <class Actor, class... Ts>
  void tell(const Actor& actor, const Ts&... message) {
    caf::anon_send(actor, message...);
    settle();
  }

  /// Asks, settles, and expects an answer.
  template <class T, class Actor, class... Ts>
  T answer(const Actor& actor, const Ts&... message) {
    const auto asked = this->template ask<T>(actor, message...);
    settle();
    EXPECT_TRUE(asked->value.has_value())
        << (asked->error ? from_caf(*asked->error).message : "no answer");
    return asked->value.value_or(T{});
  }
  /// Asks, settles, and expects an error.
  template <class T, class Actor, class... Ts>
  Error refusal(const Actor& actor, const Ts&... message) {
    const auto asked = this->template ask<T>(actor, message...);
    settle();
    EXPECT_TRUE(asked->error.has_value()) << (asked->value ? "it was answered" : "no answer");
    return asked->error ? from_caf(*asked->error) : Error{Code::kFailed, ""};
  }

  std::vector<std::string> warnings() const {
    model::api::NodeStatus status;
    board_->fill(status);
    return status.warnings;
  }
  double figure(const std::string& name) const {
    model::api::NodeStatus status;
    board_->fill(status);
    for (const auto& each : status.figures) {
      if (each.name == name) return each.value;
    }
    ADD_FAILURE() << "no figure " << name;
    return 0;
  }

  std::shared_ptr<test::FakeLink> link_;
  std::shared_ptr<Board> board_ = std::make_shared<Board>();
  FakeJournal journal_{*link_};
  Outbox outbox_ =
      spawn(outbox_actor, OutboxOptions{link_, test::number_of("journal"), board_, {}, {}});
};

}  // namespace tidemark::actors
