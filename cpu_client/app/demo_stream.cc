#include "cpu_client/app/demo_stream.h"

#include <fmt/format.h>

#include "cpu_client/app/table.h"
#include "cpu_client/events/components.h"
#include "cpu_client/pipeline/event_loop.h"

namespace farm {

namespace {

constexpr std::string_view model = "gnn";

/// An event on its way through the pipeline.
struct StreamedEvent {
    std::uint64_t number{0};
    const EventFile* file{nullptr};
    std::vector<SpacePoint> points;
    EdgeList edges;
    Inference answer;
    EventLine line;
};

std::string cell(std::string_view text, std::size_t width) {
    std::string shown = printable(text);
    if (shown.size() > width) shown = shown.substr(0, width - 1) + "~";
    return shown;
}

class Stream {
  public:
    Stream(const StreamOptions& options, Client& client, DemoRecord& record)
        : options_(options), client_(client), record_(record) {}

    bool read(StreamedEvent& event) {
        event.number = next_++;
        event.file = &options_.events[event.number % options_.events.size()];
        event.line.name = event.file->name;
        record_.called(event.number, steady_now());
        return true;
    }

    std::optional<CallStatus> prepare(StreamedEvent& event) const {
        auto points = read_space_points(event.file->path, event.file->units);
        if (!points) return refuse(event, points.error());
        event.points = std::move(*points);
        auto edges = candidate_edges(event.points, options_.edge_radius);
        if (!edges) return refuse(event, edges.error());
        event.edges = std::move(*edges);
        event.line.point_count = event.points.size();
        event.line.edge_count = event.edges.size();
        return std::nullopt;
    }

    void call(StreamedEvent& event, EventDone done) const {
        client_.infer(std::string(model), event_inputs(event.points, event.edges), options_.call,
                      [&event, done = std::move(done)](Inference answer) {
                          event.answer = std::move(answer);
                          event.line.detail = event.answer.detail;
                          done(event.answer.status);
                      });
    }

    CallStatus finish(StreamedEvent& event) const {
        const auto scores = event.answer.output("scores").as<float>();
        if (!scores) return refuse(event, scores.error());
        const auto components =
            connected_components(event.points.size(), event.edges, *scores, options_.score_cut);
        if (!components) return refuse(event, components.error());
        event.line.kept_edge_count = components->kept_edge_count;
        event.line.component_count = components->count;
        return CallStatus::ok;
    }

    EventLine output(StreamedEvent& event, CallStatus status) const {
        const Inference& answer = event.answer;
        event.line.status = status;
        event.line.worker = answer.made_by.worker;
        event.line.latency_ms = std::chrono::duration<double, std::milli>(answer.elapsed).count();
        record_.ended(
            event.number,
            {status, answer.made_by.worker, answer.attempts, answer.elapsed, answer.timings},
            steady_now());
        return event.line;
    }

  private:
    static CallStatus refuse(StreamedEvent& event, const Error& error) {
        event.line.detail = error.message;
        return CallStatus::invalid;
    }

    const StreamOptions& options_;
    Client& client_;
    DemoRecord& record_;
    std::uint64_t next_{0};
};

}  // namespace

void stream_events(const StreamOptions& options, Client& client, DemoRecord& record,
                   std::stop_token stop, const std::function<void(const EventLine&)>& put_out) {
    Stream stream(options, client, record);
    EventSteps<StreamedEvent> steps;
    steps.read = [&](StreamedEvent& event) { return stream.read(event); };
    steps.prepare = [&](StreamedEvent& event) { return stream.prepare(event); };
    steps.call = [&](StreamedEvent& event, EventDone done) { stream.call(event, std::move(done)); };
    steps.finish = [&](StreamedEvent& event) { return stream.finish(event); };
    steps.output = [&](StreamedEvent& event, CallStatus status) {
        put_out(stream.output(event, status));
    };
    EventLoopOptions loop;
    loop.in_flight_count = options.in_flight_count;
    loop.stop = std::move(stop);
    run_event_loop(steps, loop);
}

std::string event_heading() {
    return fmt::format("{:<16} {:>7} {:>7} {:>7} {:>11} {:>8}  {}", "EVENT", "POINTS", "EDGES",
                       "KEPT", "COMPONENTS", "MS", "WORKER");
}

std::string event_text(const EventLine& line) {
    if (line.status != CallStatus::ok) {
        return cell(
            fmt::format("{:<16} {}: {}", cell(line.name, 16), to_string(line.status), line.detail),
            terminal_columns);
    }
    return fmt::format("{:<16} {:>7} {:>7} {:>7} {:>11} {:>8.1f}  {}", cell(line.name, 16),
                       line.point_count, line.edge_count, line.kept_edge_count,
                       line.component_count, line.latency_ms, cell(line.worker, 17));
}

}  // namespace farm
