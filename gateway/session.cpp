#include "gateway/session.h"

#include <spdlog/spdlog.h>

#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/version.hpp>

namespace tidemark::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kReadBytes = 4096;  // of a first read: most requests whole
constexpr auto kLingerTime = std::chrono::seconds(1);
constexpr std::size_t kLingerBytesMax = 4u << 20;  // read and thrown away after a refusal
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::size_t kIdempotencyKeyBytesMax = 255;

std::string text_of(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Session::Session(asio::ip::tcp::socket socket, Hub& hub, bool refused)
    : hub_(hub),
      refused_(refused),
      stream_(std::move(socket)),
      answer_timer_(stream_.get_executor()),
      buffer_(hub.options.limits.header_bytes_max + (128u << 10)) {
  ++(refused_ ? hub_.refusals : hub_.sessions);
  hub_.metrics.connections(hub_.sessions);
}

Session::~Session() {
  --(refused_ ? hub_.refusals : hub_.sessions);
  hub_.metrics.connections(hub_.sessions);
}

void Session::start() {
  if (refused_) return refuse(503, "Too many connections");
  await_request(hub_.options.limits.header_timeout);
}

void Session::await_request(Duration timeout) {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(hub_.options.limits.header_bytes_max));
  parser_->body_limit(hub_.options.limits.body_bytes_max);
  if (buffer_.size() > 0) return read_header();  // pipelined
  stream_.expires_after(timeout);
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](Error error, std::size_t bytes) {
                            if (error) return;
                            self->buffer_.commit(bytes);
                            self->read_header();
                          });
}

void Session::read_header() {
  stream_.expires_after(hub_.options.limits.header_timeout);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](Error error, std::size_t) { self->on_header(error); });
}

void Session::on_header(Error error) {
  since_ = steady_now();
  if (error) return on_input_error(error);
  const auto& message = parser_->get();
  version_ = message.version();
  head_only_ = message.method() == http::verb::head;
  if (message.target().size() > hub_.options.limits.target_bytes_max) {
    return refuse(414, "Request target too long");
  }
  if (version_ >= 11 && message.find(http::field::host) == message.end()) {
    return refuse(400, "Host header missing");
  }
  if (parser_->is_done()) return handle();
  if (!beast::iequals(message[http::field::expect], "100-continue")) return read_body();
  stream_.expires_after(hub_.options.limits.body_timeout);
  asio::async_write(stream_, asio::buffer(kContinue),
                    [self = shared_from_this()](Error failure, std::size_t) {
                      if (!failure) self->read_body();
                    });
}

void Session::read_body() {
  stream_.expires_after(hub_.options.limits.body_timeout);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](Error error, std::size_t) { self->on_body(error); });
}

void Session::on_body(Error error) { error ? on_input_error(error) : handle(); }

void Session::on_input_error(Error error) {
  // The request line is there only once the header was read, so look what the buffer begins with.
  const auto& limits = hub_.options.limits;
  if (error == http::error::body_limit) return refuse(413, "Request body too large");
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    const std::string_view begin(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    const bool long_target = begin.find("\r\n") > limits.target_bytes_max;
    const bool line_unread = parser_->get().target().empty();
    return long_target && line_unread ? refuse(414, "Request target too long")
                                      : refuse(431, "Request header too large");
  }
  const bool theirs = error.category() == make_error_code(http::error::bad_target).category() &&
                      error != http::error::end_of_stream && error != http::error::partial_message;
  if (theirs) return refuse(400, "Bad Request: " + error.message());
  // Closed, timed out or reset: nobody to answer.
}

void Session::refuse(unsigned status, std::string_view detail) {
  keep_alive_ = false;
  if (status == 503) since_ = steady_now();
  write(Frame{hub_.options.squirrel_envelope}.error(status, detail));
}

void Session::handle() {
  auto message = parser_->release();
  keep_alive_ = message.keep_alive();
  Frame frame{hub_.options.squirrel_envelope};
  if (message["X-Squirrel-Envelope"] == "1") frame.envelope = true;

  const auto raw_target = message.target();
  auto target = parse_target({raw_target.data(), raw_target.size()});
  if (!target) return write(frame.error(400, target.error().message));

  Request request;
  request.method = head_only_ ? "GET" : text_of(message.method_string());
  request.target = std::move(target).value();
  request.body = std::move(message.body());
  if (const auto type = message.find(http::field::content_type); type != message.end()) {
    request.has_content_type = true;
    request.content_type = text_of(type->value());
  }
  request.user = text_of(message["X-Tidemark-User"]);
  request.idempotency_key = text_of(message["Idempotency-Key"].substr(0, kIdempotencyKeyBytesMax));
  Error unknown;
  const auto peer = stream_.socket().remote_endpoint(unknown);
  request.peer = unknown ? "unknown" : peer.address().to_string();

  exchange_ = std::make_shared<Exchange>(
      std::move(request), frame, hub_.options.limits.answer_timeout, hub_.loop,
      [this](Response response) {  // The exchange is ours, and let go before we are.
        answer_timer_.cancel();
        write(std::move(response));
      });
  const auto exchange = exchange_;
  dispatch(hub_.services, *exchange);
  if (exchange_ != exchange || status_ != 0) return;  // answered already
  answer_timer_.expires_after(hub_.options.limits.answer_timeout);
  answer_timer_.async_wait([self = shared_from_this(), exchange](Error cancelled) {
    if (cancelled || self->exchange_ != exchange) return;
    self->hub_.metrics.reply_late();
    exchange->answer(exchange->frame.error(504, "No answer in time"));
  });
}

