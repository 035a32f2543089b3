<?php
/**
 * The only page: who is signed in, and where one signs in or out.
 */

$visitor = wp_get_current_user();
?>
<!doctype html>
<title>Shop</title>
<?php if ( $visitor->exists() ) : ?>
<p>Hello, <b><?php echo esc_html( wp_specialchars_decode( $visitor->display_name ) ); ?></b>.
	<a href="<?php echo esc_url( wp_logout_url( home_url() ) ); ?>">Sign out</a></p>
<?php else : ?>
<p><a href="<?php echo esc_url( wp_login_url( home_url() ) ); ?>">Sign in</a></p>
<?php endif; ?>
