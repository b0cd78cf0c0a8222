#include "cpu_client/app/demo_stream.h"

#include <utility>

#include <fmt/format.h>

#include "cpu_client/app/table.h"
#include "cpu_client/pipeline/event_loop.h"

namespace farm {

namespace {

/// An event on its way through the pipeline.
struct StreamedEvent {
    std::uint64_t number{0};
    const DemoEvent* event{nullptr};
    bool is_judged{false};
    Inference answer;
    FoundTracks found;
    std::string problem;  ///< on this side
};

std::string cell(std::string_view text, std::size_t width) {
    std::string shown = printable(text);
    if (shown.size() > width) shown = shown.substr(0, width - 1) + "~";
    return shown;
}

class Stream {
  public:
    Stream(const StreamOptions& options, const TrackService& service, Client& client,
           DemoRecord& record)
        : options_(options), service_(service), client_(client), record_(record) {}

    bool read(StreamedEvent& streamed) {
        streamed.number = next_++;
        streamed.event = &options_.events[streamed.number % options_.events.size()];
        streamed.is_judged = streamed.number < options_.events.size();
        record_.called(streamed.number, steady_now());
        return true;
    }

    void call(StreamedEvent& streamed, EventDone done) const {
        client_.infer(service_.name(), service_.inputs(streamed.event->hits, streamed.is_judged),
                      options_.call, [&streamed, done = std::move(done)](Inference answer) {
                          streamed.answer = std::move(answer);
                          done(streamed.answer.status);
                      });
    }

    static CallStatus finish(StreamedEvent& streamed) {
        const DemoEvent& event = *streamed.event;
        auto found = TrackService::read(streamed.answer, event.hits.size(),
                                        streamed.is_judged ? &event.truth : nullptr);
        if (!found) {
            streamed.problem = found.error().message;
            return CallStatus::invalid;
        }
        streamed.found = std::move(*found);
        return CallStatus::ok;
    }

    EventLine output(StreamedEvent& streamed, CallStatus status) {
        const Inference& answer = streamed.answer;
        record_.ended(
            streamed.number,
            {status, answer.made_by.worker, answer.attempts, answer.elapsed, answer.timings},
            steady_now());
        if (status == CallStatus::ok && streamed.is_judged) {
            first_pass_.summary.add(streamed.found);
            if (streamed.number == 0) first_pass_.shown_labels = streamed.found.labels;
        }
        return {streamed.event->name,
                streamed.event->hits.size(),
                streamed.found.track_count,
                std::chrono::duration<double, std::milli>(answer.elapsed).count(),
                answer.made_by.worker,
                status,
                streamed.problem.empty() ? answer.detail : streamed.problem};
    }

    FirstPass take_first_pass() { return std::move(first_pass_); }

  private:
    const StreamOptions& options_;
    const TrackService& service_;
    Client& client_;
    DemoRecord& record_;
    std::uint64_t next_{0};
    FirstPass first_pass_;
};

}  // namespace

FirstPass stream_events(const StreamOptions& options, const TrackService& service, Client& client,
                        DemoRecord& record, std::stop_token stop,
                        const std::function<void(const EventLine&)>& put_out) {
    Stream stream(options, service, client, record);
    EventSteps<StreamedEvent> steps;
    steps.read = [&](StreamedEvent& event) { return stream.read(event); };
    steps.prepare = [](StreamedEvent&) { return std::nullopt; };
    steps.call = [&](StreamedEvent& event, EventDone done) { stream.call(event, std::move(done)); };
    steps.finish = [](StreamedEvent& event) { return Stream::finish(event); };
    steps.output = [&](StreamedEvent& event, CallStatus status) {
        put_out(stream.output(event, status));
    };
    EventLoopOptions loop;
    loop.in_flight_count = options.in_flight_count;
    loop.stop = std::move(stop);
    run_event_loop(steps, loop);
    return stream.take_first_pass();
}

std::string event_heading() {
    return fmt::format("{:<16} {:>7} {:>7} {:>9}  {}", "EVENT", "HITS", "TRACKS", "MS", "WORKER");
}

std::string event_text(const EventLine& line) {
    if (line.status != CallStatus::ok) {
        return cell(
            fmt::format("{:<16} {}: {}", cell(line.name, 16), to_string(line.status), line.detail),
            terminal_columns);
    }
    return fmt::format("{:<16} {:>7} {:>7} {:>9.1f}  {}", cell(line.name, 16), line.hit_count,
                       line.track_count, line.latency_ms, cell(line.worker, 17));
}

}  // namespace farm
