<?php
/**
 * Plugin Name:       Login with Amazon: accounts
 * Description:       Answers what lwa-bridge asks about this site's users, tells it what happens to them, and signs in here whoever has signed in there.
 * Version:           1.0.0
 * Requires at least: 5.9
 * Requires PHP:      7.4
 * License:           Apache-2.0
 */

namespace LwaBridge;

use InvalidArgumentException;
use RuntimeException;
use WP_Error;
use WP_REST_Request;
use WP_User;

defined( 'ABSPATH' ) || exit;

require __DIR__ . '/signature.php';
require __DIR__ . '/lifecycle.php';
require __DIR__ . '/sign-in.php';

register_activation_hook(
	__FILE__,
	function () {
		wp_schedule_event( time(), 'hourly', 'lwa_bridge_hourly' );
	}
);
register_deactivation_hook(
	__FILE__,
	function () {
		wp_clear_scheduled_hook( 'lwa_bridge_hourly' );
	}
);

// Where WooCommerce keeps it; WordPress itself knows none.
const POSTAL_CODE = 'billing_postcode';

add_action(
	'rest_api_init',
	function () {
		register_rest_route(
			'lwa-bridge/v1',
			'/accounts',
			array(
				'methods'             => 'POST',
				'permission_callback' => __NAMESPACE__ . '\is_signed_and_new',
				'callback'            => __NAMESPACE__ . '\answer',
				'show_in_index'       => false,
			)
		);
	}
);

/** Answers a question. What cannot be answered is an error, and never a "no". */
function answer( WP_REST_Request $request ) {
	global $wpdb;
	$faults     = faults();
	$suppressed = $wpdb->suppress_errors(); // WordPress would log the query, and an address with it.
	try {
		$answer = decide( (array) json_decode( $request->get_body(), true ) );
	} catch ( InvalidArgumentException $error ) {
		return new WP_Error( 'lwa_bridge_question', $error->getMessage(), array( 'status' => 400 ) );
	} catch ( RuntimeException $error ) {
		return new WP_Error( 'lwa_bridge_fault', $error->getMessage(), array( 'status' => $error->getCode() ?: 500 ) );
	} finally {
		$wpdb->suppress_errors( $suppressed );
	}
	if ( faults() !== $faults ) {
		return new WP_Error( 'lwa_bridge_fault', 'The database did not answer.', array( 'status' => 500 ) );
	}
	return $answer;
}

/** So many queries have failed so far. WordPress takes a database that does not answer for one that has nobody. */
function faults(): int {
	global $EZSQL_ERROR;
	return count( (array) $EZSQL_ERROR );
}

function decide( array $question ): array {
	switch ( text( $question, 'type' ) ) {
		case 'find_by_email':
			return array( 'accounts' => array_map( __NAMESPACE__ . '\account', users( 'user_email', text( $question, 'email' ) ) ) );
		case 'find_by_id':
			$user = user( text( $question, 'account_id' ) );
			return array( 'accounts' => $user ? array( account( $user ) ) : array() );
		case 'verify_password':
			$user = user( text( $question, 'account_id' ) );
			return array( 'verdict' => compare( $user, text( $question, 'password' ), text( $question, 'code', '' ) ) );
		case 'create':
			return create( $question );
		case 'update':
			return update( text( $question, 'account_id' ), members( $question, 'set' ) );
		case 'notify':
			return notify( members( $question, 'notice' ) );
		default:
			return array( 'outcome' => 'unsupported' );
	}
}

/** A member that is a text. Without a default it must be there. */
function text( array $members, string $name, ?string $default = null ): string {
	$text = $members[ $name ] ?? $default;
	if ( ! is_string( $text ) ) {
		throw new InvalidArgumentException( "$name is no text" );
	}
	return $text;
}

/** A member that is an object. */
function members( array $members, string $name ): array {
	if ( ! is_array( $members[ $name ] ?? null ) ) {
		throw new InvalidArgumentException( "$name is no object" );
	}
	return $members[ $name ];
}

/** Who has this id. `7abc` and `07` are nobody's, though PHP reads a 7. */
function user( string $id ): ?WP_User {
	$user = preg_match( '/^[1-9][0-9]{0,17}$/D', $id ) ? get_userdata( (int) $id ) : null;
	return $user ? $user : null;
}

/** All who have this address, or this login. MySQL folds more than ASCII case, so bytes decide. */
function users( string $column, string $value ): array {
	global $wpdb;
	$ids   = $wpdb->get_col( $wpdb->prepare( "SELECT ID FROM $wpdb->users WHERE $column = %s ORDER BY ID", $value ) );
	$users = array_filter( array_map( 'get_userdata', $ids ) );
	$same  = function ( WP_User $user ) use ( $column, $value ) {
		return strtolower( $user->$column ) === strtolower( $value );
	};
	return array_values( array_filter( $users, $same ) );
}

