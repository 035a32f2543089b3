#!/usr/bin/env python3
"""What a million sign-ins cost, what a million checks cost, and what breaks first: on paper.

    infra/cost/cost.py                     the tables, in Markdown
    infra/cost/cost.py --json              the same as numbers
    infra/cost/cost.py NAME=VALUE …        with other inputs: prices, quotas or what is assumed
    infra/cost/cost.py --measured FILE …   with other counts than those of measured.json

The counts are measured (`tests/run bench` writes them to target/bench.json); prices and quotas are inputs,
as they stood in the public lists of us-east-1 in November 2026. Look yours up before you rely on them.
"""
import json
import os
import sys
from dataclasses import dataclass, fields

HERE = os.path.dirname(os.path.abspath(__file__))
MILLION = 1e6
SECONDS_A_MONTH = 30 * 24 * 3600


@dataclass
class Inputs:
    """Everything that is not measured: in dollars where it is a price."""

    # Prices. Lambda and API Gateway: their pricing pages; a start is billed as a request is.
    lambda_million_requests: float = 0.20
    lambda_gb_second: float = 0.0000133334  # arm64; x86_64 is 0.0000166667
    api_million_requests: float = 1.00  # HTTP API, the first 300 million a month
    # On demand; a transaction takes twice the units, which the counts know.
    dynamodb_million_writes: float = 0.625
    dynamodb_million_reads: float = 0.125
    logs_gb: float = 0.50
    metric_month: float = 0.30  # each of the first 10,000 custom metrics, by the hours that it is used in
    alarm_month: float = 0.10
    secret_month: float = 0.40
    secrets_million_calls: float = 5.00
    kms_key_month: float = 1.00
    kms_million_calls: float = 3.00

    # What is deployed, where the template leaves it open.
    custom_metrics: float = 40  # how many different ones the log lines make
    alarms: float = 15
    secrets: float = 1
    kms_keys: float = 0  # of your own; DynamoDB asks each at most once in five minutes for a table
    log_bytes: float = 0  # of one request; 0 takes what was measured
    access_log_bytes: float = 260  # the gateway's own line

    # Assumed: how long others take, in milliseconds, and how busy a site is.
    amazon_ms: float = 150
    dynamodb_ms: float = 5
    secrets_ms: float = 15
    start_ms: float = 40  # what Lambda adds to a start: the process's own is measured
    requests_per_start: float = 1000
    checks_per_sign_in: float = 20
    processor: float = 2.5  # how much slower Lambda's is than the one that was measured on

    # Quotas, as AWS gives them to a new account; most are raised on request.
    api_requests_second: float = 10_000
    lambda_concurrency: float = 1_000
    lambda_requests_per_environment: float = 10
    lambda_ramp_10_seconds: float = 1_000
    dynamodb_writes_new_table: float = 4_000
    dynamodb_reads_new_table: float = 12_000
    dynamodb_units_table: float = 40_000
    secrets_calls_second: float = 10_000


# Who asks what: the requests of one of each, by the names that `tests/run bench` gives them.
SIGN_INS: dict[str, list[str]] = {
    "known customer": ["login", "callback, known customer"],
    "newcomer": ["login", "callback, newcomer"],
    "newcomer who is asked for an address": [
        "login",
        "callback, newcomer without address",
        "registration page",
        "registration",
    ],
    "first time with an old account": [
        "login",
        "callback, an account has the address",
        "link page",
        "link, right password",
    ],
    "app with a token": ["hand-off, known customer"],
    "television, which asks five times": ["a television begins"] + ["a television waits"] * 4 + ["a television is let in"],
}
CHECKS: dict[str, list[str]] = {
    "check by your site": ["session check"],
    "check by the API's authorizer": ["session check by the gateway"],
    "cookie that cannot be ours": ["session check, malformed cookie"],
    "log-out": ["log-out"],
}

@dataclass
class Cost:
    """Of a million, in dollars."""

    api: float = 0
    requests: float = 0
    compute: float = 0
    dynamodb: float = 0
    logs: float = 0

    @property
    def total(self) -> float:
        return sum(getattr(self, field.name) for field in fields(self))


