// What goes wrong in a simulated farm.
#include <algorithm>
#include <utility>

#include "tests/sim/farm.h"
#include "tests/sim/process.h"

namespace farm::sim {
namespace {

using namespace std::chrono_literals;

}  // namespace

void Farm::plan_faults() {
    const auto seconds = static_cast<double>(shape_.load_time.count()) * 1e-9;
    const auto count = static_cast<std::uint64_t>(shape_.faults * seconds) + 1;
    for (std::uint64_t i = 0; i < count; ++i) {
        world_.clock.after(world_.random.between(Duration{300ms}, shape_.load_time + 1s),
                           [this] { fault(); });
    }
}

void Farm::fault() {
    Random& random = world_.random;
    world_.history.fault_happened();
    const auto pause = [&] { return random.between(Duration{100ms}, Duration{2s}); };
    switch (random.between(0, 11)) {
        case 0: {
            WorkerNode& worker = any(workers_);
            crash_worker(worker);
            world_.clock.after(pause(), [this, &worker] { restart_worker(worker); });
            return;
        }
        case 1: {
            BrokerNode& broker = any(brokers_);
            broker.crash();
            world_.clock.after(pause(), [this, &broker] {
                if (!broker.up) broker.start(shape_.small_limits);
            });
            return;
        }
        case 2: {
            ClientNode& client = any(clients_);
            client.crash();
            world_.clock.after(pause(), [&client] {
                if (!client.up) client.start();
            });
            return;
        }
        case 3: {
            Node& node = *world_.nodes[random.between(0, world_.nodes.size() - 1)];
            const Duration how_long = pause();
            world_.log(world_.name(node.id) + " hangs for " + std::to_string(how_long / 1ms) +
                       " ms");
            node.hung_until = std::max(node.hung_until, world_.clock.now() + how_long);
            world_.history.hung(node.id, node.hung_until);
            return;
        }
        case 4:
        case 5: {
            const auto wires = world_.network.live();
            if (wires.empty()) return;
            Wire& wire = *wires[random.between(0, wires.size() - 1)];
            if (wire.same_host()) return;  // only a process that ends closes it
            world_.log(std::string(wire.bulk ? "bulk" : "control") + " connection of " +
                       world_.name(wire.dialler) + " to " + world_.name(wire.broker) + " breaks");
            return world_.network.break_wire(wire);
        }
        case 6: {
            const bool is_direct = random.chance(0.3);
            const NodeId one = is_direct ? any(workers_).id : any(brokers_).id;
            const auto other = static_cast<NodeId>(
                random.between(world_.broker_ids.size(), world_.nodes.size() - 1));
            if (one == other) return;
            world_.log(world_.name(other) + " and " + world_.name(one) + " are cut apart");
            return world_.network.partition(one, other, world_.clock.now() + pause());
        }
        case 7: {
            const auto wires = world_.network.live();
            if (wires.empty()) return;
            Wire& wire = *wires[random.between(0, wires.size() - 1)];
            world_.log(world_.name(wire.dialler) + " sends garbage");
            world_.network.send_to_broker(wire, {Beat{}, {}, true});
            return;
        }
        case 8: return stranger();
        case 9: return zombie(any(workers_));
        case 10: {
            WorkerNode& worker = any(workers_);
            if (!worker.up || worker.hung_until > world_.clock.now()) return;
            world_.log(world_.name(worker.id) + " is asked to drain");
            worker.drain();
            world_.clock.after(pause() + 2s, [this, &worker] { restart_worker(worker); });
            return;
        }
        default: {
            if (random.chance(0.5)) {
                world_.log("pipes fill up");
                world_.network.shape.full_pipe = 0.02;
                world_.clock.after(200ms, [this] { world_.network.shape.full_pipe = 0; });
                return;
            }
            BrokerNode& broker = any(brokers_);
            if (!broker.up || broker.hung_until > world_.clock.now()) return;
            world_.log(world_.name(broker.id) + " is asked to drain");
            broker.drain();
            world_.clock.after(pause() + 2s, [this, &broker] {
                if (!broker.up) broker.start(shape_.small_limits);
            });
        }
    }
}

void Farm::crash_worker(WorkerNode& worker) {
    if (!worker.up) return;
    watch_lost_calls(worker);
    world_.history.worker_died(worker.id, worker.incarnation);
    worker.crash();
}

/// Rule 5, and "a session lost takes its calls with it": what a worker had when it died is answered
/// towards every client that stays connected, within the time in which a loss is noticed.
void Farm::watch_lost_calls(WorkerNode& worker) {
    const TimePoint died = world_.clock.now();
    for (const auto& broker : brokers_) {
        if (!broker->up || broker->hung_until > died) continue;
        for (const auto& client : clients_) {
            if (!client->up) continue;
            for (LinkId id : client->links()) {
                Wire* wire = client->control_wire(id);
                if (wire->broker != broker->id || !wire->appeared) continue;
                for (const CallKey& key :
                     world_.history.outstanding_at(worker.id, broker->id, broker->incarnation)) {
                    const int life = broker->incarnation;
                    const auto owed = [this, broker = broker.get(), life, wire, key] {
                        return broker->up && broker->incarnation == life && !wire->broken_at &&
                               !wire->broker_closed && !wire->dialler_closed &&
                               world_.history.owes_answer(broker->id, life, wire->broker_link, key);
                    };
                    if (!owed()) continue;
                    const Duration noticed = world_.timing.lost_after() + 4 * world_.timing.beat;
                    world_.clock.after(noticed, [this, owed, died, broker = broker.get(), key] {
                        if (!owed() || broker->hung_until > died) return;
                        world_.verdict.violate("rule 5: calls of a lost worker are resolved",
                                               "call " + short_hex(key.id) + " attempt " +
                                                   std::to_string(key.attempt) +
                                                   " had no answer from " +
                                                   world_.name(broker->id));
                    });
                }
            }
        }
    }
}

/// A connection that does not know the protocol, or does not keep to it.
void Farm::stranger() {
    Random& random = world_.random;
    BrokerNode& broker = any(brokers_);
    if (!broker.up || broker.hung_until > world_.clock.now()) return;
    const NodeId dialler = any(clients_).id;
    world_.log("a stranger comes to " + world_.name(broker.id));
    const bool bulk = random.chance(0.3);
    Wire& wire = world_.network.dial(dialler, LinkId{1'000'000 + random.next() % 1'000'000},
                                     broker.id, bulk);
    wire.up = true;
    SimPayload bytes;
    bytes.call = CallId::from_words(random.next(), 0);
    Parcel parcel;
    switch (random.between(0, 5)) {
        case 0: {
            Call call;
            call.key.id = bytes.call;
            call.service = "jets";
            call.remaining_ms = 1000;
            parcel = {call, bytes, false};
            break;
        }
        case 1: {
            Answer answer;
            answer.key.id = bytes.call;
            parcel = {answer, bytes, false};
            break;
        }
        case 2: {
            bytes.kind = SimPayload::Kind::chunk;
            parcel = {Chunk{{bytes.call, 1}, 0, 0, 10, {}}, bytes, false};
            break;
        }
        case 3: parcel = {Attach{SessionId{random.between(1, 5)}, Secret{}}, {}, false}; break;
        case 4: parcel = {Beat{}, {}, false}; break;
        default: parcel = {Beat{}, {}, true};
    }
    broker.arrive(wire, std::move(parcel));
    world_.network.close_by_dialler(wire);
}

/// A process that should be gone says HELLO with the epoch that it had.
void Farm::zombie(WorkerNode& worker) {
    BrokerNode& broker = any(brokers_);
    const bool ready = broker.up && broker.hung_until <= world_.clock.now() && worker.epoch > 1;
    if (!ready) return;
    world_.log("a zombie of " + world_.name(worker.id) + " comes to " + world_.name(broker.id));
    Wire& wire = world_.network.dial(
        any(clients_).id, LinkId{2'000'000 + world_.random.next() % 1'000'000}, broker.id, false);
    wire.up = true;
    Hello hello;
    hello.role = Role::worker;
    hello.peer = worker.peer;
    hello.epoch = worker.epoch - 1;
    hello.name = "zombie";
    wire.dialler = worker.id;
    broker.arrive(wire, {hello, {}, false});
    world_.network.close_by_dialler(wire);
}

}  // namespace farm::sim
