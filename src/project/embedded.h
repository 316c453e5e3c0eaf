// projects/pinterest as it was when this binary was built: the project of who names none.
#pragma once

#include "project/file_set.h"

namespace pinpipe::project {

const FileSet& embedded_project();

}  // namespace pinpipe::project
