<?php
/**
 * The lock that keeps two runs of the delivery apart.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/**
 * A row of WordPress's options, written and read by statements of our own: `add_option` overwrites what another process has just added, and
 * caches of options answer for the database.
 */
final class Lock {
	const OPTION = 'custom_events_drain_lock';

	/**
	 * Take the lock, also from a run that did not end.
	 *
	 * @param int $seconds How long it is held at most.
	 * @return string|null What gives it back; null while another run holds it.
	 */
	public static function take( int $seconds ): ?string {
		global $wpdb;
		$mark = ( Clock::seconds() + $seconds ) . ' ' . wp_generate_uuid4();
		// phpcs:disable WordPress.DB
		if ( 1 === $wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO {$wpdb->options} (option_name, option_value, autoload) VALUES (%s, %s, 'off')", self::OPTION, $mark ) ) ) {
			return $mark;
		}
		$held = (string) $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM {$wpdb->options} WHERE option_name = %s", self::OPTION ) );
		if ( '' === $held || (int) $held >= Clock::seconds() ) {
			return null;
		}
		$taken = $wpdb->query( $wpdb->prepare( "UPDATE {$wpdb->options} SET option_value = %s WHERE option_name = %s AND option_value = %s", $mark, self::OPTION, $held ) );
		// phpcs:enable
		return 1 === $taken ? $mark : null;
	}

	/** Give the lock back, if it is still this run's. */
	public static function release( string $mark ): void {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->options} WHERE option_name = %s AND option_value = %s", self::OPTION, $mark ) ); // phpcs:ignore WordPress.DB
	}
}
