<?php
/**
 * Tells lwa-bridge what happens to a user, signed, by `POST /auth/lifecycle`.
 *
 * 1. When WordPress says that something happened, nothing is told yet: the request may not be through with it.
 * 2. At the request's end the event is noted, as a row of the options, and told.
 * 3. What was not taken stays, and is told again: with the next event, after a minute, and every hour.
 */

namespace LwaBridge;

use WP_User;

const EVENT = 'lwa_bridge_event_';

add_action(
	'password_reset',
	function ( WP_User $user ) {
		happened( 'password_reset', $user->ID );
	}
);
add_action(
	'profile_update',
	function ( int $user_id, WP_User $before ) {
		$user = get_userdata( $user_id );
		if ( $before->user_pass !== $user->user_pass ) {
			happened( 'password_reset', $user_id );
		}
		if ( strtolower( $before->user_email ) !== strtolower( $user->user_email ) ) {
			happened( 'email_changed', $user_id );
		}
	},
	10,
	2
);
add_action(
	'deleted_user',
	function ( int $user_id ) {
		happened( 'deleted', $user_id );
	}
);
// A role that is taken or given may close an account to Amazon.
foreach ( array( 'set_user_role', 'add_user_role', 'remove_user_role' ) as $hook ) {
	add_action(
		$hook,
		function ( int $user_id ) {
			happened( 'disabled', $user_id );
		}
	);
}

function happened( string $type, int $user_id ): void {
	static $happened = array();
	if ( isset( $happened[ $type ][ $user_id ] ) ) {
		return;
	}
	$happened[ $type ][ $user_id ] = true;
	$note                          = function () use ( $type, $user_id ) {
		$user = get_userdata( $user_id );
		if ( 'disabled' === $type && ( ! $user || 'active' === status( $user ) ) ) {
			return;
		}
		$event = array( 'type' => $type, 'account_id' => (string) $user_id, 'at' => gmdate( 'Y-m-d\TH:i:s\Z' ) );
		add_option( EVENT . wp_generate_uuid4(), wp_json_encode( $event ), '', 'no' );
	};
	add_action( 'shutdown', $note );
	add_action( 'shutdown', __NAMESPACE__ . '\tell', 20 );
}

/** Tells what was noted, the oldest first. */
function tell(): void {
	global $wpdb;
	$waiting = "SELECT option_name, option_value FROM $wpdb->options WHERE option_name LIKE %s ORDER BY option_id LIMIT 100";
	foreach ( $wpdb->get_results( $wpdb->prepare( $waiting, $wpdb->esc_like( EVENT ) . '%' ) ) as $event ) {
		$id        = substr( $event->option_name, strlen( EVENT ) );
		$timestamp = (string) time();
		$answer    = wp_remote_post(
			bridge( '/auth/lifecycle' ),
			array(
				'headers'     => array(
					'Content-Type'      => 'application/json',
					'webhook-id'        => $id,
					'webhook-timestamp' => $timestamp,
					'webhook-signature' => implode( ' ', signatures( $id, $timestamp, $event->option_value ) ),
				),
				'body'        => $event->option_value,
				'timeout'     => 3,
				'redirection' => 0,
			)
		);
		$status    = wp_remote_retrieve_response_code( $answer );
		if ( 200 === $status ) {
			delete_option( $event->option_name );
			continue;
		}
		wp_schedule_single_event( time() + MINUTE_IN_SECONDS, 'lwa_bridge_again' );
		error_log( "lwa-bridge did not take the event $id: " . ( $status ? $status : 'no answer' ) );
		if ( ! $status ) {
			return; // Each of the others would wait as long.
		}
	}
}
add_action( 'lwa_bridge_again', __NAMESPACE__ . '\tell' );
add_action( 'lwa_bridge_hourly', __NAMESPACE__ . '\tell' );

/** Where lwa-bridge is: below /auth of this site's host, unless LWA_PUBLIC_URL says otherwise. */
function bridge( string $path ): string {
	if ( defined( 'LWA_PUBLIC_URL' ) ) {
		return LWA_PUBLIC_URL . $path;
	}
	return preg_replace( '#^(https?://[^/]+).*#', '$1', home_url() ) . $path;
}
