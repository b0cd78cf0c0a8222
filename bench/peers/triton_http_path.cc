#include <deque>
#include <vector>

#include <poll.h>

#include "bench/load/closed_loop.h"
#include "bench/load/question.h"
#include "bench/peers/http_connection.h"
#include "bench/peers/path_list.h"

namespace farm::bench {
namespace {

/// Triton over HTTP with the binary tensor extension: one connection for each call outstanding.
class TritonHttpPath final : public EchoPath {
  public:
    explicit TritonHttpPath(std::string address) : address_(std::move(address)) {}

    Result<Sample> run(const Load& load) override {
        const std::string question = make_question(load.bytes);
        const std::string request = request_of(question);
        while (connections_.size() < static_cast<std::size_t>(load.outstanding)) {
            auto connection = HttpConnection::open(address_);
            if (!connection) return tl::unexpected(connection.error());
            connections_.push_back(std::move(*connection));
        }
        bool is_checked = false;
        return closed_loop(
            load, [&](std::size_t slot) { return connections_[slot].start(request); },
            [&]() -> Result<std::size_t> {
                const auto slot = wait(load.outstanding);
                if (!slot) return slot;
                const HttpConnection& connection = connections_[*slot];
                if (connection.status() != 200) {
                    return fail(ErrorCode::io, "triton: " + std::string(connection.body()));
                }
                if (!is_checked) {
                    const std::string_view body = connection.body();
                    const auto tail = body.substr(body.size() - std::min(body.size(), load.bytes));
                    if (const auto same = check_answer(question, tail); !same) {
                        return tl::unexpected(same.error());
                    }
                    is_checked = true;
                }
                return slot;
            });
    }

  private:
    static std::string request_of(const std::string& question) {
        const std::string bytes = std::to_string(question.size());
        const std::string header =
            "{\"inputs\":[{\"name\":\"INPUT0\",\"shape\":[" + bytes +
            "],\"datatype\":\"UINT8\",\"parameters\":{\"binary_data_size\":" + bytes +
            "}}],\"outputs\":[{\"name\":\"OUTPUT0\",\"parameters\":{\"binary_data\":true}}]}";
        return "POST /v2/models/identity/infer HTTP/1.1\r\nHost: x\r\n"
               "Content-Type: application/octet-stream\r\nInference-Header-Content-Length: " +
               std::to_string(header.size()) +
               "\r\nContent-Length: " + std::to_string(header.size() + question.size()) +
               "\r\n\r\n" + header + question;
    }

    /// The slot of an answer that is complete.
    Result<std::size_t> wait(int outstanding) {
        std::vector<pollfd> items(static_cast<std::size_t>(outstanding));
        while (complete_.empty()) {
            for (std::size_t i = 0; i < items.size(); ++i) {
                const auto sends = connections_[i].wants_to_send() ? POLLOUT : 0;
                items[i] = {connections_[i].fd(), static_cast<short>(POLLIN | sends), 0};
            }
            if (::poll(items.data(), items.size(), -1) < 0) {
                return fail(ErrorCode::io, "triton: poll failed");
            }
            for (std::size_t i = 0; i < items.size(); ++i) {
                if (const auto done = serve(i, items[i].revents); !done) {
                    return tl::unexpected(done.error());
                }
            }
        }
        const std::size_t slot = complete_.front();
        complete_.pop_front();
        return slot;
    }

    Result<void> serve(std::size_t slot, short events) {
        if (events & POLLOUT) {
            if (const auto done = connections_[slot].send_more(); !done) return done;
        }
        if ((events & (POLLIN | POLLHUP | POLLERR)) == 0) return {};
        const auto complete = connections_[slot].receive_some();
        if (!complete) return tl::unexpected(complete.error());
        if (*complete) complete_.push_back(slot);
        return {};
    }

    std::string address_;
    std::vector<HttpConnection> connections_;
    std::deque<std::size_t> complete_;
};

}  // namespace

Result<std::unique_ptr<EchoPath>> make_triton_http_path(const PathOptions& options) {
    return std::make_unique<TritonHttpPath>(options.triton_http);
}

}  // namespace farm::bench
