<?php
/**
 * Which versions of WordPress, WooCommerce and PHP the plugin runs with.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Compares versions, and says in words what does not fit. */
final class Requirements {
	const PHP         = '7.4';
	const WOOCOMMERCE = '9.8';

	/** From this version of WooCommerce on, this version of WordPress is needed. The newest pair that applies counts. */
	const PAIRS = array(
		'9.8'  => '6.7',
		'11.0' => '6.9',
	);

	/**
	 * What is too old, in words; empty when all fits.
	 *
	 * @param string      $wordpress   Its version.
	 * @param string|null $woocommerce Its version, null where it is not active.
	 * @param string      $php         Its version.
	 * @return string[]
	 */
	public static function problems( string $wordpress, ?string $woocommerce, string $php ): array {
		$problems = array();
		if ( version_compare( $php, self::PHP, '<' ) ) {
			/* translators: 1: needed version, 2: version that is there. */
			$problems[] = sprintf( __( 'Custom Events needs PHP %1$s or newer; this server has %2$s. Ask your host for a newer one.', 'custom-events' ), self::PHP, $php );
		}
		if ( null === $woocommerce ) {
			$problems[] = __( 'Custom Events needs WooCommerce, which is not active.', 'custom-events' );
			return $problems;
		}
		if ( version_compare( $woocommerce, self::WOOCOMMERCE, '<' ) ) {
			/* translators: 1: needed version, 2: version that is there. */
			$problems[] = sprintf( __( 'Custom Events needs WooCommerce %1$s or newer; this shop has %2$s. Update WooCommerce.', 'custom-events' ), self::WOOCOMMERCE, $woocommerce );
			return $problems;
		}
		$needed = self::wordpress_for( $woocommerce );
		if ( version_compare( $wordpress, $needed, '<' ) ) {
			/* translators: 1: version of WooCommerce, 2: needed version of WordPress, 3: version that is there. */
			$problems[] = sprintf( __( 'WooCommerce %1$s needs WordPress %2$s or newer, and so does Custom Events with it; this shop has WordPress %3$s. Update WordPress.', 'custom-events' ), $woocommerce, $needed, $wordpress );
		}
		return $problems;
	}

	/** The oldest WordPress for a version of WooCommerce. */
	public static function wordpress_for( string $woocommerce ): string {
		$needed = '';
		foreach ( self::PAIRS as $from => $wordpress ) {
			if ( version_compare( $woocommerce, (string) $from, '>=' ) ) {
				$needed = $wordpress;
			}
		}
		return $needed;
	}

	/** Show the problems on the pages of the administration, to those who can do something about them. */
	public static function show_on_admin_pages(): void {
		add_action(
			'admin_notices',
			static function () {
				if ( ! current_user_can( 'activate_plugins' ) ) {
					return;
				}
				foreach ( self::problems( get_bloginfo( 'version' ), defined( 'WC_VERSION' ) ? WC_VERSION : null, PHP_VERSION ) as $problem ) {
					printf( '<div class="notice notice-error"><p>%s</p></div>', esc_html( $problem ) );
				}
			}
		);
	}
}
