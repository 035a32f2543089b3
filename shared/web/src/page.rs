//! What visitors see: whole documents that need neither JavaScript nor anything from elsewhere.

#[cfg(test)]
mod tests;

use askama::Template;
use domain::{
    registration::{Field, Kind, Wrong},
    session,
};

use crate::{
    look::Look,
    words::{Language, Words},
};

/// What surrounds every page.
pub struct Frame<'a> {
    /// How the pages look.
    pub look: &'a Look,
    /// The language of the page.
    pub language: Language,
    /// `ok`, or what went wrong: monitors and tests read it in `<main data-code>`.
    pub code: &'a str,
    /// The number of this request, for visitors who ask for help.
    pub request_id: &'a str,
}

impl Frame<'_> {
    /// Whether a form is shown again because of what was entered.
    fn wrong(&self) -> bool {
        matches!(self.code, "wrong_password" | "invalid_fields")
    }
}

/// Asks visitors whom another website sent whether they want to sign in.
pub struct Start<'a> {
    /// Where the sign-in with Amazon begins.
    pub href: &'a str,
}

/// Asks for the password of the account that Amazon's customer seems to have here.
pub struct Link<'a> {
    /// The form's token.
    pub csrf: &'a str,
    /// The account's address, where it has one.
    pub email: Option<&'a str>,
    /// How many tries are left, after a wrong password.
    pub attempts_left: Option<u32>,
    /// Whether to ask for the code of a second factor too.
    pub second_factor: bool,
    /// Whether the site has a page for forgotten passwords.
    pub forgot: bool,
}

/// Asks a newcomer for what the site wants to know.
pub struct Register<'a> {
    /// The form's token.
    pub csrf: &'a str,
    /// The address of the new account.
    pub email: Email<'a>,
    /// The site's fields.
    pub inputs: Vec<Input<'a>>,
    /// The site's sign-in page, for those who do have an account.
    pub sign_in_href: &'a str,
}

impl Register<'_> {
    fn wrong(&self) -> bool {
        let typed_wrong = matches!(self.email, Email::Typed { wrong: Some(_), .. });
        typed_wrong || self.inputs.iter().any(|input| input.wrong.is_some())
    }
}

/// The address of a new account.
pub enum Email<'a> {
    /// Amazon's, which cannot be changed; it is shown and not sent.
    Fixed(&'a str),
    /// Amazon told none: the visitor types one, sent as `email`.
    Typed {
        /// What was typed before.
        value: &'a str,
        /// What is wrong with it.
        wrong: Option<Wrong>,
    },
}

impl Email<'_> {
    fn message(&self, words: &Words) -> Option<&'static str> {
        match self {
            Self::Fixed(_) => None,
            Self::Typed { wrong, .. } => wrong.map(|wrong| message(Kind::Email, wrong, words)),
        }
    }
}

/// One of the site's fields, as it stands.
pub struct Input<'a> {
    /// The field.
    pub field: &'a Field,
    /// What was typed before, or what Amazon told.
    pub value: &'a str,
    /// What is wrong with it.
    pub wrong: Option<Wrong>,
}

