"""JSON decoded into types at the speed of msgspec, with every number exact.

A float keeps 15 digits of any number, and more of some; msgspec can't replace what no
loader can store. So a text is decoded directly if it is plain, and otherwise first by
`json_decoding`. Both end in the same types.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from tap_adstage.exceptions import ResponseError
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_adstage.runtime.redaction import Secrets


T = TypeVar("T")

_LONG_NUMBER = re.compile(
    rb"[:,\[\s]-?[0-9](?:[0-9.]{16}|[0-9.]{15}[eE]|[0-9.]*[eE]-[0-9]{3})",
)
"""A number that a float may not hold: of more than 15 digits, or very close to 0. One
that is too large is an error of msgspec's."""

_FRACTION = re.compile(rb"-?[0-9]+[.][0-9]+(?![0-9eE])")
_FLOATS = msgspec.json.Decoder(list[float])
_NUMBERS = msgspec.json.Decoder(list[int | float | None])

# To search all of a text for such numbers takes longer than to decode it. To find what
# looks like one costs next to nothing; whether it is one, the text around it shows.
_SHAPES = bytes(
    ord("0") if chr(byte) in "0123456789." else ord(chr(byte).lower())
    for byte in range(128)
) + bytes(range(128, 256))
_LONG_SHAPES = (b"0" * 17, b"0" * 16 + b"e", b"0e-000")
_BEFORE_A_DIGIT = b":,[ \t\r\n-.0123456789"
"""What a number's digit can follow; those of an id in a text often follow others."""
_BEFORE_A_VALUE = frozenset({b":", b",", b"["})
_AROUND = 24
_BLOCK = 2**18

_UNSTORABLE = (rb"\u0000", rb"\ud", rb"\uD")
"""What escapes of NUL, and of halves of characters, start with."""

_TOKEN_NAMES = (b"access_token", b"access%0ftoken")  # %5f, as digits are 0 there
_PARAMETERS = (b"=", b"%", b"\\")
"""One of these follows the name of a URL's parameter: `=`, encoded, or escaped."""

_EXPECTED = {
    "object": "an object",
    "array": "a list",
    "array | null": "a list",
    "object | null": "an object",
    "str": "a text",
    "str | null": "a text",
    "int | float | null": "a number",
    "int | float | decimal | null": "a number",
}
_ERROR = re.compile(r"Expected `(.*)`, got `.*?`(?: - at `\$(.*)`)?")
_MISSING = re.compile(r"Object missing required field `(.*?)`(?: - at `\$(.*)`)?")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


def is_plain(content: bytes, secrets: Secrets) -> bool:
    """Whether msgspec decodes a JSON text without a loss.

    Args:
        content: The text, UTF-8.
        secrets: The run's secrets.

    Returns:
        False if there may be a number that a float can't hold, an escape of what can't
        be stored (NUL, halves of characters), a secret, or an access token in a URL.
    """
    # A block after the other, as a copy of all would be as large as the page.
    return has_plain_texts(content, secrets) and all(
        _has_plain_numbers(content[start : start + _BLOCK + 2 * _AROUND])
        for start in range(0, len(content), _BLOCK)
    )


def has_plain_texts(content: bytes, secrets: Secrets) -> bool:
    """Whether msgspec decodes the texts in a JSON text without a loss.

    Args:
        content: The text, UTF-8.
        secrets: The run's secrets.

    Returns:
        As for `is_plain`, which looks at the numbers as well.
    """
    # A single character is found in no time, and few texts have one of these.
    if b"\\" in content and any(escape in content for escape in _UNSTORABLE):
        return False
    if secrets.hinted_in(content):
        return False
    if not any(character in content for character in _PARAMETERS):
        return True
    blocks = (
        content[start : start + _BLOCK + 2 * _AROUND].translate(_SHAPES)
        for start in range(0, len(content), _BLOCK)
    )
    return not any(name in shape for shape in blocks for name in _TOKEN_NAMES)


