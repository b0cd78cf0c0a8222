#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cpu_client/app/demo_events.h"
#include "cpu_client/app/demo_record.h"
#include "cpu_client/app/demo_report.h"
#include "cpu_client/app/demo_story.h"
#include "cpu_client/app/demo_stream.h"
#include "cpu_client/app/direct_rate.h"
#include "cpu_client/app/screen.h"
#include "cpu_client/app/table.h"

namespace farm {
namespace {

using Action = DemoStory::Action;
using std::chrono::milliseconds;

TEST(DemoStoryTest, GoesThroughJoinKillAndRecovery) {
    DemoStory story(10);
    EXPECT_EQ(story.next({.done_count = 9}), Action::none);
    EXPECT_EQ(story.next({.done_count = 10}), Action::start_newcomer);
    EXPECT_EQ(story.next({.done_count = 20, .victim_has_calls = true}), Action::none)
        << "nobody is killed before the newcomer has answered";
    EXPECT_EQ(story.next({.done_count = 21, .newcomer_answered = true}), Action::none);
    EXPECT_EQ(story.next({.done_count = 22, .newcomer_answered = true}), Action::none)
        << "a kill that hits no call shows nothing";
    EXPECT_EQ(story.next({.done_count = 23, .victim_has_calls = true}), Action::kill_victim);
    EXPECT_EQ(story.next({.done_count = 30, .victim_gone = false}), Action::none);
    EXPECT_EQ(story.next({.done_count = 31, .victim_gone = true, .open_since_kill_count = 2}),
              Action::none);
    EXPECT_EQ(story.next({.done_count = 35, .victim_gone = true}), Action::none);
    EXPECT_EQ(story.next({.done_count = 44}), Action::none) << "one pass more";
    EXPECT_EQ(story.next({.done_count = 45}), Action::finish);
    EXPECT_TRUE(story.is_over());
    EXPECT_EQ(story.next({.done_count = 50}), Action::none);
}

DemoOutcome answered(std::string worker, int latency_ms, std::uint8_t attempts = 1) {
    DemoOutcome outcome{CallStatus::ok, std::move(worker), attempts, milliseconds(latency_ms), {}};
    outcome.timings.queue_ns = 1'000'000;
    outcome.timings.compute_ns = 2'000'000;
    return outcome;
}

TEST(DemoRecordTest, KeepsTheBooks) {
    DemoRecord record;
    const TimePoint start{};
    for (std::uint64_t event = 0; event < 4; ++event) record.called(event, start);
    record.ended(0, answered("a", 10), start + milliseconds(500));
    EXPECT_EQ(record.mark_kill(), 3U);
    record.called(4, start + milliseconds(600));
    record.ended(4, answered("b", 20), start + milliseconds(700));
    EXPECT_EQ(record.open_since_kill_count(), 3U) << "event 4 came later";
    record.ended(1, answered("b", 30, 2), start + milliseconds(800));
    record.ended(2, answered("b", 40), start + milliseconds(900));
    EXPECT_EQ(record.open_since_kill_count(), 1U);
    record.ended(3, {CallStatus::worker_lost, "", 3, milliseconds(50), {}},
                 start + milliseconds(2000));
    EXPECT_EQ(record.open_since_kill_count(), 0U);

    EXPECT_EQ(record.first_event_of("b"), start + milliseconds(700 - 3));
    EXPECT_FALSE(record.first_event_of("c"));
    const auto figures = record.figures();
    EXPECT_EQ(figures.event_count, 5U);
    EXPECT_EQ(figures.lost_count, 1U);
    EXPECT_EQ(figures.by_worker.at("b"), 3U);
    EXPECT_EQ(figures.resent_count, 2U);
    EXPECT_DOUBLE_EQ(figures.events_per_s, 2.5);
    EXPECT_DOUBLE_EQ(figures.p50_ms, 20);
    EXPECT_DOUBLE_EQ(figures.p99_ms, 40);
    EXPECT_DOUBLE_EQ(figures.worker_queue_ms, 1);
    EXPECT_DOUBLE_EQ(figures.compute_ms, 2);
    EXPECT_DOUBLE_EQ(figures.waiting_ms, 25 - 3);
}

TEST(DemoRecordTest, AnEventThatNeverEndsIsLost) {
    DemoRecord record;
    record.called(0, TimePoint{});
    EXPECT_EQ(record.figures().lost_count, 1U);
}

DemoResult seen_all() {
    DemoResult result;
    result.figures.event_count = 100;
    result.figures.by_status[0] = 100;
    result.figures.by_worker = {{"worker-1", 30}, {"worker-2", 50}, {"worker-3", 20}};
    result.workers = {"worker-1", "worker-2", "worker-3"};
    result.newcomer = "worker-3";
    result.victim = "worker-1";
    result.join_to_first_event_ms = 12.5;
    result.recovered = true;
    result.direct = DirectRate{30, 20, 90, 20};
    return result;
}

TEST(DemoReportTest, JsonHasTheAgreedKeys) {
    const auto json = nlohmann::json::parse(demo_json(seen_all()));
    EXPECT_EQ(json["events"], 100);
    EXPECT_EQ(json["lost"], 0);
    EXPECT_EQ(json["statuses"]["OK"], 100);
    EXPECT_EQ(json["in_process_events_per_s"], 30);
    EXPECT_EQ(json["join_to_first_event_ms"], 12.5);
    EXPECT_EQ(json["workers"][2]["name"], "worker-3");
    EXPECT_EQ(json["workers"][2]["events"], 20);
    for (const char* key : {"events_per_s", "p50_ms", "p99_ms"}) EXPECT_TRUE(json.contains(key));
}

TEST(DemoReportTest, OkOnlyWhenNothingWasLostAndAllWasSeen) {
    EXPECT_TRUE(seen_all().ok());
    auto result = seen_all();
    result.figures.lost_count = 1;
    EXPECT_FALSE(result.ok());
    result = seen_all();
    result.join_to_first_event_ms.reset();
    EXPECT_FALSE(result.ok());
    EXPECT_TRUE(nlohmann::json::parse(demo_json(result))["join_to_first_event_ms"].is_null());
    result = seen_all();
    result.recovered = false;
    EXPECT_FALSE(result.ok());
}

TEST(DemoReportTest, TextFitsTheTerminal) {
    std::istringstream stream(demo_text(seen_all()));
    for (std::string line; std::getline(stream, line);) {
        EXPECT_LE(display_width(line), terminal_columns) << line;
    }
    EXPECT_NE(demo_text(seen_all()).find("50 events   50 %"), std::string::npos);
}

TEST(EventTextTest, LinesFitTheTerminal) {
    EventLine line{"a-rather-long-name-of-an-event",      1'000'000,      999'999, 12345.6,
                   "a-rather-long-host.example.org/4711", CallStatus::ok, ""};
    EXPECT_LE(display_width(event_text(line)), terminal_columns) << event_text(line);
    line.status = CallStatus::worker_lost;
    line.detail = std::string(300, 'x');
    EXPECT_LE(display_width(event_text(line)), terminal_columns);
    EXPECT_NE(event_text(line).find("WORKER_LOST"), std::string::npos);
    EXPECT_LE(display_width(event_heading()), terminal_columns);
}

TEST(ProgressBarTest, FillsAndClamps) {
    EXPECT_EQ(progress_bar(0.5, "x", 80), "[###############...............]  50 %  x");
    EXPECT_EQ(progress_bar(-1, "", 80).substr(0, 3), "[..");
    EXPECT_NE(progress_bar(7, "", 80).find("100 %"), std::string::npos);
    EXPECT_EQ(progress_bar(0.5, std::string(200, 'y'), 79).size(), 79U);
}

TEST(DirectRateTest, ReadsTheWorkersJson) {
    const auto rate = parse_direct_rate(
        R"({"runs_per_s": 12.5, "p50_ms": 3, "p99_ms": 9, "processor_ms_per_run": 2})");
    ASSERT_TRUE(rate);
    EXPECT_EQ(rate->runs_per_s, 12.5);
    EXPECT_FALSE(parse_direct_rate(""));
    EXPECT_FALSE(parse_direct_rate("[1]"));
    EXPECT_FALSE(parse_direct_rate(
        R"({"runs_per_s": "fast", "p50_ms": 3, "p99_ms": 9, "processor_ms_per_run": 2})"));
}

TEST(DemoEventsTest, EventsOfASeedAreTheSameAndHaveTheirTruth) {
    const DemoEventOptions options{"data/trackml/detectors.csv", 2, 0, 3};
    const auto events = make_demo_events(options, {});
    ASSERT_TRUE(events) << events.error().message;
    ASSERT_EQ(events->size(), 2U);
    EXPECT_EQ((*events)[0].name, "event-1");
    EXPECT_EQ((*events)[0].hits.size(), (*events)[0].truth.hit_count());
    EXPECT_GT((*events)[0].truth.selected_count(), 0U);
    EXPECT_EQ((*make_demo_events(options, {}))[1].hits, (*events)[1].hits);
    EXPECT_NE((*events)[0].hits, (*events)[1].hits);
}

TEST(DemoEventsTest, DetectorThatIsNotThereIsAnError) {
    EXPECT_FALSE(make_demo_events({"no/such/detector.csv"}, {}));
}

}  // namespace
}  // namespace farm
