#include "tests/unit/wire/specimens.h"

#include <utility>

namespace farm::test {

namespace {

CallKey key(std::uint64_t number, std::uint8_t attempt) {
    return {CallId::from_words(0x00112233445566ULL, number), attempt};
}

ContentHash hash() {
    ContentHash hash;
    for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
        hash.bytes[i] = static_cast<std::uint8_t>(i + 1);
    }
    return hash;
}

Hello hello() {
    Hello m;
    m.protocol_max = 2;
    m.role = Role::worker;
    m.peer = PeerId::from_words(1, 2);
    m.epoch = 1'700'000'000;
    m.name = "node7:4242";
    m.token = "secret";
    m.open = {key(1, 1), key(2, 3)};
    return m;
}

Welcome welcome() {
    Welcome m;
    m.protocol = 1;
    m.session = SessionId{77};
    m.broker = PeerId::from_words(3, 4);
    m.broker_epoch = 5;
    m.broker_name = "head";
    m.timing = {std::chrono::milliseconds(500), 3, 6};
    m.bulk_url = "tcp://*:5601";
    m.bulk_secret = Secret::from_words(5, 6);
    m.known = {key(2, 3)};
    m.max_call_bytes = 1 << 20;
    return m;
}

ServiceAd service() {
    ServiceAd ad;
    ad.index = ServiceIndex{3};
    ad.model = "gnn";
    ad.version = 2;
    ad.latest = false;
    ad.hash = hash();
    ad.signature.inputs = {{"nodes", dtype::f32, {-1, 3}, false},
                           {"mask", dtype::boolean, {-1}, true}};
    ad.signature.outputs = {{"score", dtype::f16, {-1, 1}, false}};
    ad.batch = BatchRule::graph;
    ad.max_batch_rows = 64;
    ad.instance_count = 2;
    ad.device = DeviceKind::cuda;
    ad.device_name = "L4";
    ad.backend = "pytorch";
    ad.labels = {{"site", "cern"}, {"tier", ""}};
    ad.cost = {{1, 900}, {8, 2000}};
    ad.max_call_bytes = 1 << 30;
    ad.max_result_bytes = 1 << 20;
    ad.idempotent = false;
    ad.direct_url = "tcp://node7:5700";
    ad.failure = "no file model.pt";
    return ad;
}

Call call() {
    Call m;
    m.key = key(1, 2);
    m.service = "gnn/2";
    m.remaining_ms = 59'900;
    m.priority = 1;
    m.suspect = true;
    m.rows = 12;
    m.input_bytes = 5000;
    m.max_result_bytes = 1 << 16;
    m.avoid = SessionId{17};
    m.body_bytes = 200;
    m.frame_count = 2;
    return m;
}

Call chunked_call() {
    Call m = call();
    m.chunked = true;
    m.input_bytes = 100 << 20;
    m.streamed_bytes = (100 << 20) - 512;
    m.frame_count = 0;
    return m;
}

Call usual_call() {
    Call m;
    m.key = {CallId::from_words(0x1122334455667788ULL, 0x99aabbccddeeff00ULL), 1};
    m.service = "gnn";
    m.remaining_ms = 60'000;
    m.rows = 16;
    m.input_bytes = 768;
    m.body_bytes = 802;
    return m;
}

Answer answer() {
    Answer m;
    m.key = key(1, 2);
    m.outcome = Outcome::lost;
    m.reason = Reason::worker_lost;
    m.was_running = true;
    m.chunked = true;
    m.detail = "worker 'node7' closed its connection";
    m.retry_after_ms = 250;
    m.sequence = 41;
    m.timings = {1000, 2000, 3000, 4000, 32, 4};
    m.output_bytes = 8 << 20;
    m.streamed_bytes = (8 << 20) - 100;
    m.worker = SessionId{17};
    m.repeatable = false;
    m.body_bytes = 99;
    return m;
}

Answer usual_answer() {
    Answer m;
    m.key = usual_call().key;
    m.sequence = 42;
    m.timings = {120'000, 4'000, 900'000, 3'000, 64, 4};
    m.output_bytes = 64;
    m.body_bytes = 150;
    return m;
}

Beat beat() {
    Beat m;
    m.credit_sequence = 9;
    m.result_sequence = 10;
    m.foreign_backlog_ns = 11;
    m.running = {key(1, 1)};
    m.depths = {{ServiceIndex{3}, 500}};
    m.device = {80ULL << 30, 20ULL << 30, 73};
    return m;
}

LeaseGrant grant() {
    LeaseGrant g;
    g.url = "tcp://node7:5700";
    g.worker_key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    g.lease = 6;
    g.request_count = 8;
    g.device_bytes = 1 << 20;
    g.valid_ms = 10'000;
    g.mac = std::string(32, 'm');
    g.expires_ms = 3'600'000;
    g.tenant = "atlas";
    g.worker = SessionId{5};
    g.same_host = "0d5f6e1c-6b0e-4a55-9f6e-2f9d0a7b1c33/1000/@farm-worker-host-4242-7";
    return g;
}

StatusReport report() {
    StatusReport m;
    m.broker = {"head", "0.1.0", 5000, 2, 1, 100, 90, 7, 3, 4096, true};
    m.workers = {{"node7", "L4", "ready", 3, 3000, 90, 1, 7'000'000, 20, beat().device}};
    m.services = {
        {"gnn/2", "node7", "pytorch", "bad file", 8, 3, 90, 11'000, true, {{1, 900}, {8, 2000}}}};
    m.queues = {{"gnn", 5, 5000, 12}};
    m.next = 64;
    return m;
}

}  // namespace

std::vector<Specimen> specimens() {
    return {
        {"hello", {hello()}},
        {"welcome", {welcome()}},
        {"refused", {Refused{RefusedReason::old_epoch, "epoch 4 is before 5"}}},
        {"attach", {Attach{SessionId{77}, Secret::from_words(5, 6)}}},
        {"goodbye", {Goodbye{"drained"}}},
        {"advertise",
         {Advertise{{service()}, Secret::from_words(5, 6), grant().worker_key, grant().same_host}}},
        {"withdraw", {Withdraw{{ServiceIndex{3}, ServiceIndex{400}}}}},
        {"credit", {Credit{9, 1 << 30, {{ServiceIndex{3}, 8}, {ServiceIndex{4}, 0}}, 12345}}},
        {"beat", {beat()}},
        {"call", {call()}},
        {"result", {answer()}},
        {"send", {Send{key(1, 2), 4 << 20}}},
        {"chunk", {Chunk{key(1, 2), 1, 1 << 20, 1 << 20, {}}}},
        {"started", {Started{{key(1, 1), key(2, 1)}}}},
        {"cancel", {Cancel{key(1, 1).id}}},
        {"resolve",
         {Resolve{"gnn", 4, 1 << 20, 32, 1 << 16, "0d5f6e1c-6b0e-4a55-9f6e-2f9d0a7b1c33/1000"}}},
        {"lease", {Lease{"gnn", {grant()}}}},
        {"list", {List{64, "gnn"}}},
        {"catalog", {Catalog{{{service(), 7}}, 64}}},
        {"status", {Status{64}}},
        {"report", {report()}},
        {"drain", {Drain{"node7"}}},
        {"call_usual", {usual_call()}},
        {"call_chunked", {chunked_call()}},
        {"result_usual", {usual_answer()}},
        {"beat_idle", {Beat{}}},
        {"run_turnover", {Started{{key(3, 1)}}, usual_answer(), Beat{}}},
        {"sixteen_beats", std::vector<Message>(16, Beat{})},
    };
}

CallBody call_body_specimen() {
    static constexpr std::byte mask[3] = {std::byte{1}, std::byte{0}, std::byte{1}};
    CallBody body;
    body.tensors = {{{"nodes", dtype::f32, {1000, 3}}, false, {}},
                    {{"mask", dtype::boolean, {3}}, true, Buffer::copy_of(mask)},
                    {{"empty", dtype::i64, {2, 0}}, true, {}}};
    return body;
}

AnswerBody answer_body_specimen() {
    static constexpr std::byte score[2] = {std::byte{0}, std::byte{0x3c}};
    AnswerBody body;
    body.tensors = {{{"score", dtype::f16, {1}}, true, Buffer::copy_of(score)}};
    body.made_by = {"node7", "gnn", 2, hash()};
    return body;
}

}  // namespace farm::test
