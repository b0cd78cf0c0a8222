#include "bench/peers/zmq_server.h"

#include <zmq.hpp>

namespace farm::bench {

int serve_zmq_echo(const std::string& url, bool connects) {
    zmq::context_t context;
    // Behind a proxy's DEALER a DEALER echoes envelope and body alike.
    zmq::socket_t socket(context, connects ? zmq::socket_type::dealer : zmq::socket_type::router);
    // No mark: an echo that waits for room does not read, and a client that sends chunks ahead of
    // the answers would wait for it for ever.
    socket.set(zmq::sockopt::sndhwm, 0);
    socket.set(zmq::sockopt::rcvhwm, 0);
    connects ? socket.connect(url) : socket.bind(url);
    for (;;) {
        zmq::message_t frame;
        if (!socket.recv(frame)) continue;
        const bool more = frame.more();
        socket.send(frame, more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
}

int serve_zmq_proxy(const std::string& front, const std::string& back) {
    zmq::context_t context;
    zmq::socket_t router(context, zmq::socket_type::router);
    zmq::socket_t dealer(context, zmq::socket_type::dealer);
    router.bind(front);
    dealer.bind(back);
    zmq::proxy(router, dealer);
    return 0;
}

}  // namespace farm::bench
