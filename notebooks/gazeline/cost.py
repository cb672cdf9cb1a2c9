"""What the lab spends."""

from __future__ import annotations


class Cost(dict):
    """The lab's report, whole; shown in a few words."""

    def __repr__(self) -> str:
        spending = self["spending"]
        lines = [
            f"Now ${spending['perHour']:.2f} an hour, today ${spending['today']:.2f}, since "
            f"{spending['period']['start'][:10]} ${spending['estimate']:.2f}, as of {spending['asOf']}"
        ]
        if budget := self.get("budget"):
            lines.append(f"Budget: ${budget['left']:.2f} of ${budget['amount']:.2f} are left; level {budget['level']}")
        if self["savings"]:
            lines.append("What would be saved:")
            lines += [
                f"  ${one['perHour']:.2f} an hour: {one['what']} ({one['words']}), by {one['by']}"
                for one in self["savings"]
            ]
        if spending["unknown"]:
            lines.append(f"Not counted, since no price is known: {', '.join(spending['unknown'])}")
        if self["isLocal"]:
            lines.append("On this computer nothing is paid: these are list prices.")
        return "\n".join(lines)
