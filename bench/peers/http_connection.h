#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/core/error.h"

namespace farm::bench {

struct HttpAnswer {
    int status{0};
    std::string body;
};

/// One kept-alive HTTP/1.1 connection with one request at a time, as bare as a client can be: for
/// a peer that must not be slowed by its client. Answers need a Content-Length.
class HttpConnection {
  public:
    /// `address`: "127.0.0.1:8000".
    static Result<HttpConnection> open(const std::string& address);
    ~HttpConnection();
    HttpConnection(HttpConnection&& other) noexcept;
    HttpConnection& operator=(HttpConnection&&) = delete;

    int fd() const { return fd_; }

    /// Begins a request, whose bytes must stay; sends what the kernel takes now.
    Result<void> start(std::string_view request);
    bool wants_to_send() const { return !rest_.empty(); }
    Result<void> send_more();
    /// Reads what is there; true when the answer is complete: see answer().
    Result<bool> receive_some();
    int status() const { return status_; }
    std::string_view body() const { return std::string_view(input_).substr(header_bytes_); }

    /// A whole request and its answer. Blocking.
    Result<HttpAnswer> exchange(std::string_view request);

  private:
    explicit HttpConnection(int fd) : fd_(fd) {}
    Result<bool> parse_header();

    int fd_{-1};
    std::string_view rest_;
    std::string input_;
    std::size_t filled_bytes_{0};  ///< of input_, which may be larger
    std::size_t header_bytes_{0};  ///< 0: the header is not complete
    std::size_t total_bytes_{0};
    int status_{0};
};

}  // namespace farm::bench
