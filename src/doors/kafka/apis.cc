// The one list of what this door speaks. Neighbouring highest versions are those of one Kafka
// release (about 3.7 to 3.9), because some clients infer a release from them; the lowest are what
// old clients look for before they switch a feature on.
#include <algorithm>
#include <array>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr std::array all = {
    Api{0, "Produce", 0, 12, 9, handle_produce, 3},
    Api{1, "Fetch", 4, 17, 12, handle_fetch, 4},
    Api{2, "ListOffsets", 0, 8, 6, handle_list_offsets, 0},
    Api{3, "Metadata", 0, 12, 9, handle_metadata, 0},
    Api{8, "OffsetCommit", 0, 9, 8, handle_offset_commit, 0},
    Api{9, "OffsetFetch", 0, 9, 6, handle_offset_fetch, 0},
    Api{10, "FindCoordinator", 0, 5, 3, handle_find_coordinator, 0},
    Api{11, "JoinGroup", 0, 9, 6, handle_join_group, 0},
    Api{12, "Heartbeat", 0, 4, 4, handle_heartbeat, 0},
    Api{13, "LeaveGroup", 0, 5, 4, handle_leave_group, 0},
    Api{14, "SyncGroup", 0, 5, 4, handle_sync_group, 0},
    Api{15, "DescribeGroups", 0, 5, 5, handle_describe_groups, 0},
    Api{16, "ListGroups", 0, 5, 3, handle_list_groups, 0},
    Api{18, "ApiVersions", 0, 4, 3, handle_api_versions, 0},
    Api{19, "CreateTopics", 0, 7, 5, handle_create_topics, 0},
    Api{20, "DeleteTopics", 0, 6, 4, handle_delete_topics, 0},
    Api{21, "DeleteRecords", 0, 2, 2, handle_delete_records, 0},
    Api{22, "InitProducerId", 0, 5, 2, handle_init_producer_id, 0},
    Api{23, "OffsetForLeaderEpoch", 0, 4, 4, handle_offset_for_leader_epoch, 0},
    Api{32, "DescribeConfigs", 0, 4, 4, handle_describe_configs, 0},
    Api{33, "AlterConfigs", 0, 2, 2, handle_alter_configs, 0},
    Api{35, "DescribeLogDirs", 0, 4, 2, handle_describe_log_dirs, 0},
    Api{37, "CreatePartitions", 0, 3, 2, handle_create_partitions, 0},
    Api{42, "DeleteGroups", 0, 2, 2, handle_delete_groups, 0},
    Api{43, "ElectLeaders", 0, 2, 2, handle_elect_leaders, 0},
    Api{44, "IncrementalAlterConfigs", 0, 1, 1, handle_incremental_alter_configs, 0},
    Api{45, "AlterPartitionReassignments", 0, 0, 0, handle_alter_reassignments, 0},
    Api{46, "ListPartitionReassignments", 0, 0, 0, handle_list_reassignments, 0},
    Api{47, "OffsetDelete", 0, 0, 1, handle_offset_delete, 0},
    Api{60, "DescribeCluster", 0, 1, 0, handle_describe_cluster, 0},
    Api{75, "DescribeTopicPartitions", 0, 0, 0, handle_describe_topic_partitions, 0},
};

}  // namespace

std::span<const Api> apis() {
  return all;
}

const Api* find_api(int16_t key) {
  auto found = std::ranges::find(all, key, &Api::key);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace pinpipe::kafka
