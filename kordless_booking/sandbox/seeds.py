"""Sample data: the two businesses of the sandbox. `odd_seeds` has more of them.

Acme Salon covers every documented case. North Dental has a single service, another time zone and another currency, and
serves to test that one organization's key doesn't open the other. Tests and documentation rely on these values.
"""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from .model import ABSENT, Business, Calendar, Host, Policy, Service, Team, hours, thanksgiving, yearly

SANDBOX_KEY = "kordless-sandbox-key"
SANDBOX_ORG = "acme-salon"
NORTH_KEY = "kordless-sandbox-key-north"
NORTH_ORG = "north-dental"
LAKESIDE_KEY = "kordless-sandbox-key-lakeside"
LAKESIDE_ORG = "lakeside-studio"

_ADDRESS = ("onsite", "123 Main Street, Brooklyn, NY 11201")
_POLICY = Policy(24, "Plans change. Please tell us at least 24 hours ahead so that someone else can come.")

_SARAH = Calendar(
    "host_sarah",
    hours("09:00-13:00", "14:00-18:00", days="Tue Wed Thu Fri") | hours("09:00-15:00", days="Sat"),
    Host("host_sarah", "Sarah"),
)
_MIGUEL = Calendar(
    "host_miguel",
    hours("12:00-16:00", "16:30-20:30", days="Wed Thu Fri") | hours("10:00-14:00", "15:00-19:00", days="Sat Sun"),
    Host("host_miguel", "Miguel"),
)
_AISHA = Calendar(
    "host_aisha",
    hours("18:30-20:00", days="Tue Thu") | hours("10:00-11:30", "13:00-14:30", days="Sat"),
    Host("host_aisha", "Aïsha"),
)
_NOOR = Calendar(
    "host_noor", hours("08:00-12:00", "13:00-17:00", days="Mon Tue Wed Thu Fri"), Host("host_noor", "Noor")
)
_LENA = Calendar("host_lena", hours("11:00-15:00", "16:00-19:00", days="Tue Thu Sat"), Host("host_lena", "Lena"))
# A calendar without a host, open past midnight.
_LINE = Calendar(
    "line_advice", hours("17:00-22:00", days="Wed") | hours("20:00-26:00", days="Fri Sat"), occupancy_percent=20
)

_HAIR_TEAM = Team("team_hair", "Hair team")
# Teams without a host, both free at the same times.
_DAY_TEAM = Calendar(
    "team_day", hours("10:00-16:00", days="Tue Wed Thu Fri"), team=Team("team_day", "Day team"), occupancy_percent=20
)
_STAGE_TEAM = Calendar(
    "team_stage", hours("10:00-19:00", days="Wed Thu Fri"), team=Team("team_stage", "Stage team"), occupancy_percent=20
)

_ACME_SERVICES = (
    Service(
        "haircut",
        "Haircut",
        "Hair",
        60,
        (_SARAH, _MIGUEL),
        _ADDRESS,
        description="Wash, cut and finish, with time to talk about what you would like.",
        price=Decimal("45.00"),
        currency="USD",
        buffer_after=10,
        team=_HAIR_TEAM,
        policy=_POLICY,
        metadata={"room": "Front of the shop", "level": 1, "tags": ["wash", "cut"]},
    ),
    Service(
        "full-color",
        "Full color",
        "Hair",
        120,
        (_SARAH,),
        _ADDRESS,
        description="Color from root to tip, with a gloss and a blow-dry.",
        price=Decimal("180.00"),
        currency="USD",
        buffer_before=15,
        buffer_after=15,
        policy=Policy(48, "Color is mixed for you: we need 48 hours' notice to move or cancel.", enforced=True),
        notice_minutes=120,
    ),
    Service(
        "beard-trim",
        "Beard trim",
        "Hair",
        20,
        (_MIGUEL,),
        _ADDRESS,
        description="Trimmed, shaped, hot towel.",
        price=Decimal("18.50"),
        currency="USD",
        interval=15,
    ),
    Service(
        "bridal-styling",
        "Bridal styling",
        "Hair",
        150,
        (_SARAH,),
        ("custom", "At your place: we call you to arrange the details"),
        description="Hair for the day itself. We confirm each request by hand.",
        price=None,  # sent as null: a variable price
        currency="USD",
        interval=60,
        window_days=180,
        pending=True,
        policy=Policy(72, "Please give us three days to find someone else."),
    ),
    Service(
        "styling-class",
        "Styling class",
        "Classes",
        90,
        (_AISHA,),
        _ADDRESS,
        description="Braids, waves and updos in a small group. Bring your own brush.",
        price=Decimal("30.00"),
        currency="USD",
        interval=90,
        capacity=8,  # a group: one start time has several seats
        window_days=45,
        policy=_POLICY,
    ),
    Service(
        "color-consultation",
        "Color consultation",
        "Advice",
        30,
        (_NOOR,),
        ("meet_url", "https://meet.example.com/acme-salon-color"),
        description="A free video call before your first color.",
        price=Decimal(0),  # free
        currency="USD",
        interval=15,
        window_days=30,
    ),
    Service(
        "late-advice",
        "Late-night hair advice",
        "Advice",
        15,
        (_LINE,),
        ("phone", "+12125550123"),
        description="A hair emergency after dark? We call you.",
        price=Decimal("12.00"),
        currency="USD",
        interval=15,
    ),
    Service(
        "head-spa",
        "Head spa",
        "Wellness",
        45,
        (_LENA,),
        _ADDRESS,
        description="Scalp massage with warm oils. Usually booked out for weeks.",
        price=ABSENT,  # left out of the response
        window_days=90,
        booked_out_days=35,  # more than a month: visitors have to page ahead
        buffer_after=15,
    ),
    Service(
        "staff-training",
        "Staff training",
        "Internal",
        60,
        (_NOOR,),
        _ADDRESS,
        description="Only for the team.",
        price=Decimal(0),
        currency="USD",
        public=False,  # not in the list, and can't be booked: the widget must not offer it
    ),
    Service(
        "makeover",
        "Makeover",
        "Wellness",
        90,
        (_DAY_TEAM, _STAGE_TEAM),
        _ADDRESS,
        description="Hair and make-up, by one of our two teams.",
        price=Decimal("140.00"),
        currency="USD",
        interval=90,
    ),
)

