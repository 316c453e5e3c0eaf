#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "project/settings_fixture.h"

namespace pinpipe::project {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ReadAccess, reads_who_may_come_in) {
  Loaded loaded = with(
      "gateway: { profile: strict, stages: [prod, test], api_keys: [k1], requests_per_second: 2.5 "
      "}\n"
      "auth: required\n"
      "access_keys: { clerk: s3cret }\n");
  ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
  const Project& p = *loaded.project;
  EXPECT_TRUE(p.gateway.strict);
  EXPECT_THAT(p.gateway.stages, ElementsAre("prod", "test"));
  EXPECT_THAT(p.gateway.api_keys, ElementsAre("k1"));
  EXPECT_EQ(p.gateway.requests_per_second, 2.5);
  EXPECT_EQ(p.gateway.burst, 2.5);
  EXPECT_TRUE(p.access.required);
  EXPECT_EQ(p.access.secrets.at("clerk"), "s3cret");
}

TEST(ReadAccess, reads_what_listens_for_other_machines) {
  Loaded loaded = with(
      "auth: required\naccess_keys: { clerk: s3cret }\ngateway: { api_keys: [k1] }\n"
      "tls: { certificate: cert.pem, key: key.pem }\n"
      "listen: { gateway: '0.0.0.0:8443', aws: '[::]:4567', console: '10.0.0.5:443', kafka: "
      "'10.0.0.5:9092', unprotected: [kafka], hosts: [data.example.org] }\n");
  ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
  const ListenSettings& listen = loaded.project->listen;
  EXPECT_EQ(listen.doors.at("gateway").address, "0.0.0.0");
  EXPECT_EQ(listen.doors.at("gateway").port, 8443);
  EXPECT_EQ(listen.doors.at("aws").address, "::");
  EXPECT_EQ(listen.doors.size(), 4U);
  EXPECT_TRUE(listen.is_unprotected("kafka"));
  EXPECT_FALSE(listen.is_unprotected("aws"));
  EXPECT_EQ(listen.key_file, "key.pem");
}

TEST(ReadAccess, refuses_doors_that_stand_open_to_other_machines) {
  const std::string keys = "tls: { certificate: c, key: k }\n";
  EXPECT_THAT(report_with(keys + "listen: { gateway: '0.0.0.0:1' }\n"), HasSubstr("api_keys"));
  EXPECT_THAT(report_with(keys + "listen: { aws: '0.0.0.0:1' }\n"), HasSubstr("auth: required"));
  EXPECT_THAT(report_with("listen: { console: '0.0.0.0:1' }\n"), HasSubstr("tls:"));
  EXPECT_THAT(report_with(keys + "listen: { kafka: '0.0.0.0:1' }\n"),
              HasSubstr("does not ask who comes"));
  EXPECT_THAT(report_with(keys + "listen: { mysql: '0.0.0.0:1' }\n"), HasSubstr("plain text"));
  EXPECT_THAT(report_with("listen: { unprotected: [kafak] }\n"), HasSubstr("no door \"kafak\""));
  EXPECT_THAT(report_with("listen: { unprotected: [kafka], kafka: 9092 }\n"),
              HasSubstr("an address and a port"));
}

TEST(ReadAccess, refuses_a_door_that_nobody_can_enter) {
  EXPECT_THAT(report_with("auth: required\n"), HasSubstr("nobody comes in"));
  std::string report =
      report_with("gateway: { requests_per_second: -1 }\naccess_keys: { clerk: [] }\n");
  EXPECT_THAT(report, HasSubstr("a rate is not negative"));
  EXPECT_THAT(report, HasSubstr("the access key clerk has a secret"));
}

}  // namespace
}  // namespace pinpipe::project
