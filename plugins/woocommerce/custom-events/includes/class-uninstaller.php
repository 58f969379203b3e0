<?php
/**
 * Removes what the plugin keeps on one site.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Carries out `uninstall.php` for one site. */
final class Uninstaller {
	const ORDERS_AT_ONCE = 100;

	/** Delete options, table and scheduled actions; order meta where the settings ask for it. */
	public static function run(): void {
		if ( Settings::get( 'forget_orders' ) === 'yes' ) {
			self::forget_orders();
		}
		if ( function_exists( 'as_unschedule_all_actions' ) ) {
			as_unschedule_all_actions( '', array(), 'custom-events' );
		}
		Outbox::drop();
		foreach ( Settings::OPTIONS as $option ) {
			delete_option( $option );
		}
		delete_transient( Google_Tags::CACHE );
	}

	/** Delete our meta of every order, if WooCommerce is there to do so. */
	private static function forget_orders(): void {
		if ( ! function_exists( 'wc_get_orders' ) ) {
			return;
		}
		do {
			$orders = wc_get_orders(
				array(
					'limit'        => self::ORDERS_AT_ONCE,
					'meta_key'     => Clicks::META, // phpcs:ignore WordPress.DB.SlowDBQuery
					'meta_compare' => 'EXISTS',
				)
			);
			foreach ( $orders as $order ) {
				$order->delete_meta_data( Clicks::META );
				$order->save_meta_data();
			}
		} while ( count( $orders ) === self::ORDERS_AT_ONCE );
	}
}
