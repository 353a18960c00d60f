"""Businesses that the sandbox has with `seed="odd"`: what real businesses set up, and no tidy example shows.

Each has a slug that says what is odd about it, and the API key `odd_key(slug)`. Each service's name says what it is.
Nothing here is against the contract, which leaves it all open.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .model import Business, Calendar, Host, Policy, Service, Team, hours, yearly

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERY_DAY = "Mon Tue Wed Thu Fri Sat Sun"
_ADDRESS = ("onsite", "1 Odd Street, New York, NY 10001")
_TEN_HOURS = hours("09:00-19:00", days=EVERY_DAY)


def odd_key(slug: str) -> str:
    """Return the API key of an odd business."""
    return f"kordless-sandbox-key-{slug}"


def _calendar(
    calendar_id: str, *spans: str, host: Host | None = None, team: Team | None = None, occupancy_percent: int = 0
) -> Calendar:
    """Return a calendar that is open every day, from nine to seven if no hours are given."""
    week = hours(*spans, days=EVERY_DAY) if spans else _TEN_HOURS
    return Calendar(calendar_id, week, host, occupancy_percent, team)


def _hosts(count: int, prefix: str, *spans: str, occupancy_percent: int = 0) -> tuple[Calendar, ...]:
    """Return the calendars of `count` hosts, whose ids are as long as a UUID."""
    found = []
    for number in range(1, count + 1):
        first_name = _FIRST_NAMES[(number - 1) % len(_FIRST_NAMES)]
        host = Host(f"host_{prefix}_{number:0{30 - len(prefix)}d}", f"{first_name} {number}")
        found.append(_calendar(host.id, *spans, host=host, occupancy_percent=occupancy_percent))
    return tuple(found)


_FIRST_NAMES = ("Ada", "Björn", "Chidi", "Dvořák", "Élise", "Farid", "Grace", "Hồng", "Ines", "Jürgen")


def _service(slug: str, name: str, calendars: Sequence[Calendar], **more: Any) -> Service:
    """Return a service of half an hour at $40, unless `more` says otherwise."""
    defaults: dict[str, Any] = {
        "category": "Odd",
        "duration": 30,
        "location": _ADDRESS,
        "price": Decimal("40.00"),
        "currency": "USD",
    }
    return Service(slug=slug, name=name, calendars=tuple(calendars), **(defaults | more))


def _business(slug: str, name: str, services: Sequence[Service], **more: Any) -> Business:
    """Return a business in New York that closes on New Year's Day only."""
    defaults: dict[str, Any] = {
        "zone": ZoneInfo("America/New_York"),
        "branding": {"primaryColor": "#1d4ed8", "logo": None, "companyName": name, "favicon": None, "ogImage": None},
        "closed": yearly((1, 1)),
        "tagline": None,
    }
    services = tuple(services)
    return Business(id=f"org_{slug}", slug=slug, name=name, key=odd_key(slug), services=services, **(defaults | more))


# Times and lengths.

_ROOM = Host("host_ada", "Ada")

ODD_TIMES = _business(
    "odd-times",
    "Odd Times",
    (
        _service(
            "fractions", "Starts with a fraction of a second", [_calendar("fractions", host=_ROOM)],
            start_microseconds=250_000,
        ),
        _service(
            "several-lengths", "One start with several lengths", [_calendar("several-lengths", host=_ROOM)],
            more_durations=(60, 90),
        ),
        _service("one-day", "24 hours", [_calendar("one-day", "09:00-33:00")], duration=24 * 60, interval=24 * 60),
        _service(
            "three-days", "Three days", [_calendar("three-days", "15:00-87:00")], duration=72 * 60, interval=72 * 60
        ),
        _service("past-midnight", "Until after midnight", [_calendar("past-midnight", "22:00-26:00")], duration=180),
        _service("until-midnight", "Until midnight", [_calendar("until-midnight", "21:00-24:00")], duration=180),
        _service(
            "in-four-months", "First free time in four months", [_calendar("in-four-months")],
            window_days=180, booked_out_days=122,
        ),
        _service(
            "no-window", "No booking window, first free time in 75 days", [_calendar("no-window")],
            window_days=None, booked_out_days=75,
        ),
        _service(
            "booked-out-this-month", "Booked out this month", [_calendar("booked-out-this-month")], booked_out_days=31
        ),
        _service("never-free", "Never free", [_calendar("never-free")], booked_out_days=90),
        _service(
            "half-hour-notice", "Half an hour's notice", [_calendar("half-hour-notice")],
            policy=Policy(0.5, "Half an hour before is early enough.", enforced=True),
        ),
        _service(
            "ninety-minutes-notice", "An hour and a half's notice", [_calendar("ninety-minutes-notice")],
            policy=Policy(1.5, "Tell us an hour and a half before.", enforced=True),
        ),
        _service("phone-call", "By phone", [_calendar("phone-call")], location=("phone", "+12125550123")),
        _service("phone-without-number", "By phone, without a number", [_calendar("phone-x")], location=("phone", "")),
        _service(
            "party", "A party's price", [_calendar("party")], capacity=6, price=Decimal("30.00"),
        ),
    ),
)  # fmt: skip


