<?php
/**
 * The script that keeps the click of an ad.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Adds the script to the shop's pages; what it keeps is read by `Clicks`. */
final class Click_Script {
	const COOKIE = 'custom_events_click';
	const DAYS   = 90; // Google takes no older click.

	/** Load the script, at the end of the page and without holding it up. */
	public static function add(): void {
		if ( ! Settings::is_connected() ) {
			return;
		}
		wp_enqueue_script(
			'custom-events-clicks',
			plugins_url( 'assets/clicks.js', CUSTOM_EVENTS_FILE ),
			array(),
			CUSTOM_EVENTS_VERSION,
			array(
				'in_footer' => true,
				'strategy'  => 'defer',
			)
		);
		$given = array(
			'cookie' => self::COOKIE,
			'days'   => self::DAYS,
			'assume' => Settings::get( 'assume_consent' ),
			'api'    => function_exists( 'wp_has_consent' ), // It is waited for.
		);
		wp_add_inline_script( 'custom-events-clicks', 'window.customEventsClicks=' . wp_json_encode( $given ) . ';', 'before' );
	}
}
