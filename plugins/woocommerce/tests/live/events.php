<?php
/**
 * One step of a drive through all that the plugin tells of, in the WordPress in a folder: `php events.php FOLDER VERB ...`. What the shop is
 * to have told by then is written as JSON lines: {"topic": ..., "id": ..., "facts": {...}}.
 *
 *     begin RECEIVER      connect the plugin to this address; {"product": ...} is one to buy
 *     happen              everything on the list
 *     drain FROM TO       what waits is sent, as Action Scheduler would each hour, in these hours from now: {"waiting": ..., "parked": ...}
 *     end                 remove what was made, and connect the plugin as it was
 *
 * Where there is no WooCommerce, its doubles are, and happens what the golden files have.
 */

use CustomEvents\WooCommerce\Clock;
use CustomEvents\WooCommerce\Connection;
use CustomEvents\WooCommerce\Outbox;

define( 'CUSTOM_EVENTS_TESTS', true );
define( 'CUSTOM_EVENTS_LIVE', 'custom_events_live' );
$_SERVER['HTTP_HOST']      = $_SERVER['HTTP_HOST'] ?? 'shop.example';
$_SERVER['REQUEST_METHOD'] = 'GET';
$custom_events_folder      = rtrim( $argv[1], '/' );
require $custom_events_folder . '/wp-load.php';
require_once __DIR__ . '/../class-shop.php';

if ( class_exists( 'WooCommerce' ) ) {
	require_once __DIR__ . '/class-live-shop.php';
} else {
	require_once __DIR__ . '/class-double-live-shop.php';
}
// WordPress posts to no address of its own machine, unless it is told to.
add_filter( 'http_request_host_is_external', '__return_true' );
add_filter(
	'http_allowed_safe_ports',
	static function ( $ports ) {
		return array_merge( $ports, array( (int) wp_parse_url( Connection::current()->url, PHP_URL_PORT ) ) );
	}
);

/** Write a line. */
function custom_events_say( array $line ): void {
	echo wp_json_encode( $line, JSON_UNESCAPED_SLASHES ), "\n";
}

switch ( $argv[2] ) {
	case 'begin':
		Outbox::drop();
		delete_option( 'custom_events_table' );
		Outbox::make_table();
		$custom_events_before = get_option( Connection::OPTION );
		Connection::parse( Shop::line( array( 'url' => $argv[3], 'key_id' => 'k1', 'secret' => Shop::SECRET ) ) )->save();
		$custom_events_product = Live_Shop::product();
		update_option( CUSTOM_EVENTS_LIVE, array( 'before' => $custom_events_before, 'product' => $custom_events_product ), false );
		custom_events_say( array( 'product' => $custom_events_product ) );
		break;
	case 'happen':
		Live_Shop::happen( get_option( CUSTOM_EVENTS_LIVE )['product'] );
		break;
	case 'drain':
		$custom_events_now = time();
		for ( $custom_events_hour = (int) $argv[3]; $custom_events_hour <= (int) $argv[4]; $custom_events_hour++ ) {
			Clock::$fixed = array( $custom_events_now + 3600 * $custom_events_hour, 0 );
			do_action( 'custom_events_drain' );
		}
		$custom_events_health = Outbox::health();
		custom_events_say( array( 'waiting' => $custom_events_health['waiting'], 'parked' => $custom_events_health['parked'] ) );
		break;
	case 'end':
		$custom_events_state = get_option( CUSTOM_EVENTS_LIVE );
		Connection::forget();
		Live_Shop::remove( $custom_events_state['product'] );
		Outbox::drop();
		delete_option( 'custom_events_table' );
		Outbox::make_table();
		if ( is_array( $custom_events_state['before'] ) ) {
			Connection::parse( Shop::line( $custom_events_state['before'] ) )->save();
		}
		delete_option( CUSTOM_EVENTS_LIVE );
		break;
	default:
		fwrite( STDERR, "No such verb: {$argv[2]}\n" );
		exit( 2 );
}
