"""The errors that the three packages raise; each message says what failed, where, and what to do."""


class VerificationError(Exception):
    """Base of every error that the suite raises on purpose."""


class ClaimRefuted(VerificationError):
    """A statement that had to hold was refuted by an exact witness."""


class ClaimUndecided(VerificationError):
    """A statement could be neither proved nor refuted."""


class AssumptionViolated(VerificationError):
    """A check was evaluated outside the assumptions of its claim."""


class DataError(VerificationError, ValueError):
    """Input from a user cannot be used; the message names the input and the remedy."""


class DataUnavailable(DataError):
    """Data that a check needs are not on this machine: the check is not made, and the report says why."""
