"""Learning rules by their names."""

from __future__ import annotations

from collections.abc import Callable

from ._guessing import Guessing
from ._rtrl import RTRL
from ._rules import BPTT, Rule, TruncatedBPTT
from ._runnable import Runnable

RULES: dict[str, Callable[[], Rule]] = {
    "bptt": BPTT,
    "truncated_bptt": TruncatedBPTT,
    "rtrl": RTRL,
    "snap1": lambda: RTRL(order=1),
    "guessing": Guessing,
}


def resolve_rule(rule: str | Rule) -> Rule:
    """A rule for its name or itself."""
    if isinstance(rule, Rule):
        return rule
    if rule in RULES:
        return RULES[rule]()
    raise ValueError(f"The 'rule' parameter must be a Rule or one of {sorted(RULES)}; got {rule!r}")


def check_rule(rule: Rule, network: Runnable) -> None:
    """Refuse a rule that cannot train a network, and say which can."""
    if not isinstance(network, rule.needs):
        able = [repr(name) for name, make in RULES.items() if isinstance(network, make().needs)]
        wanted = f"a skrnn.engine.{rule.needs.__name__}"
        raise ValueError(f"{type(network).__name__} learns by rule={' or '.join(able)}; got {rule!r}, which needs {wanted}")
