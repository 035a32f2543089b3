//! F-LWA-TOKEN, -INFO, -PROFILE: whatever comes back in Amazon's place, over real HTTP. Three bytes for
//! the statuses, then three bodies with a NUL between them.
#![no_main]

#[allow(dead_code)]
mod probe;

use std::{cell::RefCell, rc::Rc};

use domain::PkceVerifier;
use libfuzzer_sys::fuzz_target;
use lwa::{Client, Error};
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    task::LocalSet,
};

const OURS: &str = "amzn1.application-oa2-client.ours";
const STATUSES: [u16; 16] =
    [200, 200, 200, 200, 200, 200, 200, 200, 201, 302, 400, 401, 403, 404, 429, 503];
const PATHS: [&str; 3] = ["/auth/o2/token", "/auth/o2/tokeninfo", "/user/profile"];

type Answers = Rc<RefCell<[(u16, Vec<u8>); 3]>>;

struct Setting {
    runtime: Runtime,
    tasks: LocalSet,
    client: Client,
    verifier: PkceVerifier,
    answers: Answers,
}

impl Setting {
    fn new() -> Self {
        let (runtime, tasks) = (probe::runtime(), LocalSet::new());
        let answers = Answers::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let client = Client {
            http: lwa::http().unwrap(),
            api: format!("http://{}", listener.local_addr().unwrap()),
            client_id: OURS.into(),
            redirect_uri: "https://shop.example/auth/amazon/callback".into(),
        };
        let for_all = answers.clone();
        tasks.spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(serve(stream, for_all.clone()));
            }
        });
        let verifier = PkceVerifier::mint(&mut web::rng());
        Self { runtime, tasks, client, verifier, answers }
    }
}

/// Answers every request on a connection.
async fn serve(stream: TcpStream, answers: Answers) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_until(b'\n', &mut head).await.ok()? == 0 {
                return None;
            }
        }
        let head = String::from_utf8(head).ok()?.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let mut body = vec![0; length.unwrap_or("0").parse().ok()?];
        stream.read_exact(&mut body).await.ok()?;
        let path = head.split([' ', '?']).nth(1)?;
        let (status, body) =
            answers.borrow()[PATHS.iter().position(|known| *known == path)?].clone();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), &body].concat()).await.ok()?;
    }
}

/// No error repeats what came.
fn tells_nothing(error: &Error) {
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}

fn members((status, body): &(u16, Vec<u8>)) -> Map<String, Value> {
    assert_eq!(*status, 200);
    let members: Map<String, Value> = serde_json::from_slice(body).unwrap();
    assert!(!members.contains_key("error"), "an error wins");
    members
}

thread_local!(static SETTING: Setting = Setting::new());

fuzz_target!(|input: (u8, u8, u8, &[u8])| {
    let (token, info, profile, bodies) = input;
    let mut bodies = bodies.splitn(3, |byte| *byte == 0);
    let answer = |which: u8, body: Option<&[u8]>| {
        (STATUSES[usize::from(which) % STATUSES.len()], body.unwrap_or_default().to_vec())
    };
    let answers = [token, info, profile].map(|which| answer(which, bodies.next()));
    SETTING.with(|at| {
        *at.answers.borrow_mut() = answers.clone();
        let asked = at.tasks.run_until(async {
            let redeemed = at.client.redeem("code", &at.verifier, "secret").await;
            let token = redeemed.inspect_err(tells_nothing).ok()?;
            Some(at.client.customer(&token).await.inspect_err(tells_nothing))
        });
        let Some(customer) = at.runtime.block_on(asked) else { return };
        let token = members(&answers[0]);
        assert!(token["token_type"].as_str().unwrap().eq_ignore_ascii_case("bearer"));
        let text = token["access_token"].as_str().unwrap();
        assert!(!text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()));

        let Ok(customer) = customer else { return };
        let info = members(&answers[1]);
        assert_eq!(info["aud"], OURS);
        let issued_for = info.get("user_id").and_then(Value::as_str);
        assert!(issued_for.is_none_or(|id| id == customer.user_id.as_str()));
        let profile: Option<Map<String, Value>> = serde_json::from_slice(&answers[2].1).ok();
        if answers[2].0 == 200 {
            assert_eq!(members(&answers[2])["user_id"], customer.user_id.as_str());
        } else {
            assert_eq!(profile.unwrap()["error"], "insufficient_scope");
            assert!(issued_for.is_some() && customer.email.is_none() && customer.name.is_none());
        }
    });
});
