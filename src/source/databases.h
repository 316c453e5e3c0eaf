// Any source by its address: opening one, and making one with generated rows.
#pragma once

#include <memory>
#include <string>

#include "source/address.h"
#include "source/progress.h"
#include "source/source.h"

namespace pinpipe::source {

// `rows` are those of a generated source; the others have what they have.
Result<std::unique_ptr<Source>> open_source(const Address& address, Generator::Options rows,
                                            io::Files& files);

// Fills the three tables at `address`. True when it made them; false when exactly these rows are
// there already. `conflict` when others are.
Result<bool> create_source(const Address& address, Generator::Options rows, io::Files& files,
                           const Progress& progress = {});

}  // namespace pinpipe::source
