<?php
/**
 * Installs WordPress with the accounts of the shop that runs on a laptop (infra/local/src/seed.rs), one with a
 * second factor, and an administrator, in the directory that is named. The password of each is its login and
 * `-local-password`.
 */

const WP_INSTALLING = true;
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

/** WordPress would mail to the administrator. */
function wp_new_blog_notification() {}

wp_install( 'Shop', 'admin', 'admin@example.com', false, '', 'admin-local-password' );
update_option( 'users_can_register', 1 );
update_option( 'permalink_structure', '/%postname%/' );
switch_theme( 'trial' );

// Login, address, name, and what is special about the account.
$accounts = array(
	array( 'ann', 'ann@example.com', 'Ann Local', 'hashed as WordPress does it' ),
	array( 'lin', 'lin@example.com', 'Lin Linked', 'the one that is linked to Amazon\'s lin' ),
	array( 'bob', 'bob@example.com', 'Bob Local', 'MD5, from before WordPress 2.5 or set by hand' ),
	array( 'sam', 'sam@example.com', 'Sam Local', 'bcrypt, as a plugin writes it' ),
	array( 'mia', 'Mia@Example.com', 'Mia Mixed', 'the address in mixed case' ),
	array( 'dora', 'dora@example.com', 'Dora Disabled', 'has no role here, so the account is disabled' ),
	array( 'kim', 'kim@example.com', 'Kim Locked', 'a plugin has locked the account' ),
	array( 'otto', 'otto@example.com', 'Otto Passwordless', 'no password' ),
	array( 'tess', 'tess@example.com', 'Tess Twofold', 'a plugin asks for a second factor' ),
);
$stored = array(
	'bob'  => md5( 'bob-local-password' ),
	'sam'  => password_hash( 'sam-local-password', PASSWORD_BCRYPT ),
	'otto' => '!',
);
echo " id  account\n  1  admin: admin@example.com, an administrator: disabled for Amazon\n";
foreach ( $accounts as list( $login, $email, $name, $note ) ) {
	$id = wp_insert_user(
		array(
			'user_login'   => $login,
			'user_email'   => $email,
			'display_name' => $name,
			'user_pass'    => "$login-local-password",
			'role'         => 'dora' === $login ? '' : 'subscriber',
		)
	);
	if ( isset( $stored[ $login ] ) ) {
		$wpdb->update( $wpdb->users, array( 'user_pass' => $stored[ $login ] ), array( 'ID' => $id ) );
	}
	echo sprintf( '%3d', $id ), "  $login: $email, $note\n";
}
update_user_meta( username_exists( 'kim' ), 'trial_locked', '1' );
// The secret of the examples in RFC 6238.
update_user_meta( username_exists( 'tess' ), 'trial_totp', '12345678901234567890' );

$failed = activate_plugin( 'lwa-bridge-accounts/lwa-bridge-accounts.php' );
if ( is_wp_error( $failed ) || $wpdb->last_error ) {
	exit( 1 );
}
