"""Exceptions whose messages are meant for the person who runs the workflow."""


class InputError(ValueError):
    """Raised for anything wrong with what a user supplied; names the file, what was found and what to do."""


class DivergedError(ArithmeticError):
    """Raised when the loss of a network is no longer a finite number."""
