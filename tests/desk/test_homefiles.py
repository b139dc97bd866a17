"""The home's files: what they are read as, what is refused, and that they fit each other."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from desk.errors import FileError
from desk.homefiles import check_home, digest, examine_home, read_home
from desk.hometypes import HomeFiles, Policy, Rota, Shift, Swarm, Team, Vendor
from desk.newhome import write_home
from desk.timeforms import DateRange, Opening


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_home(tmp_path, domain="example.org", timezone="Asia/Taipei")
    return tmp_path


def put(home: Path, name: str, text: str) -> None:
    (home / name).parent.mkdir(exist_ok=True)
    (home / name).write_text(text)


def faults(home: Path) -> list[str]:
    return [str(fault).removeprefix(f"{home}/") for fault in check_home(home)]


def test_files_are_read_as_typed_data(home: Path) -> None:
    put(home, "teams.toml", '[service-desk]\ntitle = "Desk"\nlead = "a"\nrota = "oncall"')
    put(home, "vendors.toml", '[printco]\ntitle = "P"\naddress = "P@p.example"\nanswer_within = "8h"')
    put(
        home,
        "policies.toml",
        "[matrix]\n1=[1,1,2,3]\n2=[1,2,3,4]\n3=[2,3,3,4]\n4=[3,4,4,5]\n"
        "[standard]\n"
        'first_response = ["15m","1h","4h","8h","8h"]\nresolution = ["4h","8h","24h","40h","80h"]\n'
        "warn = 0.5",
    )
    put(
        home,
        "rota/oncall.toml",
        'title = "O"\nzone = "UTC"\n[[shift]]\ndays = "sat-sun"\nfrom = "18:00"\nto = "06:00"\n'
        'people = ["a", "b"]\nstart = 2026-11-02',
    )
    put(
        home,
        "queues/security.toml",
        'title = "S"\npolicy = "standard"\ntiers = ["2", "3"]\nola = { 2 = "4h" }\n'
        'require = { 3 = ["repro"] }\n'
        '[swarm.severe]\nwhen = "priority == 1"\nrota = "oncall"\nsize = 3\nupdate = "15m"',
    )
    put(home, "templates/kb.zh-Hant.md", "Subject: 說明\n\n文\n")

    found = read_home(home)

    assert found.teams == {"service-desk": Team(title="Desk", lead="a", rota="oncall")}
    eight = timedelta(hours=8)
    assert found.vendors == {"printco": Vendor(title="P", address="p@p.example", answer_within=eight)}
    assert found.matrix == ((1, 1, 2, 3), (1, 2, 3, 4), (2, 3, 3, 4), (3, 4, 4, 5))
    hours = [timedelta(hours=hour) for hour in (0.25, 1, 4, 8, 8, 4, 8, 24, 40, 80)]
    assert found.policies == {
        "standard": Policy(first_response=tuple(hours[:5]), resolution=tuple(hours[5:]), warn=0.5)
    }
    shift = Shift(days=(5, 6), start_minute=1080, end_minute=360, people=("a", "b"), start=date(2026, 11, 2))
    assert found.rotas == {"oncall": Rota(title="O", zone="UTC", shift=(shift,))}
    queue = found.queues["security"]
    assert (queue.tiers, queue.ola, queue.require) == (
        ("2", "3"),
        {"2": timedelta(hours=4)},
        {"3": ("repro",)},
    )
    quarter = timedelta(minutes=15)
    assert queue.swarm == {"severe": Swarm(when="priority == 1", rota="oncall", size=3, update=quarter)}
    assert (queue.sender_name, queue.signature, queue.acknowledge) == (None, "", True)
    assert found.templates == {"kb": {"zh-Hant": "Subject: 說明\n\n文\n"}}
    assert faults(home) == []


def test_calendar_has_hours_and_holidays(home: Path) -> None:
    put(
        home,
        "calendars/night.toml",
        'zone = "UTC"\n[week]\nmon = ["09:00-12:00", "22:00-06:00"]\n[holidays]\n'
        'dates = ["2026-12-25", "2027-02-06..2027-02-12"]\ncountry = "TW"\nics = "more.ics"',
    )
    put(home, "calendars/more.ics", "BEGIN:VCALENDAR\n")

    found = read_home(home)

    night = found.calendars["night"]
    assert night.week.by_day == ((Opening(540, 720), Opening(1320, 1800)), (), (), (), (), (), ())
    christmas = date(2026, 12, 25)
    new_year = DateRange(date(2027, 2, 6), date(2027, 2, 12))
    assert night.holidays.dates == (DateRange(christmas, christmas), new_year)
    assert night.holidays.country == "TW"
    assert found.holiday_files == {"more.ics": "BEGIN:VCALENDAR\n"}


def test_categories_are_keyed_by_their_whole_path_in_the_order_of_the_file(home: Path) -> None:
    put(
        home,
        "categories.toml",
        '[b]\nen = "B"\n[b.c.d]\nzh-Hans = "丁"\n[b.c]\nen = "C"\n[a]\nzh-Hant = "甲"',
    )

    assert list(read_home(home).categories.items()) == [
        ("b", {"en": "B"}),
        ("b.c", {"en": "C"}),
        ("b.c.d", {"zh-Hans": "丁"}),
        ("a", {"zh-Hant": "甲"}),
    ]


def test_very_deep_category_is_read_without_recursion(home: Path) -> None:
    depth = 3000
    put(home, "categories.toml", f"[{'.'.join(['a'] * depth)}]\nen = 'deep'")

    found, listed = examine_home(home)

    assert found is None
    assert len(listed) == depth - 1


def test_home_files_survive_json_and_msgpack(home: Path) -> None:
    put(home, "vendors.toml", '[p]\ntitle = "P"\naddress = "p@p.example"\nanswer_within = "8h"')
    found = read_home(home)

    assert msgspec.json.decode(msgspec.json.encode(found), type=HomeFiles) == found
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=HomeFiles) == found


def test_digest_tells_what_is_said_and_not_how_it_is_written(home: Path) -> None:
    put(home, "teams.toml", '[service-desk]\ntitle = "A"\n[b]\ntitle = "B"')
    before = digest(read_home(home))

    put(home, "teams.toml", "# turned round\n[b]\ntitle = \"B\"\n[service-desk]\ntitle = 'A'")
    turned_round = digest(read_home(home))
    put(home, "teams.toml", '[service-desk]\ntitle = "A"\n[b]\ntitle = "C"')
    changed = digest(read_home(home))

    assert turned_round == before
    assert changed != before
    assert len(before) == 64


FILE_FAULTS = [
    ("queues/Big.toml", 'title = "x"', '1:1: is named "Big"; rename it: lower-case letters, digits, - and _'),
    ("queues/x.toml", "titel = 'x'", '1:1: unknown key "titel"; did you mean "title"?'),
    ("queues/x.toml", "", '1:1: this file has no "title"; add title = "Support"'),
    (
        "queues/x.toml",
        "title = 'x'\ntiers = []",
        '2:1: this file needs tiers, each once; write tiers like ["1", "2", "vendor"]',
    ),
    (
        "queues/x.toml",
        "title = 'x'\ntiers = ['1']\n[ola]\n2 = '4h'",
        '3:2: this file names tier "2" in [ola]; its tiers are 1',
    ),
    (
        "queues/x.toml",
        "title = 'x'\n[ola]\n2 = '1d'",
        '3:5: 2 in [ola] is "1d"; write working time in hours or minutes, like "24h"',
    ),
    (
        "teams.toml",
        "[service-desk]\ntitle='x'\n[\"A b\"]\ntitle='x'",
        '3:2: name "A b" is not accepted; use lower-case',
    ),
    (
        "policies.toml",
        "standard = 1\nurgent = 1",
        "1:1: this file has no [matrix]; add the table of priorities",
    ),
    ("categories.toml", "[a]\nen = ''", "2:6: en in [a] is no title; write text between quotes"),
    ("categories.toml", "[a]\nzh-hant = 'x'", '2:1: unknown key "zh-hant" in [a]; did you mean "zh-Hant"?'),
    ("categories.toml", "[a.b]\nen = 'x'", '1:2: category "a" has no title; add en = "…"'),
    ("categories.toml", "en = 'x'", '1:1: unknown key "en"; titles stand in a category, as en = …'),
    (
        "calendars/x.toml",
        "zone = 'UTC'",
        "1:1: this file is never open; add hours to [week], or always = true",
    ),
    (
        "calendars/x.toml",
        "zone = 'UTC'\nalways = true\nweek.mon = ['09:00-10:00']",
        "3:1: this file is always open and has a week; keep one of them",
    ),
    (
        "calendars/x.toml",
        "zone = 'UTC'\n[week]\nmon = ['09:00-12:00', '11:00-13:00']",
        "3:1: [week] has hours on mon that overlap or are not in order; write them in order",
    ),
    (
        "calendars/x.toml",
        "zone = 'UTC'\nalways = true\n[holidays]\nics = 'x.ics'",
        '4:1: ics in [holidays] names "x.ics"; put it into',
    ),
    (
        "calendars/x.toml",
        "zone = 'UTC'\nalways = true\n[holidays]\nics = '../x.ics'",
        '4:1: ics in [holidays] is "../x.ics"; write a file name without /',
    ),
    ("rota/x.toml", "title = 'x'\nzone = 'UTC'", '1:1: this file has no "shift"; add the table [[shift]]'),
    ("templates/kb.md", "Subject: x", "1:1: is no template by its name; name it NAME.LANGUAGE.md"),
    ("templates/kb.zh-TW.md", "Subject: x", "1:1: is no template by its name; name it NAME.LANGUAGE.md"),
    ("templates/kb.en.md", "Hello\nSubject: x", '1:1: has no subject; begin the first line with "Subject: "'),
]


@pytest.mark.parametrize(("name", "text", "expected"), FILE_FAULTS)
def test_fault_in_a_file_is_named_with_its_place(home: Path, name: str, text: str, expected: str) -> None:
    put(home, name, text)

    assert faults(home)[0].startswith(f"{name}:{expected}")
    with pytest.raises(FileError):
        read_home(home)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("1=[1,1,2,3]\n2=[1,2,3,4]\n3=[2,3,3,4]", ["1:2: [matrix] needs a row 4 of four priorities"]),
        (
            "1=[1,1,2]\n2=[1,2,3,4]\n3=[2,3,3,4]\n4=[3,4,4,5]",
            ["2:1: [matrix] needs a row 1 of four priorities"],
        ),
        (
            "1=[1,1,2,3]\n2=[1,2,3,6]\n3=[2,3,3,4]\n4=[3,4,4,5]",
            ["3:10: item 4 of 2 in [matrix] is 6; write a"],
        ),
        (
            "1=[1,1,2,3]\n2=[1,2,3,4]\n3=[2,3,3,4]\n4=[3,4,4,5]\n5=[1,1,1,1]",
            ['6:1: unknown row "5" in [matrix]'],
        ),
    ],
)
def test_matrix_must_be_four_by_four(home: Path, rows: str, expected: list[str]) -> None:
    policies = (home / "policies.toml").read_text()
    put(home, "policies.toml", f"[matrix]\n{rows}\n{policies[policies.index('[standard]') :]}")

    found = faults(home)

    assert [
        fault.startswith(f"policies.toml:{start}") for fault, start in zip(found, expected, strict=True)
    ] == [True]


QUEUE = 'title = "x"\n'
CROSSED = [
    (
        "queues/x.toml",
        QUEUE + 'team = "servicedesk"',
        '2:8: team is "servicedesk", which does not exist; did you mean ',
    ),
    (
        "queues/x.toml",
        QUEUE + 'team = "zzz"',
        '2:8: team is "zzz", which does not exist; add it to teams.toml',
    ),
    (
        "queues/x.toml",
        QUEUE + 'calendar = "zz"',
        '2:12: calendar is "zz", which does not exist; make calendars/zz.toml',
    ),
    (
        "queues/x.toml",
        QUEUE + 'policy = "standart"',
        '2:10: policy is "standart", which does not exist; did you mean ',
    ),
    (
        "queues/x.toml",
        QUEUE + 'addresses = ["support@example.org"]',
        '2:14: address "support@example.org" is already in queues/help-desk.toml; keep it in one place',
    ),
    (
        "queues/x.toml",
        QUEUE + 'addresses = ["x@example.org"]',
        '2:14: address "x@example.org" is not in addresses of [desk] in desk.toml; add it there',
    ),
    (
        "queues/x.toml",
        QUEUE + '[swarm.severe]\nrota = "zz"',
        '3:8: rota in [swarm.severe] is "zz", which does not exist; make rota/zz.toml',
    ),
    (
        "vendors.toml",
        '[p]\ntitle="P"\naddress="support@example.org"',
        '3:9: address "support@example.org" is the desk',
    ),
    (
        "vendors.toml",
        '[p]\ntitle="P"\naddress="p@p.example"\ncalendar="x"',
        '4:10: calendar in [p] is "x", which does',
    ),
    (
        "vendors.toml",
        '[p]\ntitle="P"\naddress="p@p.example"\n[q]\ntitle="Q"\naddress="P@p.example"',
        '6:9: address "p@p.example" is already that of [p]; give each vendor its own',
    ),
]


@pytest.mark.parametrize(("name", "text", "expected"), CROSSED)
def test_name_that_does_not_exist_is_one_fault_at_its_place(
    home: Path, name: str, text: str, expected: str
) -> None:
    put(home, name, text)

    (fault,) = faults(home)

    assert fault.startswith(f"{name}:{expected}")


def test_queue_of_the_desk_must_have_a_file(home: Path) -> None:
    text = (home / "desk.toml").read_text()
    put(home, "desk.toml", text.replace('queue = "help-desk"', 'queue = "helpdesk"'))

    (fault,) = faults(home)

    assert fault.endswith('queue in [desk] is "helpdesk", which does not exist; did you mean "help-desk"?')


def test_default_calendar_must_exist(home: Path) -> None:
    (home / "calendars/default.toml").rename(home / "calendars/other.toml")

    assert faults(home)[0] == 'calendars/default.toml:1:1: calendar "default" does not exist; make this file'


def test_calendar_made_by_a_rule_file_may_be_named(home: Path) -> None:
    put(home, "queues/x.toml", QUEUE + 'calendar = "office"')
    put(
        home,
        "rules/main.rules",
        "rules 1\n# hours late = x\nhours office = mon-fri 09:00-18:00 Asia/Taipei\n",
    )

    assert faults(home) == []


def test_broken_file_is_one_fault_although_others_name_it(home: Path) -> None:
    put(home, "calendars/default.toml", "zone = 'Asia/Taipei'\nweek = [")

    assert faults(home) == ["calendars/default.toml:2:9: Invalid value at the end of the file"]


def test_broken_desk_toml_does_not_hide_the_other_faults(home: Path) -> None:
    put(home, "desk.toml", "[desk")
    put(home, "teams.toml", "[service-desk]")

    assert [fault.partition(":")[0] for fault in faults(home)] == ["desk.toml", "teams.toml"]


def test_readme_hidden_and_foreign_files_are_no_home_files(home: Path) -> None:
    before = read_home(home)
    for name in (
        "templates/README.md",
        "templates/.kb.en.md.swp",
        "queues/.x.toml",
        "queues/x.toml~",
        "rota/x.txt",
    ):
        put(home, name, "nothing")

    assert read_home(home) == before
