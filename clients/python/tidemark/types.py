"""What kind of value a key takes, as a value itself. People write types as text:

    double   enum(off|on|moving)   double[]   int64[3]   {x: double, n: int64[]}[]   any
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .errors import InvalidArgument, Malformed
from .packing import Row

KINDS = ("any", "bool", "int64", "uint64", "double", "string", "bytes", "enum", "timestamp",
         "duration", "array", "struct")
ANY, BOOL, INT64, UINT64, DOUBLE, STRING, BYTES, ENUM, TIMESTAMP, DURATION, ARRAY, STRUCT = \
    range(12)
DEPTH_MAX = 8
LABELS_MAX = 65_536
LENGTH_MAX = (1 << 32) - 1


@dataclass(frozen=True)
class Type:
    kind: int = ANY
    labels: tuple[str, ...] = ()  # of an enum, by index
    element: Type | None = None  # of an array
    length: int | None = None  # of an array that is always this long
    members: tuple[tuple[str, Type], ...] = ()  # of a struct, in order

    def __str__(self) -> str:
        if self.kind == ENUM:
            return f"enum({'|'.join(_name_text(each) for each in self.labels)})"
        if self.kind == ARRAY:
            return f"{self.element}[{'' if self.length is None else self.length}]"
        if self.kind == STRUCT:
            return "{" + ", ".join(f"{_name_text(name)}: {each}"
                                   for name, each in self.members) + "}"
        return KINDS[self.kind]

    def to_wire(self) -> list[Any]:
        return [self.kind, list(self.labels),
                [] if self.element is None else [self.element.to_wire()], self.length,
                [[name, each.to_wire()] for name, each in self.members]]

    @staticmethod
    def from_wire(raw: Any, depth: int = 1) -> Type:
        """Raises Malformed: also when its parts contradict each other."""
        if depth > DEPTH_MAX:
            raise Malformed(f"a type of more than {DEPTH_MAX} levels")
        row = Row(raw, "type")
        elements = [Type.from_wire(each, depth + 1) for each in row.items(2)]
        members = []
        for each in row.items(4):
            member = Row(each, "field of a type")
            members.append((member.text(0), Type.from_wire(member.any(1, []), depth + 1)))
        length = row.any(3)
        if len(elements) > 1 or not (length is None or isinstance(length, int)):
            raise Malformed("a type whose parts contradict each other")
        made = Type(row.number(0), tuple(row.texts(1)), elements[0] if elements else None, length,
                    tuple(members))
        try:
            made.check()
        except InvalidArgument as failure:
            raise Malformed(failure.message) from None
        return made

    def check(self, depth: int = 1) -> None:
        """Raises InvalidArgument when a part belongs to another kind or is missing."""
        if depth > DEPTH_MAX:
            raise InvalidArgument(f"a type of more than {DEPTH_MAX} levels")
        if not 0 <= self.kind <= STRUCT:
            raise InvalidArgument(f"a type of unknown kind {self.kind}")
        if (self.labels and self.kind != ENUM) or (self.members and self.kind != STRUCT) or \
                (self.element is None) != (self.kind != ARRAY) or \
                (self.length is not None and self.kind != ARRAY):
            raise InvalidArgument(f"parts of another kind in a type of kind {KINDS[self.kind]}")
        if self.length is not None and not 0 <= self.length <= LENGTH_MAX:
            raise InvalidArgument(f"an array of length {self.length}")
        if self.kind == ENUM:
            if not self.labels:
                raise InvalidArgument("an enum without labels")
            if len(self.labels) > LABELS_MAX:
                raise InvalidArgument(f"an enum of more than {LABELS_MAX} labels")
        for names, what in ((self.labels, "an enum label"),
                            (tuple(name for name, _ in self.members), "a struct field")):
            if "" in names:
                raise InvalidArgument(f"{what} without a name")
            if len(set(names)) != len(names):
                raise InvalidArgument(f"two of one name: {what}")
        if self.element is not None:
            self.element.check(depth + 1)
        for _, each in self.members:
            each.check(depth + 1)


def enum_of(*labels: str) -> Type:
    return Type(ENUM, labels=labels)


def array_of(element: Type | str, length: int | None = None) -> Type:
    return Type(ARRAY, element=as_type(element), length=length)


def struct_of(**members: Type | str) -> Type:
    return Type(STRUCT, members=tuple((name, as_type(each)) for name, each in members.items()))


def as_type(given: Type | str) -> Type:
    """A type, or the text of one. Raises InvalidArgument."""
    if isinstance(given, str):
        given = parse(given)
    given.check()
    return given


def parse(text: str) -> Type:
    """Raises InvalidArgument, naming the position and what was expected there."""
    scan = _Scanner(text)
    made = scan.type(1)
    if scan.peek():
        raise scan.expected("the end")
    made.check()
    return made


_WORD = re.compile(r"[A-Za-z0-9_.\-]+")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)


def _name_text(name: str) -> str:
    if _WORD.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") \
        .replace("\t", "\\t") + '"'


def _unescape(match: re.Match[str]) -> str:
    body = match.group(1)
    if len(body) == 3:
        return chr(int(body[1:], 16))
    return {"n": "\n", "t": "\t"}.get(body, body)


class _Scanner:
    def __init__(self, text: str):
        self._text = text
        self._at = 0

    def peek(self) -> str:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._text[self._at:self._at + 1]

    def accept(self, wanted: str) -> bool:
        if self.peek() != wanted:
            return False
        self._at += 1
        return True

    def word(self) -> str:
        self.peek()
        found = _WORD.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found.group()

    def name(self) -> str:
        if not self.accept('"'):
            word = self.word()
            if not word:
                raise self.expected("a name")
            return word
        found = re.compile(r'((?:[^"\\]|\\.)*)"', re.DOTALL).match(self._text, self._at)
        if found is None:
            raise self.expected("the end of the quotes")
        self._at = found.end()
        return _ESCAPE.sub(_unescape, found.group(1))

    def expected(self, what: str) -> InvalidArgument:
        self.peek()
        rest = self._text[self._at:self._at + 24]
        return InvalidArgument(f"position {self._at}: expected {what}, not "
                               + (f"'{rest}'" if rest else "the end"))

    def type(self, depth: int) -> Type:
        if depth > DEPTH_MAX:
            raise self.expected(f"at most {DEPTH_MAX} levels")
        made = self._base(depth)
        while self.accept("["):
            length = None
            if self.peek() != "]":
                digits = self.word()
                if not digits.isdecimal() or int(digits) > LENGTH_MAX:
                    raise self.expected("a length below 4294967296")
                length = int(digits)
            if not self.accept("]"):
                raise self.expected("]")
            made = Type(ARRAY, element=made, length=length)
        return made

    def _base(self, depth: int) -> Type:
        if self.accept("{"):
            return self._struct(depth)
        begin = self._at
        word = self.word()
        if word == "enum":
            return self._enum()
        if word in KINDS[:ARRAY]:
            return Type(KINDS.index(word))
        self._at = begin
        raise self.expected("any, bool, int64, uint64, double, string, bytes, enum(…), timestamp, "
                            "duration or {…}")

    def _enum(self) -> Type:
        if not self.accept("("):
            raise self.expected("the labels of the enum, as in (off|on)")
        labels = [self.name()]
        while self.accept("|"):
            labels.append(self.name())
        if not self.accept(")"):
            raise self.expected("| or )")
        return Type(ENUM, labels=tuple(labels))

    def _struct(self, depth: int) -> Type:
        members: list[tuple[str, Type]] = []
        if self.accept("}"):
            return Type(STRUCT)
        while True:
            name = self.name()
            if not self.accept(":"):
                raise self.expected("a colon and the type of the field")
            members.append((name, self.type(depth + 1)))
            if self.accept("}"):
                return Type(STRUCT, members=tuple(members))
            if not self.accept(","):
                raise self.expected(", or }")
