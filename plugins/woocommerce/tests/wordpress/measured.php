<?php
/**
 * A plugin that must be used, of shops in which the cost of ours is measured (benchmarks/shop_requests.py): ours is there only for requests that
 * ask for it. Where there is no WooCommerce, doubles are, and a checkout that saves an order as WooCommerce does in posts: one with 70 rows of
 * meta (a checkout of WooCommerce 11.0.1 inserts 71, of 211 rows that it writes where both its storages are kept alike).
 */

defined( 'ABSPATH' ) || exit;

$_SERVER['HTTP_HOST'] = $_SERVER['HTTP_HOST'] ?? 'shop.example';
foreach ( array( 'home', 'siteurl' ) as $custom_events_option ) {
	add_filter(
		'option_' . $custom_events_option,
		static function () {
			return 'http://' . $_SERVER['HTTP_HOST'];
		}
	);
}
add_filter(
	'option_active_plugins',
	static function ( $plugins ) {
		$ours   = 'custom-events/custom-events.php';
		$others = array_values( array_diff( (array) $plugins, array( $ours ) ) );
		return isset( $_SERVER['HTTP_X_MEASURED'] ) ? array_merge( $others, array( $ours ) ) : $others;
	}
);

if ( ! is_dir( WP_PLUGIN_DIR . '/woocommerce' ) ) {
	define( 'CUSTOM_EVENTS_TESTS', true );
	require_once WP_PLUGIN_DIR . '/custom-events/includes/class-clock.php'; // Of the doubles' orders; loaded with the plugin and without it.
	require __DIR__ . '/double-shop.php';
	require __DIR__ . '/../class-shop.php';
	$GLOBALS['double'] = (object) array( 'scheduled' => array(), 'users' => array(), 'orders' => array(), 'is' => array(), 'session' => null, 'cart' => null, 'consent' => array( false, true ) );
	add_action(
		'template_redirect',
		static function () {
			if ( 'POST' !== $_SERVER['REQUEST_METHOD'] ) {
				return;
			}
			$number = (int) file_get_contents( 'php://input' );
			$order  = Shop::order( $number, array( 'customer_id' => 0, 'date_created' => new DateTimeImmutable(), 'date_modified' => new DateTimeImmutable() ) );
			do_action( 'woocommerce_checkout_create_order', $order, array() );
			$post = wp_insert_post( array( 'post_type' => 'post', 'post_status' => 'draft', 'post_title' => "Order $number" ) );
			foreach ( array( 'total', 'total_tax', 'shipping_total', 'shipping_tax', 'discount_total', 'discount_tax', 'currency', 'payment_method', 'billing_email', 'billing_phone', 'billing_country', 'billing_postcode', 'shipping_country', 'shipping_postcode' ) as $field ) {
				for ( $row = 1; $row <= 5; $row++ ) {
					add_post_meta( $post, "_{$field}_{$row}", $order->{"get_$field"}() );
				}
			}
			do_action( 'woocommerce_new_order', $number, $order );
			Shop::status( $order, 'processing', array( 'date_paid' => new DateTimeImmutable() ) );
			wp_update_post( array( 'ID' => $post, 'post_status' => 'private' ) );
			do_action( 'woocommerce_payment_complete', $number, 'txn' );
			wp_send_json( array( 'order_id' => $number ) );
		}
	);
}