def plain_numbers(values: Iterable[msgspec.Raw]) -> list[int | float | None]:
    """Decode numbers that stand apart in a text, without a loss.

    They are a sixth of a page that names each of its numbers, so to look for long ones
    in these takes as much less time.

    Args:
        values: The numbers, or nulls.

    Raises:
        ValueError: If one is not a number, or a float may not hold it.
    """
    text = msgspec.json.encode([*values])
    numbers = _NUMBERS.decode(text)
    # A float that is written back as it came holds its digits, unless it is so close to
    # 0 that floats have fewer of them.
    is_kept = msgspec.json.encode(numbers) == text and b"e-3" not in text
    if not is_kept and not _has_plain_numbers(text):
        raise ValueError("a number is too long")
    return numbers


def _has_plain_numbers(block: bytes) -> bool:
    """Whether a part of a text has no number that a float may not hold."""
    shape = block.translate(_SHAPES)
    fractions: list[bytes] = []
    for run in _LONG_SHAPES:
        # Backwards is three times as fast, as most runs end with a digit: few texts
        # have one, and most digits are none of it.
        at = shape.find(run) if shape.rfind(run) >= 0 else -1
        while at >= 0:
            end = at + len(run)
            before = block[at - 1 : at]
            fraction = _FRACTION.match(block, at) if before in _BEFORE_A_VALUE else None
            if fraction:
                fractions.append(fraction[0])
                end = max(end, fraction.end())
            elif not before or before in _BEFORE_A_DIGIT:
                around = (max(0, at - _AROUND), at + _AROUND)
                for number in _LONG_NUMBER.finditer(block, *around):
                    fraction = _FRACTION.match(block, number.start() + 1)
                    if fraction is None:
                        return False
                    fractions.append(fraction[0])
            at = shape.find(run, end)
    return _are_kept(fractions)


def _are_kept(numbers: Sequence[bytes]) -> bool:
    """Whether floats hold numbers with all the digits that they are written with.

    Ratios that another program computed and wrote as shortly as it can are such.
    """
    text = b"[%b]" % b",".join(numbers)
    try:
        return msgspec.json.encode(_FLOATS.decode(text)) == text
    except ValueError:  # one has a zero too many
        return False


class TypedDecoder(Generic[T]):
    """Decodes JSON texts of one type."""

    def __init__(
        self,
        type_of: Callable[[Any], Any],
        number: Any = int | float | None,  # noqa: ANN401 - a type
    ) -> None:
        """Make the types.

        Args:
            type_of: Makes the type, given the type of its numbers.
            number: The type of a plain text's numbers; `Raw` if they are decoded later.
        """
        # Numbers in members of any type keep their digits: they may become texts.
        plain = type_of(number)
        self._plain: msgspec.json.Decoder[T] = msgspec.json.Decoder(
            plain,
            float_hook=Decimal,
        )
        self._exact: type[T] = type_of(int | float | Decimal | None)

    def decode(self, content: bytes | msgspec.Raw) -> T:
        """Decode a plain text.

        Args:
            content: The text; see `is_plain`.

        Raises:
            ValueError: If it is not of the type; `convert` has the reason.
        """
        try:
            return self._plain.decode(content)
        except RecursionError:
            raise ValueError("lists and objects are nested too deep") from None

    def convert(self, document: Any, where: str) -> T:  # noqa: ANN401 - any JSON value
        """Take over a document of `decode_json`.

        Args:
            document: The document.
            where: Its place in the answer, for an error.

        Raises:
            ResponseError: If it is not of the type, with the place and the value.
        """
        try:
            return msgspec.convert(document, self._exact, builtin_types=(Decimal,))
        except msgspec.ValidationError as error:
            raise ResponseError(_reason(str(error), document, where)) from None


def _reason(error: str, document: Any, where: str) -> str:  # noqa: ANN401
    """Name the place and the value that msgspec found wrong."""
    if missing := _MISSING.fullmatch(error):
        return f"{where}{missing[2] or ''}.{missing[1]} is missing".lstrip(".")
    match = _ERROR.fullmatch(error)
    if match is None:
        return f"{where}: {error}"
    path = match[2] or ""
    expected = _EXPECTED.get(match[1], match[1])
    if expected != "a number":
        return f"{where}{path} is not {expected}"
    value = document
    try:
        for name, position in _STEP.findall(path):
            value = value[int(position)] if position else value[name]
    except (LookupError, TypeError):  # a name has a point or a bracket of its own
        return f"{where}{path} is not a number"
    return f"{where}{path}: {excerpt(repr(value))} is not a number"
