"""The whole rollout of the enrichment runbook, as a team types it: from disabled to two hops, and stable."""

from __future__ import annotations

from pathlib import Path

from tests.seeds.practice import Practice, practised, shown

REVIEWED = ("metrics_reviewed_by", "approved_by")


def percentage(practice: Practice) -> str:
    return practice.flags()["ENRICHMENT_ROLLOUT_PERCENTAGE"]


def test_from_disabled_to_two_hops_and_stable(tmp_path: Path) -> None:
    with practised(tmp_path, "enrichment") as practice:
        into_the_canary(practice)
        a_fallback_to_five_and_up_again(practice)
        through_the_half(practice)
        a_partial_way_back_and_an_emergency(practice)
        practice.fault("none")
        practice.run("incident", "resolve", "the model server was at its limit; it has more memory now")
        practice.run("release", code=None)
        into_the_canary(practice)
        through_the_canary(practice)
        through_the_half(practice)
        to_the_top_and_stable(practice)
        practice.run("audit", "verify")


def into_the_canary(practice: Practice) -> None:
    """With the preflight, the baseline, and a second person's signature."""
    if practice.json("status")["stage"] is None:
        practice.run("preflight")
        practice.run("ramp", "0", "--yes")
    refused = practice.run("ramp", "10", "--yes", code=None)
    assert refused.code in (1, 3) and "verified_by" in refused.said
    practice.run("baseline", "capture", "--for", "3s")
    practice.run("sign", "verified_by", by="ben")
    practice.run("preflight", "canary")
    practice.run("ramp", "10", "--yes")
    assert percentage(practice) == "10"


def a_fallback_to_five_and_up_again(practice: Practice) -> None:
    """Answers become slow; the watcher does what the stage says, and somebody looks before it goes up again."""
    practice.fault("p95_latency=3900ms")
    practice.run("watch", "--act", code=1)
    assert percentage(practice) == "5" and practice.at() == "canary@5"
    refused = practice.run("ramp", "10", "--yes", code=1)
    assert "release" in refused.said
    practice.fault("none")
    practice.run("release")
    practice.baked()
    practice.run("ramp", "10", "--yes")
    assert practice.at() == "canary@10"
    through_the_canary(practice)


def signed(practice: Practice, *items: str) -> None:
    for item in items:
        practice.run("sign", item)
    for role, who in zip(REVIEWED, ("ben", "cleo"), strict=True):
        practice.run("sign", role, code=1)  # ana deployed it
        practice.run("sign", role, by=who)


def through_the_canary(practice: Practice) -> None:
    practice.baked()
    signed(practice, "no_critical_bug_reported", "better_answers")
    practice.run("gate")
    practice.run("ramp", "50", "--yes")
    assert practice.at() == "half@50"


def through_the_half(practice: Practice) -> None:
    practice.baked()
    signed(practice)
    practice.run("ramp", "100", "--yes")
    assert practice.at() == "full@100"


def a_partial_way_back_and_an_emergency(practice: Practice) -> None:
    practice.run("rollback", "--partial", "--yes", "--reason", "answers take longer at full traffic")
    assert practice.at() == "half@50" or percentage(practice) == "50"
    practice.fault("error_rate=8%")
    ended = practice.run("rollback", "--emergency", "--yes")
    assert percentage(practice) == "0" and practice.flags()["MAX_HOPS"] == "1"
    assert "SAFE" in ended.said


def to_the_top_and_stable(practice: Practice) -> None:
    practice.baked()
    practice.run("sign", "user_feedback_is_positive")
    practice.run("sign", "final_review_by", by="ben")
    practice.run("sign", "completed_by", by="ben")
    practice.run("ramp", "two-hops", "--yes")
    assert practice.at() == "two-hops@10" and practice.flags()["MAX_HOPS"] == "2"
    practice.baked()
    practice.run("ramp", "100", "--yes")
    practice.baked()
    told = practice.json("declare", "stable")
    assert told["verdict"] == "go", shown(told)
    assert [event["payload"]["why"] for event in practice.events("rollout.ended")] == ["safe again", "stable"]