function account( WP_User $user ): array {
	$nameless = $user->display_name === $user->user_login && 0 === strpos( $user->user_login, 'lwa-' );
	return array(
		'id'           => (string) $user->ID,
		'email'        => $user->user_email ?: null,
		// WordPress keeps names as HTML.
		'name'         => $nameless ? null : wp_specialchars_decode( $user->display_name ),
		'postal_code'  => $user->get( POSTAL_CODE ) ?: null,
		'status'       => status( $user ),
		'has_password' => has_password( $user ),
	);
}

/** Whether Amazon may open this account: not the site's administrators', unless the site says so, and nobody's whose role was taken. */
function status( WP_User $user ): string {
	$closed = ! $user->roles || user_can( $user, 'manage_options' );
	return apply_filters( 'lwa_bridge_status', $closed ? 'disabled' : 'active', $user );
}

/** WordPress writes no hash that begins with `!`, and phpass writes `*` where it failed. */
function has_password( WP_User $user ): bool {
	return ! in_array( substr( $user->user_pass, 0, 1 ), array( '', '!', '*' ), true );
}

/** Compares a password as wp-login.php does, without counting for this server's address: all visitors would share it. */
function compare( ?WP_User $user, string $password, string $code ): string {
	// WordPress slashes what is posted and trims it, when a password is chosen and when it is given.
	$password = trim( wp_slash( $password ) );
	if ( ! $user ) {
		wp_hash_password( $password );
		return 'mismatch';
	}
	$status = status( $user );
	if ( 'active' !== $status ) {
		return $status;
	}
	if ( ! has_password( $user ) ) {
		return 'no_password';
	}
	// Here plugins keep somebody out.
	if ( ! apply_filters( 'wp_authenticate_user', $user, $password ) instanceof WP_User ) {
		return 'locked';
	}
	if ( '' === $password || ! wp_check_password( $password, $user->user_pass, $user->ID ) ) {
		return 'mismatch';
	}
	return apply_filters( 'lwa_bridge_verdict', 'match', $user, $code );
}

/** Opens an account, one at a time: WordPress has no unique index over addresses. */
function create( array $question ): array {
	global $wpdb;
	$lock = 'lwa_bridge_' . md5( DB_NAME . $wpdb->prefix );
	if ( '1' !== $wpdb->get_var( $wpdb->prepare( 'SELECT GET_LOCK(%s, 2)', $lock ) ) ) {
		throw new RuntimeException( 'Other accounts are being opened.' );
	}
	$faults = faults();
	// The key lives on in the login: there it is indexed, and written together with the rest.
	$login = 'lwa-' . substr( hash( 'sha256', text( $question, 'key' ) ), 0, 32 );
	$wpdb->query( 'START TRANSACTION' );
	try {
		$answer = open( $login, $question );
		if ( faults() === $faults ) {
			$wpdb->query( 'COMMIT' );
		}
		return $answer;
	} finally {
		// After COMMIT there is nothing left to roll back. Before, a cache may have kept what never was.
		$wpdb->query( 'ROLLBACK' );
		$cached = get_user_by( 'login', $login );
		if ( $cached ) {
			clean_user_cache( $cached );
		}
		$wpdb->query( $wpdb->prepare( 'DO RELEASE_LOCK(%s)', $lock ) );
	}
}