impl Input<'_> {
    fn label(&self, frame: &Frame<'_>) -> &str {
        crate::label(self.field, frame.language)
    }

    fn help(&self, frame: &Frame<'_>) -> Option<&str> {
        crate::help(self.field, frame.language)
    }

    /// The parts of the page that tell about the field: what is wrong with it, and what helps.
    fn described_by(&self) -> Option<String> {
        let name = &self.field.name;
        let wrong = self.wrong.map(|_| format!("field-{name}-wrong"));
        let help = (!self.field.help.is_empty()).then(|| format!("field-{name}-help"));
        let parts: Vec<_> = wrong.into_iter().chain(help).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// What browsers know the field as, so that they can fill it in (WCAG 2.2, 1.3.5).
    fn autocomplete(&self) -> Option<&'static str> {
        let token = match self.field.name.as_str() {
            "name" | "full_name" => "name",
            "first_name" | "given_name" => "given-name",
            "last_name" | "family_name" | "surname" => "family-name",
            "nickname" => "nickname",
            "company" | "organization" => "organization",
            "phone" | "phone_number" | "mobile" | "telephone" | "tel" => "tel",
            "street" | "address" | "street_address" => "address-line1",
            "city" | "town" => "address-level2",
            "state" | "region" | "province" => "address-level1",
            "postal_code" | "postcode" | "zip" | "zip_code" => "postal-code",
            "country" => "country-name",
            "birthday" | "birthdate" | "date_of_birth" => "bday",
            _ => return None,
        };
        // HTML allows each token only where the input can hold what it means.
        let fits = match self.field.kind {
            Kind::Text | Kind::Select => true,
            Kind::Tel => token == "tel",
            Kind::Date => token == "bday",
            Kind::Email | Kind::Number | Kind::Checkbox => false,
        };
        fits.then_some(token)
    }

    /// The site's own pattern, where HTML has patterns.
    fn pattern(&self) -> Option<&str> {
        let lines = matches!(self.field.kind, Kind::Text | Kind::Email | Kind::Tel);
        self.field.pattern.as_deref().filter(|_| lines)
    }

    fn message(&self, words: &Words) -> Option<&'static str> {
        self.wrong.map(|wrong| match (wrong, &self.field.pattern) {
            // An example of ours might not match the site's pattern.
            (Wrong::Invalid, Some(_)) => words.invalid,
            (Wrong::Invalid, None) if self.field.consent.is_some() => words.invalid_consent,
            _ => message(self.field.kind, wrong, words),
        })
    }
}

/// Says what is wrong, and what would be right (WCAG 2.2, 3.3.3).
fn message(kind: Kind, wrong: Wrong, words: &Words) -> &'static str {
    match (wrong, kind) {
        (Wrong::Missing, Kind::Checkbox) => words.missing_tick,
        (Wrong::Missing, Kind::Select) => words.missing_choice,
        (Wrong::Missing, _) => words.missing,
        (Wrong::TooLong, _) => words.too_long,
        (Wrong::Invalid, Kind::Email) => words.invalid_email,
        (Wrong::Invalid, Kind::Tel) => words.invalid_tel,
        (Wrong::Invalid, Kind::Number) => words.invalid_number,
        (Wrong::Invalid, Kind::Date) => words.invalid_date,
        (Wrong::Invalid, Kind::Select) => words.invalid_choice,
        (Wrong::Invalid, Kind::Text | Kind::Checkbox) => words.invalid,
    }
}

/// Asks a visitor who is signed in, and came back from Amazon as somebody else.
pub struct Switch<'a> {
    /// The form's token.
    pub csrf: &'a str,
    /// Who is signed in, in words that the visitor knows.
    pub from: Option<&'a str>,
    /// Whom Amazon vouches for.
    pub to: Option<&'a str>,
    /// Where a visitor goes who stays.
    pub stay_href: &'a str,
}

/// Shows how an account can be entered through us, and who is in.
pub struct Connections<'a> {
    /// The forms' token.
    pub csrf: &'a str,
    /// The link to Amazon, if there is one.
    pub link: Option<Linked<'a>>,
    /// The sessions, the one that asks among them.
    pub sessions: Vec<SignedIn<'a>>,
    /// Whether the visitor just said no at Amazon.
    pub cancelled: bool,
    /// Where the page leads back to.
    pub back_href: &'a str,
}

/// A link to Amazon, as it is shown.
pub struct Linked<'a> {
    /// The day since when it exists.
    pub since: &'a str,
    /// The address that Amazon told last.
    pub email: Option<&'a str>,
    /// Whether it must be proven once more.
    pub prove_again: bool,
}

/// A session, as it is shown.
pub struct SignedIn<'a> {
    /// What it is called in forms.
    pub id: &'a str,
    /// What carries it.
    pub kind: session::Kind,
    /// When it began.
    pub started: &'a str,
    /// When it was last used.
    pub last_seen: &'a str,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl SignedIn<'_> {
    fn kind(&self, words: &Words) -> &'static str {
        match self.kind {
            session::Kind::Browser => words.connections_browser,
            session::Kind::App => words.connections_app,
            session::Kind::Device => words.connections_device,
        }
    }
}

