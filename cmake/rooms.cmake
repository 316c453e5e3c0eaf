# How a room becomes a library and its tests a program.
#   pinpipe_room(log SOURCES batch.cc … USES io codec base LIBS zstd)
# Several files are compiled as one where PINPIPE_TOGETHER says how many (docs/adr/0008). What gives a
# name of its own to another thing than a file beside it is compiled alone:
#   pinpipe_room(codec SOURCES … ALONE json.cc)   pinpipe_room(doors/kafka SEPARATE SOURCES …): each
#   pinpipe_test(log SOURCES batch_test.cc …)
# One static library per room, one test program per room, a precompiled header for all of each kind.

find_package(Threads REQUIRED)

add_library(pinpipe_flags INTERFACE)
target_compile_options(pinpipe_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough -Werror -fno-omit-frame-pointer
  -Xclang -fno-pch-timestamp -fPIE)
target_compile_definitions(pinpipe_flags INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_DISABLE_BOOST_ARRAY
  BOOST_ERROR_CODE_HEADER_ONLY
  # Coroutine frames and operations that a loop keeps for reuse: two are too few for a request.
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16)
target_include_directories(pinpipe_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_options(pinpipe_flags INTERFACE -fuse-ld=lld-19 -pie)
target_link_libraries(pinpipe_flags INTERFACE Threads::Threads)
if(PINPIPE_SANITIZE)
  target_compile_options(pinpipe_flags INTERFACE -fsanitize=${PINPIPE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(pinpipe_flags INTERFACE -fsanitize=${PINPIPE_SANITIZE})
endif()

# A precompiled header lives in a tiny library; all others reuse it. Nothing may rely on it: the
# header check compiles every header without it. That of the tests has GoogleTest too.
function(pinpipe_precompiled name flags)
  add_library(${name} STATIC ${CMAKE_SOURCE_DIR}/cmake/pch.cc)
  target_link_libraries(${name} PRIVATE pinpipe_flags)
  target_compile_options(${name} PRIVATE ${flags})
  target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h ${ARGN})
endfunction()

# Fuzzers are led by what our code does, not by what its tests do.
set(PINPIPE_LEADS_FUZZERS "$<$<BOOL:${PINPIPE_FUZZ}>:-fsanitize=fuzzer-no-link>")
# A test runs once for each time that it is compiled.
set(PINPIPE_OF_TESTS -O0)
pinpipe_precompiled(pinpipe_pch "${PINPIPE_LEADS_FUZZERS}")
if(PINPIPE_TESTS)
  pinpipe_precompiled(pinpipe_test_pch "${PINPIPE_OF_TESTS}" <gmock/gmock.h> <gtest/gtest.h>)
endif()

function(pinpipe_library target)
  target_link_libraries(${target} PUBLIC pinpipe_flags pinpipe_pch)
  target_compile_options(${target} PRIVATE ${PINPIPE_LEADS_FUZZERS})
  target_precompile_headers(${target} REUSE_FROM pinpipe_pch)
endfunction()

function(pinpipe_test_library target)
  target_link_libraries(${target} PUBLIC pinpipe_flags pinpipe_test_pch gtest gmock)
  target_compile_options(${target} PRIVATE ${PINPIPE_OF_TESTS})
  target_precompile_headers(${target} REUSE_FROM pinpipe_test_pch)
endfunction()

function(pinpipe_room name)
  cmake_parse_arguments(ROOM "SEPARATE" "" "SOURCES;ALONE;USES;LIBS" ${ARGN})
  string(REPLACE "/" "_" target "room_${name}")
  add_library(${target} STATIC ${ROOM_SOURCES})
  if(PINPIPE_TOGETHER AND NOT ROOM_SEPARATE)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${PINPIPE_TOGETHER})
    set_source_files_properties(${ROOM_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
  pinpipe_library(${target})
  foreach(used ${ROOM_USES})
    string(REPLACE "/" "_" used_target "room_${used}")
    target_link_libraries(${target} PUBLIC ${used_target})
  endforeach()
  target_link_libraries(${target} PRIVATE ${ROOM_LIBS})
endfunction()

# Adds the room's test program when tests are built. Tests may use the kit.
function(pinpipe_test name)
  if(NOT PINPIPE_TESTS)
    return()
  endif()
  cmake_parse_arguments(TEST "" "" "SOURCES;USES;LIBS" ${ARGN})
  string(REPLACE "/" "_" flat "${name}")
  set(target "test_${flat}")
  add_executable(${target} ${TEST_SOURCES})
  pinpipe_test_library(${target})
  if(TARGET room_${flat})
    target_link_libraries(${target} PRIVATE room_${flat})
  endif()
  foreach(used ${TEST_USES})
    string(REPLACE "/" "_" used_target "room_${used}")
    target_link_libraries(${target} PRIVATE ${used_target})
  endforeach()
  target_link_libraries(${target} PRIVATE test_kit ${TEST_LIBS})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${target} PRIVATE PINPIPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${flat} COMMAND ${target})
  set_tests_properties(${flat} PROPERTIES TIMEOUT 480)
endfunction()
