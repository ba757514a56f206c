"""Values, types and keys: what goes over the bus comes back, and what does not fit is refused."""

import datetime as dt
import math
import unittest

from tidemark import Choice, Duration, InvalidArgument, KeySpec, Timestamp, Type
from tidemark.errors import Malformed
from tidemark.key_spec import check_name, check_spec, conform
from tidemark.packing import Row, pack, unpack
from tidemark.types import as_type, parse
from tidemark.values import plain


def spec(type_text, **options):
    return KeySpec("key", as_type(type_text), **options)


class AValue(unittest.TestCase):
    def test_comes_back_as_it_was(self):
        for value in (None, True, False, 0, -1, 2 ** 63, 2 ** 64 - 1, -2 ** 63, 1.0, -0.0, "ü",
                      b"\0\xff", [], [1, [2.5]], {}, {"x": 1, "y": {"z": [None]}}, Timestamp(-1),
                      Duration(2 ** 62), Choice(513, "über")):
            with self.subTest(value=value):
                back = unpack(pack(plain(value)))
                self.assertEqual(back, value)
                self.assertIs(type(back), type(value))

    def test_has_the_extension_bytes_of_the_page(self):
        self.assertEqual(pack(Timestamp(1)), b"\xd7\x01" + bytes(7) + b"\x01")
        self.assertEqual(pack(Duration(-1)), b"\xd7\x02" + b"\xff" * 8)
        self.assertEqual(pack(Choice(1, "on")), b"\xd6\x03\x00\x01on")

    def test_that_is_a_whole_float_stays_a_float(self):
        self.assertEqual(pack(1.0), b"\xcb\x3f\xf0" + bytes(6))

    def test_of_python_is_taken_for_its_counterpart(self):
        noon = dt.datetime(2026, 1, 1, 12, tzinfo=dt.timezone.utc)
        self.assertEqual(plain(noon).datetime(), noon)
        self.assertEqual(plain(dt.timedelta(milliseconds=1)), Duration(1_000_000))
        self.assertEqual(plain((1, bytearray(b"x"))), [1, b"x"])

    def test_out_of_bounds_is_refused(self):
        deep = 1
        for _ in range(16):
            deep = [deep]
        for value in (2 ** 64, -2 ** 63 - 1, object(), {1: 2}, deep,
                      {str(each): 0 for each in range(4097)}, [0] * (2 ** 20 + 1)):
            with self.assertRaises(InvalidArgument):
                plain(value)
        self.assertEqual(plain(deep[0]), deep[0])

    def test_of_hostile_bytes_is_malformed_and_nothing_else(self):
        for data in (b"", b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xd7\x09" + bytes(8), b"\xd6\x01abcd",
                     b"\x91" * 5000, b"\x82\xa1x\x01\xa1x\x02", b"\x81\x01\x02", b"\xc0\xc0"):
            with self.subTest(data=data[:8]), self.assertRaises(Malformed):
                unpack(data)

    def test_with_text_that_is_no_utf_8_is_kept(self):
        self.assertEqual(pack(unpack(b"\xa1\xff")), b"\xa1\xff")


class AStruct(unittest.TestCase):
    def test_takes_defaults_for_what_is_missing_and_ignores_what_is_new(self):
        row = Row([1, "x", "of a later version"], "test")
        self.assertEqual((row.number(0), row.text(1)), (1, "x"))
        self.assertEqual((Row([], "test").number(0, 5), Row([], "test").text(1)), (5, ""))

    def test_of_other_types_is_malformed(self):
        for wrong in (lambda: Row({}, "test"), lambda: Row(["x"], "test").number(0),
                      lambda: Row([True], "test").number(0), lambda: Row([1], "test").text(0),
                      lambda: Row([b"short"], "test").uuid(0)):
            with self.assertRaises(Malformed):
                wrong()


