use super::Words;

pub(super) const DE: Words = Words {
    amazon: "Login with Amazon",
    error: "Fehler",
    required: "Pflichtfeld",
    choose: "Bitte wählen",

    missing: "Bitte füllen Sie dieses Feld aus.",
    missing_tick: "Bitte setzen Sie hier das Häkchen.",
    missing_choice: "Bitte wählen Sie etwas aus.",
    too_long: "Bitte geben Sie höchstens 256 Zeichen ein.",
    invalid: "Bitte prüfen Sie diese Angabe: Sie hat nicht die erwartete Form.",
    invalid_email: "Bitte geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com.",
    invalid_tel: "Bitte geben Sie eine Telefonnummer ein, zum Beispiel +49 30 901820.",
    invalid_number: "Bitte geben Sie eine Zahl ein, zum Beispiel 42 oder 1.5.",
    invalid_date: "Bitte geben Sie einen Tag ein, den es gibt, zum Beispiel 2001-12-31.",
    invalid_choice: "Bitte wählen Sie eine der Möglichkeiten aus.",
    invalid_consent: "Dieser Text hat sich geändert. Bitte lesen Sie ihn noch einmal und setzen Sie dann das Häkchen.",
    read_text: "Den Text lesen (öffnet sich in einem neuen Tab)",

    start_title: "Mit Ihrem Amazon-Konto anmelden",
    start_why: "Sie kommen von einer anderen Website. Wenn Sie sich anmelden möchten, klicken Sie auf die Schaltfläche.",

    link_title: "Amazon-Konto verbinden",
    link_matched: "Hier gibt es schon ein Konto mit der Adresse {email}.",
    link_matched_unnamed: "Sie haben hier schon ein Konto.",
    link_prove: "Zeigen Sie, dass es Ihres ist: Geben Sie das Passwort ein, das Sie bei {site} verwenden – nicht Ihr Amazon-Passwort.",
    link_next: "Danach melden wir Sie an und verbinden die beiden Konten. Beim nächsten Mal genügt Amazon.",
    link_email: "E-Mail-Adresse",
    link_password: "Ihr Passwort bei {site}",
    link_code: "Sicherheitscode",
    link_code_needed: "Noch ein Schritt: Geben Sie Ihr Passwort noch einmal ein, zusammen mit Ihrem Sicherheitscode.",
    link_wrong: "Das ist nicht das Passwort dieses Kontos.",
    link_wrong_code: "Das Passwort oder der Sicherheitscode stimmt nicht.",
    link_one_try: "Sie können es noch einmal versuchen.",
    link_tries: "Sie können es noch {n} Mal versuchen.",
    link_submit: "Anmelden und verbinden",
    link_forgot: "Passwort vergessen?",
    link_forgot_next: "Legen Sie ein neues fest und kommen Sie dann in diesem Browser auf diese Seite zurück. Sie wartet 24 Stunden auf Sie.",
    link_forgot_no_page: "Passwort vergessen? Bitte wenden Sie sich an {site}.",
    link_cancel: "Abbrechen",
    link_amazon_password: "Das Passwort Ihres Amazon-Kontos ändern Sie nicht hier, sondern auf {amazon}.",

    register_title: "Konto eröffnen",
    register_why: "Sie sind neu bei {site}. Bitte ergänzen Sie diese Angaben.",
    register_next: "Danach eröffnen wir Ihr Konto und melden Sie an. Beim nächsten Mal genügt Amazon.",
    register_elsewhere: "Haben Sie hier schon ein Konto mit einer anderen Adresse? Melden Sie sich damit an",
    register_email: "E-Mail-Adresse",
    register_email_from_amazon: "Das ist die Adresse Ihres Amazon-Kontos.",
    register_email_missing: "Amazon hat uns Ihre Adresse nicht mitgeteilt.",
    register_wrong: "Bitte berichtigen Sie, was unten markiert ist:",
    register_submit: "Konto eröffnen",

    switch_title: "Konto wechseln?",
    switch_from: "Sie sind als {from} angemeldet.",
    switch_from_unnamed: "Sie sind schon angemeldet.",
    switch_to: "Das Amazon-Konto, das Sie gerade verwendet haben, gehört zu {to}.",
    switch_to_unnamed: "Das Amazon-Konto, das Sie gerade verwendet haben, gehört zu einem anderen Konto.",
    switch_ask: "Möchten Sie sich abmelden und mit dem anderen Konto weitermachen?",
    switch_submit: "Konto wechseln",
    switch_stay: "Angemeldet bleiben wie bisher",

    connections_title: "Ihre Anmeldungen",
    connections_cancelled: "Sie haben bei Amazon nicht weitergemacht. Es wurde nichts geändert.",
    connections_amazon: "Amazon",
    connections_since: "Ihr Amazon-Konto ist seit {day} verbunden.",
    connections_email: "Seine Adresse ist {email}.",
    connections_prove_again: "Bei der nächsten Anmeldung mit Amazon fragen wir einmal nach Ihrem Passwort hier.",
    connections_unlink: "Amazon trennen",
    connections_unlink_next: "Das beendet auch alles, was mit Amazon angemeldet wurde. Danach melden Sie sich mit Ihrem Passwort an.",
    connections_none: "Es ist kein Amazon-Konto verbunden.",
    connections_link: "Amazon verbinden",
    connections_sessions: "Wo Sie angemeldet sind",
    connections_browser: "Browser",
    connections_app: "App",
    connections_device: "Fernseher oder anderes Gerät",
    connections_current: "dieser hier",
    connections_started: "Angemeldet: {time}.",
    connections_last_seen: "Zuletzt benutzt: {time}.",
    connections_revoke: "Abmelden",
    connections_revoke_others: "Überall sonst abmelden",
    connections_back: "Zurück",

    reauthenticate_title: "Bestätigen Sie, dass Sie es sind",
    reauthenticate_why: "Bevor Sie ändern, wie Sie sich anmelden, zeigen Sie bitte noch einmal, dass dieses Konto Ihnen gehört. Das gilt fünf Minuten lang.",
    reauthenticate_submit: "Bestätigen",
    reauthenticate_amazon: "Bei Amazon bestätigen",

    undo_title: "Waren Sie das nicht?",
    undo_why: "Ein Amazon-Konto wurde mit Ihrem Konto hier verbunden. Wenn Sie das nicht waren, trennen Sie es jetzt: Das beendet auch alles, was damit angemeldet wurde.",
    undo_submit: "Amazon trennen",
    undo_done_title: "Amazon ist getrennt",
    undo_done: "Das Amazon-Konto ist getrennt, und alles, was damit angemeldet wurde, ist beendet. Wer es verbunden hat, kannte Ihr Passwort hier. Bitte legen Sie jetzt ein neues fest.",

    problem_moment: "Bitte warten Sie einen Moment, bevor Sie es noch einmal versuchen.",
    problem_seconds: "Bitte warten Sie {n} Sekunden, bevor Sie es noch einmal versuchen.",
    problem_minutes: "Bitte warten Sie {n} Minuten, bevor Sie es noch einmal versuchen.",
    problem_retry: "Noch einmal versuchen",
    problem_sign_in: "Zur Anmeldeseite",
    problem_confirm: "Jetzt bestätigen",
    problem_reset: "Neues Passwort festlegen",
    problem_request_id: "Wenn Sie uns um Hilfe bitten, nennen Sie uns bitte diese Nummer: {id}",

    start_over: (
        "Bitte beginnen Sie von vorn",
        "Diese Anmeldung ist abgelaufen oder wurde schon benutzt, vielleicht in einem anderen Tab. \
         Es wurde nichts geändert.",
    ),
    bad_request: (
        "Das hat nicht funktioniert",
        "Wir konnten nicht verstehen, was Ihr Browser gesendet hat. Bitte beginnen Sie von vorn.",
    ),
    wrong_password: (
        "Das Passwort stimmt nicht",
        "Bitte geben Sie das Passwort Ihres Kontos hier ein, nicht Ihr Amazon-Passwort.",
    ),
    mfa_required: (
        "Noch ein Schritt",
        "Bitte geben Sie zusammen mit Ihrem Passwort Ihren Sicherheitscode ein.",
    ),
    not_signed_in: (
        "Sie sind nicht angemeldet",
        "Bitte melden Sie sich zuerst an. Vielleicht wurden Sie abgemeldet, weil einige Zeit vergangen ist.",
    ),
    token_rejected: (
        "Die Bestätigung von Amazon ist ungültig",
        "Sie ist abgelaufen oder war für eine andere Anwendung bestimmt. Bitte melden Sie sich noch einmal mit Amazon an.",
    ),
    csrf: (
        "Bitte beginnen Sie von vorn",
        "Die Seite war zu alt oder wurde nicht von hier gesendet. Zu Ihrem Schutz haben wir nichts getan.",
    ),
    account_closed: (
        "Dieses Konto ist nicht verfügbar",
        "Ihr Konto hier ist geschlossen oder gesperrt. Bitte wenden Sie sich an uns; wir helfen Ihnen weiter.",
    ),
    no_password: (
        "Bitte melden Sie sich zuerst wie gewohnt an",
        "Hier gibt es schon ein Konto mit Ihrer E-Mail-Adresse, aber es hat kein Passwort, das Sie eingeben könnten. \
         Melden Sie sich an wie sonst auch und verbinden Sie Amazon dann in den Einstellungen Ihres Kontos.",
    ),
    registration_closed: (
        "Zurzeit keine neuen Konten",
        "Zu Ihrem Amazon-Konto haben wir hier kein Konto gefunden, und neue können zurzeit nicht eröffnet werden. \
         Wenn Sie ein Konto haben, melden Sie sich damit an und verbinden Sie Amazon in dessen Einstellungen.",
    ),
    reauthentication_required: (
        "Bitte bestätigen Sie, dass Sie es sind",
        "Für diese Änderung brauchen wir eine Bestätigung, die keine fünf Minuten alt ist. Es wurde noch nichts geändert.",
    ),
    not_found: (
        "Diese Seite gibt es nicht",
        "Vielleicht ist die Adresse falsch geschrieben, oder es gibt die Seite nicht mehr.",
    ),
    method_not_allowed: (
        "Das hat nicht funktioniert",
        "Diese Seite lässt sich so nicht öffnen. Bitte beginnen Sie von vorn.",
    ),
    already_linked: (
        "Schon anders verbunden",
        "Ihr Amazon-Konto oder Ihr Konto hier ist schon mit einem anderen verbunden. Es wurde nichts geändert. \
         Um die Verbindung zu ändern, melden Sie sich wie gewohnt an und öffnen Sie die Einstellungen Ihres Kontos.",
    ),
    ambiguous_email: (
        "Mehr als ein Konto",
        "Ihre E-Mail-Adresse gehört hier zu mehr als einem Konto; wir können nicht erkennen, welches gemeint ist. \
         Bitte melden Sie sich wie gewohnt an oder wenden Sie sich an uns.",
    ),
    last_sign_in_method: (
        "Bitte legen Sie zuerst ein Passwort fest",
        "Amazon ist der einzige Weg in Ihr Konto. Ohne ihn könnten Sie sich nicht mehr anmelden. Es wurde nichts geändert.",
    ),
    ticket_expired: (
        "Bitte beginnen Sie von vorn",
        "Es ist zu viel Zeit vergangen, es gab zu viele falsche Passwörter, oder dieser Schritt ist schon erledigt. \
         Es ging nichts verloren.",
    ),
    too_large: (
        "Das war zu viel",
        "Was Ihr Browser gesendet hat, ist länger, als wir annehmen können. Bitte beginnen Sie von vorn, mit kürzeren Angaben.",
    ),
    unsupported_media_type: (
        "Das hat nicht funktioniert",
        "Ihr Browser hat etwas in einer Form gesendet, die wir nicht lesen können. Bitte beginnen Sie von vorn.",
    ),
    invalid_fields: (
        "Bitte prüfen Sie Ihre Angaben",
        "Etwas fehlt oder hat nicht die erwartete Form.",
    ),
    too_many_attempts: (
        "Zu viele Versuche",
        "Zum Schutz Ihres Kontos sind eine Zeit lang keine weiteren Versuche möglich.",
    ),
    broken: (
        "Etwas ist schiefgegangen",
        "Das liegt an uns, nicht an Ihnen. Bitte versuchen Sie es in ein paar Minuten noch einmal.",
    ),
    unavailable: (
        "Zurzeit nicht verfügbar",
        "Amazon oder eines unserer eigenen Systeme hat nicht rechtzeitig geantwortet. Bitte versuchen Sie es noch einmal.",
    ),
};
