<?php
/**
 * The shop's settings.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Settings with their defaults and permitted values; one option, loaded with every request. */
final class Settings {
	const OPTION    = 'custom_events_settings';
	const CONNECTED = 'custom_events_connected';
	const OPTIONS   = array( self::OPTION, self::CONNECTED, 'custom_events_connection', 'custom_events_table', 'custom_events_delivery', Lock::OPTION );

	const DEFAULTS = array(
		'cod_paid_when'      => 'processing',
		'transfer_paid_when' => 'paid',
		'assume_consent'     => 'unknown',
		'cart_events'        => 'yes',
		'extra_meta'         => '',
		'forget_orders'      => 'no',
	);

	/** What each choice may be. */
	const CHOICES = array(
		'cod_paid_when'      => array( 'processing', 'completed' ),
		'transfer_paid_when' => array( 'paid', 'placed' ),
		'assume_consent'     => array( 'granted', 'denied', 'unknown' ),
		'cart_events'        => array( 'yes', 'no' ),
		'forget_orders'      => array( 'yes', 'no' ),
	);

	const EXTRA_META_LIMIT = 20;

	/** One setting. */
	public static function get( string $name ): string {
		$saved = get_option( self::OPTION );
		return is_array( $saved ) && isset( $saved[ $name ] ) ? (string) $saved[ $name ] : self::DEFAULTS[ $name ];
	}

	/** Whether a connection was saved: without one nothing is recorded. */
	public static function is_connected(): bool {
		return get_option( self::CONNECTED ) === 'yes';
	}

	/**
	 * Further order fields that the shop wants to be sent.
	 *
	 * @return string[]
	 */
	public static function extra_meta(): array {
		return array_slice( array_filter( array_map( 'trim', explode( ',', self::get( 'extra_meta' ) ) ), 'strlen' ), 0, self::EXTRA_META_LIMIT );
	}

	/**
	 * Keep what a form gave; what is no permitted value stays as it was.
	 *
	 * @param array<string,string> $given Sanitized fields.
	 */
	public static function save( array $given ): void {
		$settings = array();
		foreach ( self::DEFAULTS as $name => $default ) {
			$value             = isset( $given[ $name ] ) ? $given[ $name ] : self::get( $name );
			$is_permitted      = ! isset( self::CHOICES[ $name ] ) || in_array( $value, self::CHOICES[ $name ], true );
			$settings[ $name ] = $is_permitted ? $value : self::get( $name );
		}
		update_option( self::OPTION, $settings );
	}
}
