//! Sites that would like to be taken for ours.

use local_stack::Stack;

/// Origins that look like the site's own, or like nobody's.
pub(crate) fn look_alikes(stack: &Stack) -> Vec<String> {
    let own = stack.url.as_str();
    let (scheme, host) = own.split_once("://").unwrap();
    let (name, port) = host.split_once(':').unwrap();
    let mut all: Vec<String> = [
        "null",
        "NULL",
        "*",
        "about:blank",
        "data:",
        "file://",
        "https://evil.example",
        "http://evil.example",
        "chrome-extension://abcdefghijklmnop",
        "https://www.amazon.com",
        "http://localhost",
        "https://localhost",
        "http://127.0.0.1",
        "http://[::1]",
    ]
    .map(str::to_owned)
    .into();
    all.extend([
        format!("https://{host}"),
        format!("HTTP://{host}"),
        format!("{scheme}://{}:{port}", name.to_uppercase()),
        format!("{scheme}://{name}.:{port}"),
        format!("{scheme}://{name}:{port}0"),
        format!("{scheme}://{name}:0{port}"),
        format!("{scheme}://127.0.0.1:{port}"),
        format!("{scheme}://www.{host}"),
        format!("{scheme}://x{host}"),
        format!("{scheme}://{host}.evil.example"),
        format!("{scheme}://{host}@evil.example"),
        format!("{scheme}://evil.example/{own}"),
        format!("{scheme}://evil.example?{own}"),
        format!("{own}/"),
        format!("{own}/auth/amazon/link"),
        format!("{own}?"),
        format!("{own}#"),
        format!("{own},{own}"),
        format!("{own} https://evil.example"),
        format!("https://evil.example {own}"),
        host.to_owned(),
        stack.amazon.url.clone(),
    ]);
    all
}
