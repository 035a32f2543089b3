<?php
/**
 * Standard Webhooks 1.0: who sent a request, both ways.
 *
 * 1. The sender names the message, says when it was sent, and signs `id.timestamp.body` with HMAC-SHA256.
 * 2. The receiver takes it if one of the signatures is right by one of its secrets (there are several while a
 *    secret is replaced), and the clocks are no more than five minutes apart.
 * 3. No message counts twice.
 */

namespace LwaBridge;

use WP_Error;
use WP_REST_Request;

// Each message's name is a row of the options, whose unique index says which of two came first.
const MESSAGE = 'lwa_bridge_message_';

/** The secrets that are good now, as bytes: `whsec_…`, or several with spaces between. None, if one is wrong. */
function secrets(): array {
	$secrets = array();
	$texts   = defined( 'LWA_ACCOUNTS_WEBHOOK_SECRET' ) ? LWA_ACCOUNTS_WEBHOOK_SECRET : '';
	foreach ( preg_split( '/\s+/', $texts, -1, PREG_SPLIT_NO_EMPTY ) as $text ) {
		$secret = 0 === strpos( $text, 'whsec_' ) ? base64_decode( substr( $text, 6 ), true ) : false;
		if ( false === $secret || strlen( $secret ) < 24 ) {
			return array();
		}
		$secrets[] = $secret;
	}
	return $secrets;
}

add_action(
	'admin_notices',
	function () {
		if ( ! secrets() && current_user_can( 'manage_options' ) ) {
			$text = __( 'Login with Amazon: LWA_ACCOUNTS_WEBHOOK_SECRET in wp-config.php is missing, or not whsec_ and base64 of 24 bytes or more.', 'lwa-bridge-accounts' );
			printf( '<div class="notice notice-error"><p>%s</p></div>', esc_html( $text ) );
		}
	}
);

/** One signature by each secret. */
function signatures( string $id, string $timestamp, string $body ): array {
	$sign = function ( string $secret ) use ( $id, $timestamp, $body ): string {
		return 'v1,' . base64_encode( hash_hmac( 'sha256', "$id.$timestamp.$body", $secret, true ) );
	};
	return array_map( $sign, secrets() );
}

/** Whether lwa-bridge sent this, just now and not before. */
function is_signed_and_new( WP_REST_Request $request ) {
	$id        = (string) $request->get_header( 'webhook-id' );
	$timestamp = (string) $request->get_header( 'webhook-timestamp' );
	$presented = array_slice( explode( ' ', (string) $request->get_header( 'webhook-signature' ) ), 0, 10 );
	// A dot in the id would let a part of it pass for the time.
	$fits = preg_match( '/^[!-\-\/-~]{1,256}$/D', $id ) && preg_match( '/^[0-9]{1,12}$/D', $timestamp );
	if ( $fits && abs( time() - (int) $timestamp ) <= 5 * MINUTE_IN_SECONDS ) {
		foreach ( signatures( $id, $timestamp, $request->get_body() ) as $right ) {
			foreach ( $presented as $signature ) {
				if ( hash_equals( $right, $signature ) ) {
					return is_new( $id );
				}
			}
		}
	}
	return new WP_Error( 'lwa_bridge_signature', 'This is not signed by lwa-bridge, or not just now.', array( 'status' => 401 ) );
}

function is_new( string $id ) {
	global $wpdb;
	$insert = "INSERT IGNORE INTO $wpdb->options (option_name, option_value, autoload) VALUES (%s, %d, 'no')";
	$rows   = $wpdb->query( $wpdb->prepare( $insert, MESSAGE . hash( 'sha256', $id ), time() ) );
	if ( 1 === $rows ) {
		return true;
	}
	return 0 === $rows
		? new WP_Error( 'lwa_bridge_repeated', 'This message came before.', array( 'status' => 409 ) )
		: new WP_Error( 'lwa_bridge_fault', 'The database did not answer.', array( 'status' => 500 ) );
}

/** Forgets the messages that are too old to be sent again. */
function forget_messages(): void {
	global $wpdb;
	$delete = "DELETE FROM $wpdb->options WHERE option_name LIKE %s AND option_value < %d";
	$wpdb->query( $wpdb->prepare( $delete, $wpdb->esc_like( MESSAGE ) . '%', time() - 15 * MINUTE_IN_SECONDS ) );
}
add_action( 'lwa_bridge_hourly', __NAMESPACE__ . '\forget_messages' );