template <class Message>
void Session::set_head(Message& message, const Response& response) const {
  message.version(version_);
  message.result(response.status);
  message.set(http::field::server, "tidemark");
  message.set(http::field::content_type,
              beast::string_view(response.content_type.data(), response.content_type.size()));
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  if (!response.allow.empty()) message.set(http::field::allow, response.allow);
  if (response.retry_after) message.set(http::field::retry_after, "1");
  message.keep_alive(keep_alive_);
}

void Session::write(Response response) {
  exchange_.reset();
  status_ = response.status;
  stream_.expires_after(hub_.options.limits.idle_timeout);
  if (!response.pieces) return write_whole(std::move(response));
  try {
    auto first = response.pieces();
    if (version_ >= 11 && !first.last) return write_pieces(std::move(first), std::move(response));
    response.body = std::move(first.bytes);
    while (!first.last) {  // HTTP/1.0 knows no chunks.
      first = response.pieces();
      response.body += first.bytes;
    }
  } catch (const std::exception& error) {
    spdlog::error("gateway: writing an answer: {}", error.what());
    response = Frame{hub_.options.squirrel_envelope}.error(500, "Internal Server Error");
    status_ = response.status;
  }
  write_whole(std::move(response));
}

void Session::write_whole(Response response) {
  const auto on_done = [self = shared_from_this()](Error error, std::size_t) {
    if (!error) self->on_written();
  };
  if (head_only_) {
    head_.emplace();
    set_head(*head_, response);
    head_->content_length(response.body.size());
    return http::async_write(stream_, *head_, on_done);
  }
  whole_.emplace();
  set_head(*whole_, response);
  whole_->body() = std::move(response.body);
  whole_->prepare_payload();
  http::async_write(stream_, *whole_, on_done);
}

void Session::write_pieces(Piece first, Response response) {
  head_.emplace();
  set_head(*head_, response);
  head_->chunked(true);
  pieces_ = std::move(response.pieces);
  head_serializer_.emplace(*head_);
  http::async_write_header(
      stream_, *head_serializer_,
      [self = shared_from_this(), piece = std::move(first)](Error error, std::size_t) mutable {
        if (error) return;
        self->head_only_ ? self->on_written() : self->write_next_piece(std::move(piece));
      });
}

void Session::write_next_piece(Piece piece) {
  piece_ = std::move(piece.bytes);
  stream_.expires_after(hub_.options.limits.idle_timeout);
  const auto chunk = http::make_chunk(asio::buffer(piece_));
  asio::async_write(
      stream_, chunk, [self = shared_from_this(), last = piece.last](Error error, std::size_t) {
        if (error) return;
        if (!last) {
          try {
            return self->write_next_piece(self->pieces_());
          } catch (const std::exception& failure) {
            // What is sent cannot be taken back: an answer cut short is seen as such.
            spdlog::error("gateway: writing an answer: {}", failure.what());
            return;
          }
        }
        asio::async_write(self->stream_, http::make_chunk_last(), [self](Error end, std::size_t) {
          if (!end) self->on_written();
        });
      });
}

void Session::on_written() {
  hub_.metrics.answered(status_, steady_now() - since_);
  pieces_ = nullptr;
  piece_ = {};
  head_serializer_.reset();
  head_.reset();
  whole_.reset();
  status_ = 0;
  head_only_ = false;
  if (!keep_alive_) return linger();
  await_request(hub_.options.limits.idle_timeout);
}

/// Closing while the client still sends would reset the connection and could take our answer
/// with it: say that we are done, and let the client finish.
void Session::linger() {
  Error ignored;
  if (lingered_bytes_ == 0) {
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kLingerTime);
    buffer_.clear();
  }
  stream_.async_read_some(buffer_.prepare(kReadBytes * 16),
                          [self = shared_from_this()](Error error, std::size_t bytes) {
                            self->lingered_bytes_ += bytes;
                            if (!error && self->lingered_bytes_ < kLingerBytesMax) self->linger();
                          });
}

}  // namespace tidemark::gateway