class Model:
    def __init__(self, inputs: Inputs, measured: dict) -> None:
        self.inputs = inputs
        self.flows: dict = measured["flows"]
        self.programs: dict = measured["programs"]
        self.memory: dict = measured["memory_mb"]

    def log_bytes(self, function: str) -> float:
        return self.inputs.log_bytes or self.programs[function]["log_bytes"]

    def milliseconds(self, flow: str) -> float:
        """How long a request runs: its time on a processor, its share of a start, and its waiting."""
        inputs, counts = self.inputs, self.flows[flow]
        program, memory = self.programs[counts["function"]], self.memory[counts["function"]]
        share = min(1.0, memory / 1769)
        # Where a password is hashed, that request is measured; else one of the function's.
        own = self.programs.get(flow, program)["warm_cpu_us"]["median"] / 1000
        start = program["init_cpu_us"]["median"] / 1000 * inputs.processor + inputs.start_ms
        # Tokeninfo and profile are asked at once: three calls are two round trips.
        trips = {0: 0, 1: 1, 2: 2, 3: 2}[counts["amazon_calls"]]
        waits = trips * inputs.amazon_ms + counts["dynamodb_requests"] * inputs.dynamodb_ms
        return own * inputs.processor / share + waits + start / inputs.requests_per_start

    def cost(self, flows: list[str], through_api: bool = True) -> Cost:
        """A million of all of these requests."""
        inputs, cost = self.inputs, Cost()
        for flow in flows:
            counts = self.flows[flow]
            gigabytes = self.memory[counts["function"]] / 1024
            cost.api += inputs.api_million_requests * through_api
            cost.requests += inputs.lambda_million_requests
            cost.compute += self.milliseconds(flow) / 1000 * MILLION * gigabytes * inputs.lambda_gb_second
            cost.dynamodb += counts["write_units"] * inputs.dynamodb_million_writes
            cost.dynamodb += counts["read_units"] * inputs.dynamodb_million_reads
            logged = self.log_bytes(counts["function"]) + inputs.access_log_bytes * through_api
            cost.logs += logged * MILLION / 1e9 * inputs.logs_gb
        return cost

    def fixed(self) -> float:
        """A month in which nobody comes."""
        inputs = self.inputs
        return (
            inputs.custom_metrics * inputs.metric_month
            + inputs.alarms * inputs.alarm_month
            + inputs.secrets * inputs.secret_month
            + inputs.kms_keys * inputs.kms_key_month
        )

    def load(self, per_second: float) -> dict[str, float]:
        """What so many sign-ins of known customers a second ask for, with the checks that follow."""
        inputs = self.inputs
        sign_in, check = SIGN_INS["known customer"], CHECKS["check by your site"]
        checks = per_second * inputs.checks_per_sign_in
        rates = [(flow, per_second) for flow in sign_in] + [(flow, checks) for flow in check]
        units = {kind: sum(self.flows[flow][kind] * rate for flow, rate in rates) for kind in ("read_units", "write_units")}
        # By time, or by how many requests an environment takes in a second, whichever is more.
        environments = {
            flow: max(self.milliseconds(flow) / 1000 * rate, rate / inputs.lambda_requests_per_environment)
            for flow, rate in rates
        }
        callback = environments[sign_in[-1]]
        return {
            "API requests/s": sum(rate for _, rate in rates),
            "environments": sum(environments.values()),
            "seconds to start them": sum(environments.values()) / inputs.lambda_ramp_10_seconds * 10,
            "DynamoDB writes/s": units["write_units"],
            "DynamoDB reads/s": units["read_units"],
            "calls to Amazon/s": self.flows[sign_in[-1]]["amazon_calls"] * per_second,
            # Each environment of the callback reads its secret every five minutes.
            "secrets read/s": callback / 300,
            "log, MB/s": sum((self.log_bytes(self.flows[flow]["function"]) + inputs.access_log_bytes) * rate for flow, rate in rates) / 1e6,
            "$ a month": self.month(per_second, callback),
        }

    def month(self, per_second: float, environments: float) -> float:
        inputs = self.inputs
        millions = per_second * SECONDS_A_MONTH / MILLION
        sign_in = self.cost(SIGN_INS["known customer"]).total
        check = self.cost(CHECKS["check by your site"]).total
        secrets = environments / 300 * SECONDS_A_MONTH / MILLION * inputs.secrets_million_calls
        # DynamoDB asks for a key of your own once in five minutes.
        kms = inputs.kms_keys * SECONDS_A_MONTH / 300 / MILLION * inputs.kms_million_calls
        return self.fixed() + secrets + kms + millions * (sign_in + inputs.checks_per_sign_in * check)

    def limits(self, per_second: float) -> list[tuple[str, float]]:
        """How much of each quota that takes; the first one breaks first."""
        inputs, load = self.inputs, self.load(per_second)
        quotas = {
            "API Gateway's requests": load["API requests/s"] / inputs.api_requests_second,
            "Lambda's concurrency": load["environments"] / inputs.lambda_concurrency,
            "writes of a new table": load["DynamoDB writes/s"] / inputs.dynamodb_writes_new_table,
            "reads of a new table": load["DynamoDB reads/s"] / inputs.dynamodb_reads_new_table,
            "units of a table": max(load["DynamoDB writes/s"], load["DynamoDB reads/s"]) / inputs.dynamodb_units_table,
            "Secrets Manager's calls": load["secrets read/s"] / inputs.secrets_calls_second,
        }
        return sorted(quotas.items(), key=lambda quota: -quota[1])


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount < 1000 else f"${amount:,.0f}"


