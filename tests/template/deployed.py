"""What SAM and CloudFormation make of infra/template.yaml, for these values of its parameters."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parents[2] / "infra/template.yaml"
ACCOUNT = "123456789012"

# The parameters that have no default.
NEEDED = {
    "PublicUrl": "https://shop.example",
    "LwaClientId": "amzn1.application-oa2-client.0123",
    "LwaClientSecretArn": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:lwa",
}
# A site that uses whatever there is to use beside its table of accounts.
EVERYTHING = {
    "AccountsTableName": "users",
    "AccountsTableKmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/users",
    "AccountsWebhookSecretArn": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:webhook",
    "Notices": f"arn:aws:sqs:us-east-1:{ACCOUNT}:notices",
    "TrustedProxyHeader": "x-forwarded-for",
    "TrustedProxySecretArn": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:proxy",
    "DomainName": "auth.shop.example",
    "CertificateArn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/0",
    "HostedZoneId": "Z0123456789ABC",
    "AlarmTopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms",
    "KmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/ours",
    "SecretsKmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/secrets",
    "PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "VpcSubnetIds": "subnet-11111111,subnet-22222222",
    "VpcSecurityGroupIds": "sg-11111111",
}
# Accounts that are asked about over a wire.
WEBHOOK = {
    "Accounts": "webhook",
    "AccountsWebhookUrl": "https://shop.example/accounts",
    "AccountsWebhookSecretArn": EVERYTHING["AccountsWebhookSecretArn"],
    "Notices": "account",
}
FUNCTION = {
    "Accounts": "function",
    "AccountsFunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:accounts",
    "Notices": "account",
}


class _NoManagedPolicies:
    """SAM asks AWS for the ARNs of ready-made policies; we use none by name."""

    def load(self) -> dict[str, str]:
        return {}


def translated(source: str | None = None) -> dict[str, Any]:
    """The template as CloudFormation gets it: SAM's resources are AWS's own, parameters are open yet."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = yaml_parse(TEMPLATE.read_text() if source is None else source)
    template["Globals"]["Function"]["CodeUri"] = "s3://nobodys-bucket/code.zip"
    return transform(template, {}, _NoManagedPolicies())


@cache
def _translated_once() -> str:
    return json.dumps(translated())


def deployed(parameters: dict[str, str] | None = None) -> dict[str, Any]:
    """The resources that exist with these parameters, by logical id, without conditions in them.

    References stay as they are: who names whom is what tests want to know.
    """
    return resolve(json.loads(_translated_once()), parameters or {})


def resolve(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    given = NEEDED | parameters
    values = {name: given.get(name, one.get("Default")) for name, one in template["Parameters"].items()}
    if unknown := given.keys() - values.keys():
        raise KeyError(f"the template has no parameter {unknown}")
    for name, declared in template["Parameters"].items():
        value = str(values[name])
        if not re.search(declared.get("AllowedPattern", ""), value):
            raise ValueError(f"{name} cannot be {value!r}")
        if value not in map(str, declared.get("AllowedValues", [value])):
            raise ValueError(f"{name} cannot be {value!r}")
        if declared["Type"] == "CommaDelimitedList":
            values[name] = value.split(",")
    conditions = template["Conditions"]

    def value_of(node: Any) -> Any:
        match node:
            case {"Ref": name} if name in values:
                return values[name]
            case {"Fn::Join": [between, parts]}:
                return between.join(value_of(parts))
        return node

    def holds(node: Any) -> bool:
        match node:
            case str():
                return holds(conditions[node])
            case {"Condition": name}:
                return holds(name)
            case {"Fn::Equals": [one, other]}:
                return str(value_of(one)) == str(value_of(other))
            case {"Fn::Not": [one]}:
                return not holds(one)
            case {"Fn::And": all_of}:
                return all(map(holds, all_of))
            case {"Fn::Or": any_of}:
                return any(map(holds, any_of))
        raise ValueError(f"not understood as a condition: {node}")

    nothing = {"Ref": "AWS::NoValue"}

    def settle(node: Any) -> Any:
        match node:
            case {"Fn::If": [condition, then, otherwise]}:
                return settle(then if holds(condition) else otherwise)
            case {"Ref": name} if name in values:
                return values[name]
            case dict():
                settled = {name: settle(one) for name, one in node.items()}
                return {name: one for name, one in settled.items() if one != nothing}
            case list():
                return [one for one in map(settle, node) if one != nothing]
        return node

    return {
        name: settle({key: part for key, part in resource.items() if key != "Condition"})
        for name, resource in template["Resources"].items()
        if holds(resource.get("Condition", {"Fn::Equals": ["", ""]}))
    }


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of all resources of a type, by logical id."""
    found = {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}
    assert found, f"there is no {kind}"
    return found
