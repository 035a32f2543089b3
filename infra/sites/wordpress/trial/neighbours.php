<?php
/**
 * What other plugins of a site do, and how they and lwa-bridge come together: one that locks accounts, one that
 * asks for a second factor, one that sends mail.
 */

add_filter(
	'wp_authenticate_user',
	function ( $user ) {
		return $user instanceof WP_User && $user->trial_locked ? new WP_Error( 'locked', 'This account is locked.' ) : $user;
	}
);
add_filter(
	'lwa_bridge_status',
	function ( $status, $user ) {
		return $user->trial_locked ? 'locked' : $status;
	},
	10,
	2
);

add_filter(
	'lwa_bridge_verdict',
	function ( $verdict, $user, $code ) {
		return ! $user->trial_totp || in_array( $code, trial_codes( $user->trial_totp ), true ) ? $verdict : 'mfa_required';
	},
	10,
	3
);

/** The codes of the last, this and the next half minute (RFC 6238). A real plugin takes each of them once. */
function trial_codes( string $secret ): array {
	$code = function ( int $step ) use ( $secret ): string {
		$digest = hash_hmac( 'sha1', pack( 'J', $step ), $secret, true );
		$number = unpack( 'N', $digest, ord( $digest[19] ) & 15 )[1] & 0x7fffffff;
		return sprintf( '%06d', $number % 1000000 );
	};
	$now  = intdiv( time(), 30 );
	return array_map( $code, array( $now - 1, $now, $now + 1 ) );
}

// Mails are files.
add_filter(
	'pre_wp_mail',
	function ( $sent, $mail ) {
		return (bool) file_put_contents( TRIAL . '/mail/' . wp_generate_uuid4(), wp_json_encode( $mail ) );
	},
	10,
	2
);
