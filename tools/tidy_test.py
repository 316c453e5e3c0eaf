"""Tests of tools/tidy: each rule finds what it is for and leaves good code alone."""
import importlib.machinery
import importlib.util
import pathlib
import unittest

HERE = pathlib.Path(__file__).parent
LOADER = importlib.machinery.SourceFileLoader("tidy", str(HERE / "tidy"))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", LOADER))
LOADER.exec_module(tidy)


def findings(path, text):
    return [sentence for _, sentence in tidy.check_file(pathlib.Path(path), text)]


HEADER = "// What it is.\n#pragma once\n"


class DataSets(unittest.TestCase):
    def test_a_data_sets_own_word_stays_in_its_files(self):
        self.assertIn("data set", findings("src/jobs/a.cc", 'find("follower_count");\n')[0])
        self.assertEqual(findings("src/source/a.cc", 'find("follower_count");\n'), [])
        self.assertEqual(findings("src/jobs/a_test.cc", 'find("follower_count");\n'), [])


class Includes(unittest.TestCase):
    def test_downwards_is_fine(self):
        self.assertEqual(findings("src/log/a.h", HEADER + '#include "io/task.h"\n#include "log/b.h"\n'), [])

    def test_upwards_and_sideways_are_found(self):
        self.assertIn("log may not include broker", findings("src/log/a.cc", '#include "broker/a.h"\n')[0])
        self.assertIn("log may not include http", findings("src/log/a.cc", '#include "http/a.h"\n')[0])

    def test_a_door_never_includes_another(self):
        self.assertIn("doors/rest may not include doors/kafka",
                      findings("src/doors/rest/a.cc", '#include "doors/kafka/a.h"\n')[0])
        self.assertEqual(findings("src/doors/rest/a.cc", '#include "broker/topics.h"\n'), [])

    def test_only_tests_use_the_kit(self):
        self.assertEqual(findings("src/log/a_test.cc", '#include "kit/seed.h"\n'), [])
        self.assertEqual(findings("src/log/a_fixture.h", '// A log of tests.\n#pragma once\n#include "kit/seed.h"\n'), [])
        self.assertEqual(findings("src/log/a.cc", '#include "kit/seed.h"\n'), ["only tests use the kit"])

    def test_an_unknown_room_is_found(self):
        self.assertIn("no room", findings("src/helpers/a.cc", "int a;\n")[0])

    def test_no_room_reaches_upwards_or_its_own_row_in_the_table(self):
        rows = [{"base"}, {"io", "codec"}, {"columns", "auth", "state"}, {"log", "http", "sql", "project"},
                {"broker", "objects", "scheduler"}, {"lake"}, {"source", "sink", "jobs"}]
        row = {room: i for i, rooms in enumerate(rows) for room in rooms}
        self.assertEqual(set(row), set(tidy.ROOMS))
        for room, uses in tidy.ROOMS.items():
            for used in uses.split():
                self.assertLess(row[used], row[room], f"{room} -> {used}")


class Sizes(unittest.TestCase):
    def test_long_function_needs_a_reason(self):
        body = "int f(int a) {\n" + "  a += 1;\n" * 75 + "}\n"
        self.assertIn("a function of 77 lines", findings("src/log/a.cc", body)[0])
        self.assertEqual(findings("src/log/a.cc", "// tidy: long because it is a table.\n" + body), [])

    def test_long_namespace_or_class_is_no_function(self):
        body = "namespace a {\nclass B {\n" + "  int x();\n" * 80 + "};\n}\n"
        self.assertEqual(findings("src/log/a.cc", body), [])

    def test_long_file_needs_a_reason(self):
        self.assertIn("501 lines", findings("src/log/a.cc", "int a;\n" * 501)[0])


class Words(unittest.TestCase):
    def test_banned_words_name_their_replacement(self):
        self.assertIn("io::sleep_for", findings("src/log/a.cc", "std::this_thread::sleep_for(x);\n")[0])
        self.assertEqual(findings("src/base/clock.cc", "std::chrono::system_clock::now();\n"), [])

    def test_one_file_programs_may_be_short_about_some(self):
        self.assertEqual(findings("fuzz/fuzz_a.cc", "using namespace pinpipe;\n"), [])
        self.assertEqual(findings("src/log/a_test.cc", "std::filesystem::path p;\n"), [])
        self.assertIn("name what you use", findings("src/log/a.cc", "using namespace pinpipe;\n")[0])
        self.assertIn("io::sleep_for", findings("src/log/a_test.cc", "std::this_thread::sleep_for(x);\n")[0])

    def test_file_names_say_what_they_are(self):
        self.assertIn("name the file", findings("src/log/log_util.cc", "int a;\n")[0])

    def test_headers_open_with_a_comment(self):
        self.assertIn("opens with a comment", findings("src/log/a.h", "#pragma once\n")[0])


class Documents(unittest.TestCase):
    def test_one_title(self):
        self.assertEqual(findings("docs/a.md", "# A\n\n```\n# not a title\n```\n"), [])
        self.assertEqual(findings("docs/a.md", "# A\n# B\n"), ["2 titles; a document has one"])


if __name__ == "__main__":
    unittest.main()
