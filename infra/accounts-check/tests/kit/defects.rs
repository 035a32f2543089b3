//! One thing wrong at a time: exactly the checks that are about it say so.

use crate::{
    ask::ask,
    site::{
        CODE, CODE_EMAIL,
        Defect::{self, *},
        Site,
    },
};

async fn planted(defect: Option<Defect>, failed: &[&str], advice: &[&str]) {
    let site = Site::open(defect).await;
    let ran = ask(&site, &["--json"]).await;
    assert_eq!(ran.ended("failed"), failed, "{:?}: {}", defect, ran.out);
    assert_eq!(ran.ended("advice"), advice, "{:?}: {}", defect, ran.out);
    assert_eq!(ran.status, i32::from(!failed.is_empty()));
}

macro_rules! defects {
    ($($name:ident: $defect:ident => $failed:expr, $advice:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            planted(Some($defect), &$failed, &$advice).await;
        })*
    };
}

defects! {
    // The door.
    no_signature_is_looked_at: LooksAtNoSignature => ["C03", "C04", "C05", "C06", "C07", "C08", "C09", "C12", "C13", "C22"], ["C16"];
    what_is_not_signed_is_taken: TakesWhatIsNotSigned => ["C03"], [];
    a_well_known_secret_is_good: KnowsAnotherSecret => ["C04"], [];
    the_signature_is_not_compared: SignsNoBody => ["C04", "C05", "C06", "C07", "C08", "C09", "C22"], [];
    time_does_not_matter: LooksAtNoTime => ["C12", "C13"], [];
    the_future_is_taken: TakesTheFuture => ["C13"], [];
    clocks_may_not_differ: IsInAHurry => ["C14"], [];
    only_the_first_signature_counts: LooksAtTheFirstSignature => ["C10", "C11"], [];
    a_part_of_a_signature_is_enough: ComparesWhatIsThere => ["C08"], [];
    every_version_is_the_first: TakesAnyVersion => ["C09"], [];
    the_body_is_serialised_again: SerialisesAgain => ["C17"], [];
    other_members_are_refused: KnowsNoOtherMembers => [], ["C18"];
    get_is_answered: AnswersAnyMethod => ["C19"], [];
    what_is_no_json_is_answered: TakesNoJson => ["C20"], [];
    any_type_is_answered: AnswersAnyType => ["C21"], [];
    unknown_types_are_refused: RefusesUnknownTypes => [], ["C21"];
    strangers_learn_who_is_there: TellsWhoIsThere => ["C22"], [];
    messages_are_taken_twice: TakesMessagesTwice => [], ["C16"];
    messages_of_a_second_time_are_forged: TakesRepeatsForForged => [], ["C16"];
    the_clock_is_wrong: HasAWrongClock => [], ["C15"];
    answers_say_that_they_are_html: SaysHtml => [], ["C84"];
    everything_is_redirected: Redirects => ["C01"], [];
    the_site_is_down: IsDown => ["C01"], [];
    // Finding.
    two_accounts_have_an_address: FindsTwo => ["C23"], [];
    accents_are_dropped: DropsAccents => ["C26", "C27"], [];
    addresses_are_in_unicodes_capitals: UpperCasesUnicode => ["C27", "C28"], [];
    addresses_are_normalised: Normalises => ["C27", "C28"], [];
    capitals_count_in_addresses: CountsCapitals => ["C25", "C71"], [];
    addresses_are_trimmed: Trims => ["C29"], [];
    dots_are_dropped: DropsDots => ["C30", "C73"], [];
    parts_of_addresses_are_found: SearchesParts => ["C31"], [];
    addresses_are_patterns: SearchesPatterns => ["C32"], [];
    quotes_end_an_address: EndsAtQuotes => ["C33"], [];
    a_missing_condition_is_left_out: LeavesOutWhatIsMissing => ["C34"], [];
    long_addresses_break: BreaksAtLongAddresses => ["C35"], [];
    ids_are_numbers: NumbersItsIds => ["C24", "C59"], [];
    the_status_has_another_word: HasWordsOfItsOwn => ["C24", "C40", "C59"], [];
    an_id_and_an_address_tell_different_things: HasTwoTruths => ["C36", "C75"], [];
    an_unknown_id_is_not_found: IsNotFound => ["C37"], [];
    ids_are_cast: CastsIds => ["C38", "C39"], [];
    quotes_end_an_id: TrustsIds => ["C39"], [];
    closed_accounts_say_nothing: KeepsQuietAboutClosed => ["C40"], [];
    twenty_are_too_many: IsSmall => ["C41", "C68", "C69"], [];
    questions_leave_marks: LeavesMarks => ["C58"], [];
    // Passwords.
    every_password_opens: OpensToAll => ["C43", "C52", "C53", "C57", "C61", "C65", "C77"], [];
    no_password_opens: OpensToNobody => ["C42"], [];
    wrong_passwords_are_an_error: RefusesWrongPasswords => ["C43", "C57"], [];
    passwords_are_lowercased: LowercasesPasswords => ["C44"], [];
    passwords_are_trimmed: TrimsPasswords => [], ["C45"];
    nuls_are_trimmed: TrimsNuls => ["C46"], [];
    passwords_stop_at_nul: StopsAtNul => ["C46"], [];
    passwords_stop_at_72_bytes: StopsAt72 => ["C46"], ["C48"];
    passwords_are_normalised: NormalisesPasswords => [], ["C49"];
    long_passwords_break: BreaksAtLongPasswords => ["C51"], [];
    a_condition_is_a_password: TakesConditions => ["C52"], [];
    nobody_is_not_found: KnowsWhoIsNobody => ["C53"], [];
    nobody_is_fast: IsFastAboutNobody => ["C54"], [];
    accounts_are_locked_without_a_word: LocksWithoutAWord => ["C56"], [];
    // Newcomers.
    newcomers_get_passwords: GivesPasswords => ["C60", "C65"], [];
    an_address_opens_its_account: OpensByAddress => ["C61"], [];
    newcomers_get_another_address: OpensToAClosed => ["C59"], [];
    replicas_lag_behind: LagsBehind => ["C62"], [];
    names_are_latin: WritesLatin => ["C63", "C74"], [];
    names_are_escaped: Escapes => ["C63", "C74"], [];
    names_are_refused: RefusesNames => [], ["C63"];
    names_are_needed: NeedsNames => ["C64"], [];
    fields_are_assigned: AssignsFields => ["C65"], [];
    keys_are_forgotten: ForgetsKeys => ["C66"], [];
    keys_come_after_the_rest: LooksAtTheRestFirst => ["C67"], [];
    keys_overwrite: OverwritesByKey => ["C67"], [];
    keys_race: RacesByKey => ["C68"], [];
    addresses_race: RacesByAddress => ["C69"], [];
    an_address_is_there_twice: HasAnAddressTwice => ["C69", "C70", "C72"], [];
    who_is_there_is_changed: ChangesWhoIsThere => ["C72"], [];
    // Owners.
    updates_are_forgotten: ForgetsUpdates => ["C74"], [];
    updates_empty_the_rest: EmptiesTheRest => ["C75"], [];
    updates_change_addresses: ChangesAddresses => ["C76"], [];
    updates_set_whatever: SetsWhatever => ["C77"], [];
    updates_are_for_everybody: UpdatesEverybody => ["C78", "C79"], [];
    updates_of_nobody_are_done: UpdatesNobody => ["C79"], [];
    updates_of_nobody_are_an_error: MistakesNobody => [], ["C79"];
    updates_are_slow: UpdatesSlowly => ["C82"], [];
    notices_are_taken_once: TakesNoticesOnce => ["C80"], [];
    some_notices_are_not_known: KnowsTwoNotices => ["C81"], [];
    // Answers.
    an_answer_is_slow: IsSlow => ["C82"], [];
    an_answer_is_large: IsTalkative => ["C83"], [];
    an_answer_never_ends: IsEndless => ["C01"], [];
    answers_are_compressed: Compresses => ["C01"], [];
    // Not wrong.
    accounts_may_be_locked: LocksAccounts => [], [];
    registration_may_be_closed: IsClosed => [], [];
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_wrong_with_a_site_that_is_right() {
    let site = Site::open(None).await;
    let ran = ask(&site, &["--json"]).await;
    assert_eq!(ran.ended("failed"), [""; 0], "{}", ran.out);
    assert_eq!(ran.ended("advice"), [""; 0], "{}", ran.out);
    // There is no code without a second factor.
    assert_eq!(ran.ended("not_run"), ["C55"]);
    assert_eq!((ran.status, ran.ended("passed").len()), (0, 83));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_asked_for() {
    for (defect, failed) in [(None, vec![]), (Some(ForgetsTheCode), vec!["C55"])] {
        let site = Site::open(defect).await;
        let ran = ask(&site, &["--json", "--email", CODE_EMAIL, "--code", CODE]).await;
        assert_eq!(ran.ended("failed"), failed, "{}", ran.out);
        assert_eq!(ran.ended("not_run"), [""; 0], "{}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_closed_is_not_run_and_not_passed() {
    let site = Site::open(Some(IsClosed)).await;
    let ran = ask(&site, &["--json"]).await;
    let not_run = ran.ended("not_run");
    assert!(["C59", "C66", "C74", "C80"].iter().all(|id| not_run.iter().any(|one| one == id)));
}
