"""cfn-guard with our rules, and checkov: on everything that can be deployed. Each rule meets a stack that breaks it."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cfn_guard_rs.cfn_guard_rs import run_checks_rs

from deployed import EVERYTHING, FUNCTION, WEBHOOK, deployed

HERE = Path(__file__).parent
RULES = (HERE / "rules.guard").read_text()
Resources = dict[str, Any]


def broken_rules(resources: Resources) -> set[str]:
    # The library's own short report loses its beginning where it is long; the long one is whole.
    report = json.loads(run_checks_rs(json.dumps({"Resources": resources}), RULES, True))
    verdicts = {one["container"]["RuleCheck"]["name"]: one["container"]["RuleCheck"]["status"] for one in report["children"]}
    assert verdicts.keys() == set(re.findall(r"^rule (\w+)", RULES, re.M)), verdicts
    return {rule for rule, verdict in verdicts.items() if verdict == "FAIL"}


def properties(resources: Resources, name: str) -> dict[str, Any]:
    return resources[name]["Properties"]


# What somebody might do to the template, by the rule that minds.
BREAKS: dict[str, list[Callable[[Resources], Any]]] = {
    "table_encrypted": [lambda r: properties(r, "TicketsTable").pop("SSESpecification")],
    "table_of_no_name": [lambda r: properties(r, "IdentitiesTable").update(TableName="identities")],
    "table_on_demand": [lambda r: properties(r, "SessionsTable").update(BillingMode="PROVISIONED")],
    "lasting_table_kept": [
        lambda r: r["IdentitiesTable"].update(UpdateReplacePolicy="Delete"),
        lambda r: properties(r, "IdentitiesTable").update(DeletionProtectionEnabled=False),
        lambda r: properties(r, "IdentitiesTable").pop("PointInTimeRecoverySpecification"),
        lambda r: properties(r, "IdentitiesTable").update(TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": True}),
    ],
    "passing_table_tidied": [
        lambda r: properties(r, "TicketsTable").pop("TimeToLiveSpecification"),
        lambda r: properties(r, "SessionsTable")["TimeToLiveSpecification"].update(Enabled=False),
    ],
    "no_secret_in_env": [lambda r: properties(r, "CallbackFunction")["Environment"]["Variables"].update(LWA_CLIENT_SECRET="x")],
    "logs_as_json_and_never_at_trace": [
        lambda r: properties(r, "LinkFunction")["LoggingConfig"].update(ApplicationLogLevel="TRACE"),
        lambda r: properties(r, "LinkFunction")["LoggingConfig"].update(LogFormat="Text"),
        lambda r: properties(r, "LinkFunction")["LoggingConfig"].pop("LogGroup"),
    ],
    "function_ends_before_its_caller": [
        lambda r: properties(r, "LinkFunction").update(Timeout=30),
        lambda r: properties(r, "LinkFunction").update(Timeout=3),
    ],
    "no_role_may_everything": [
        lambda r: properties(r, "LinkRole")["Policies"][0]["PolicyDocument"]["Statement"][2].update(Action=["dynamodb:*"]),
        lambda r: properties(r, "LinkRole")["Policies"][0]["PolicyDocument"]["Statement"][2].update(Resource="*"),
    ],
    "no_cors": [
        lambda r: properties(r, "Api").update(CorsConfiguration={"AllowOrigins": ["https://elsewhere.example"]}),
        lambda r: properties(r, "Api")["Body"].update({"x-amazon-apigateway-cors": {"allowOrigins": ["*"]}}),
    ],
    "no_way_around_the_domain": [
        lambda r: properties(r, "Api")["Body"].pop("servers"),
        lambda r: properties(r, "Api")["Body"].update(
            servers=[{"x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": False}}]
        ),
    ],
    "domain_speaks_modern_tls": [
        lambda r: properties(r, "Domain")["DomainNameConfigurations"][0].update(SecurityPolicy="TLS_1_0"),
    ],
    "throttled": [
        lambda r: properties(r, "ApiApiGatewayDefaultStage").pop("DefaultRouteSettings"),
        lambda r: properties(r, "ApiApiGatewayDefaultStage")["RouteSettings"].pop("ANY /auth/amazon/link"),
    ],
    "access_log_without_queries": [
        lambda r: properties(r, "ApiApiGatewayDefaultStage").pop("AccessLogSettings"),
        lambda r: properties(r, "ApiApiGatewayDefaultStage")["AccessLogSettings"].update(Format='{"path":"$context.path"}'),
    ],
    "logs_end": [lambda r: properties(r, "AccessLogs").pop("RetentionInDays")],
    "queue_encrypted": [lambda r: properties(r, "LifecycleUndelivered").pop("KmsMasterKeyId")],
    "alarm_says_what_to_do": [lambda r: properties(r, "AmazonFailsAlarm").update(AlarmDescription="Amazon fails.")],
}


class Guard(unittest.TestCase):
    def test_no_stack_breaks_a_rule(self) -> None:
        for parameters in ({}, EVERYTHING, WEBHOOK, FUNCTION):
            self.assertEqual(broken_rules(deployed(parameters)), set(), parameters)

    def test_every_rule_bites(self) -> None:
        whole = deployed(EVERYTHING)
        self.assertEqual(set(re.findall(r"^rule (\w+)", RULES, re.M)), BREAKS.keys())
        for rule, breaks in BREAKS.items():
            for number, break_it in enumerate(breaks):
                with self.subTest(rule=rule, number=number):
                    stack = copy.deepcopy(whole)
                    break_it(stack)
                    self.assertEqual(broken_rules(stack), {rule})


# What checkov asks of everything, and why we do not do it everywhere. It reads a stack that uses all
# parameters: a key of the operator's own and a VPC are there for whoever asks for them.
NOT_FOR_US = {
    "CKV_AWS_28": {  # sessions and tickets end by themselves, in days: there is nothing to go back to
        "AWS::DynamoDB::Table.SessionsTable",
        "AWS::DynamoDB::Table.TicketsTable",
    },
    "CKV_AWS_115": None,  # setting concurrency aside takes it from everybody else: done for `link` alone
    "CKV_AWS_116": None,  # whoever waits for an answer has one; events about accounts have a queue of their own
}
# Found on the translated template alone, where it is one; and by nothing else of ours.
PLANTED = {"CKV_AWS_111", "CKV_AWS_109"}


class Checkov(unittest.TestCase):
    def test_nothing_is_found_but_what_we_decided_and_what_is_planted(self) -> None:
        whole, planted = deployed(EVERYTHING), deployed(EVERYTHING)
        properties(planted, "LinkRole")["Policies"][0]["PolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "Action": ["dynamodb:*", "iam:*"], "Resource": "*"}
        )
        found = self.checkov(whole, planted)
        self.assertLessEqual(PLANTED, found["planted.json"].keys() - found["whole.json"].keys())
        for check, resources in found["whole.json"].items():
            self.assertIn(check, NOT_FOR_US, resources)
            allowed = NOT_FOR_US[check]
            self.assertLessEqual(resources, resources if allowed is None else allowed, check)
        self.assertEqual(found["whole.json"].keys(), NOT_FOR_US.keys(), "some reason is not needed any more")

    def checkov(self, *stacks: Resources) -> dict[str, dict[str, set[str]]]:
        """The checks that failed, each with the resources, by file."""
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in ("whole.json", "planted.json")]
            for file, resources in zip(files, stacks, strict=True):
                file.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}))
            arguments = ["--framework", "cloudformation", "--compact", "--quiet", "--skip-download", "--output", "json"]
            named = [part for file in files for part in ("--file", str(file))]
            command = [str(Path(sys.executable).with_name("checkov")), *named, *arguments]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            found: dict[str, dict[str, set[str]]] = {file.name: {} for file in files}
            for failed in json.loads(ran.stdout)["results"]["failed_checks"]:
                checks = found[Path(failed["file_path"]).name]
                checks.setdefault(failed["check_id"], set()).add(failed["resource"])
            return found


if __name__ == "__main__":
    unittest.main()
