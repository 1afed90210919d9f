"""What an examination has found, each with its remedy."""

from dataclasses import dataclass

__all__ = ["Finding", "Findings"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what it is, whether it is well, what was found, and what to do if not."""

    what: str
    ok: bool
    found: str
    remedy: str = ""

    def __str__(self):
        line = f"{'ok  ' if self.ok else 'FAIL'}  {self.what:<18} {self.found}"
        return line if self.ok else f"{line}\n      -> {self.remedy}"


class Findings(tuple):
    """All findings of one examination; prints as a list, one line each."""

    @property
    def ok(self) -> bool:
        """True if every finding is well."""
        return all(f.ok for f in self)

    def __str__(self):
        end = "All is well." if self.ok else "Something needs you: see the lines with ->."
        return "\n".join([*map(str, self), end])

    __repr__ = __str__
