"""Who may do what: the whole of it, compared as sets. What is not in the table here, no function may."""

from __future__ import annotations

import re
import unittest
from typing import Any

from deployed import EVERYTHING, FUNCTION, NEEDED, WEBHOOK, deployed, of_type

# function: table → actions. `accounts` is the site's table, `index` its index by address.
G, P, U, D, C, Q, B = "GetItem", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem", "Query", "BatchWriteItem"
TABLES: dict[str, dict[str, set[str]]] = {
    "login": {},
    "callback": {"Identities": {G, P, U}, "Sessions": {G, P, U, D, C}, "Tickets": {G, P, U}, "accounts": {G, P, U, C}, "index": {Q}},
    "link": {"Identities": {G, P, U}, "Sessions": {G, P, D, C}, "Tickets": {G, P, U, D}, "accounts": {G, U, C}},
    "register": {"Identities": {G, P, U}, "Sessions": {G, P, U, D, C}, "Tickets": {G, P, U}, "accounts": {G, P, U, C}, "index": {Q}},
    "handoff": {"Identities": {G, P, U}, "Sessions": {G, P, U, D, C}, "Tickets": {G, P, U}, "accounts": {G, P, U, C}, "index": {Q}},
    "session": {"Sessions": {G, U}},
    "logout": {"Sessions": {G, D}},
    "device": {"Identities": {G, U}, "Sessions": {G, P, C}, "Tickets": {G, P, U, D}, "accounts": {G, U, C}, "index": {Q}},
    "accept": {"Sessions": {G, P, U, D, C}, "Tickets": {G, D}},
    "reauthenticate": {"Sessions": {G, P, D, C}, "Tickets": {U}, "accounts": {G, C}},
    "connections": {"Identities": {G, D}, "Sessions": {G, Q, P, U, D, B, C}, "Tickets": {G, Q, P, D, B}, "accounts": {G, C}},
    "authorizer": {"Sessions": {G, U}},
    "lifecycle": {"Identities": {G, U, D, C}, "Sessions": {G, Q, U, B, C}, "Tickets": {Q, P, U, B}, "accounts": {G}},
    "notices": {"Tickets": {Q, P, D}},
    "pretraffic": {},
}
# Over a wire the site's table is out of reach, and what was begun there may be given up.
GIVES_UP = {"callback", "register", "handoff"}
SECRETS = {
    "callback": {"lwa"},
    "handoff": {"lwa", "proxy"},
    "device": {"proxy"},
    "lifecycle": {"webhook"},
}
# Who signs messages to a site.
SIGNS = {"callback", "link", "register", "handoff", "device", "reauthenticate", "connections"}
ASKS_FUNCTION = SIGNS | {"lifecycle"}
READS_KEY_OF_ACCOUNTS = SIGNS | {"lifecycle"}


def may(parameters: dict[str, str]) -> dict[str, set[tuple[str, str]]]:
    """What each function may do: actions, each with what it may be done to."""
    resources = deployed(parameters)
    roles = of_type(resources, "AWS::IAM::Role")
    found = {}
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        match function["Role"]:
            case {"Fn::GetAtt": [role, "Arn"]}:
                assert role == name.removesuffix("Function") + "Role", f"{name} goes by the role {role}"
        found[name.removesuffix("Function").lower()] = granted(roles[role])
    return found


def granted(role: dict[str, Any]) -> set[tuple[str, str]]:
    grants = set()
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement.keys() <= {"Effect", "Action", "Resource", "Condition"}, statement
            assert statement["Effect"] == "Allow"
            resources = statement["Resource"]
            for resource in resources if isinstance(resources, list) else [resources]:
                grants |= {(action, target(resource)) for action in statement["Action"]}
    return grants


def target(resource: Any) -> str:
    """What a statement is about, in a word."""
    users = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${AccountsTableName}"
    match resource:
        case {"Fn::GetAtt": [name, "Arn"]}:
            return "accounts" if name == "AccountsTable" else name.removesuffix("Table")
        case {"Fn::GetAtt": [name, "StreamArn"]}:
            return f"{name.removesuffix('Table')} stream"
        case {"Fn::Sub": text}:
            for arn in (users, "${AccountsTable.Arn}"):
                text = re.sub(f"^{re.escape(arn)}/index/.*", "index", text)
                text = "accounts" if text == arn else text
            return text
        case str():
            named = [one for given in (EVERYTHING, NEEDED, FUNCTION) for one in given.items()]
            return next((name for name, value in named if value == resource), resource)
    return str(resource)


# What every function may: write its log.
ALL = {("logs:CreateLogStream", "Logs"), ("logs:PutLogEvents", "Logs")}
OF_SECRETS = {"lwa": "LwaClientSecretArn", "proxy": "TrustedProxySecretArn", "webhook": "AccountsWebhookSecretArn"}


