<?php
/**
 * What a shop's staff has to know.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Notices in the administration, each with what to do. */
final class Notices {
	/** Plugins that count the purchase on the page after the checkout. */
	const TAGS = array(
		'google-listings-and-ads/google-listings-and-ads.php' => 'Google for WooCommerce',
		'google-site-kit/google-site-kit.php'                 => 'Site Kit by Google',
		'woocommerce-google-adwords-conversion-tracking-tag/wgact.php' => 'Pixel Manager for WooCommerce',
		'duracelltomi-google-tag-manager/duracelltomi-google-tag-manager-for-wordpress.php' => 'GTM4WP',
		'gtm-server-side/gtm-server-side.php'                 => 'Stape',
	);

	const WRONG_CLOCK = 'too_old'; // The receiver's word for a signed time that is far from its own.

	/** Show what is wrong, to those who can do something about it. */
	public static function show(): void {
		if ( ! current_user_can( Settings_Page::CAPABILITY ) || ! Settings::is_connected() ) {
			return;
		}
		$problems = self::problems( Outbox::health(), Delivery::state(), defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON );
		foreach ( $problems as $problem ) {
			printf( '<div class="notice notice-warning"><p>%s <a href="%s">%s</a></p></div>', esc_html( 'Custom Events: ' . $problem ), esc_url( Settings_Page::address() ), esc_html__( 'Settings', 'custom-events' ) );
		}
		$screen = isset( $_GET['page'] ) ? sanitize_key( wp_unslash( $_GET['page'] ) ) : ''; // phpcs:ignore WordPress.Security.NonceVerification
		if ( Settings_Page::SLUG === $screen ) {
			self::show_tags( self::tags(), Google_Tags::of_shop() );
		}
	}

	/**
	 * Say who else may count the purchase.
	 *
	 * @param string[] $plugins Active plugins that may.
	 * @param string[] $tags    Ids of Google tags on the front page.
	 */
	private static function show_tags( array $plugins, array $tags ): void {
		$advice = __( 'Let them and Custom Events use different conversion actions, or only one of them be the primary one; else sales count twice. With the same conversion action, let both send the same transaction id: the site\'s settings in Custom Events have the choice.', 'custom-events' );
		if ( $plugins ) {
			/* translators: %s: names of plugins. */
			printf( '<div class="notice notice-info"><p>%s</p></div>', esc_html( sprintf( __( 'These plugins may count purchases with a Google tag as well: %s.', 'custom-events' ), implode( ', ', $plugins ) ) . ' ' . $advice ) );
		}
		if ( $tags ) {
			/* translators: %s: ids of Google tags. */
			printf( '<div class="notice notice-info"><p>%s</p></div>', esc_html( sprintf( __( 'The shop\'s front page loads Google tags, which may count purchases as well: %s.', 'custom-events' ), implode( ', ', $tags ) ) . ' ' . $advice ) );
		}
	}

	/**
	 * What is wrong, in words.
	 *
	 * @param array<string,mixed> $health  Of the outbox.
	 * @param array<string,mixed> $state   Of the delivery.
	 * @param bool                $no_cron Whether the shop has switched WordPress's own cron off.
	 * @return string[]
	 */
	public static function problems( array $health, array $state, bool $no_cron ): array {
		$problems = array();
		if ( $health['parked'] > 0 ) {
			/* translators: 1: number of events, 2: the answer of the receiver. */
			$problems[] = sprintf( _n( '%1$d event was not taken and is not tried again: %2$s.', '%1$d events were not taken and are not tried again: %2$s.', $health['parked'], 'custom-events' ), $health['parked'], $health['error'] );
		}
		if ( $state['failures'] > 0 && strpos( $state['error'], self::WRONG_CLOCK ) !== false ) {
			/* translators: %s: the answer of the receiver. */
			$problems[] = sprintf( __( 'The clock of this server is wrong, so the receiver refuses what it signs: %s Events wait; ask your host to set the clock.', 'custom-events' ), $state['error'] );
		} elseif ( $state['failures'] > 0 && in_array( $state['status'], Delivery::OF_CONNECTION, true ) ) {
			/* translators: %s: the answer of the receiver. */
			$problems[] = sprintf( __( 'The receiver refuses this shop: %s. Events wait; paste a new connection string.', 'custom-events' ), $state['error'] );
		} elseif ( $state['failures'] >= Delivery::OUTAGE ) {
			/* translators: %s: the error. */
			$problems[] = sprintf( __( 'The receiver does not answer: %s. Events wait and are sent when it does.', 'custom-events' ), $state['error'] );
		}
		$late = null !== $health['oldest'] && strtotime( $health['oldest'] . ' UTC' ) < Clock::seconds() - Delivery::LATE_S;
		if ( $late && $state['ran_at'] < Clock::seconds() - Delivery::LATE_S && $state['failed_at'] < Clock::seconds() - Delivery::LATE_S ) {
			$problems[] = $no_cron
				? __( 'Nothing is sent, as this shop has switched WordPress\'s cron off (DISABLE_WP_CRON) and nothing else calls it. Ask your host to call wp-cron.php every minute.', 'custom-events' )
				: __( 'Nothing is sent, as WordPress\'s cron does not run. Look at WooCommerce > Status > Scheduled Actions, or ask your host to call wp-cron.php every minute.', 'custom-events' );
		}
		return $problems;
	}

	/**
	 * Active plugins that may count the purchase as well.
	 *
	 * @return string[]
	 */
	public static function tags(): array {
		return array_values( array_intersect_key( self::TAGS, array_flip( (array) get_option( 'active_plugins', array() ) ) ) );
	}
}
