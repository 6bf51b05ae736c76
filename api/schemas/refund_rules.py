"""How money is given back, on the wire: policies, cash, limits of roles, and who set them when."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from api.schemas.common import MoneyOut, Out, Wire, Words, once
from api.schemas.payments import SumIn
from oms.access.model import ROLES
from oms.kernel.errors import Rejected
from oms.kernel.limits import AMOUNT_MINOR_MAX
from oms.refunds.model import Limits, Mode, Occasion, Policy, RefundKind, TenderOrder
from oms.refunds.rules import Rules, Version, policy_of, tender_order_of

# Each occasion has its policy, and all that are owed have one for those that have none.
Subject = Literal[
    "return_accepted", "cancellation", "short_shipped", "not_collected", "price_adjusted",
    "delivery_failed", "overpayment", "owed", "shipping", "goodwill",
]  # fmt: skip
assert set(Subject.__args__) == {*Occasion, *RefundKind}  # type: ignore[attr-defined]  # a Literal
CURRENCIES_MAX = 50
VERSIONS_MAX = 100


class UnknownRole(Rejected):
    """There is no such role."""

    code = "VALIDATION"


class PolicyOut(Out):
    """How one thing is given back."""

    subject: Subject
    mode: Annotated[
        Mode,
        Field(
            description="auto: by itself up to its limit, beyond it after somebody's leave;"
            " approve: always after somebody's leave; manual: begun by a person only, then as auto"
        ),
    ]
    limits: Annotated[list[MoneyOut], Field(description="by currency")]
    otherwise_minor: Annotated[
        int | None,
        Field(description="in minor units, of currencies not named; null: however much"),
    ]

    @classmethod
    def of(cls, subject: str, policy: Policy) -> Self:
        """Write a policy."""
        return cls.model_validate({
            "subject": subject, "mode": policy.mode, "otherwise_minor": policy.limit_minor,
            "limits": _sums(policy.limits),
        })  # fmt: skip


class RoleOut(Out):
    """The most who has a role lets go, of one currency; null: however much."""

    role: str
    currency: str
    refund: Annotated[MoneyOut | None, Field(description="of one refund")]
    order: Annotated[MoneyOut | None, Field(description="of one order, in all")]
    day: Annotated[MoneyOut | None, Field(description="within 24 hours, in all")]

    @classmethod
    def of(cls, role: str, currency: str, limits: Limits) -> Self:
        """Write limits."""
        found = {"refund": limits.refund_minor, "order": limits.order_minor,
                 "day": limits.day_minor}  # fmt: skip
        return cls(role=role, currency=currency, **{
            name: None if minor is None else MoneyOut.of(minor, currency)
            for name, minor in found.items()
        })  # fmt: skip


class VersionOut(Out):
    """Rules as somebody set them; what they do not say is said for all, or as it comes."""

    channel_code: Annotated[str | None, Field(description="null: of every channel")]
    version: Annotated[int, Field(description="what `If-Match` is to say")]
    policies: list[PolicyOut]
    cash_limits: Annotated[
        list[MoneyOut] | None,
        Field(description="of an order that was not paid in cash, in cash; null: not said here"),
    ]
    roles: list[RoleOut]
    tender_order: Annotated[TenderOrder | None, Field(description="null: not said here")]
    reason: str
    set_by: str | None
    set_at: datetime | None

    @classmethod
    def of(cls, found: Version) -> Self:
        """Write a version."""
        rules = found.rules
        return cls(
            channel_code=found.channel_code, version=found.version_no, reason=found.reason,
            set_by=found.set_by, set_at=found.set_at, tender_order=rules.tender_order,
            policies=[PolicyOut.of(name, each) for name, each in sorted(rules.policies.items())],
            cash_limits=None if rules.cash_limits is None else _sums(rules.cash_limits),
            roles=[
                RoleOut.of(role, currency, each)
                for role, of in sorted(rules.roles.items()) for currency, each in sorted(of.items())
            ],
        )  # fmt: skip


class RulesOut(Out):
    """What counts for a channel now, and the last version that says something of it."""

    in_force: Annotated[list[PolicyOut], Field(description="of every subject")]
    tender_order: Annotated[
        TenderOrder, Field(description="of which payments of an order money is taken first")
    ]
    said: Annotated[VersionOut | None, Field(description="null: nothing was said of it yet")]

    @classmethod
    def of_rules(cls, rules: Sequence[Rules], said: Version | None) -> Self:
        """Write what counts."""
        in_force = [
            *(PolicyOut.of(each, policy_of(rules, RefundKind.OWED, each)) for each in Occasion),
            *(PolicyOut.of(each, policy_of(rules, each)) for each in RefundKind),
        ]
        return cls(
            in_force=in_force, tender_order=tender_order_of(rules),
            said=None if said is None else VersionOut.of(said),
        )  # fmt: skip


class PolicyIn(Wire):
    """How one thing is to be given back."""

    subject: Subject
    mode: Mode
    limits: Annotated[
        list[SumIn], once("currency"), Field(default_factory=list, max_length=CURRENCIES_MAX)
    ]
    otherwise_minor: Annotated[
        int | None,
        Field(
            strict=True,
            ge=0,
            le=AMOUNT_MINOR_MAX,
            description="in minor units, of currencies not named; null: however much",
        ),
    ] = 0

    def value(self) -> Policy:
        """Return it as a value. Raises NotAnAmount, UnknownCurrency."""
        return Policy(
            mode=self.mode, limit_minor=self.otherwise_minor,
            limits={each.currency: each.minor() for each in self.limits},
        )  # fmt: skip


class RoleIn(Wire):
    """The most who has a role lets go; what is left out has no limit."""

    role: Words
    refund: SumIn | None = None
    order: SumIn | None = None
    day: SumIn | None = None

    def limits(self) -> Mapping[str, Limits]:
        """Return them by currency. Raises UnknownRole, NotAnAmount, UnknownCurrency."""
        if self.role not in ROLES:
            raise UnknownRole(f"there is no role {self.role[:40]!r}")
        given = {"refund": self.refund, "order": self.order, "day": self.day}
        currencies = dict.fromkeys(each.currency for each in given.values() if each is not None)
        return {
            currency: Limits(**{
                f"{name}_minor": each.minor() for name, each in given.items()
                if each is not None and each.currency == currency
            })
            for currency in currencies
        }  # fmt: skip


class RulesPost(Wire):
    """All that is to be said of a channel from now on, or of all that say nothing."""

    channel: Annotated[Words | None, Field(description="left out: of every channel")] = None
    policies: Annotated[
        list[PolicyIn], once("subject"), Field(default_factory=list, max_length=CURRENCIES_MAX)
    ]
    cash_limits: Annotated[
        Annotated[list[SumIn], once("currency")] | None,
        Field(max_length=CURRENCIES_MAX, description="left out: as it is said of all"),
    ] = None
    roles: Annotated[
        list[RoleIn], Field(default_factory=list, max_length=CURRENCIES_MAX)
    ]  # of one role several, each of other currencies
    tender_order: Annotated[
        TenderOrder | None,
        Field(
            description="of which payments of an order money is taken first; left out: as it is"
            " said of all. In cash at a till what was paid in cash comes first"
        ),
    ] = None
    reason: Annotated[Words, Field(description="why it is changed")]

    def rules(self) -> Rules:
        """Return them as a value. Raises UnknownRole, NotAnAmount, UnknownCurrency."""
        roles: dict[str, dict[str, Limits]] = {}
        for each in self.roles:
            roles.setdefault(each.role, {}).update(each.limits())
        limits = self.cash_limits
        return Rules(
            policies={each.subject: each.value() for each in self.policies},
            cash_limits=None if limits is None else {e.currency: e.minor() for e in limits},
            roles=roles, tender_order=self.tender_order,
        )  # fmt: skip


def _sums(by_currency: Mapping[str, int]) -> list[MoneyOut]:
    return [MoneyOut.of(minor, currency) for currency, minor in sorted(by_currency.items())]
