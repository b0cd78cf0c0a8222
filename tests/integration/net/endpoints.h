#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/net/dealer.h"
#include "common/net/poller.h"
#include "common/net/router.h"
#include "tests/unit/net/temporary_folder.h"

namespace farm::testing {

inline Buffer text(std::string_view words) {
    return Buffer::copy_of(std::as_bytes(std::span(words)));
}

inline std::string text_of(const Buffer& buffer) {
    return {reinterpret_cast<const char*>(buffer.data()), buffer.size()};
}

inline std::vector<std::string> texts_of(const std::vector<Buffer>& frames) {
    std::vector<std::string> texts;
    for (const Buffer& frame : frames) texts.push_back(text_of(frame));
    return texts;
}

/// A process's context and the loop of one thread. Its limit only ends a test that hangs.
class Loop {
  public:
    Context context;
    Poller poller;

    bool until(const std::function<bool()>& reached) {
        const TimePoint limit = steady_now() + std::chrono::seconds(30);
        while (!reached()) {
            if (steady_now() > limit) return false;
            poller.wait(steady_now() + std::chrono::milliseconds(100));
        }
        return true;
    }

    std::unique_ptr<Router> router(const std::optional<CurveServer>& curve = {}) {
        auto made = Router::make(context, Lane::control, curve);
        EXPECT_TRUE(made);
        poller.watch(**made);
        return std::move(*made);
    }

    std::unique_ptr<Dealer> dealer(const std::string& url,
                                   const std::optional<CurveClient>& curve = {},
                                   Lane lane = Lane::control) {
        auto made = Dealer::connect(context, lane, url, curve);
        EXPECT_TRUE(made) << made.error().message;
        poller.watch(**made);
        return std::move(*made);
    }

    std::unique_ptr<Dealer> connected(const std::string& url) {
        auto made = dealer(url);
        EXPECT_TRUE(until([&] { return made->writable(); }));
        return made;
    }

    std::optional<Router::Incoming> next(Router& from) {
        std::optional<Router::Incoming> message;
        until([&] { return (message = from.receive()).has_value(); });
        return message;
    }

    std::optional<std::vector<Buffer>> next(Dealer& from) {
        std::optional<std::vector<Buffer>> message;
        until([&] { return (message = from.receive()).has_value(); });
        return message;
    }

    /// Watched objects must be forgotten before they go.
    template <class Socket>
    void drop(std::unique_ptr<Socket>& socket) {
        poller.forget(*socket);
        socket.reset();
    }
};

inline SendResult send(Dealer& to, std::initializer_list<std::string_view> words) {
    std::vector<Buffer> frames;
    for (auto word : words) frames.push_back(text(word));
    return to.send(frames);
}

inline SendResult send(Router& to, LinkId link, std::initializer_list<std::string_view> words) {
    std::vector<Buffer> frames;
    for (auto word : words) frames.push_back(text(word));
    return to.send(link, frames);
}

}  // namespace farm::testing
