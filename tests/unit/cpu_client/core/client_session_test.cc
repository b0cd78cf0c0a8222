// Sessions with brokers, their breaks, and questions to them.
#include "cpu_client/core/client_machine.h"

#include "tests/unit/cpu_client/core/client_bench.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

// ---- sessions and breaks ----------------------------------------------------------------------

TEST(ClientSessionTest, ResumedSessionSendsAgainOnlyWhatTheBrokerLacks) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    bench.step(bench.call(2));
    bench.step(LinkLost{bench.link});
    bench.connecting = false;
    bench.advance(100ms);
    bench.step(LinkOpened{bench.link});
    EXPECT_EQ(bench.sent<Hello>()->open.size(), 2U);
    Welcome welcome;
    welcome.session = SessionId{7};
    welcome.broker = PeerId::from_words(9, 9);
    welcome.known = {{CallId::from_words(1, 1), 1}};
    bench.from_broker(welcome);
    EXPECT_EQ(bench.sent_count<Call>(), 3U);
    EXPECT_EQ(bench.sent<Call>()->key, (CallKey{CallId::from_words(1, 2), 1}));
    bench.answers(bench.answer(1));
    bench.answers(bench.answer(2));
    EXPECT_EQ(bench.completed(1)->status, CallStatus::ok);
    EXPECT_EQ(bench.completed(2)->attempts, 1);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientSessionTest, AnotherBrokerGetsIdempotentCallsAgainAndOthersEnd) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.connect();
    const std::uint16_t first = bench.address;
    Submit once = bench.call(1);
    once.idempotent = false;
    bench.step(once);
    bench.step(bench.call(2));
    bench.run_for(4s);  // silence
    EXPECT_NE(bench.last<CloseLink>(), nullptr);
    Submit waiting = bench.call(3);  // has not left, so it may
    waiting.idempotent = false;
    bench.step(waiting);
    Welcome other;
    other.broker = PeerId::from_words(8, 8);
    bench.connect(other);
    EXPECT_NE(bench.address, first);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::worker_lost);
    EXPECT_EQ(bench.completed(2), nullptr);
    EXPECT_EQ(bench.completed(3), nullptr);
    EXPECT_EQ(bench.sent_count<Call>(), 4U);
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 1);
}

TEST(ClientSessionTest, BeatsGoOutAndAnyTrafficIsLife) {
    ClientBench bench;
    bench.connect();
    for (int i = 0; i < 10; ++i) {
        bench.advance(1s);
        bench.from_broker(Beat{});
    }
    EXPECT_EQ(bench.sent_count<Beat>(), 10U);
    EXPECT_EQ(bench.count<CloseLink>(), 0U);
    bench.run_for(4s);
    EXPECT_EQ(bench.count<CloseLink>(), 1U);
    EXPECT_FALSE(bench.machine.has_session());
}

TEST(ClientSessionTest, UnknownSessionIsReopenedAtTheSameBroker) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.connect();
    const std::uint16_t first = bench.address;
    bench.step(bench.call(1));
    bench.from_broker(Refused{RefusedReason::unknown_session, ""});
    bench.connect();
    EXPECT_EQ(bench.address, first);
    EXPECT_EQ(bench.sent_count<Call>(), 2U);
    EXPECT_EQ(bench.completed(1), nullptr);
}

TEST(ClientSessionTest, FullBrokerIsPassedOver) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.step(Tick{});
    const std::uint16_t first = bench.address;
    bench.step(LinkOpened{bench.link});
    bench.from_broker(Refused{RefusedReason::too_many_sessions, "120000 sessions"});
    bench.connect();
    EXPECT_NE(bench.address, first);
}

TEST(ClientSessionTest, UnauthorizedByAllBrokersEndsCallsWithTheText) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.step(bench.call(1));
    bench.step(Tick{});
    bench.step(LinkOpened{bench.link});
    bench.from_broker(Refused{RefusedReason::unauthorized, "key abc is not in the list"});
    EXPECT_EQ(bench.completed(1), nullptr);  // the other broker may allow it
    bench.step(Tick{});
    bench.step(LinkOpened{bench.link});
    bench.from_broker(Refused{RefusedReason::unauthorized, "key abc is not in the list"});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::unauthorized);
    EXPECT_NE(bench.completed(1)->detail.find("key abc"), std::string::npos);
}

TEST(ClientSessionTest, OtherProtocolVersionIsUnavailableWithTheText) {
    ClientBench bench;
    bench.step(bench.call(1));
    bench.step(Tick{});
    bench.step(LinkOpened{bench.link});
    bench.from_broker(Refused{RefusedReason::protocol_version, "this broker speaks 9"});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::unavailable);
    EXPECT_NE(bench.completed(1)->detail.find("speaks 9"), std::string::npos);
}

