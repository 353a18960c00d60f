"""Words that the grammar knows besides CLDR's: the English ones here, those of other languages in their catalogs.

Each kind of word is a text with the context "grammar" in locale/<language>/LC_MESSAGES/django.po. Its translation is a
list of all words and phrases of that kind, separated by `|`, in any case and order:

    msgctxt "grammar"
    msgid "after …"
    msgstr "nach|ab|später als"

`-` stands for a kind that the language hasn't. `!word` takes a word away that CLDR has, such as an abbreviation that is
also a common word. A word may be of several kinds: the grammar takes the one that fits. NUMBERED lists have a place for
each number, with `/` between words for the same. Accents and case may be left off by visitors, not by translators.

A language without one of the lists is not understood at all (`grammar.is_supported`).
"""

from __future__ import annotations

from typing import Final


def pgettext(_context: str, text: str) -> str:
    """Mark a text for translation. It is read from the catalog of one language, whichever is active."""
    return text


WORDS: Final[dict[str, tuple[str, str]]] = {
    # Words before a day or a time.
    "after": (pgettext("grammar", "after …"), "after|later than|any time after|anytime after|past"),
    "from": (
        pgettext("grammar", "from …"),
        "from|starting|starting from|starting at|as of|not before|not earlier than|no earlier than|earliest",
    ),
    "before": (pgettext("grammar", "before …"), "before|b4|earlier than|prior to|any time before|anytime before"),
    "until": (
        pgettext("grammar", "until …"),
        "until|till|til|by|up to|no later than|not later than|not after|at the latest by|latest",
    ),
    "between": (pgettext("grammar", "between … and …"), "between|btw|betw|btwn"),
    "to": (pgettext("grammar", "from … to …"), "to|until|till|til|through|thru"),
    "and": (pgettext("grammar", "… and …"), "and|&|+"),
    "or": (pgettext("grammar", "… or …"), "or|or else|or maybe|or possibly|otherwise"),
    "at": (pgettext("grammar", "at 3 o’clock"), "at|@|exactly at|sharp at|starting at"),
    "around": (
        pgettext("grammar", "around 3 o’clock"),
        "around|about|at around|at about|roughly|roughly at|approximately|approx|circa|say|let's say",
    ),
    "not": (
        pgettext("grammar", "not on Monday"),
        (
            "not|except|except for|but not|just not|only not|excluding|other than|apart from|any day but|"
            "every day but|anything but|can not do|can't do|cannot do|can t on|without|bar"
        ),
    ),
    "in": (pgettext("grammar", "in two weeks"), "in"),
    "within": (pgettext("grammar", "within two weeks"), "within|within the next|in the next|over the next"),
    "next": (pgettext("grammar", "next Tuesday"), "next|the next|coming|the coming|this coming|upcoming|following"),
    "this": (pgettext("grammar", "this Tuesday"), "this"),
    "for": (
        pgettext("grammar", "for two people"),
        "for|table for|table of|party of|group of|we are|there are|there will be",
    ),
    "of": (pgettext("grammar", "the 20th of December"), "of|in"),
    "the": (pgettext("grammar", "the 20"), "the|on the"),
    "half past": (pgettext("grammar", "half past three"), "half past|half"),
    "half to": (pgettext("grammar", "half to three"), "-"),
    "quarter past": (pgettext("grammar", "quarter past three"), "quarter past|a quarter past|quarter after"),
    "quarter to": (pgettext("grammar", "quarter to three"), "quarter to|a quarter to|quarter of|quarter before"),
    "quarter into": (pgettext("grammar", "quarter of the hour to four, which is 3:15"), "-"),
    "month before": (pgettext("grammar", "month 12: word before the number"), "-"),
    "day before": (pgettext("grammar", "day 20: word before the number"), "-"),
    # Words after a day or a time.
    "from after": (pgettext("grammar", "… or later"), "or later|or after|onward|onwards|on wards|and later|and after"),
    "after after": (pgettext("grammar", "3 o’clock: after, said behind it"), "-"),
    "before after": (pgettext("grammar", "3 o’clock: before, said behind it"), "or earlier|or before|and earlier"),
    "until after": (pgettext("grammar", "3 o’clock: until, said behind it"), "at the latest"),
    "around after": (pgettext("grammar", "3 o’clock or so"), "or so|ish|or thereabouts"),
    "in after": (pgettext("grammar", "two weeks from now"), "from now|from today|hence"),
    "next after": (pgettext("grammar", "Tuesday: next, said behind it"), "-"),
    "this after": (pgettext("grammar", "Tuesday: this, said behind it"), "-"),
    "between after": (pgettext("grammar", "2 to 4: between, said behind them"), "-"),
    "not after": (pgettext("grammar", "on Monday: not, said behind it"), "-"),
    "week later": (pgettext("grammar", "Tuesday: a week after the coming one, said behind it"), "week"),
    "people": (
        pgettext("grammar", "two people"),
        "people|persons|person|pax|guests|guest|adults|adult|of us|ppl|seats|places|participants|attendees",
    ),
    "day after": (pgettext("grammar", "day 20: word or ending after the number"), "st|nd|rd|th"),
    "month after": (pgettext("grammar", "month 12: word or ending after the number"), "-"),
    "year after": (pgettext("grammar", "year 2027: word after the number"), "-"),
    "hour": (pgettext("grammar", "3 o’clock: words after the number"), "o'clock|oclock|h|hrs|sharp"),
    "minute": (pgettext("grammar", "30 minutes: words after the number"), "min|mins|minute|minutes|hour|hours"),
    "half": (pgettext("grammar", "three and a half: after the hour"), "-"),
    "quarter": (pgettext("grammar", "three and a quarter: after the hour"), "-"),
    "quarter less": (pgettext("grammar", "three less a quarter: after the hour"), "-"),
    "three quarters": (pgettext("grammar", "three and three quarters: after the hour"), "-"),
    "minutes past": (pgettext("grammar", "ten past three"), "past|after|minutes past|minutes after|min past"),
    "minutes to": (pgettext("grammar", "ten to three"), "to|before|minutes to|minutes before|min to|till"),
    "and minutes": (pgettext("grammar", "three and ten: minutes after the hour"), "-"),
    "less minutes": (pgettext("grammar", "three less ten: minutes after the hour"), "-"),
    "am": (pgettext("grammar", "AM, before noon"), "a.m.|am|a m"),
    "pm": (pgettext("grammar", "PM, after noon"), "p.m.|pm|p m"),
    # Units.
    "day": (pgettext("grammar", "day, days"), "day|days"),
    "week": (pgettext("grammar", "week, weeks"), "week|weeks|wk|wks|week's time|weeks time|weeks' time"),
    "month": (pgettext("grammar", "month, months"), "month|months|months time|months' time"),
    "weekend": (
        pgettext("grammar", "weekend"),
        "weekend|the weekend|week-end|at the weekend|on the weekend|wkend|wknd",
    ),
    "one": (pgettext("grammar", "a week: the article before a unit"), "a|an|one"),
    # Days, besides CLDR's words for them.
    "today": (pgettext("grammar", "today"), "2day|later today"),
    "tomorrow": (
        pgettext("grammar", "tomorrow"),
        "tmrw|tmr|tomorow|tommorow|tommorrow|2morrow|2moro|2mrw|tmro|tomoz|tom",
    ),
    "after tomorrow": (pgettext("grammar", "day after tomorrow"), "day after tomorrow|the day after tomorrow"),
    "in three days": (pgettext("grammar", "in three days, where it is one word"), "-"),
    "tonight": (pgettext("grammar", "tonight"), "tonight|this evening|2night"),
    "tomorrow morning": (pgettext("grammar", "tomorrow morning, where it is one word"), "-"),
    "this week": (pgettext("grammar", "this week"), "-"),
    "next week": (pgettext("grammar", "next week"), "-"),
    "week after next": (pgettext("grammar", "week after next"), "the week after next|week after next"),
    "next weekend": (pgettext("grammar", "weekend of next week, where it isn’t said as for weekdays"), "-"),
    "this month": (pgettext("grammar", "this month"), "-"),
    "next month": (pgettext("grammar", "next month"), "-"),
    "monday": (pgettext("grammar", "Monday"), "mondays"),
    "tuesday": (pgettext("grammar", "Tuesday"), "tuesdays|tues"),
    "wednesday": (pgettext("grammar", "Wednesday"), "wednesdays|weds|!we"),
    "thursday": (pgettext("grammar", "Thursday"), "thursdays|thur|thurs"),
    "friday": (pgettext("grammar", "Friday"), "fridays"),
    "saturday": (pgettext("grammar", "Saturday"), "saturdays"),
    "sunday": (pgettext("grammar", "Sunday"), "sundays"),
    "january": (pgettext("grammar", "January"), "-"),
    "february": (pgettext("grammar", "February"), "-"),
    "march": (pgettext("grammar", "March"), "-"),
    "april": (pgettext("grammar", "April"), "-"),
    "may": (pgettext("grammar", "May"), "-"),
    "june": (pgettext("grammar", "June"), "-"),
    "july": (pgettext("grammar", "July"), "-"),
    "august": (pgettext("grammar", "August"), "-"),
    "september": (pgettext("grammar", "September"), "sept"),
    "october": (pgettext("grammar", "October"), "-"),
    "november": (pgettext("grammar", "November"), "-"),
    "december": (pgettext("grammar", "December"), "-"),
    "beginning": (
        pgettext("grammar", "at the beginning of January"),
        "beginning|beginning of|at the beginning of|early|early in|start of|at the start of|first half of",
    ),
    "middle": (pgettext("grammar", "in the middle of January"), "middle of|in the middle of|mid|mid-|mid of"),
    "end": (
        pgettext("grammar", "at the end of January"),
        "end of|the end of|at the end of|late|late in|towards the end of",
    ),
    "christmas eve": (pgettext("grammar", "December 24"), "Christmas Eve|xmas eve"),
    "christmas": (pgettext("grammar", "December 25"), "Christmas|xmas|Christmas Day"),
    "new year's eve": (pgettext("grammar", "December 31"), "New Year's Eve|New Years Eve|nye"),
    "new year": (pgettext("grammar", "January 1"), "New Year|the new year|New Year's|New Year's Day|New Years Day"),
    # Parts of the day, besides CLDR's words for them. Their hours are CLDR's: see "hours" in cldr.json.
    "midnight": (pgettext("grammar", "midnight"), "-"),
    "noon": (pgettext("grammar", "noon"), "midday|mid-day|lunchtime|lunch time|12 noon"),
    "morning1": (pgettext("grammar", "part of the day: morning1"), "mornings|morning time|in the mornings|forenoon"),
    "morning2": (pgettext("grammar", "part of the day: morning2"), "-"),
    "afternoon1": (
        pgettext("grammar", "part of the day: afternoon1"),
        "afternoons|in the afternoons|aft|arvo|after lunch|anytime after lunch|any time after lunch|pm time",
    ),
    "afternoon2": (pgettext("grammar", "part of the day: afternoon2"), "-"),
    "evening1": (pgettext("grammar", "part of the day: evening1"), "evenings|in the evenings|eve"),
    "evening2": (pgettext("grammar", "part of the day: evening2"), "-"),
    "night1": (pgettext("grammar", "part of the day: night1"), "nights|nite|nites"),
    "night2": (pgettext("grammar", "part of the day: night2"), "-"),
    # Everything else.
    "soonest": (
        pgettext("grammar", "as soon as possible"),
        (
            "as soon as possible|asap|a.s.a.p.|as early as possible|the soonest|soonest|soonest possible|"
            "earliest possible|earliest available|first available|next available|next free|the first free|"
            "first free slot|the earliest|as soon as you can|as soon as u can|right away|urgently|urgent|"
            "any time soon|at your earliest|earliest you have|earliest you've got|earliest you got|earliest you can|"
            "soonest you have|soonest you've got|soonest you can"
        ),
    ),
    "filler": (
        pgettext("grammar", "words that change nothing"),
        (
            "please|pls|plz|thanks|thank you|thx|hi|hello|hey|i|we|me|my|us|would|like|i would like|i'd like|"
            "i'd love|want|wanna|need|to book|book|booking|to have|have|get|to get|come|to come|can i|could i|"
            "may i|can we|could we|may we|do you have|is there|are there|anything|something|any|some|free|"
            "available|availability|appointment|an|a|appointments|slot|slots|time|times|date|spot|opening|the|on|"
            "at|in|of|for|with|by|is|be|it|if|possible|if possible|preferably|ideally|maybe|perhaps|best|works|"
            "work|good|great|fine|ok|okay|suits me|looking for|schedule|reserve|make|cut|session|visit|anytime|"
            "any time|any day|whenever|i can do|can do|only|just|then|there|so|will|that|also|sometime|some time|"
            "some day|someday|one day|during|during the|at the|day|and|also|you|your|got|what about|"
            "how about|let's say|say|me in|fit me in|in the|later in|later|later this|rest of|the rest of|"
            "would be|would suit|we'd like|we would like|i'm|i am|am|free on|for an|for a|to|see|prefer|i prefer|"
            "we prefer|instead|good morning|good afternoon|good evening|good day|have a nice day|have a good day|"
            "have a great day|have a nice weekend|have a good weekend|have a great weekend|cheers|hiya|"
            "how bout|what bout|i may|we may|may come|may be|may work|may suit|first time|first visit|"
            "my first|first appointment"
        ),
    ),
    "doubtful": (
        pgettext("grammar", "words that make the meaning doubtful"),
        (
            "yesterday|if not|last|previous|ago|past|every|each|daily|weekly|monthly|every other|fortnightly|biweekly|"
            "alternate|cancel|reschedule|instead of|move|remind|earlier|sooner|unless|don't|do not|dont|cannot|"
            "can't|cant|isn't|won't|never|no|neither|nor|none|without|week after|weeks after|after next|"
            "the week after|day before|the day before|Easter|Thanksgiving|Ramadan|Eid|Hanukkah|Passover|Diwali|"
            "Pentecost|Halloween|my birthday|birthday|holiday|holidays|public holiday|bank holiday|school|"
            "half term|payday|full moon|summer|winter|spring|autumn|fall|year|years|quarter|decade|century|"
            "out of town|away|busy|i work|we work|i'm working|i am working|i'm off|not in|not around|not here|"
            "except|but|hours ago|days before|weeks before|not|odd|even"
        ),
    ),
    "before word": (pgettext("grammar", "prefixes that are written together with the next word"), "-"),
    "after word": (pgettext("grammar", "endings that are written together with the word before"), "-"),
}
"""Kind of word -> text in the catalog, and the English list."""

