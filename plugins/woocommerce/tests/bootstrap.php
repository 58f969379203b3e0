<?php
/** Loads the doubles and the plugin. */

error_reporting( E_ALL );
set_error_handler(
	static function ( $level, $message, $file, $line ) {
		if ( strpos( $file, dirname( __DIR__ ) ) !== 0 ) {
			return false; // An older PHPUnit under a newer PHP.
		}
		throw new ErrorException( $message, 0, $level, $file, $line );
	}
);
define( 'CUSTOM_EVENTS_TESTS', true );
require __DIR__ . '/doubles/class-wpdb-double.php';
require __DIR__ . '/doubles/wordpress.php';
require __DIR__ . '/doubles/woocommerce.php';
require __DIR__ . '/class-shop.php';
$GLOBALS['double'] = null;
reset_double();
require __DIR__ . '/../custom-events/custom-events.php';
do_action( 'plugins_loaded' );
