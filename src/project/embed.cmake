# Writes a C++ file with the project's texts as raw strings.
#   cmake -DROOT=projects/pinterest -DOUTPUT=embedded.cc -P embed.cmake
file(GLOB_RECURSE paths RELATIVE ${ROOT} "${ROOT}/*.yaml" "${ROOT}/*.sql")
list(SORT paths)
set(entries "")
foreach(path IN LISTS paths)
  file(READ "${ROOT}/${path}" text)
  string(APPEND entries "    {R\"pinpipe(${path})pinpipe\", R\"pinpipe(${text})pinpipe\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made by src/project/embed.cmake from the project's files.
#include \"project/embedded.h\"

namespace pinpipe::project {

const FileSet& embedded_project() {
  static const FileSet files{\"(built in)\", {
${entries}  }};
  return files;
}

}  // namespace pinpipe::project
")