function open( string $login, array $question ): array {
	$email = text( $question, 'email' );
	$name  = display_name( text( $question, 'name', '' ) );
	$meta  = array(
		POSTAL_CODE           => text( $question, 'postal_code', '' ),
		'lwa_bridge_fields'   => members( $question, 'fields' ),
		'lwa_bridge_consents' => members( $question, 'consents' ),
	);
	$known = users( 'user_login', $login );
	if ( $known ) {
		return array( 'outcome' => 'created', 'account' => account( $known[0] ) );
	}
	if ( users( 'user_email', $email ) ) {
		return array( 'outcome' => 'email_taken' );
	}
	if ( ! get_option( 'users_can_register' ) ) {
		return array( 'outcome' => 'unsupported' );
	}
	$invalid = array();
	// What WordPress would keep in other words, nobody would find again.
	if ( wp_unslash( sanitize_user_field( 'user_email', wp_slash( $email ), 0, 'db' ) ) !== $email ) {
		$invalid['email'] = 'invalid';
	} elseif ( strlen( $email ) > 100 ) {
		$invalid['email'] = 'too_long';
	}
	if ( mb_strlen( $name ) > 250 ) {
		$invalid['name'] = 'too_long';
	}
	if ( $invalid ) {
		return array( 'outcome' => 'invalid', 'fields' => $invalid );
	}
	$without_password = function ( array $row ): array {
		// No password has this hash. The cookies' signatures contain some of it, so it is nobody else's.
		return array( 'user_pass' => '!' . bin2hex( random_bytes( 20 ) ) ) + $row;
	};
	add_filter( 'wp_pre_insert_user_data', $without_password );
	$id = wp_insert_user(
		wp_slash(
			array(
				'user_login'   => $login,
				'user_pass'    => '',
				'user_email'   => $email,
				'display_name' => $name,
				'nickname'     => $name,
				'meta_input'   => array_filter( $meta ),
			)
		)
	);
	remove_filter( 'wp_pre_insert_user_data', $without_password );
	if ( is_wp_error( $id ) && 'existing_user_email' === $id->get_error_code() ) {
		// Another spelling of it, that WordPress takes for the same; or the site's own form was quicker.
		return users( 'user_email', $email )
			? array( 'outcome' => 'email_taken' )
			: array( 'outcome' => 'invalid', 'fields' => array( 'email' => 'invalid' ) );
	}
	$user = is_wp_error( $id ) ? null : user( (string) $id );
	if ( ! $user ) {
		throw new RuntimeException( 'WordPress opened no account.' );
	}
	return array( 'outcome' => 'created', 'account' => account( $user ) );
}

/** A name as WordPress keeps it: as HTML. What looks like a tag is a part of the name, and not taken out. */
function display_name( string $name ): string {
	return wp_unslash( sanitize_user_field( 'display_name', wp_slash( htmlspecialchars( $name, ENT_NOQUOTES ) ), 0, 'db' ) );
}

function update( string $id, array $set ): array {
	global $wpdb;
	if ( ! $set || array_diff_key( $set, array( 'name' => '', 'postal_code' => '' ) ) ) {
		throw new InvalidArgumentException( 'set is none that can be written' );
	}
	$name        = display_name( text( $set, 'name', '' ) );
	$postal_code = text( $set, 'postal_code', '' );
	$user        = user( $id );
	if ( ! $user ) {
		throw new RuntimeException( 'There is no such account.', 404 );
	}
	if ( '' !== $name ) {
		// Not by wp_update_user, which writes all that it has read before, and would undo a new password.
		if ( false === $wpdb->update( $wpdb->users, array( 'display_name' => $name ), array( 'ID' => $user->ID ) ) ) {
			throw new RuntimeException( 'The name was not written.' );
		}
		clean_user_cache( $user );
	}
	if ( isset( $set['postal_code'] ) ) {
		update_user_meta( $user->ID, POSTAL_CODE, wp_slash( $postal_code ) );
	}
	return array( 'outcome' => 'updated' );
}

/** Mails a notice to the account's owner. */
function notify( array $notice ): array {
	$words = array(
		'linked'             => __( 'An Amazon account was connected with your account.', 'lwa-bridge-accounts' ),
		'unlinked'           => __( 'The Amazon account was disconnected from your account.', 'lwa-bridge-accounts' ),
		'link_to_prove'      => __( 'You have a new password. At your next sign-in with Amazon you give it once.', 'lwa-bridge-accounts' ),
		'attempts_throttled' => __( 'Somebody tried passwords for your account, and has to wait now.', 'lwa-bridge-accounts' ),
	);
	$type  = text( $notice, 'type' );
	$user  = user( text( $notice, 'account_id' ) );
	if ( ! isset( $words[ $type ] ) ) {
		return array( 'outcome' => 'unsupported' );
	}
	$body = $words[ $type ];
	if ( isset( $notice['undo_url'] ) ) {
		/* translators: %s: a link. */
		$body .= "\n\n" . sprintf( __( 'If that was not you, undo it: %s', 'lwa-bridge-accounts' ), text( $notice, 'undo_url' ) );
	}
	/* translators: %s: the site's name. */
	$subject = sprintf( __( '[%s] Your account and Amazon', 'lwa-bridge-accounts' ), wp_specialchars_decode( get_option( 'blogname' ), ENT_QUOTES ) );
	// Whose account is gone is not told any more.
	if ( $user && ! wp_mail( $user->user_email, $subject, $body ) ) {
		throw new RuntimeException( 'The mail was not sent.' );
	}
	return array( 'outcome' => 'taken' );
}
