<?php
/**
 * The scenario in a real WordPress, with its database, options, hooks, users and HTTP functions; only WooCommerce and Action Scheduler are
 * doubles. Takes the path of an installed WordPress, 6.7 or newer, that may be written to: `php wordpress.php /srv/www/test-shop`.
 *
 * Writes what golden.php writes, with event ids of its own. With a second argument, seconds since 1970, it is posted then.
 */

error_reporting( E_ALL );
define( 'CUSTOM_EVENTS_TESTS', true );
$_SERVER['HTTP_HOST'] = 'shop.example';
require rtrim( $argv[1], '/' ) . '/wp-load.php';
set_error_handler(
	static function ( $level, $message, $file, $line ) {
		throw new ErrorException( $message, 0, $level, $file, $line );
	}
);

require __DIR__ . '/wordpress/double-shop.php';
require __DIR__ . '/class-shop.php';
require __DIR__ . '/class-scenario.php';
require __DIR__ . '/../custom-events/custom-events.php';
foreach ( array( 'shutdown', 'template_redirect' ) as $hook ) {
	remove_all_actions( $hook ); // They are fired again and again here; WordPress's own callbacks expect that once.
}
CustomEvents\WooCommerce\Plugin::run();

add_filter(
	'pre_http_request',
	static function ( $answer, $arguments, $url ) {
		$GLOBALS['double']->posts[] = array( 'url' => $url ) + $arguments;
		return array(
			'headers'  => array( 'delivery' => 'landed' ),
			'body'     => '',
			'response' => array( 'code' => 200, 'message' => 'OK' ),
			'cookies'  => array(),
		);
	},
	10,
	3
);
if ( isset( $argv[2] ) ) {
	Shop::$opens_at = (int) $argv[2] - Scenario::LASTS_S;
}
add_role( 'customer', 'Customer' );
global $wpdb;
$wpdb->query( "DELETE FROM {$wpdb->users} WHERE ID = 7" );
$wpdb->insert( $wpdb->users, array( 'ID' => 7, 'user_login' => 'ana', 'user_nicename' => 'ana', 'user_email' => 'Ana.Ferreira@example.org', 'user_registered' => gmdate( 'Y-m-d H:i:s', Shop::$opens_at - 120 ) ) );
clean_user_cache( 7 );
( new WP_User( 7 ) )->set_role( 'customer' );

Scenario::run();
if ( $wpdb->last_error ) {
	fwrite( STDERR, $wpdb->last_error );
	exit( 1 );
}
foreach ( $GLOBALS['double']->posts as $post ) {
	echo json_encode( array( 'url' => $post['url'], 'headers' => $post['headers'], 'body' => $post['body'] ), JSON_UNESCAPED_SLASHES ), "\n";
}