_MEYER = Calendar(
    "host_meyer",
    hours("08:00-12:00", "13:00-17:00", days="Mon Tue Thu Fri") | hours("08:00-12:00", days="Wed"),
    Host("host_meyer", "Dr. Meyer"),
)

_ACME_HOLIDAYS = yearly((1, 1), (7, 4), (12, 25))

ACME = Business(
    id="org_7",
    slug=SANDBOX_ORG,
    name="Acme Salon",
    key=SANDBOX_KEY,
    zone=ZoneInfo("America/New_York"),
    tagline="Good hair, kind people, since 1987.",
    branding={
        "primaryColor": "#7a2e5d",
        "logo": None,
        "companyName": "Acme Salon",
        # Browsers load a favicon, and this name has no server.
        "favicon": None,
        "ogImage": "https://acme-salon.example/salon.jpg",
    },
    services=_ACME_SERVICES,
    closed=lambda day: _ACME_HOLIDAYS(day) or thanksgiving(day),
)

NORTH = Business(
    id="org_12",
    slug=NORTH_ORG,
    name="North Dental",
    key=NORTH_KEY,
    zone=ZoneInfo("Europe/Berlin"),
    branding={
        "primaryColor": "#0f766e",
        "logo": None,
        "companyName": None,
        "favicon": "https://north-dental.example/favicon.png",
        "ogImage": None,
    },
    services=(
        Service(
            "check-up",
            "Check-up",
            None,  # no category
            30,
            (_MEYER,),
            ("onsite", "Nordstraße 12, 10115 Berlin"),
            description="A calm look at your teeth, with time for questions.",
            price=Decimal("60.00"),
            currency="EUR",
            window_days=90,
            policy=Policy(24, "Please cancel a day ahead."),
        ),
    ),
    closed=yearly((1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26)),
)

_IVY = Calendar("host_ivy", hours("09:00-13:00", "14:00-18:00", days="Mon Tue Wed Thu"), Host("host_ivy", "Ivy"))
_TOM = Calendar("host_tom", hours("11:00-15:00", "16:00-20:00", days="Wed Thu Fri Sat"), Host("host_tom", "Tom"))
_LAKE_ROAD = ("onsite", "4 Lake Road, Keswick CA12 5DJ")
_LAKESIDE_POLICY = Policy(24, "Please tell us a day ahead, so that someone else can come.")

LAKESIDE = Business(
    id="org_15",
    slug=LAKESIDE_ORG,
    name="Lakeside Studio",
    key=LAKESIDE_KEY,
    zone=ZoneInfo("Europe/London"),
    tagline="Massage and movement by the water.",
    branding={
        "primaryColor": "#1f6f5c",
        "logo": None,
        "companyName": "Lakeside Studio",
        "favicon": None,
        "ogImage": "https://lakeside-studio.example/lake.jpg",
    },
    services=(
        Service(
            "massage",
            "Massage",
            "Treatments",
            60,
            (_IVY, _TOM),
            _LAKE_ROAD,
            description="An hour for back, neck and shoulders.",
            price=Decimal("58.00"),
            currency="GBP",
            policy=_LAKESIDE_POLICY,
        ),
        Service(
            "home-visit",
            "Home visit",
            "Treatments",
            90,
            (_TOM,),
            ("custom", "At your home, within ten miles of Keswick"),
            description="We bring the table, the oils and the music.",
            price=Decimal("95.00"),
            currency="GBP",
            policy=_LAKESIDE_POLICY,
        ),
        Service(
            "open-class",
            "Open class",
            "Movement",
            60,
            (_IVY,),
            _LAKE_ROAD,
            description="Stretching for everybody, in a small group.",
            price=Decimal("12.00"),
            currency="GBP",
            interval=60,
            capacity=10,
        ),
        Service(
            "posture-call",
            "Posture call",
            "Advice",
            20,
            (_IVY,),
            ("phone", "+441768555012"),
            description="Your desk, your chair and your back: we call you.",
            price=Decimal(0),
            currency="GBP",
            interval=20,
        ),
    ),
    closed=yearly((1, 1), (12, 25), (12, 26)),
)

BUSINESSES = (ACME, NORTH, LAKESIDE)
