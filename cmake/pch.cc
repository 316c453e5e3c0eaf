// Carries the precompiled header, and the compiled half of Asio that the header declares.
#include <boost/asio/impl/src.hpp>