class ATypeText(unittest.TestCase):
    def test_comes_back_as_it_was(self):
        for text in ("any", "bool", "int64", "uint64", "double", "string", "bytes", "timestamp",
                     "duration", "double[]", "int64[3]", "double[][2]", "enum(off|on|moving)",
                     'enum("in position"|"say \\"no\\"")', "{}", "{x: double, n: int64[]}[]"):
            with self.subTest(text=text):
                made = parse(text)
                self.assertEqual(str(made), text)
                self.assertEqual(Type.from_wire(unpack(pack(made.to_wire()))), made)

    def test_says_where_it_did_not_go_on(self):
        for text, why in (("doubl", "position 0"), ("double[x]", "a length"), ("enum()", "a name"),
                          ("double ]", "position 7"), ("{x double}", "a colon"),
                          ("enum(a|a)", "two of one name"), ("any" + "[]" * 8, "8 levels")):
            with self.subTest(text=text), self.assertRaisesRegex(InvalidArgument, why):
                parse(text)

    def test_on_the_wire_is_malformed_when_its_parts_contradict_each_other(self):
        for raw in ([12, [], [], None, []], [1, ["x"], [], None, []], [10, [], [], None, []],
                    [4, [], [], 3, []], [7, [], [], None, []], 5):
            with self.assertRaises(Malformed):
                Type.from_wire(raw)


class AKey(unittest.TestCase):
    def refused(self, spec_, value, why):
        with self.assertRaises(InvalidArgument) as raised:
            conform(spec_, value)
        self.assertIn(why, raised.exception.message)

    def test_takes_values_of_its_type(self):
        self.assertIs(type(conform(spec("double"), 3)), float)
        self.assertEqual(conform(spec("uint64"), 2 ** 64 - 1), 2 ** 64 - 1)
        self.assertEqual(conform(spec("enum(off|on)"), "on"), Choice(1, "on"))
        self.assertEqual(conform(spec("enum(off|on)"), 0), Choice(0, "off"))
        self.assertEqual(conform(spec("enum(off|on)"), Choice(1)), Choice(1, "on"))
        self.assertEqual(list(conform(spec("{a: int64, b: bool}"), {"b": True, "a": 1})),
                         ["a", "b"])
        self.assertIsNone(conform(spec("any"), None))

    def test_names_itself_and_the_limit(self):
        amps = spec("double[]", unit="A", low=0.0, high=100.0)
        self.refused(amps, [1, 2, 140.5], "key[2]: 140.5 A is above the limit of 100 A")
        self.refused(amps, [-1], "key[0]: -1 A is below the limit of 0 A")
        self.refused(amps, [math.nan], "nan is not within any limit")
        self.refused(spec("double", step=0.1), 0.25, "is not a whole number of steps of 0.1")
        self.assertEqual(conform(spec("double", step=0.1), 0.3), 0.3)
        self.refused(spec("int64[3]"), [1, 2], "expected 3 elements, not 2")
        self.refused(spec("{a: {b: int64}}"), {"a": {"b": "x"}}, "key.a.b: expected int64")
        self.refused(spec("{a: int64}"), {}, "the field a is missing")
        self.refused(spec("{a: int64}"), {"a": 1, "c": 2}, "the field c is unknown")

    def test_takes_no_other_kind(self):
        for kind, value in (("int64", 1.0), ("int64", True), ("int64", 2 ** 63), ("uint64", -1),
                            ("double", True), ("double", 2 ** 53 + 1), ("double", None),
                            ("bool", 1), ("string", b"x"), ("bytes", "x"), ("timestamp", 1),
                            ("enum(a)", "b"), ("enum(a)", 1), ("enum(a)", Choice(0, "b")),
                            ("double[]", 1.0), ("{}", [])):
            with self.subTest(kind=kind, value=value):
                self.refused(spec(kind), value, "key: expected " + kind)

    def test_has_a_name_of_segments(self):
        check_name("axis-1/position:x.y_z")
        for name in ("", "/x", "x/", "x//y", "x y", "x*", "ü", "x" * 256):
            with self.subTest(name=name), self.assertRaises(InvalidArgument):
                check_name(name)

    def test_with_limits_that_contradict_its_type_is_none(self):
        for wrong in (spec("string", low=1.0), spec("double", low=2.0, high=1.0),
                      spec("double", step=0.0), spec("double", high=math.nan),
                      spec("double", high=1.0, default=2.0), spec("double", readable=False)):
            with self.assertRaisesRegex(InvalidArgument, "key"):
                check_spec(wrong)

    def test_comes_back_from_the_wire_as_it_was(self):
        made = spec("double[4]", writable=True, published=True, unit="A", low=0.0, step=0.5,
                    default=[1.0, 1.0, 1.0, 1.0])
        self.assertEqual(KeySpec.from_wire(unpack(pack(made.to_wire()))), made)


if __name__ == "__main__":
    unittest.main()
