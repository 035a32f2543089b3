"""What else a deployment has to be: reached by its alias alone, watched, asked for little, and refused where it cannot work."""

from __future__ import annotations

import json
import re
import unittest
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from deployed import EVERYTHING, FUNCTION, NEEDED, TEMPLATE, WEBHOOK, deployed, of_type, translated

ROOT = Path(__file__).parents[2]
SOURCE: dict[str, Any] = yaml_parse(TEMPLATE.read_text())
PARAMETERS: dict[str, dict[str, Any]] = SOURCE["Parameters"]


class Parameters(unittest.TestCase):
    def test_three_are_needed_and_all_others_have_a_default(self) -> None:
        self.assertEqual({name for name, one in PARAMETERS.items() if "Default" not in one}, NEEDED.keys())

    def test_each_is_described_and_stands_in_one_group(self) -> None:
        groups = SOURCE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        self.assertEqual(sorted(name for group in groups for name in group["Parameters"]), sorted(PARAMETERS))
        for name, one in PARAMETERS.items():
            self.assertRegex(one["Description"], r"^[A-Z].*[.…]$", name)
            if "AllowedPattern" in one and "Default" not in one:
                self.assertIn("ConstraintDescription", one, name)

    def test_what_cannot_work_is_refused_before_anything_is_made(self) -> None:
        for name, value in [
            ("PublicUrl", "http://shop.example"),
            ("PublicUrl", "https://shop.example/"),
            ("PublicUrl", "https://shop.example/auth"),
            ("PublicUrl", "shop.example"),
            ("LwaClientId", "amzn1.application.0123"),
            ("LwaClientSecretArn", "the-secret-itself"),
            ("AccountsWebhookUrl", "http://shop.example/accounts"),
            ("AccountsFunctionArn", "accounts"),
            ("Notices", "arn:aws:sns:us-east-1:123456789012:topic"),
            ("LwaRegion", "us"),
            ("LwaApiUrl", "https://api.amazon.evil.example"),
            ("LwaAuthorizeUrl", "http://localhost.evil.example/"),
            ("DomainName", "https://auth.shop.example"),
            ("KmsKeyArn", "alias/ours"),
            ("AlarmTopicArn", "me@shop.example"),
            ("LogRetentionDays", "7"),
            ("Architecture", "riscv"),
            ("TrustedProxyHeader", "x forwarded for"),
            ("BrandColor", "red"),
            ("SignInPath", "https://elsewhere.example/"),
        ]:
            with self.subTest(name=name, value=value), self.assertRaises(ValueError):
                deployed({name: value})

    def test_no_parameter_is_there_for_nothing(self) -> None:
        text = TEMPLATE.read_text().split("\nRules:\n")[1]
        unused = [name for name in PARAMETERS if not re.search(rf"!Ref {name}\b|\$\{{{name}\}}", text)]
        self.assertEqual(unused, [])


