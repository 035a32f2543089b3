//! What each setting cannot be.

/// What is wrong for a setting, apart from what is said of it here.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    /// Whether the function cannot do without.
    pub(crate) needed: bool,
    pub(crate) wrong: &'static [&'static str],
}

const PATH: Setting = optional(&[
    "canary",
    "//canary.example",
    "///canary.example",
    "https://canary.example/",
    "/\\canary.example",
    "/canary page",
    "/canary\u{e4}",
    "/canary\r\nX-Canary: 1",
    "javascript:canary",
]);
const SECONDS: Setting = optional(&["0", "-1", "+-1", "1.5", "1e3", "canary", " 60", "60s"]);
const STAND_IN: Setting = optional(&[
    "https://canary.example",
    "http://localhost@canary.example",
    "http://localhost.canary.example",
    "http://127.0.0.1:80:canary",
    "http://169.254.169.254/canary",
    "//localhost/canary",
    "canary",
]);
/// What only Amazon, or AWS, can say no to.
const ANY_TEXT: Setting = optional(&[]);
const NEEDED: Setting = Setting { needed: true, wrong: &[] };

/// The authorizer shows no page and sends nobody on, so what is given to all is nothing to it.
const READ_BY_THE_AUTHORIZER: [&str; 3] = ["AWS_REGION", "SESSIONS_TABLE", "SESSION_IDLE_SECONDS"];

const fn optional(wrong: &'static [&'static str]) -> Setting {
    Setting { needed: false, wrong }
}

/// Nor does whoever asks a new version, which needs to know where it is and no more.
const READ_BEFORE_TRAFFIC: [&str; 1] = ["AWS_REGION"];

/// Every setting that some function has.
pub(crate) fn setting(function: &str, name: &str) -> Setting {
    let read = match function {
        "authorizer" => &READ_BY_THE_AUTHORIZER[..],
        "pretraffic" => &READ_BEFORE_TRAFFIC,
        _ => &[name],
    };
    if !read.contains(&name) {
        return ANY_TEXT;
    }
    match name {
        "PUBLIC_URL" => Setting {
            needed: true,
            wrong: &[
                "canary",
                "http://canary.example",
                "https://canary.example/",
                "https://canary.example:443",
                "https://Canary.example",
                "https://a@canary.example",
                "https://canary.example\r\nX-Canary: 1",
                "//canary.example",
                "javascript:canary",
            ],
        },
        "SIGN_IN_PATH" | "SIGNED_IN_PATH" | "BRAND_LOGO_PATH" | "LINK_PAGE_PATH"
        | "REGISTER_PAGE_PATH" => PATH,
        "PASSWORD_RESET_URL" => optional(&[
            "canary",
            "http://canary.example",
            "//canary.example",
            "/\\canary.example",
            "/canary page",
            "/canary\r\nX-Canary: 1",
            "https://",
            "https://canary.example:443/reset",
            "https://a@canary.example/reset",
            "https://canary.example/re set",
            "https://canary.example/\r\nX-Canary: 1",
            "https://canary.example\\.evil.example",
            "javascript:canary",
            "javascript://canary.example/%0aalert(1)",
        ]),
        "LWA_REGION" => optional(&["canary", "NA", "us", "na,eu", " na"]),
        "LWA_AUTHORIZE_URL" | "LWA_API_URL" => STAND_IN,
        "LWA_SCOPE_DATA" => optional(&[
            "canary",
            "{\"canary\":",
            "[\"canary\"]",
            "\"canary\"",
            "null",
            "{\"profile\":{\"essential\":true}}canary",
        ]),
        "BRAND_COLOR" => optional(&["canary", "#12345", "#1234567", "#12345;", "#canary", "red"]),
        "REGISTRATION" => optional(&["canary", "Open", "true", "open,closed"]),
        "REGISTRATION_FIELDS" => optional(&[
            "canary",
            "{\"canary\":1}",
            "[{\"name\":\"canary\"}]",
            "[{\"name\":\"password_hash\",\"label\":\"canary\"}]",
            "[{\"name\":\"ca nary\",\"label\":\"Canary\"}]",
            "[{\"name\":\"csrf\",\"label\":\"canary\"}]",
            "[{\"name\":\"canary\",\"label\":\"A\",\"type\":\"password\"}]",
            "[{\"name\":\"canary\",\"label\":\"A\",\"pattern\":\"(\"}]",
            "[{\"name\":\"canary\",\"label\":\"A\"}",
        ]),
        "PROFILE_SYNC" => {
            optional(&["canary", "name=canary", "canary=never", "email=always", "name=always;"])
        }
        "ACCOUNTS" => optional(&["canary", "Table", "webhook,function"]),
        "ACCOUNTS_ATTRIBUTES" => optional(&["canary", "id=", "canary=id", "active=", "locked=a||"]),
        "ACCOUNTS_DIGEST" => {
            optional(&["canary", "hex = md4(password)", "hex = md5(salt+password)"])
        }
        "SESSION_IDLE_SECONDS" | "SESSION_LIFETIME_SECONDS" => SECONDS,
        "NOTICES" => optional(&[
            "canary",
            "account",
            "None",
            "none,canary",
            "arn:aws:sns:us-east-1:000000000000:canary",
            "arn:aws:sqs:us-east-1:1:canary",
            "arn:aws:sqs:us-east-1:000000000000:canary queue",
            "arn:aws:events:us-east-1:000000000000:canary",
            "https://sqs.us-east-1.amazonaws.com/000000000000/canary",
        ]),
        // Where accounts are asked about over a wire; here they are in a table.
        "ACCOUNTS_WEBHOOK_URL" | "ACCOUNTS_FUNCTION_ARN" => ANY_TEXT,
        "BRAND_NAME" | "LWA_SCOPE" | "ACCOUNTS_EMAIL_INDEX" | "ACCOUNTS_WEBHOOK_SECRET_ARN" => {
            ANY_TEXT
        }
        "LWA_DEVICE_CLIENT_ID" => optional(&["canary id", "canary\r\nX-Canary: 1", "canary&x=y"]),
        "LWA_ACCEPTED_CLIENT_IDS" => {
            optional(&["canary id", "canary,a b", "canary\r\nX-Canary: 1", "https://canary/"])
        }
        "TRUSTED_PROXY" => optional(&[
            "canary",
            "canary=",
            "x-forwarded-for=canary",
            "=arn:aws:secretsmanager:us-east-1:000000000000:secret:canary",
        ]),
        "LWA_CLIENT_ID"
        | "LWA_CLIENT_SECRET_ARN"
        | "IDENTITIES_TABLE"
        | "SESSIONS_TABLE"
        | "TICKETS_TABLE"
        | "ACCOUNTS_TABLE" => NEEDED,
        // The login function asks nothing of AWS.
        "AWS_REGION" => Setting { needed: function != "login", wrong: &[] },
        _ => panic!("{function} has {name}, and nobody says here what is wrong for it"),
    }
}
