"""What a person says to a purpose as of a day."""

from __future__ import annotations

from datetime import datetime

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from personalake.privacy.consent import persons_without_consent

NOW = "2024-03-10 00:00:00"
YES, NO, BACK = "granted", "denied", "withdrawn"


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2024, 3, day, hour)


# case → (words of login a, words of login b of the same person, may not be served where silence is yes, … is no);
# a word is (state, effective, expires)
CASES = {
    "never said anything": ([], [], False, True),
    "said yes": ([(YES, at(1), None)], [], False, False),
    "said no": ([(NO, at(1), None)], [], True, True),
    "took it back": ([(YES, at(1), None), (BACK, at(2), None)], [], True, True),
    "yes again": ([(BACK, at(1), None), (YES, at(2), None)], [], False, False),
    "took it back on the day itself": ([(YES, at(1), None), (BACK, at(10), None)], [], False, False),
    "took it back the second before": ([(YES, at(1), None), (BACK, at(9, 23), None)], [], True, True),
    "a yes that has expired": ([(YES, at(1), at(10))], [], True, True),
    "a yes that expires later": ([(YES, at(1), at(10, 1))], [], False, False),
    "yes and no at one moment": ([(YES, at(1), None), (NO, at(1), None)], [], True, True),
    "one login yes, the other no": ([(YES, at(5), None)], [(NO, at(1), None)], True, True),
    "one login yes, the other silent": ([(YES, at(5), None)], [], False, False),
}


@pytest.fixture(scope="module")
def refused(spark: SparkSession) -> dict[bool, set[str]]:
    consents, known = [], []
    for case, (left, right, *_) in CASES.items():
        for login, words in ((f"{case}/a", left), (f"{case}/b", right)):
            known.append(("login", login, case))
            for n, (state, effective, expires) in enumerate(words):
                consents.append((f"{login}/{n}", "login", login, "personalisation", state, effective, expires))
        consents.append((f"{case}/x", "login", f"{case}/a", "email", NO, at(1), None))
    columns = "consent_id string, identifier_kind string, identifier string, purpose string, state string, "
    said = spark.createDataFrame(consents, columns + "effective_at timestamp, expires_at timestamp")
    whose = spark.createDataFrame(known, "identifier_kind string, identifier string, person_id string")
    persons = whose.select("person_id").distinct()
    return {
        is_required: {
            row.person_id
            for row in persons_without_consent(
                persons, said, whose, "personalisation", F.lit(NOW).cast("timestamp"), is_required
            ).collect()
        }
        for is_required in (False, True)
    }


@pytest.mark.parametrize("case", CASES)
def test_who_may_not_be_served(refused, case):
    _, _, where_silence_is_yes, where_silence_is_no = CASES[case]
    assert (case in refused[False], case in refused[True]) == (where_silence_is_yes, where_silence_is_no)