# Names, ids and texts.

_LONG_ID = "host_" + "0123456789abcdef" * 9
"""149 characters."""
_SAME_NAME = (
    _calendar("sam_1", host=Host("host_sam_1", "Sam Lee"), occupancy_percent=40),
    _calendar("sam_2", host=Host("host_sam_2", "Sam Lee"), occupancy_percent=40),
)
_ODD_IDS = (
    _calendar("id_1", host=Host("host with spaces", "Id with spaces")),
    _calendar("id_2", host=Host("хост-ŝéven", "Id in other letters")),
    _calendar("id_3", host=Host("hosts/7?a=b&c#d", "Id with slashes")),
    _calendar("id_4", host=Host(_LONG_ID, "Id of 149 characters")),
    _calendar("id_5", host=Host('"><b>5</b>', "Id with markup")),
)
_ODD_TEAM_IDS = (
    _calendar("team_1", team=Team("team with spaces", "Id with spaces")),
    _calendar("team_2", team=Team("команда-1", "Id in other letters")),
    _calendar("team_3", team=Team("teams/7?a=b&c#d", "Id with slashes")),
    _calendar("team_4", team=Team(_LONG_ID.replace("host", "team"), "Id of 149 characters")),
)
_SENTENCE = "Please read this carefully, because it is about what happens when plans change. "

ODD_NAMES = _business(
    "odd-names",
    "Odd Names",
    (
        _service("same-name", "Two hosts of the same name", _SAME_NAME),
        _service("odd-host-ids", "Host ids with other characters", _ODD_IDS),
        _service("odd-team-ids", "Team ids with other characters", _ODD_TEAM_IDS),
        _service("only-sam", "Only one of the hosts does this", _SAME_NAME[:1]),
        _service("no-names", "Hosts without a name", [_calendar("nameless", host=Host("host_nameless", ""))]),
        _service(
            "long-texts", "A policy and a description of 5,000 characters", [_calendar("long-texts")],
            description=(_SENTENCE * 70)[:5000], policy=Policy(24, (_SENTENCE * 70)[:5000]),
        ),
        _service("Größe & Schnitt", "A slug with spaces and umlauts", [_calendar("slug-1")]),
        _service("cut/color", "A slug with a slash", [_calendar("slug-2")]),
        _service("corte.y_color~2", "A slug with dots", [_calendar("slug-3")]),
        _service("s" * 120, "A slug of 120 characters", [_calendar("slug-4")]),
    ),
)  # fmt: skip


# Teams.

_NORTH, _SOUTH = Team("team_north", "North team"), Team("team_south", "South team")
_ANNA, _BEN = Host("host_anna", "Anna"), Host("host_ben", "Ben")

TEAMS = _business(
    "teams",
    "Teams",
    (
        _service("one-team", "One team, no hosts", [_calendar("north", team=_NORTH)]),
        _service("two-teams", "Two teams at the same times", [
            _calendar("north", team=_NORTH), _calendar("south", team=_SOUTH),
        ]),
        _service("two-hosts-of-one-team", "Two hosts of one team", [
            _calendar("anna", host=_ANNA, team=_NORTH), _calendar("ben", host=_BEN, team=_NORTH),
        ]),
        _service("one-host-in-two-teams", "One host in two teams", [
            _calendar("anna", host=_ANNA, team=_NORTH), _calendar("anna", host=_ANNA, team=_SOUTH),
        ]),
        _service("hosts-and-a-team", "A host with a team, a host without, a team, and nobody", [
            _calendar("anna", host=_ANNA, team=_NORTH), _calendar("ben", host=_BEN),
            _calendar("south", team=_SOUTH), _calendar("nobody"),
        ]),
    ),
)  # fmt: skip


