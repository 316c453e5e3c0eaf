// All operations: the daily verbs first, then each subject's.
#include "app/operations/list.h"

#include <algorithm>
#include <iterator>

namespace pinpipe::app {

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> daily;
    std::vector<Operation> nouns;
    for (auto subject :
         {status_operations, environment_operations, run_operations, question_operations,
          report_operations, trace_operations, topic_operations, stream_operations,
          record_operations, group_operations, bucket_operations, object_operations,
          connector_operations, stream_job_operations, table_operations, credential_operations,
          dag_operations, dag_change_operations}) {
      for (Operation& operation : subject()) {
        (operation.noun.empty() ? daily : nouns).push_back(std::move(operation));
      }
    }
    std::ranges::move(nouns, std::back_inserter(daily));
    return daily;
  }();
  return all;
}

}  // namespace pinpipe::app
