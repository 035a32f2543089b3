<?php
/**
 * Visitors: the button, and a session of WordPress's own for whoever has signed in at lwa-bridge.
 *
 * 1. The button on wp-login.php leads to `/auth/amazon/login`.
 * 2. From there every sign-in comes back by `SIGNED_IN_PATH=/wp-login.php?action=lwa_signed_in`.
 * 3. `GET /auth/session` says who that is, and they are signed in as by a password.
 * 4. Whoever signs out here is signed out there.
 */

namespace LwaBridge;

use WP_User;

add_action( 'login_form', __NAMESPACE__ . '\show_button' );
add_action( 'login_form_lwa_signed_in', __NAMESPACE__ . '\sign_in' );
add_action( 'wp_logout', __NAMESPACE__ . '\sign_out' );

function show_button(): void {
	$return_to = wp_make_link_relative( local_url( 'redirect_to' ) );
	$url       = '/auth/amazon/login?return_to=' . rawurlencode( $return_to );
	printf( '<p><a class="button button-large" href="%s">%s</a></p>', esc_url( $url ), esc_html__( 'Login with Amazon', 'lwa-bridge-accounts' ) );
}

/** Where a parameter leads, if it leads nowhere else than to this site. */
function local_url( string $parameter ): string {
	$url = $_REQUEST[ $parameter ] ?? '';
	return is_string( $url ) && '' !== $url ? wp_validate_redirect( wp_unslash( $url ), home_url( '/' ) ) : home_url( '/' );
}

function sign_in(): void {
	$return_to = local_url( 'return_to' );
	$session   = session();
	if ( null === $session ) {
		wp_die( esc_html__( 'Whether you are signed in cannot be said for the moment. Please try again.', 'lwa-bridge-accounts' ), 503 );
	}
	$user = user( $session['account']['id'] ?? '' );
	if ( ! $user ) {
		wp_safe_redirect( wp_login_url( $return_to ) );
		exit;
	}
	// Plugins that keep somebody out are asked, as at every sign-in.
	if ( 'active' !== status( $user ) || ! apply_filters( 'wp_authenticate_user', $user, '' ) instanceof WP_User ) {
		wp_die( esc_html__( 'This account cannot be used with Amazon.', 'lwa-bridge-accounts' ), 403 );
	}
	if ( get_current_user_id() !== $user->ID ) {
		wp_set_auth_cookie( $user->ID );
		// Plugins that ask for a second factor do it here.
		do_action( 'wp_login', $user->user_login, $user );
	}
	wp_safe_redirect( $return_to );
	exit;
}

function sign_out(): void {
	$session = session();
	if ( array() === $session ) {
		return;
	}
	$headers = array( 'Origin' => bridge( '' ), 'X-Csrf-Token' => $session['csrf'] ?? '' );
	$answer  = $session ? ask( 'POST', '/auth/logout', $headers ) : null;
	if ( ! in_array( wp_remote_retrieve_response_code( $answer ), array( 204, 303 ), true ) ) {
		error_log( 'lwa-bridge did not end a session' );
	}
}

/** What lwa-bridge says of the visitor's session there: nothing where there is none, null where it does not say. */
function session(): ?array {
	if ( ! isset( $_COOKIE['__Host-lwa_session'] ) ) {
		return array();
	}
	$answer = ask( 'GET', '/auth/session', array() );
	switch ( wp_remote_retrieve_response_code( $answer ) ) {
		case 200:
			return json_decode( wp_remote_retrieve_body( $answer ), true );
		case 401:
			return array();
		default:
			return null;
	}
}

/** Asks lwa-bridge in the visitor's name: with their cookies, as they came. */
function ask( string $method, string $path, array $headers ) {
	$headers += array( 'Cookie' => $_SERVER['HTTP_COOKIE'], 'Accept' => 'application/json' );
	return wp_remote_request( bridge( $path ), array( 'method' => $method, 'headers' => $headers, 'timeout' => 3, 'redirection' => 0 ) );
}
