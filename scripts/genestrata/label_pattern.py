"""The pattern that finds a label in the header of a sequence, checked before any job and used by the reader."""

import re

from genestrata.errors import InputError


def compile_pattern(pattern: str, where: str) -> re.Pattern[str]:
    """Compile a label_pattern; raises InputError unless it is a regular expression with one group."""
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise InputError(f"{where}: label_pattern: '{pattern}' is not a regular expression ({error})") from None
    if expression.groups != 1:
        raise InputError(
            f"{where}: label_pattern: '{pattern}' has {expression.groups} groups, expected one, around the label; "
            "write other parentheses as (?:…)"
        )
    return expression
