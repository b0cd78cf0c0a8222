#include "schemas/messages.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace farm {
namespace {

template <std::size_t... I>
std::vector<Message> one_of_each(std::index_sequence<I...>) {
    return {Message(std::in_place_index<I>)...};
}

std::vector<Message> all_messages() {
    return one_of_each(std::make_index_sequence<std::variant_size_v<Message>>{});
}

std::string verbs_of(Role role) {
    std::string verbs;
    for (const Message& message : all_messages()) {
        if (may_send(role, message)) verbs += std::string(verb_name(message)) + " ";
    }
    return verbs;
}

TEST(VerbTest, NamesFollowTheWire) {
    EXPECT_EQ(verb_name(Hello{}), "HELLO");
    EXPECT_EQ(verb_name(Answer{}), "RESULT");
    EXPECT_EQ(verb_name(StatusReport{}), "REPORT");
    EXPECT_EQ(verb_name(Drain{}), "DRAIN");
}

TEST(VerbTest, NamesDiffer) {
    std::set<std::string_view> names;
    for (const Message& message : all_messages()) names.insert(verb_name(message));
    EXPECT_EQ(names.size(), std::variant_size_v<Message>);
}

TEST(MaySendTest, Client) {
    EXPECT_EQ(verbs_of(Role::client),
              "HELLO ATTACH GOODBYE BEAT CALL SEND CHUNK CANCEL RESOLVE LEASE LIST STATUS ");
}

TEST(MaySendTest, AdminIsAClientThatMayDrain) {
    EXPECT_EQ(verbs_of(Role::admin), verbs_of(Role::client) + "DRAIN ");
}

TEST(MaySendTest, Worker) {
    EXPECT_EQ(verbs_of(Role::worker),
              "HELLO ATTACH GOODBYE ADVERTISE WITHDRAW CREDIT BEAT RESULT SEND CHUNK STARTED LEASE "
              "LIST STATUS DRAIN ");
}

TEST(MaySendTest, Broker) {
    EXPECT_EQ(
        verbs_of(Role::broker),
        "WELCOME REFUSED ATTACH GOODBYE BEAT CALL RESULT SEND CHUNK STARTED CANCEL LEASE CATALOG "
        "REPORT DRAIN ");
}

TEST(MaySendTest, AnUnknownRoleMaySendNothing) { EXPECT_EQ(verbs_of(static_cast<Role>(9)), ""); }

}  // namespace
}  // namespace farm