# Many.

MANY_HOSTS = _business(
    "many-hosts",
    "Many Hosts",
    (
        # 7,440 slots a month, 2.3 MB.
        _service("six-hosts", "6 hosts, every 15 minutes, 10 hours a day", _hosts(6, "six"), interval=15, duration=15),
        # 14,880 slots a month, 4.6 MB.
        _service(
            "twelve-hosts", "12 hosts, every 15 minutes, 10 hours a day", _hosts(12, "twelve"), interval=15, duration=15
        ),
        _service("forty-hosts", "40 hosts", _hosts(40, "forty", "10:00-14:00", occupancy_percent=40), interval=60),
    ),
)

_MANY_SERVICES = 300
_SERVICES_PER_CATEGORY = 12

MANY_SERVICES = _business(
    "many-services",
    "Many Services",
    tuple(
        _service(
            f"service-{number}",
            f"Service {number}",
            [_calendar(f"room_{number % 10}")],
            category=f"Category {number // _SERVICES_PER_CATEGORY + 1}",
            description=f"What happens in service {number}, in one or two sentences. It is much like the others.",
            price=Decimal(20 + number),
        )
        for number in range(_MANY_SERVICES)
    ),
)


# Time zones that aren't written as IANA does.


def _in_zone(slug: str, name: str, zone_name: str) -> Business:
    host = Host("host_ada", "Ada")
    service = _service("visit", f"A visit, in the zone “{zone_name}”", [_calendar("visit", host=host)])
    return _business(slug, name, (service,), zone_name=zone_name)


WINDOWS_ZONE = _in_zone("windows-zone", "Windows Zone", "Eastern Standard Time")
LOWER_CASE_ZONE = _in_zone("lower-case-zone", "Lower Case Zone", "america/new_york")
UNKNOWN_ZONE = _in_zone("unknown-zone", "Unknown Zone", "Brooklyn Time")

# What is wide, and what is far away.

_LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
_LONG_HOSTS = tuple(
    _calendar(f"long_{number}", host=Host(f"host_long_{number}", name), occupancy_percent=40)
    for number, name in enumerate(
        (
            "Prof. Dr. Maximiliane Alexandra Freifrau von und zu Hohenstein-Waldburg",
            "Wolfeschlegelsteinhausenbergerdorffvoralternwarengewissenhaftschafers",
            "Li",
        )
    )
)

WIDE = _business(
    "wide",
    "The Very Long Name of a Family Business in its Fourth Generation, Established 1897",
    (
        _service("long-name", (_LONG_NAME * 2)[:100], [_calendar("long-name", host=_ROOM)]),
        _service("long-hosts", "Hosts with long names", _LONG_HOSTS),
        _service(
            "three-days", "Three days", [_calendar("three-days", "15:00-87:00")], duration=72 * 60, interval=72 * 60
        ),
        _service("class", "A class of 30", [_calendar("class")], capacity=30, interval=60),
        _service("dear", "A price of nine figures", [_calendar("dear")], price=Decimal("123456789.99")),
        _service("cheap", "A price of a fraction", [_calendar("cheap")], price=Decimal("0.005"), currency="KWD"),
        _service("minute", "One minute", [_calendar("minute", "09:00-10:00")], duration=1, interval=5),
    ),
    branding={},
)


def _far_away(slug: str, name: str, zone: str) -> Business:
    services = (
        _service("visit", "A visit", [_calendar("visit", host=_ROOM)]),
        _service("video", "A video call", [_calendar("video")], location=("video", "")),
    )
    return _business(slug, name, services, zone=ZoneInfo(zone))


KATHMANDU = _far_away("kathmandu", "Kathmandu", "Asia/Kathmandu")
APIA = _far_away("apia", "Apia", "Pacific/Apia")
EMPTY = _business("empty", "Empty", ())


ODD_BUSINESSES = (
    ODD_TIMES,
    ODD_NAMES,
    TEAMS,
    MANY_HOSTS,
    MANY_SERVICES,
    WINDOWS_ZONE,
    LOWER_CASE_ZONE,
    UNKNOWN_ZONE,
    WIDE,
    KATHMANDU,
    APIA,
    EMPTY,
)