NUMBERED: Final[dict[str, tuple[str, str]]] = {
    "numbers": (
        pgettext("grammar", "numbers from 0 to 31"),
        (
            "zero|one|two/couple/a couple of/a couple|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
            "thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|twenty-one|twenty-two|"
            "twenty-three|twenty-four|twenty-five|twenty-six|twenty-seven|twenty-eight|twenty-nine|thirty|"
            "thirty-one"
        ),
    ),
    "tens": (pgettext("grammar", "numbers 40, 45, 50 and 55"), "forty|forty-five|fifty|fifty-five"),
    "ordinals": (
        pgettext("grammar", "ordinals from 1st to 31st"),
        (
            "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|"
            "fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|twenty-first|"
            "twenty-second|twenty-third|twenty-fourth|twenty-fifth|twenty-sixth|twenty-seventh|twenty-eighth|"
            "twenty-ninth|thirtieth|thirty-first"
        ),
    ),
    "hour words": (
        pgettext("grammar", "hours from 1 to 24, where they have words of their own, such as ordinals"),
        "-",
    ),
    "days": (pgettext("grammar", "one day, two days and so on to ten days, where they are one word"), "-"),
    "weeks": (
        pgettext("grammar", "one week, two weeks, three weeks, where they are one word"),
        "-|fortnight/a fortnight|-",
    ),
    "months": (pgettext("grammar", "one month, two months, three months, where they are one word"), "-"),
    "weekdays of this week": (
        pgettext("grammar", "Monday to Sunday of this week, where they have words of their own"),
        "-",
    ),
    "weekdays of next week": (
        pgettext("grammar", "Monday to Sunday of next week, where they have words of their own"),
        "-",
    ),
    "half hours": (
        pgettext("grammar", "12:30, 1:30 and so on to 11:30, where they have a word of their own"),
        "-",
    ),
    "together": (
        pgettext("grammar", "two of us, three of us and so on to six of us, where they have a word of their own"),
        "the two of us/both of us|the three of us|the four of us|the five of us|the six of us",
    ),
    "weekdays of the week after": (
        pgettext("grammar", "Monday to Sunday of the week after next, where they have words of their own"),
        "-",
    ),
}
"""The same for lists with a place for each number."""
NUMBERED_VALUES: Final[dict[str, tuple[int, ...]]] = {
    "numbers": tuple(range(32)),
    "tens": (40, 45, 50, 55),
    "ordinals": tuple(range(1, 32)),
    "hour words": tuple(range(1, 25)),
    "days": tuple(range(1, 11)),
    "weeks": (1, 2, 3),
    "months": (1, 2, 3),
    "weekdays of this week": tuple(range(7)),
    "weekdays of next week": tuple(range(7)),
    "weekdays of the week after": tuple(range(7)),
    "half hours": (12, *range(1, 12)),
    "together": (2, 3, 4, 5, 6),
}
"""The number of each place."""

UNSPACED: Final = frozenset({"ja", "ko", "zh_Hans", "zh_Hant"})
"""Languages whose words aren't, or aren't always, separated by spaces: a word may begin and end anywhere."""
COMPOUNDS: Final = frozenset({"de", "nl"})
"""Languages that write day and part of day together: "Dienstagnachmittag"."""
BENT_NAMES: Final = frozenset({"pl", "ru", "tr", "uk"})
"""Languages that give names endings: "u Miguela"."""
SPELLINGS: Final[dict[str, dict[str, str]]] = {"de": {"ä": "ae", "ö": "oe", "ü": "ue"}}
"""Spellings of letters that a keyboard lacks."""