class Functions(unittest.TestCase):
    def test_whoever_asks_a_function_asks_its_alias(self) -> None:
        resources = deployed(EVERYTHING)
        paths = of_type(resources, "AWS::ApiGatewayV2::Api")["Api"]["Body"]["paths"]
        targets = [
            method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            for path in paths.values()
            for method in path.values()
        ]
        self.assertGreater(len(targets), 20)
        for uri in targets:
            self.assertRegex(uri, r"functions/\$\{\w+Function\.Alias\}/|functions/\$\{\w+FunctionAliaslive\}/")
        others = [
            *of_type(resources, "AWS::Lambda::EventSourceMapping").values(),
            *of_type(resources, "AWS::Lambda::EventInvokeConfig").values(),
        ]
        for name, rule in of_type(resources, "AWS::Events::Rule").items():
            for target in rule["Targets"]:
                self.assertRegex(target["Arn"]["Ref"], "FunctionAliaslive$", name)
        self.assertEqual(others[0]["FunctionName"], {"Ref": "NoticesFunctionAliaslive"})
        self.assertEqual(others[1]["Qualifier"], "live")

    def test_an_alarm_takes_a_new_version_back(self) -> None:
        resources = deployed(EVERYTHING)
        groups = of_type(resources, "AWS::CodeDeploy::DeploymentGroup")
        functions = of_type(resources, "AWS::Lambda::Function").keys()
        self.assertEqual({f"{name}DeploymentGroup" for name in functions - {"PretrafficFunction"}}, groups.keys())
        for name, group in groups.items():
            alarms = [alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]]
            self.assertEqual(alarms, ["FailedRequestsAlarm", "CrashesAlarm"], name)
            self.assertEqual(group["ServiceRoleArn"], {"Fn::GetAtt": ["DeploymentRole", "Arn"]}, name)
            self.assertIn("DEPLOYMENT_FAILURE", group["AutoRollbackConfiguration"]["Events"], name)

    def test_a_setting_that_changes_makes_a_new_version(self) -> None:
        changed = TEMPLATE.read_text().replace("SESSIONS_TABLE: !Ref SessionsTable", "SESSIONS_TABLE: !Ref TicketsTable")
        versions = lambda resources: {name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Version"}
        before, after = (translated(source)["Resources"] for source in (None, changed))
        kept = {name[: name.index("Version")] for name in versions(before) & versions(after)}
        self.assertLessEqual({"LoginFunction"}, kept)
        self.assertFalse({"SessionFunction", "CallbackFunction", "LogoutFunction"} & kept)

    def test_m08_passwords_have_room_of_their_own_and_a_whole_processor(self) -> None:
        link = of_type(deployed(), "AWS::Lambda::Function")["LinkFunction"]
        self.assertEqual((link["ReservedConcurrentExecutions"], link["MemorySize"]), (10, 1769))
        for name, function in of_type(deployed({"LinkConcurrency": "0"}), "AWS::Lambda::Function").items():
            self.assertNotIn("ReservedConcurrentExecutions", function, name)

    def test_a_vpc_and_a_key_are_there_for_whoever_asks(self) -> None:
        for name, function in of_type(deployed(), "AWS::Lambda::Function").items():
            self.assertNotIn("VpcConfig", function, name)
            self.assertNotIn("KmsKeyArn", function, name)
            self.assertEqual(function["Architectures"], ["arm64"], name)
        for name, function in of_type(deployed(EVERYTHING | {"Architecture": "x86_64"}), "AWS::Lambda::Function").items():
            self.assertEqual(len(function["VpcConfig"]["SubnetIds"]), 2, name)
            self.assertEqual(function["KmsKeyArn"], EVERYTHING["KmsKeyArn"], name)
            self.assertEqual(function["Architectures"], ["x86_64"], name)

    def test_k11_logs_are_kept_as_long_as_was_asked_for(self) -> None:
        for parameters, days in [({}, 90), ({"LogRetentionDays": "30"}, 30)]:
            for name, group in of_type(deployed(parameters), "AWS::Logs::LogGroup").items():
                self.assertEqual(int(group["RetentionInDays"]), days, name)

    def test_m12_where_the_api_has_a_domain_its_other_name_is_closed(self) -> None:
        for parameters, closed in [({}, False), (EVERYTHING, True)]:
            (server,) = of_type(deployed(parameters), "AWS::ApiGatewayV2::Api")["Api"]["Body"]["servers"]
            endpoint = server["x-amazon-apigateway-endpoint-configuration"]
            self.assertEqual(endpoint, {"disableExecuteApiEndpoint": closed})

    def test_there_is_a_domain_for_whoever_asks(self) -> None:
        for parameters, there in [({}, set()), (EVERYTHING, {"Domain", "DomainMapping", "DomainRecord"})]:
            self.assertEqual({"Domain", "DomainMapping", "DomainRecord"} & deployed(parameters).keys(), there)
        without_zone = {name: value for name, value in EVERYTHING.items() if name != "HostedZoneId"}
        self.assertNotIn("DomainRecord", deployed(without_zone))


# Which alarms there are, and who has them all.
ALARMS = {
    "FailedRequests", "Crashes", "SlowRequests", "RefusedRequests", "LinkConcurrency", "TablesThrottled", "TablesFail",
    "AmazonFails", "AmazonSlow", "WrongPasswords", "StateMismatches", "LifecycleUndelivered",
}
OVER_A_WIRE = {"AccountsFail", "AccountsSlow"}
WITH_NOTICES = {"OutboxAge"}


class Alarms(unittest.TestCase):
    def test_m20_whatever_goes_wrong_somebody_is_told(self) -> None:
        for parameters, expected in [
            ({}, ALARMS),
            (EVERYTHING, ALARMS | WITH_NOTICES),
            (WEBHOOK, ALARMS | OVER_A_WIRE | WITH_NOTICES),
            (FUNCTION, ALARMS | OVER_A_WIRE | WITH_NOTICES),
        ]:
            alarms = of_type(deployed(parameters), "AWS::CloudWatch::Alarm")
            self.assertEqual({name.removesuffix("Alarm") for name in alarms}, expected)
            topic = parameters.get("AlarmTopicArn")
            for name, alarm in alarms.items():
                self.assertEqual(alarm.get("AlarmActions"), [topic] if topic else None, name)
                self.assertEqual(alarm.get("OKActions"), [topic] if topic else None, name)

    def test_each_names_a_paragraph_of_the_runbook(self) -> None:
        paragraphs = set(re.findall(r"^### (.+)$", (ROOT / "infra/README.md").read_text(), re.M))
        for name, alarm in of_type(deployed(WEBHOOK), "AWS::CloudWatch::Alarm").items():
            named = re.search(r'Runbook, "(.+)"\.$', alarm["AlarmDescription"])
            self.assertIn(named and named[1], paragraphs, name)

    def test_each_watches_something_that_is_told(self) -> None:
        log = "".join(file.read_text() for file in (ROOT / "shared/web/src").glob("log*/**/*.rs"))
        log += (ROOT / "shared/web/src/log.rs").read_text()
        filters = of_type(deployed(), "AWS::Logs::MetricFilter").values()
        counted = [one["MetricTransformations"][0]["MetricName"] for one in filters]
        for name, alarm in of_type(deployed(WEBHOOK), "AWS::CloudWatch::Alarm").items():
            if alarm.get("Namespace") != "lwa-bridge" or alarm["MetricName"] in counted:
                continue
            self.assertIn(f'"{alarm["MetricName"]}"', log, name)
            for dimension in alarm["Dimensions"]:
                self.assertIn(f'"{dimension["Name"]}"', log, name)
                if isinstance(dimension["Value"], str):
                    self.assertIn(f'"{dimension["Value"]}"', log, name)

    def test_the_dashboard_is_one(self) -> None:
        body = of_type(deployed(), "AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
        widgets = json.loads(re.sub(r"\$\{[\w:]+\}", "x", body))["widgets"]
        self.assertGreaterEqual(len(widgets), 8)


class Routes(unittest.TestCase):
    def test_every_route_is_one_that_anybody_may_ask(self) -> None:
        paths = of_type(deployed(EVERYTHING), "AWS::ApiGatewayV2::Api")["Api"]["Body"]["paths"]
        for path, methods in paths.items():
            self.assertTrue(path == "$default" or path.startswith("/auth/"), path)
            self.assertEqual(list(methods), ["x-amazon-apigateway-any-method"], path)
            # What needs a session asks for it itself: the authorizer is for routes of the site's own.
            self.assertNotIn("security", methods["x-amazon-apigateway-any-method"], path)

    def test_m08_what_is_dear_is_throttled_more(self) -> None:
        stage = of_type(deployed(), "AWS::ApiGatewayV2::Stage")["ApiApiGatewayDefaultStage"]
        dear = {"/auth/amazon/link", "/auth/amazon/token", "/auth/amazon/device", "/auth/reauthenticate"}
        self.assertEqual({route.removeprefix("ANY ") for route in stage["RouteSettings"]}, dear)
        paths = of_type(deployed(), "AWS::ApiGatewayV2::Api")["Api"]["Body"]["paths"]
        self.assertLessEqual(dear, paths.keys())


if __name__ == "__main__":
    unittest.main()
