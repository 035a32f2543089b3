//! Switches and log-outs, twice and against checks.

use super::*;

pub(super) async fn switch_twice(stack: &Stack, findings: &mut Findings) {
    let scene: Scene<'_> = Flow::Switch.prepare(stack).await;
    let before = scene.copy();
    let contenders = || {
        let presses = |name| {
            let (scene, browser) = (scene.copy(), &scene.browser);
            Contender::visitor(name, browser, async move |browser| {
                let answer: Answer = scene.act_with(&browser).await;
                (answer, browser)
            })
        };
        vec![presses(ONE), presses(OTHER)]
    };
    race(stack, "a switch of accounts, pressed twice", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        let statuses = run.statuses();
        wrong_unless(statuses.contains(&303), "nobody is let in", &mut wrong);
        let inside = run.accounts().await;
        for (status, inside) in statuses.iter().zip(inside) {
            let fits = match status {
                303 => inside.as_deref() == Some("ann"),
                _ => inside.is_none(),
            };
            wrong_unless(fits, "not in as they were told", &mut wrong);
        }
        wrong_unless(
            !scene.copied_session_lives(&before).await,
            "the old session lives",
            &mut wrong,
        );
        wrong
    })
    .await;
}

pub(super) async fn check_and_log_out(stack: &Stack, findings: &mut Findings) {
    let scene = Flow::SessionNoted.prepare(stack).await;
    let told = scene.browser.copy();
    let csrf = told.fetch("/auth/session", None).await.json()["csrf"].as_str().unwrap().to_owned();
    scene.age(400);
    let cookie = scene.browser.cookie(SESSION).unwrap();
    let sessions = stack.dynamodb.scan("sessions").unwrap().len();
    let contenders = || {
        let checks = Contender::visitor(ONE, &scene.browser, async move |browser| {
            (browser.fetch("/auth/session", None).await, browser)
        });
        vec![checks, sends(OTHER, &scene.browser, "/auth/logout", &[("csrf", &csrf)])]
    };
    race(stack, "a check of a session and its end", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        let statuses = run.statuses();
        wrong_unless(statuses[1] == 303, "not logged out", &mut wrong);
        let gone = run.before((OTHER, "DeleteItem sessions"), (ONE, "GetItem sessions"));
        wrong_unless((statuses[0] == 401) == gone, "the check is told wrong", &mut wrong);
        let left = stack.dynamodb.scan("sessions").unwrap().len();
        wrong_unless(left + 1 == sessions, "the session has come back", &mut wrong);
        let thief = Browser::new(stack);
        thief.keep_cookie(SESSION, &cookie);
        wrong_unless(thief.account().await.is_none(), "a copy of the cookie works", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn log_out_twice(stack: &Stack, findings: &mut Findings) {
    let scene = Flow::LogOut.prepare(stack).await;
    let contenders = || {
        let presses = |name| {
            let (scene, browser) = (scene.copy(), &scene.browser);
            Contender::visitor(name, browser, async move |browser| {
                (scene.act_with(&browser).await, browser)
            })
        };
        vec![presses(ONE), presses(OTHER)]
    };
    race(stack, "a log-out, pressed twice", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        wrong_unless(run.statuses() == [303, 303], "saying so twice is not fine", &mut wrong);
        wrong_unless(!scene.copied_session_lives(&scene).await, "the session lives", &mut wrong);
        wrong
    })
    .await;
}
