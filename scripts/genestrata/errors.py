"""The one exception whose message is meant for the person who runs the workflow."""


class InputError(ValueError):
    """Raised for anything wrong with what a user supplied; names the file, what was found and what to do."""
