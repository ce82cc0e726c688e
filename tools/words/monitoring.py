"""Words of the kinds that ask a monitoring system."""

from __future__ import annotations

from tools.words.tried import Tried

ACCESS = {
    "auth": "`{bearer: ...}` or `{basic: USER:PASSWORD}`",
    "headers": "headers by name; their values are masked in everything that is shown",
    "ca": "a file of certificates that are trusted",
}

OPTIONS: dict[str, dict[str, str]] = {
    "prometheus": {
        "prometheus": "the server's URL; a relative one starts at the environment's `url`",
        "query": "the query in PromQL; a `${...}` in quotes is escaped, elsewhere it is a number, a duration or a name",
        "worst": "`max` or `min`: of several series the largest or smallest is the value",
        "range": "how far to look back; `take` says what is made of the points of that time",
        "take": "of a `range`: the `avg`, `min`, `max`, `last`, `sum`, `count`, `p50`, `p95` or `p99` of its points",
        "step": "of a `range`: how far its points lie apart (a 240th of it, not below 15s; a quarter of a short one)",
        "newer_than": "how old the newest sample behind the query may be (90s; of a metric its `max_age` says it)",
        "fresh": "a selector whose samples prove that the source is fed, instead of those in the query",
        "partial": "`true`: an answer that the server warns of counts as well",
        **ACCESS,
    },
    "scrape": {
        "scrape": "the URL of the text; a relative one starts at the environment's `url`",
        "metric": "the metric as the text names it: `http_requests_total`, `queue_seconds_sum`",
        "labels": "labels that the series has, each with its value or a list of values; it may have others besides",
        "worst": "`max` or `min`: of several series the largest or smallest is the value",
        "sum": "`true`: the value is the sum of all the series that match",
        "quantile": "`p50`, `p90`, `p95` or `p99` out of the buckets of the histogram `metric`",
        "newer_than": "where times stand in the text: how old they may be (90s; of a metric its `max_age` says it)",
        **ACCESS,
    },
    "alertmanager": {
        "alertmanager": "the server's URL; a relative one starts at the environment's `url`",
        "matching": 'labels with their values, or a list of matchers as Alertmanager writes them: `severity=~"a|b"`',
        "silenced": "`true`: silenced alerts count as well",
        "inhibited": "`true`: inhibited alerts count as well",
        "heartbeat": "the name of an alert that always fires; without it nothing is known",
        **ACCESS,
    },
}

TRIED: dict[str, Tried] = {
    "prometheus": Tried(
        "tests/checks/test_prometheus.py", "Prometheus, fed by Pushgateway; servers on loopback that answer rubbish"
    ),
    "scrape": Tried(
        "tests/checks/test_scrape.py", "Pushgateway, Prometheus and Alertmanager; texts that are wrong in each way"
    ),
    "alertmanager": Tried(
        "tests/checks/test_alertmanager.py", "Alertmanager with alerts, silences and inhibition; scripted servers"
    ),
}
