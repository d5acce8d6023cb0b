"""The evaluation schemes, for the workflow to check before any job and for the job that draws the folds."""

from genestrata.errors import InputError

SINGLE_SPLIT_SCHEMES = ("published", "leave_one_group_out")
GROUPED_SCHEMES = ("grouped_cv", "leave_one_group_out")


def check_repeats(scheme: str, repeats: int, where: str) -> None:
    """Raise InputError for repeats of a scheme that is one split; `auto` is checked once it is resolved."""
    if scheme in SINGLE_SPLIT_SCHEMES and repeats > 1:
        raise InputError(
            f"{where}: evaluation.repeats: found {repeats}, allowed: 1 with scheme {scheme}, which is one split"
        )