TEST(ClientSessionTest, NoBrokerEndsUnavailableNamingAddressesAndTime) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.step(bench.call(1));
    bench.run_for(9999ms);
    EXPECT_EQ(bench.completed(1), nullptr);
    bench.run_for(1ms);
    ASSERT_NE(bench.completed(1), nullptr);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::unavailable);
    for (const char* text : {"tcp://a:5600", "tcp://b:5600", "10.0 s"}) {
        EXPECT_NE(bench.completed(1)->detail.find(text), std::string::npos) << text;
    }
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientSessionTest, NoBrokerBeforeAShortDeadlineIsUnavailableAtTheDeadline) {
    ClientBench bench;
    bench.step(bench.call(1, 500ms));
    bench.run_for(500ms);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::unavailable);
}

TEST(ClientSessionTest, CallsSurviveARestartingBrokerForGiveUpAfterFromTheBreak) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    for (int i = 0; i < 20; ++i) {
        bench.advance(1s);
        bench.from_broker(Beat{});
    }
    bench.step(LinkLost{bench.link});
    bench.connecting = false;
    bench.run_for(9s);
    EXPECT_EQ(bench.completed(1), nullptr);
    bench.run_for(1s);
    ASSERT_NE(bench.completed(1), nullptr);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::unavailable);
}

TEST(ClientSessionTest, OneAddressIsTriedAgainWithGrowingPauses) {
    ClientBench bench;
    bench.step(bench.call(1));
    std::vector<Duration> pauses;
    for (int i = 0; i < 8; ++i) {
        bench.step(Tick{});
        const LinkId link = bench.link;
        bench.step(LinkLost{link});
        const TimePoint lost = bench.now;
        pauses.push_back(*bench.machine.next_deadline() - lost);
        bench.now = *bench.machine.next_deadline();
    }
    EXPECT_LE(pauses.front(), 50ms);
    EXPECT_GE(pauses.back(), 1000ms);
    EXPECT_LE(pauses.back(), 2000ms);
}

// ---- questions --------------------------------------------------------------------------------

TEST(ClientSessionTest, AnswersGoToTheQuestionsOfTheirKindInOrder) {
    ClientBench bench;
    bench.step(Ask{1, List{}, bench.now + 10s});
    bench.step(Ask{2, Status{}, bench.now + 10s});
    bench.step(Ask{3, List{}, bench.now + 10s});
    bench.connect();
    bench.from_broker(StatusReport{});
    EXPECT_EQ(bench.last<Reply>()->ticket, 2U);
    bench.from_broker(Catalog{});
    EXPECT_EQ(bench.last<Reply>()->ticket, 1U);
    bench.from_broker(Catalog{});
    EXPECT_EQ(bench.last<Reply>()->ticket, 3U);
    bench.from_broker(Catalog{});
    EXPECT_EQ(bench.count<Reply>(), 3U);
}

TEST(ClientSessionTest, LateAnswerDoesNotGoToTheNextQuestion) {
    ClientBench bench;
    bench.connect();
    bench.step(Ask{1, List{}, bench.now + 100ms});
    bench.advance(100ms);
    EXPECT_FALSE(bench.last<Reply>()->answer.has_value());
    bench.step(Ask{2, List{}, bench.now + 10s});
    bench.from_broker(Catalog{{}, 1});
    EXPECT_EQ(bench.count<Reply>(), 1U);
    bench.from_broker(Catalog{{}, 2});
    EXPECT_EQ(bench.last<Reply>()->ticket, 2U);
}

TEST(ClientSessionTest, RefusedDrainIsToldAndCostsNoCall) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    bench.step(Ask{1, Drain{"w1"}, bench.now + 10s});
    bench.from_broker(Refused{RefusedReason::unauthorized, "admins only"});
    EXPECT_NE(bench.last<Reply>()->problem.find("admins only"), std::string::npos);
    EXPECT_TRUE(bench.machine.has_session());
    EXPECT_EQ(bench.completed(1), nullptr);
}

TEST(ClientSessionTest, QuestionWithoutBrokerIsAnsweredUnreachable) {
    ClientBench bench;
    bench.step(Ask{1, Status{}, bench.now + 60s});
    bench.run_for(10s);
    ASSERT_NE(bench.last<Reply>(), nullptr);
    EXPECT_NE(bench.last<Reply>()->problem.find("tcp://a:5600"), std::string::npos);
}

}  // namespace
}  // namespace farm
