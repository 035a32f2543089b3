//! The kinds of things that people do, and what each means at a point of a history.

mod forms;
mod meaning;
mod site;

use proptest::{
    collection::vec,
    prelude::*,
    strategy::{Just, Strategy, Union},
};

/// What somebody does. The numbers say who, where and which, among whatever there is by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act {
    pub(crate) kind: Kind,
    pub(crate) numbers: [u8; 4],
}

/// Declares the kinds, each with how often it happens.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident: $weight:literal,)+) => {
        /// What people do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// All of them, with how often each happens.
            pub(crate) const ALL: &[(u32, Self)] = &[$(($weight, Self::$kind),)+];
        }
    };
}

kinds! {
    /// Presses "Login with Amazon" in one more tab.
    Begin: 6,
    /// Is led to a sign-in by another site.
    BeginFromElsewhere: 1,
    /// Signs in at Amazon in any of the tabs, and comes back.
    Finish: 22,
    /// Signs in, comes back and does what the page asks for next, rightly.
    FinishToTheEnd: 16,
    /// Signs in as a customer who is not theirs: somebody else's computer.
    FinishAsAnother: 2,
    /// Comes back as somebody who shares nothing.
    DeclineScopes: 4,
    /// Says no at Amazon.
    SayNo: 2,
    /// Agrees at Amazon, and does not come back yet.
    StayAway: 4,
    /// Comes back so late that it may be over.
    ComeBackLate: 3,
    /// Opens a URL that Amazon made for another browser.
    ComeBackElsewhere: 4,
    /// Opens a URL that was opened before.
    Replay: 4,
    /// Comes back with the code of another sign-in.
    ComeBackWithAnothersCode: 4,
    /// Opens a URL with one sign-in's state and another's code, whosever they are.
    ComeBackWithAnothersState: 1,
    /// Has another address at Amazon.
    ChangeEmail: 8,
    /// Opens the link page.
    OpenLinkPage: 3,
    /// Sends the right password.
    RightPassword: 8,
    /// Sends a password that is nobody's.
    WrongPassword: 6,
    /// Sends the password of another account.
    AnothersPassword: 3,
    /// Sends one guess after the other.
    Guess: 1,
    /// Guesses on with one ticket after the other, for longer than a limit lasts.
    GuessOnAndOn: 1,
    /// Signs in with one address and then with another, and only then proves the first account.
    ProveTooLate: 3,
    /// Has forgotten the password.
    Forgot: 3,
    /// Would rather not.
    Cancel: 2,
    /// Opens the registration page.
    OpenRegisterPage: 2,
    /// Registers.
    Register: 6,
    /// Registers with an address that an account has.
    RegisterTaken: 4,
    /// Registers with something wrong.
    RegisterWrong: 3,
    /// Says yes to leaving one account for another.
    SwitchYes: 6,
    /// Stays in the account that they are signed in to.
    Stay: 2,
    /// Logs out.
    LogOut: 5,
    /// Logs out by a form that another browser was given.
    LogOutWithAnothersForm: 2,
    /// The site asks who is signed in.
    AskWho: 6,
    /// Stays for days, and never away for long.
    StayForDays: 1,
    /// A proxy asks.
    Verify: 3,
    /// An app uses a browser's session.
    UseAsApp: 2,
    /// The attacker uses a copy of the victim's session.
    StealSession: 2,
    /// The attacker uses a copy of the victim's ticket.
    StealTicket: 3,
    /// The attacker uses a copy of what the victim's browser remembers of its sign-ins.
    StealLogins: 2,
    /// The attacker's session gets into the victim's browser.
    PlantSession: 2,
    /// The attacker's ticket gets into the victim's browser.
    PlantTicket: 3,
    /// What the attacker's browser remembers gets into the victim's.
    PlantLogins: 2,
    /// A session from earlier is used once more.
    UseOldSession: 3,
    /// A ticket from earlier is used once more.
    UseOldTicket: 4,
    /// A browser loses cookies.
    LoseCookies: 3,
    /// Another site, or none, sends one of our forms.
    CrossSite: 4,
    /// A form is sent that was made for another browser.
    AnothersForm: 4,
    /// Any form is sent, whatever the ticket is for.
    AnyForm: 5,
    /// Somebody opens an account at the site.
    SiteRegisters: 3,
    /// Somebody changes their password at the site.
    SiteChangesPassword: 3,
    /// The site closes or locks an account.
    SiteCloses: 2,
    /// The site opens an account again.
    SiteReopens: 3,
    /// The site deletes an account.
    SiteDeletes: 1,
    /// A password is reset, with all that belongs to it, or only a part is done yet.
    SiteResets: 4,
    /// A link has to be proven again.
    ProveAgain: 3,
    /// An epoch moves.
    EpochMoves: 1,
    /// Time passes.
    Wait: 8,
    /// A long time passes.
    WaitLong: 2,
    /// DynamoDB removes what may go.
    Sweep: 2,
    /// DynamoDB fails once during a request.
    Stumble: 1,
    /// DynamoDB obeys, and its answer is lost once.
    LoseAnswer: 1,
    /// DynamoDB is down during a request.
    Down: 1,
    /// The process is killed before it has done anything.
    KillBefore: 1,
    /// The process is killed after its first call to DynamoDB.
    KillAfter: 1,
}

/// Histories of up to so many acts.
pub(crate) fn histories(longest: usize) -> impl Strategy<Value = Vec<Act>> {
    let kinds = Kind::ALL.iter().map(|(weight, kind)| (*weight, Just(*kind)));
    let kind = Union::new_weighted(kinds.collect::<Vec<_>>());
    let act = (kind, any::<[u8; 4]>()).prop_map(|(kind, numbers)| Act { kind, numbers });
    // A history is made smaller by leaving acts out, and not by changing any: that is quick, and what
    // an act means is told in full.
    vec(act.no_shrink(), 1..=longest)
}