def expected(function: str, kind: str, everything: bool, notices: bool) -> set[tuple[str, str]]:
    grants = set(ALL)
    for table, actions in TABLES[function].items():
        if kind == "table" or table not in ("accounts", "index"):
            grants |= {(f"dynamodb:{action}", table) for action in actions}
    if kind != "table" and function in GIVES_UP:
        grants.add(("dynamodb:DeleteItem", "Identities"))
    secrets = set(SECRETS.get(function, ()))
    if kind == "webhook" and function in SIGNS | {"notices"}:
        secrets.add("webhook")
    if not everything:
        secrets -= {"proxy"} if kind == "webhook" else {"proxy", "webhook"}
    grants |= {("secretsmanager:GetSecretValue", OF_SECRETS[secret]) for secret in secrets}
    if kind == "function" and function in ASKS_FUNCTION | {"notices"}:
        grants.add(("lambda:InvokeFunction", "AccountsFunctionArn"))
    if everything:
        grants.add(("kms:Decrypt", "KmsKeyArn"))
        if kind == "table" and function in READS_KEY_OF_ACCOUNTS:
            grants.add(("kms:Decrypt", "AccountsTableKmsKeyArn"))
        if secrets or function in SIGNS | {"notices"}:
            grants.add(("kms:Decrypt", "SecretsKmsKeyArn"))
        if function == "lifecycle":
            grants.add(("kms:GenerateDataKey", "KmsKeyArn"))
    if function == "pretraffic":
        hook = ("ListDeploymentTargets", "BatchGetDeploymentTargets", "PutLifecycleEventHookExecutionStatus")
        group = "arn:${AWS::Partition}:codedeploy:${AWS::Region}:${AWS::AccountId}:deploymentgroup:${ServerlessDeploymentApplication}/*"
        grants |= {(f"codedeploy:{action}", group) for action in hook}
        others = {name for name in TABLES if name != function and (name != "notices" or notices)}
        grants |= {("lambda:InvokeFunction", f"${{{name.capitalize()}Function.Arn}}:*") for name in others}
    if function == "lifecycle":
        grants.add(("sqs:SendMessage", "LifecycleUndelivered"))
    if function == "notices":
        grants |= {(f"dynamodb:{action}", "Tickets stream") for action in ("DescribeStream", "GetRecords", "GetShardIterator")}
        grants.add(("dynamodb:ListStreams", "${TicketsTable.Arn}/stream/*"))
        if kind == "table":
            grants |= {("sqs:SendMessage", "Notices"), ("events:PutEvents", "Notices")}
    return grants


class Permissions(unittest.TestCase):
    maxDiff = None

    def test_m06_every_function_may_what_the_table_says_and_nothing_else(self) -> None:
        for kind, everything, parameters in [
            ("table", False, {}),
            ("table", True, EVERYTHING),
            ("webhook", False, WEBHOOK),
            ("function", False, FUNCTION),
        ]:
            have = may(parameters)
            notices = "Notices" in parameters
            wanted = {name: expected(name, kind, everything, notices) for name in TABLES}
            if not notices:
                del wanted["notices"]
            self.assertEqual(have.keys(), wanted.keys())
            for name in wanted:
                with self.subTest(kind=kind, everything=everything, function=name):
                    self.assertEqual(sorted(have[name]), sorted(wanted[name]))

    def test_no_role_goes_beyond_the_boundary_that_was_asked_for(self) -> None:
        for name, role in of_type(deployed(EVERYTHING), "AWS::IAM::Role").items():
            self.assertEqual(role.get("PermissionsBoundary"), EVERYTHING["PermissionsBoundaryArn"], name)
        for name, role in of_type(deployed(), "AWS::IAM::Role").items():
            self.assertNotIn("PermissionsBoundary", role, name)

    def test_a_ready_made_policy_is_there_for_whoever_asked_for_a_vpc_alone(self) -> None:
        for name, role in of_type(deployed(), "AWS::IAM::Role").items():
            self.assertNotIn("ManagedPolicyArns", role, name)
        vpc = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"}
        for name, role in of_type(deployed(EVERYTHING), "AWS::IAM::Role").items():
            self.assertEqual(role.get("ManagedPolicyArns", [vpc]), [vpc], name)

    def test_a_secrets_key_opens_secrets_and_nothing_else(self) -> None:
        seen = 0
        for role in of_type(deployed(EVERYTHING), "AWS::IAM::Role").values():
            for statement in role["Policies"][0]["PolicyDocument"]["Statement"]:
                if statement["Resource"] == EVERYTHING["SecretsKmsKeyArn"]:
                    via = statement["Condition"]["StringEquals"]["kms:ViaService"]
                    self.assertEqual(via, {"Fn::Sub": "secretsmanager.${AWS::Region}.amazonaws.com"})
                    seen += 1
        self.assertGreater(seen, 0)

    def test_only_the_gateway_a_rule_and_a_schedule_of_this_stack_may_invoke_a_function(self) -> None:
        for name, permission in of_type(deployed(EVERYTHING), "AWS::Lambda::Permission").items():
            self.assertIn(permission["Principal"], ("apigateway.amazonaws.com", "events.amazonaws.com"), name)
            self.assertIn("SourceArn", permission, name)
            self.assertEqual(permission["FunctionName"]["Ref"][-9:], "Aliaslive", name)


if __name__ == "__main__":
    unittest.main()