/// Offers to undo a link, or says that it was undone.
pub struct Undo<'a> {
    /// What undoes it; nothing once it is undone.
    pub token: Option<&'a str>,
    /// Where the site's passwords are reset: whoever made the link knew the password.
    pub password_reset_href: Option<&'a str>,
    /// The site's sign-in page.
    pub sign_in_href: &'a str,
}

/// Asks for a fresh proof before something changes about how an account is entered.
pub struct Reauthenticate<'a> {
    /// The form's token.
    pub csrf: &'a str,
    /// The account's address, where it has one.
    pub email: Option<&'a str>,
    /// Whether the account has a password; Amazon is asked otherwise.
    pub has_password: bool,
    /// Whether the password was wrong, or the code.
    pub wrong: bool,
    /// Whether to ask for the code of a second factor too.
    pub second_factor: bool,
    /// Where the visitor goes afterwards.
    pub return_to: &'a str,
    /// Where the page leads back to.
    pub back_href: &'a str,
}

/// Says what went wrong, by the frame's code, and offers the next step.
pub struct Problem<'a> {
    /// Where another try begins.
    pub retry_href: Option<&'a str>,
    /// The site's sign-in page.
    pub sign_in_href: &'a str,
    /// Where the site's passwords are reset.
    pub password_reset_href: Option<&'a str>,
    /// After how many seconds another try makes sense.
    pub retry_after: Option<u32>,
}

impl<'a> Problem<'a> {
    /// The links onward, the most useful one first; the sign-in page is always among them.
    fn steps(&self, code: &str, words: &Words) -> Vec<(&'static str, &'a str)> {
        let retry = self.retry_href.map(|href| (words.problem_retry, href));
        let reset = self.password_reset_href.map(|href| (words.problem_reset, href));
        let sign_in = Some((words.problem_sign_in, self.sign_in_href));
        let steps = match code {
            // Another try would end here again.
            "account_closed"
            | "registration_closed"
            | "not_signed_in"
            | "already_linked"
            | "ambiguous_email"
            | "not_found" => [sign_in, None, None],
            "reauthentication_required" => {
                [Some((words.problem_confirm, "/auth/reauthenticate")), sign_in, None]
            }
            "no_password" => [sign_in, reset, None],
            "last_sign_in_method" => [reset, sign_in, None],
            "wrong_password" | "ticket_expired" | "too_many_attempts" => [retry, reset, sign_in],
            _ => [retry, sign_in, None],
        };
        steps.into_iter().flatten().collect()
    }

    /// How long to wait, in a unit that people use.
    fn wait(&self, words: &Words) -> Option<(&'static str, u32)> {
        self.retry_after.map(|seconds| match seconds {
            0..10 => (words.problem_moment, seconds),
            10..100 => (words.problem_seconds, seconds),
            _ => (words.problem_minutes, seconds.div_ceil(60)),
        })
    }
}

macro_rules! pages {
    ($($page:ident: $template:tt, $title:expr;)+) => {$(
        const _: () = {
            #[derive(Template)]
            #[template(path = $template)]
            struct Document<'a> {
                frame: &'a Frame<'a>,
                page: &'a $page<'a>,
                words: &'static Words,
                title: &'static str,
            }

            impl $page<'_> {
                /// The whole document.
                pub fn html(&self, frame: &Frame<'_>) -> String {
                    let words = frame.language.words();
                    let title: fn(&Self, &Words, &str) -> &'static str = $title;
                    let title = title(self, words, frame.code);
                    // Writing to a string cannot fail.
                    Document { frame, page: self, words, title }.render().unwrap_or_default()
                }
            }
        };
    )+};
}

pages! {
    Start: "start.html", |_, words, _| words.start_title;
    Link: "link.html", |_, words, _| words.link_title;
    Register: "register.html", |_, words, _| words.register_title;
    Switch: "switch.html", |_, words, _| words.switch_title;
    Connections: "connections.html", |_, words, _| words.connections_title;
    Reauthenticate: "reauthenticate.html", |_, words, _| words.reauthenticate_title;
    Undo: "undo.html", |page, words, _| match page.token {
        Some(_) => words.undo_title,
        None => words.undo_done_title,
    };
    Problem: "problem.html", |_, words, code| words.problem(code).0;
}
