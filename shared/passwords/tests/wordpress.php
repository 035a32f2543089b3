<?php
/**
 * Writes wordpress.json: passwords hashed by WordPress itself, as cheaply as it allows, both as it
 * does since 6.8 and with phpass, as it did before.
 *
 *     php wordpress.php /usr/share/wordpress > wordpress.json    # 6.8.12 of Debian's wordpress
 *
 * PHP chooses the salts, so that every run writes another file.
 */

define( 'ABSPATH', rtrim( $argv[1], '/' ) . '/' );
define( 'WPINC', 'wp-includes' );
foreach ( array( 'version', 'plugin', 'compat', 'functions', 'formatting', 'pluggable', 'class-phpass' ) as $file ) {
	require ABSPATH . WPINC . "/$file.php";
}
add_filter( 'wp_hash_password_options', fn() => array( 'cost' => 4 ) );

$passwords = array(
	'correct horse battery staplé',
	"  Spaces around\t\n",
	"combining e\u{301}",
	"\u{a0}no-break spaces\u{a0}",
	'x',
	str_pad( '72 bytes', 72, '.' ),
	str_pad( '73 bytes', 73, '.' ),
	str_pad( '1024 bytes', 1024, '.' ),
	'it\'s "quoted" \\',
	"' ",
);
$vectors   = array();
foreach ( array( 'wordpress' => null, 'phpass' => new PasswordHash( 4, true ) ) as $format => $wp_hasher ) {
	foreach ( $passwords as $password ) {
		// As an API gives it, and as a form does: see wp_magic_quotes().
		foreach ( array_unique( array( $password, addslashes( $password ) ) ) as $given ) {
			$stored = wp_hash_password( $given );
			if ( ! wp_check_password( trim( $given ), $stored ) ) {
				exit( 1 );
			}
			$vectors[] = compact( 'format', 'password', 'stored' );
		}
	}
}
echo json_encode( $vectors, JSON_PRETTY_PRINT ), "\n";
