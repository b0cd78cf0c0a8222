#include "tests/sim/farm.h"

#include <algorithm>
#include <utility>

#include "tests/sim/process.h"

namespace farm::sim {
namespace {

using namespace std::chrono_literals;

std::vector<SimModel> all_models() {
    return {
        {"jets", 1, BatchRule::rows, 8, true, 2ms, 200us, 1000, 1 << 20, 1},
        {"jets", 2, BatchRule::rows, 16, true, 1ms, 150us, 400, 1 << 20, 2},
        {"tracks", 1, BatchRule::none, 0, true, 8ms, 1ms, 300'000, 2 << 20, 2},
        {"once", 1, BatchRule::none, 0, false, 20ms, 1ms, 100, 1 << 20, 1},
        {"big", 1, BatchRule::none, 0, true, 5ms, 1ms, 6'500'000, 8 << 20, 1},
    };
}

/// The shape varies by seed, so that a thousand small farms see more than one large one.
Shape shape_of(Random& random, std::uint64_t seed) {
    Shape shape;
    shape.healthy = seed % 5 == 0;
    shape.brokers = static_cast<int>(random.between(1, 3));
    shape.workers = static_cast<int>(random.between(1, 4));
    shape.clients = static_cast<int>(random.between(1, 3));
    shape.calls = static_cast<int>(random.between(15, 60));
    shape.load_time = random.between(Duration{2s}, Duration{8s});
    shape.network.delay = random.between(Duration{50us}, Duration{3ms});
    shape.network.jitter = random.between(Duration{0}, 2 * shape.network.delay);
    shape.large = random.chance(0.5) ? 0.2 : 0.02;
    shape.faults = random.chance(0.5) ? 1.0 : 4.0;
    shape.device_faults = random.chance(0.3) ? 0.1 : 0.0;
    shape.poison = random.chance(0.2) ? 0.05 : 0.0;
    shape.small_limits = random.chance(0.2);
    if (random.chance(0.2)) shape.device_bytes = 28ULL << 20;
    shape.direct = random.chance(0.6);
    shape.same_host = random.chance(0.5) ? 0.7 : 0.0;
    shape.network.hidden = random.chance(0.3) ? 0.3 : 0.0;
    if (shape.healthy) {
        shape.faults = shape.device_faults = shape.poison = 0;
        shape.small_limits = false;
    }
    return shape;
}

template <class List>
void append(std::vector<Node*>& nodes, const List& list) {
    for (const auto& node : list) {
        node->id = static_cast<NodeId>(nodes.size());
        nodes.push_back(node.get());
    }
}

}  // namespace

World::World(std::uint64_t seed, bool keep, bool print)
    : random(seed),
      verdict(keep, print),
      network(clock, random, nodes),
      timing{200ms, 2, 4},
      back_off{50ms, 400ms, 500ms},
      history(verdict, clock, timing, back_off),
      models(all_models()) {}

std::string World::name(NodeId node) const {
    const auto brokers = static_cast<NodeId>(broker_ids.size());
    return node < brokers ? "broker" + std::to_string(node) : "node" + std::to_string(node);
}

void World::check_framing(LinkId link, const Message& message) {
    const auto* call = std::get_if<Call>(&message);
    const auto* answer = std::get_if<Answer>(&message);
    const bool is_chunked =
        (call != nullptr && call->chunked) || (answer != nullptr && answer->chunked);
    if (is_same_host(link)) {
        const bool is_cut = is_chunked || std::holds_alternative<Attach>(message) ||
                            std::holds_alternative<Send>(message) ||
                            std::holds_alternative<Chunk>(message);
        if (is_cut) verdict.violate("within a host calls travel whole", describe(message));
    } else if (!is_chunked) {
        const std::uint64_t bytes = call != nullptr     ? call->input_bytes
                                    : answer != nullptr ? answer->output_bytes
                                                        : 0;
        if (bytes > whole_bytes(framing_of(link))) {
            verdict.violate("what is large travels in chunks", describe(message));
        }
    }
}

// ---- making a farm ----------------------------------------------------------------------------

Farm::Farm(std::uint64_t seed, bool keep_transcript, bool print)
    : world_(seed, keep_transcript, print), shape_(shape_of(world_.random, seed)), seed_(seed) {}

void Farm::build() {
    world_.network.shape = shape_.network;
    world_.device_faults = shape_.device_faults;
    world_.same_host = shape_.same_host;
    world_.direct = shape_.direct ? DirectUse::always : DirectUse::never;
    for (int i = 0; i < shape_.brokers; ++i)
        brokers_.push_back(std::make_unique<BrokerNode>(world_));
    for (int i = 0; i < shape_.workers; ++i)
        workers_.push_back(std::make_unique<WorkerNode>(world_));
    for (int i = 0; i < shape_.clients; ++i)
        clients_.push_back(std::make_unique<ClientNode>(world_));
    append(world_.nodes, brokers_);
    append(world_.nodes, workers_);
    append(world_.nodes, clients_);
    for (const auto& broker : brokers_) world_.broker_ids.push_back(broker->id);
    for (const auto& broker : brokers_) broker->start(shape_.small_limits);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        // The first one offers everything, the others something.
        workers_[i]->start(i == 0 ? world_.models : some_models(), shape_.device_bytes, true);
    }
    for (const auto& client : clients_) client->start();
}

std::vector<SimModel> Farm::some_models() {
    std::vector<SimModel> some;
    for (const SimModel& model : world_.models) {
        if (world_.random.chance(0.6)) some.push_back(model);
    }
    return some;
}

void Farm::restart_worker(WorkerNode& worker) {
    if (worker.up) return;
    const bool first = &worker == workers_.front().get();
    worker.start(first ? world_.models : some_models(), shape_.device_bytes,
                 world_.random.chance(0.5));
}

// ---- workload ---------------------------------------------------------------------------------

void Farm::plan_calls() {
    for (int i = 0; i < shape_.calls; ++i) {
        const int client = static_cast<int>(world_.random.between(0, clients_.size() - 1));
        world_.clock.after(world_.random.between(Duration{0}, shape_.load_time),
                           [this, client] { submit_call(client, false); });
    }
}

void Farm::submit_call(int number, bool is_probe) {
    Random& random = world_.random;
    ClientNode& client = *clients_[static_cast<std::size_t>(number)];
    if (!client.up) return;
    if (client.hung_until > world_.clock.now()) {
        return world_.clock.at(client.hung_until, [=, this] { submit_call(number, is_probe); });
    }
    const std::size_t model_number =
        is_probe ? next_call_ % world_.models.size() : random.between(0, world_.models.size() - 1);
    const SimModel& model = world_.models[model_number];
    PlannedCall plan;
    plan.id = CallId::from_words(random.next(), next_call_++);
    plan.service = random.chance(0.5) ? model.name : service_name(model.name, model.version);
    plan.idempotent = model.idempotent;
    plan.submitted = world_.clock.now();
    plan.client = client.id;
    plan.must_be_ok = is_probe;
    plan.deadline = world_.clock.now() + (is_probe || shape_.healthy
                                              ? Duration{60s}
                                              : random.between(Duration{200ms}, Duration{12s}));
    std::uint64_t bytes = random.between(100, 60'000);
    auto rows = static_cast<std::uint32_t>(random.between(1, model.max_rows == 0 ? 3 : 4));
    bool will_cancel = false;
    if (!is_probe) {
        if (random.chance(shape_.large)) bytes = random.between(1'100'000, 11'000'000);
        plan.is_bad = random.chance(shape_.bad);
        plan.is_poison = !plan.is_bad && random.chance(shape_.poison);
        if (random.chance(0.02)) {
            plan.is_too_large = true;
            bytes = 30'000'000;
        }
        const bool unknown = random.chance(shape_.unknown);
        if (unknown) plan.service = "nobody/1";
        will_cancel = random.chance(shape_.cancels);
        plan.must_be_ok =
            shape_.healthy && !plan.is_bad && !plan.is_too_large && !unknown && !will_cancel;
    }
    world_.plans[plan.id] = plan;
    client.submit(plan, bytes, rows, static_cast<std::uint8_t>(random.between(99, 101)));
    if (!will_cancel) return;
    const auto again = [this, number, id = plan.id](const auto& self) -> void {
        ClientNode& owner = *clients_[static_cast<std::size_t>(number)];
        if (!owner.up) return;
        if (owner.hung_until > world_.clock.now()) {
            world_.clock.at(owner.hung_until, [=] { self(self); });
            return;
        }
        owner.cancel(id);
    };
    world_.clock.after(random.between(Duration{0}, Duration{100ms}), [=] { again(again); });
}

void Farm::probe() {
    for (std::size_t client = 0; client < clients_.size(); ++client) {
        for (std::size_t i = 0; i < world_.models.size(); ++i) {
            submit_call(static_cast<int>(client), true);
        }
    }
}

// ---- the end ----------------------------------------------------------------------------------

void Farm::heal() {
    world_.log("all faults end");
    healed_ = true;
    world_.network.heal();
    world_.network.shape.full_pipe = 0;
    world_.device_faults = 0;
    for (auto& broker : brokers_) {
        if (!broker->up) broker->start(shape_.small_limits);
    }
    for (auto& worker : workers_) restart_worker(*worker);
    for (auto& client : clients_) {
        if (!client->up) client->start();
    }
}

void Farm::check_limits() {
    for (const auto& broker : brokers_) {
        if (!broker->up) continue;
        const std::uint64_t most = shape_.small_limits ? 3ULL << 20 : limits::queued_bytes;
        if (broker->machine->queued_bytes() > most) {
            world_.verdict.violate("rule 2: queues are bounded", world_.name(broker->id));
        }
        if (broker->machine->open_call_count() >
            clients_.size() * limits::open_calls_per_session_count) {
            world_.verdict.violate("rule 2: tables are bounded", world_.name(broker->id));
        }
    }
    for (const auto& worker : workers_) {
        if (worker->up && worker->machine->kept_result_count() > limits::kept_result_count) {
            world_.verdict.violate("rule 2: kept results are bounded", world_.name(worker->id));
        }
    }
}

void Farm::check_empty() {
    const auto complain = [&](const Node& node, const std::string& what) {
        world_.verdict.violate("a quiet farm is empty",
                               world_.name(node.id) + " still has " + what);
    };
    for (const auto& broker : brokers_) {
        if (const auto calls = broker->machine->open_call_count()) {
            complain(*broker, std::to_string(calls) + " open calls");
        }
        if (broker->machine->queued_bytes() > 0) complain(*broker, "queued bytes");
        if (broker->payloads->count() > 0) complain(*broker, broker->payloads->describe());
    }
    for (const auto& worker : workers_) {
        if (const auto calls = worker->machine->held_call_count()) {
            complain(*worker, std::to_string(calls) + " held calls");
        }
        if (worker->payloads->count() > 0) complain(*worker, worker->payloads->describe());
    }
    for (const auto& client : clients_) {
        if (const auto calls = client->machine->open_call_count()) {
            complain(*client, std::to_string(calls) + " open calls");
        }
        if (client->payloads->count() > 0) complain(*client, client->payloads->describe());
    }
}

Result Farm::run() {
    const auto failed = [this] { return world_.verdict.failed(); };
    const TimePoint start = world_.clock.now();
    build();
    plan_calls();
    if (!shape_.healthy) plan_faults();
    for (TimePoint at = start; at < start + shape_.load_time + 2s; at += 100ms) {
        world_.clock.at(at, [this] { check_limits(); });
    }
    world_.clock.at(start + shape_.load_time + 2s, [this] { heal(); });
    world_.clock.run_until(start + shape_.load_time + 2s, failed);

    // What was asked for ends by itself, at its deadline at the latest.
    TimePoint until = world_.clock.now();
    const auto wait_for_calls = [&](Duration most) {
        const TimePoint last = until + most;
        while (!failed() && until < last && world_.history.unfinished_count() > 0) {
            until += 500ms;
            world_.clock.run_until(until, failed);
        }
    };
    wait_for_calls(65s);
    until += 3s;  // drained, killed by poison or told to rest: all are back now
    world_.clock.run_until(until, failed);
    heal();
    until += 3s;
    world_.clock.run_until(until, failed);
    probe();
    wait_for_calls(65s);
    if (!failed() && world_.history.unfinished_count() > 0) {
        world_.verdict.violate("rule 1: one status per call",
                               "never ended:" + world_.history.describe_unfinished());
    }
    // Results that nobody has asked for again are kept until their deadline.
    const auto worker_is_empty = [](const auto& worker) { return worker->payloads->count() == 0; };
    for (int i = 0; i < 70 && !failed(); ++i) {
        until += 1s;
        world_.clock.run_until(until, failed);
        if (std::all_of(workers_.begin(), workers_.end(), worker_is_empty)) break;
    }
    if (!failed()) check_empty();

    Result result;
    result.rule = world_.verdict.rule();
    result.text = world_.verdict.text();
    result.tail.assign(world_.verdict.tail().begin(), world_.verdict.tail().end());
    result.statuses = world_.history.status_counts();
    result.events = world_.clock.executed();
    return result;
}

// ---- many seeds -------------------------------------------------------------------------------

Result run_seed(std::uint64_t seed, bool keep_transcript, bool print) {
    return Farm(seed, keep_transcript, print).run();
}

Campaign run_seeds(std::uint64_t first, std::uint64_t last) {
    Campaign campaign;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        const Result result = run_seed(seed, false, false);
        if (!result.rule.empty()) {
            campaign.failed_seed = seed;
            campaign.failure = run_seed(seed, true, false);
            return campaign;
        }
        for (const auto& [status, count] : result.statuses) campaign.statuses[status] += count;
        ++campaign.passed;
    }
    return campaign;
}

void print_failure(const Campaign& campaign) {
    if (!campaign.failed_seed) return;
    for (const std::string& line : campaign.failure.tail)
        std::fprintf(stderr, "%s\n", line.c_str());
    std::fprintf(stderr, "seed %llu broke a rule: %s\n  %s\nreplay: farm_sim --seed %llu\n",
                 static_cast<unsigned long long>(*campaign.failed_seed),
                 campaign.failure.rule.c_str(), campaign.failure.text.c_str(),
                 static_cast<unsigned long long>(*campaign.failed_seed));
}

}  // namespace farm::sim
