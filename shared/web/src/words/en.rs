use super::Words;

pub(super) const EN: Words = Words {
    amazon: "Login with Amazon",
    error: "Error",
    required: "required",
    choose: "Please choose",

    missing: "Please fill this in.",
    missing_tick: "Please tick this box.",
    missing_choice: "Please choose one.",
    too_long: "Please use 256 characters at most.",
    invalid: "Please check this: it does not have the expected form.",
    invalid_email: "Please enter an e-mail address, such as name@example.com.",
    invalid_tel: "Please enter a telephone number, such as +1 206 555 0100.",
    invalid_number: "Please enter a number, such as 42 or 1.5.",
    invalid_date: "Please enter a day that exists, such as 2001-12-31.",
    invalid_choice: "Please choose one of the options.",
    invalid_consent: "This text has changed. Please read it again, then tick the box.",
    read_text: "Read the text (opens in a new tab)",

    start_title: "Sign in with your Amazon account",
    start_why: "You came here from another website. Press the button if you want to sign in.",

    link_title: "Connect your Amazon account",
    link_matched: "There is already an account with the address {email} here.",
    link_matched_unnamed: "You already have an account here.",
    link_prove: "To show that it is yours, enter the password you use at {site} – not your Amazon password.",
    link_next: "We then sign you in and connect the two. Next time Amazon is enough.",
    link_email: "E-mail address",
    link_password: "Your password at {site}",
    link_code: "Security code",
    link_code_needed: "One more step: enter your password again, together with your security code.",
    link_wrong: "That is not the password of this account.",
    link_wrong_code: "The password or the security code is not right.",
    link_one_try: "You can try once more.",
    link_tries: "You can try {n} more times.",
    link_submit: "Sign in and connect",
    link_forgot: "Forgot your password?",
    link_forgot_next: "Set a new one, then come back to this page in this browser. It waits for you for 24 hours.",
    link_forgot_no_page: "Forgot your password? Please contact {site}.",
    link_cancel: "Cancel",
    link_amazon_password: "The password of your Amazon account is changed at {amazon}, not here.",

    register_title: "Open your account",
    register_why: "You are new at {site}. Please complete the details below.",
    register_next: "We then open your account and sign you in. Next time Amazon is enough.",
    register_elsewhere: "Do you already have an account here, under another address? Sign in with it instead",
    register_email: "E-mail address",
    register_email_from_amazon: "This is the address of your Amazon account.",
    register_email_missing: "Amazon did not tell us your address.",
    register_wrong: "Please correct what is marked below:",
    register_submit: "Open account",

    switch_title: "Switch accounts?",
    switch_from: "You are signed in as {from}.",
    switch_from_unnamed: "You are already signed in.",
    switch_to: "The Amazon account that you just used belongs to {to}.",
    switch_to_unnamed: "The Amazon account that you just used belongs to another account.",
    switch_ask: "Do you want to sign out and go on with the other account?",
    switch_submit: "Switch accounts",
    switch_stay: "Stay signed in as before",

    connections_title: "Your sign-ins",
    connections_cancelled: "You did not go on at Amazon. Nothing was changed.",
    connections_amazon: "Amazon",
    connections_since: "Your Amazon account has been connected since {day}.",
    connections_email: "Its address is {email}.",
    connections_prove_again: "At your next sign-in with Amazon we ask for your password here once.",
    connections_unlink: "Disconnect Amazon",
    connections_unlink_next: "This also ends whatever was signed in with Amazon. From then on you sign in with your password.",
    connections_none: "No Amazon account is connected.",
    connections_link: "Connect Amazon",
    connections_sessions: "Where you are signed in",
    connections_browser: "Browser",
    connections_app: "App",
    connections_device: "Television or other device",
    connections_current: "this one",
    connections_started: "Signed in: {time}.",
    connections_last_seen: "Last used: {time}.",
    connections_revoke: "Sign out",
    connections_revoke_others: "Sign out everywhere else",
    connections_back: "Back",

    reauthenticate_title: "Confirm that it is you",
    reauthenticate_why: "Before you change how you sign in, please show once more that this account is yours. That lasts for five minutes.",
    reauthenticate_submit: "Confirm",
    reauthenticate_amazon: "Confirm at Amazon",

    undo_title: "Was this not you?",
    undo_why: "An Amazon account was connected with your account here. If that was not you, disconnect it now: this also ends whatever was signed in with it.",
    undo_submit: "Disconnect Amazon",
    undo_done_title: "Amazon is disconnected",
    undo_done: "The Amazon account is disconnected, and whatever was signed in with it has ended. Whoever connected it knew your password here, so please set a new one now.",

    problem_moment: "Please wait a moment before you try again.",
    problem_seconds: "Please wait {n} seconds before you try again.",
    problem_minutes: "Please wait {n} minutes before you try again.",
    problem_retry: "Try again",
    problem_sign_in: "Go to the sign-in page",
    problem_confirm: "Confirm that it is you",
    problem_reset: "Set a new password",
    problem_request_id: "If you ask us for help, please tell us this number: {id}",

    start_over: (
        "Please start again",
        "This sign-in is over or was already used, perhaps in another tab. Nothing was changed.",
    ),
    bad_request: (
        "That did not work",
        "We could not understand what your browser sent. Please start again.",
    ),
    wrong_password: (
        "That password is not right",
        "Please enter the password of your account here, not your Amazon password.",
    ),
    mfa_required: ("One more step", "Please enter your security code together with your password."),
    not_signed_in: (
        "You are not signed in",
        "Please sign in first. You may have been signed out because some time has passed.",
    ),
    token_rejected: (
        "Amazon’s confirmation is not valid",
        "It is over, or it was meant for another application. Please sign in with Amazon once more.",
    ),
    csrf: (
        "Please start again",
        "The page was too old, or it was not sent from here. To protect you, we did nothing.",
    ),
    account_closed: (
        "This account cannot be used",
        "Your account here is closed or locked. Please contact us, and we will help you further.",
    ),
    no_password: (
        "Please sign in as usual first",
        "There is already an account with your e-mail address here, but it has no password that you could enter. \
         Sign in the way you usually do, then connect Amazon in the settings of your account.",
    ),
    registration_closed: (
        "No new accounts at the moment",
        "We found no account here for your Amazon account, and new ones cannot be opened at the moment. \
         If you do have an account, sign in with it, then connect Amazon in its settings.",
    ),
    reauthentication_required: (
        "Please confirm that it is you",
        "For this change we need a confirmation that is less than five minutes old. Nothing was changed yet.",
    ),
    not_found: ("This page does not exist", "The address may be mistyped, or the page is gone."),
    method_not_allowed: (
        "That did not work",
        "This page cannot be opened in this way. Please start again.",
    ),
    already_linked: (
        "Already connected otherwise",
        "Your Amazon account or your account here is already connected to another one. Nothing was changed. \
         To change the connection, sign in as usual and open the settings of your account.",
    ),
    ambiguous_email: (
        "More than one account",
        "More than one account here has your e-mail address, so we cannot tell which one is meant. \
         Please sign in as usual, or contact us.",
    ),
    last_sign_in_method: (
        "Please set a password first",
        "Amazon is the only way into your account. Without it, you could not sign in any more. Nothing was changed.",
    ),
    ticket_expired: (
        "Please start again",
        "Too much time has passed, there were too many wrong passwords, or this step is already done. \
         Nothing was lost.",
    ),
    too_large: (
        "That was too much",
        "What your browser sent is longer than we can take. Please start again with shorter entries.",
    ),
    unsupported_media_type: (
        "That did not work",
        "Your browser sent something in a form that we cannot read. Please start again.",
    ),
    invalid_fields: (
        "Please check your entries",
        "Something is missing, or does not have the expected form.",
    ),
    too_many_attempts: (
        "Too many tries",
        "To protect your account, no further tries are possible for a while.",
    ),
    broken: (
        "Something went wrong",
        "This is our fault, not yours. Please try again in a few minutes.",
    ),
    unavailable: (
        "Not available at the moment",
        "Amazon or one of our own systems did not answer in time. Please try again.",
    ),
};
