"""What is wrong with a configured value, in words that say what to write instead.

Pure. Keyed by the types of pydantic's errors; their own texts speak to programmers.
"""

from __future__ import annotations

from collections.abc import Mapping

_SECTION = "must be a section: keys with values, as `key: value`, indented below it"
_WHOLE = "must be a whole number"
_WHOLE_BETWEEN = "must be a whole number from {ge} to {le}"
_NUMBER = "must be a number"
_LIST = "must be a list, as [first, second] or a line with `- ` for each"
_YES_OR_NO = "must be true or false"
_PATH = "must be a path, written as text"
_WORDS = {
    "model_type": _SECTION,
    "model_attributes_type": _SECTION,
    "dict_type": _SECTION,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": "is too large a number",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "string_type": 'must be text; put quotes around it: "..."',
    "path_type": _PATH,
    "tuple_type": _LIST,
    "missing": "is missing here",
    "extra_forbidden": "there is no such key",
    "bool_type": _YES_OR_NO,
    "bool_parsing": _YES_OR_NO,
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "too_short": "must have at least {min_length} entries, has {actual_length}",
    "too_long": "must have at most {max_length} entries, has {actual_length}",
    "string_too_long": "must have at most {max_length} characters",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
}


def words(kind: str, context: Mapping[str, object], said: str) -> str:
    """Tell of an error of pydantic's type `kind`; in its own words `said` where we have none.

    `context` may have the bounds `ge` and `le` of a number that is none.
    """
    template = _WORDS.get(kind)
    if template == _WHOLE and "ge" in context and "le" in context:
        template = _WHOLE_BETWEEN
    if template is None:
        text = said.removeprefix("Value error, ")
        return text[:1].lower() + text[1:]
    return template.format_map({name: _plain(value) for name, value in context.items()})


def _plain(value: object) -> object:
    """Write a whole number as people do: a bound of 0.0 is 0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
