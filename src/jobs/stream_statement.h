// What is wrong with a statement that is run over micro-batches instead of over all rows.
// The stream job runs a data set's clean SQL over the records of a second or less, cut anywhere: a
// row's result may depend on that row alone. Aggregates, windows, DISTINCT, LIMIT and joins of the
// batch with itself would be answered from one batch and look right. They are found by their words,
// so that each is told with its place.
#pragma once

#include <vector>

#include "project/project.h"

namespace pinpipe::jobs {

// Of the data set's clean and quarantine SQL; empty when both can be run per batch.
std::vector<project::Diagnostic> check_per_batch(const project::Dataset& dataset);
// Of all data sets that the stream job follows.
std::vector<project::Diagnostic> check_per_batch(const project::Project& project);

}  // namespace pinpipe::jobs
