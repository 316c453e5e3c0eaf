// What the coordinator keeps of a group and its members. Only groups.cc includes it.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/groups.h"

namespace pinpipe::broker {

struct Groups::Member {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::vector<GroupProtocol> protocols;
  int64_t session_timeout_ms = 0;
  int64_t rebalance_timeout_ms = 0;
  int64_t alive_until_ms = 0;
  std::string assignment;
  std::optional<io::OneShot<JoinAnswer>> joining;
  std::optional<io::OneShot<SyncAnswer>> syncing;

  std::string metadata_of(std::string_view protocol) const {
    auto found = std::ranges::find(protocols, protocol, &GroupProtocol::name);
    return found == protocols.end() ? std::string() : found->metadata;
  }
  bool has_same_protocols(const std::vector<GroupProtocol>& others) const {
    return std::ranges::equal(protocols, others, [](const auto& a, const auto& b) {
      return a.name == b.name && a.metadata == b.metadata;
    });
  }
};

struct Groups::Group {
  std::string name;
  State state = State::empty;
  int32_t generation = 0;
  std::string protocol_type;
  std::string protocol;
  std::string leader;
  Members members;
  std::map<std::string, int64_t> promised;       // ids given out, until when they may be used
  std::map<std::string, std::string> instances;  // instance id to member id
  int64_t rebalance_until_ms = 0;
  bool is_first_rebalance = false;  // waits out its delay, so that all who start now are in it

  // The protocols that every member supports.
  std::vector<std::string> common_protocols() const {
    std::vector<std::string> common;
    if (members.empty()) return common;
    for (const GroupProtocol& offered : members.begin()->second.protocols) {
      bool everywhere = std::ranges::all_of(members, [&](const auto& entry) {
        return std::ranges::find(entry.second.protocols, offered.name, &GroupProtocol::name) !=
               entry.second.protocols.end();
      });
      if (everywhere) common.push_back(offered.name);
    }
    return common;
  }

  // Each member votes for the first of its list that all support.
  std::string elected_protocol() const {
    std::vector<std::string> common = common_protocols();
    std::map<std::string, int> votes;
    for (const auto& [id, member] : members) {
      for (const GroupProtocol& offered : member.protocols) {
        if (std::ranges::find(common, offered.name) == common.end()) continue;
        ++votes[offered.name];
        break;
      }
    }
    auto best = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
    return best == votes.end() ? std::string() : best->first;
  }
};

}  // namespace pinpipe::broker
