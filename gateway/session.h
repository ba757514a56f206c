// gateway/session.h
//
// One connection: reads a request, waits for its answer, writes it, and again. One request at a
// time, so pipelined ones are answered in their order; the next is read when the last is written.
//
//   wait for a byte ─► header ─► body ─► dispatch ─► answer ─► write ─► (keep alive) ─┐
//        ▲ idle_timeout  header_timeout  body_timeout  answer_timeout: 504           │
//        └───────────────────────────────────────────────────────────────────────────┘
//
// A session lives as long as something is under way in it. Threads: the loop's.

#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <optional>

#include "gateway/routes.h"
#include "gateway/server.h"

namespace tidemark::gateway {

/// What all sessions share; outlives them.
struct Hub {
  Hub(ServerOptions from, Backend& backend, std::shared_ptr<Loop> way_in)
      : options(std::move(from)), loop(std::move(way_in)), services{backend, metrics} {}

  const ServerOptions options;
  const std::shared_ptr<Loop> loop;
  Metrics metrics;
  Services services;
  std::size_t sessions = 0;  // served
  std::size_t refusals = 0;  // being told to come back later
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, Hub& hub, bool refused);
  ~Session();

  void start();

 private:
  using Error = boost::beast::error_code;

  void await_request(Duration timeout);
  void read_header();
  void on_header(Error error);
  void read_body();
  void on_body(Error error);
  void handle();
  void refuse(unsigned status, std::string_view detail);
  void on_input_error(Error error);

  void write(Response response);
  void write_whole(Response response);
  void write_pieces(Piece first, Response response);
  void write_next_piece(Piece piece);
  void on_written();
  void linger();

  template <class Message>
  void set_head(Message& message, const Response& response) const;

  Hub& hub_;
  const bool refused_;
  boost::beast::tcp_stream stream_;
  boost::asio::steady_timer answer_timer_;
  boost::beast::flat_buffer buffer_;

  // Of the request at hand.
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::shared_ptr<Exchange> exchange_;
  SteadyTime since_{};
  bool head_only_ = false;
  bool keep_alive_ = false;
  unsigned version_ = 11;

  // Of the answer at hand.
  unsigned status_ = 0;
  std::optional<boost::beast::http::response<boost::beast::http::string_body>> whole_;
  std::optional<boost::beast::http::response<boost::beast::http::empty_body>> head_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::empty_body>>
      head_serializer_;
  Pieces pieces_;
  std::string piece_;
  std::size_t lingered_bytes_ = 0;
};

}  // namespace tidemark::gateway