def number(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.2g}"


def quota(name: str, taken: float) -> str:
    return f"{name}: {taken:.0%}" if taken >= 0.1 else f"{name}: {taken:.2%}"


def tables(model: Model) -> str:
    head = ["a million", "total", "API", "Lambda requests", "Lambda time", "DynamoDB", "logs"]
    rows = []
    for name, flows in {**SIGN_INS, **CHECKS}.items():
        # The authorizer is asked by the API that the site's own route pays for.
        cost = model.cost(flows, "authorizer" not in name)
        rows.append([name] + [dollars(amount) for amount in (cost.total, cost.api, cost.requests, cost.compute, cost.dynamodb, cost.logs)])
    text = table(head, rows)
    speeds = [1, 100, 10_000]
    loads = [model.load(speed) for speed in speeds]
    head = ["sign-ins a second"] + [number(speed) for speed in speeds]
    rows = [[what] + [number(load[what]) for load in loads] for what in loads[0]]
    for nth, place in enumerate(["first quota, and how much of it", "second", "third"]):
        rows.append([place] + [quota(*model.limits(speed)[nth]) for speed in speeds])
    text += "\n" + table(head, rows)
    text += f"\nA month in which nobody comes: {dollars(model.fixed())}.\n"
    return text


def main(arguments: list[str]) -> int:
    inputs, file, as_json = Inputs(), os.path.join(HERE, "measured.json"), False
    names = {field.name for field in fields(Inputs)}
    while arguments:
        argument = arguments.pop(0)
        name, _, value = argument.partition("=")
        if argument == "--json":
            as_json = True
        elif argument == "--measured" and arguments:
            file = arguments.pop(0)
        elif name in names and value:
            setattr(inputs, name, float(value))
        else:
            print(f"{argument}: neither --json nor --measured FILE nor one of {', '.join(sorted(names))}", file=sys.stderr)
            return 2
    with open(file, encoding="utf-8") as counts:
        model = Model(inputs, json.load(counts))
    if as_json:
        costs = {name: model.cost(flows, "authorizer" not in name).total for name, flows in {**SIGN_INS, **CHECKS}.items()}
        print(json.dumps({"per_million": costs, "fixed": model.fixed(), "at": {str(speed): model.load(speed) for speed in (1, 100, 10_000)}}))
    else:
        print(tables(model))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
