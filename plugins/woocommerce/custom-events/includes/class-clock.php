<?php
/**
 * The time, in one place.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** What the time is; tests set it. */
final class Clock {
	/**
	 * The time that tests gave, seconds and microseconds since 1970.
	 *
	 * @var array{0:int,1:int}|null
	 */
	public static $fixed = null;

	/** Seconds since 1970. */
	public static function seconds(): int {
		return null === self::$fixed ? time() : self::$fixed[0];
	}

	/** Now as ISO 8601 in UTC, with microseconds. */
	public static function iso(): string {
		if ( null !== self::$fixed ) {
			list( $seconds, $micros ) = self::$fixed;
		} else {
			list( $fraction, $whole ) = explode( ' ', microtime() );
			$seconds                  = (int) $whole;
			$micros                   = (int) substr( $fraction, 2, 6 );
		}
		return gmdate( 'Y-m-d\TH:i:s', $seconds ) . sprintf( '.%06dZ', $micros );
	}

	/** A time as ISO 8601 in UTC without offset, as WooCommerce writes its `*_gmt`; null for none. */
	public static function gmt( ?int $seconds ): ?string {
		return null === $seconds ? null : gmdate( 'Y-m-d\TH:i:s', $seconds );
	}

	/** A time as databases keep it, in UTC. */
	public static function sql( int $seconds ): string {
		return gmdate( 'Y-m-d H:i:s', $seconds );
	}
}
