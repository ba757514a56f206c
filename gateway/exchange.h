// gateway/exchange.h
//
// One request on its way to one answer. Handlers run on the loop; the backend answers on any
// thread, perhaps after the client, the connection or the whole server is gone:
//
//   any thread  reply(result) ── Loop::post ──► loop: exchange still there? ──► handler goes on
//
// A reply holds the exchange weakly and the Loop by sharing it, so a late one finds nobody home.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "gateway/backend.h"
#include "gateway/query.h"
#include "gateway/response.h"

namespace tidemark::gateway {

/// The way into the loop from other threads, until it closes.
class Loop {
 public:
  explicit Loop(boost::asio::io_context& context) : context_(&context) {}

  template <class F>
  void post(F work) {
    const std::lock_guard lock(mutex_);
    if (context_) boost::asio::post(*context_, std::move(work));
  }
  void close() {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
  }

 private:
  std::mutex mutex_;
  boost::asio::io_context* context_;  // Guarded by mutex_. Null once closed.
};

struct Request {
  std::string method;  // HEAD is GET here; the session leaves the body out
  Target target;
  std::string body;
  std::string content_type;
  std::string user;  // X-Tidemark-User
  std::string peer;  // address of the client
  std::string idempotency_key;
  bool has_content_type = false;
};

/// Threads: the loop's, but for the Reply that expect() makes.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  using Done = std::function<void(Response)>;

  Exchange(Request from, Frame around, Duration within, std::shared_ptr<Loop> loop, Done done)
      : request(std::move(from)),
        frame(around),
        answer_timeout(within),
        loop_(std::move(loop)),
        done_(std::move(done)) {}

  const Request request;
  const Frame frame;
  const Duration answer_timeout;

  /// The first answer counts.
  void answer(Response response);

  /// Runs `work`; what it throws is answered with 500 and logged.
  template <class Work>
  void guarded(Work work) {
    try {
      work();
    } catch (const std::exception& error) {
      broke(error.what());
    } catch (...) {
      broke("an exception of unknown type");
    }
  }

  /// A reply that calls `then` with the value, on the loop. An error is the answer.
  template <class T, class Then>
  Reply<T> expect(Then then) {
    return expect_result<T>([then = std::move(then)](Exchange& self, Result<T> result) {
      if (!result) return self.answer(self.frame.error(result.error()));
      then(self, std::move(result).value());
    });
  }
  /// A reply that calls `then` with value or error, on the loop.
  template <class T, class Then>
  Reply<T> expect_result(Then then) {
    return [loop = loop_, weak = weak_from_this(), then = std::move(then)](Result<T> result) {
      loop->post([weak, then, result = std::move(result)]() mutable {
        if (const auto self = weak.lock()) {
          self->guarded([&] { then(*self, std::move(result)); });
        }
      });
    };
  }

 private:
  void broke(const char* what);

  const std::shared_ptr<Loop> loop_;
  Done done_;  // Empty once answered.
};

}  // namespace tidemark::gateway
