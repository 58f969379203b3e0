<?php
/**
 * The ad click that a shopper came by, and what they answered about consent.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/**
 * The script writes the click into a cookie of the shop's own when a page is opened, so that page caches do not matter; here it is read
 * when the order is made, and put into its meta, in both checkouts.
 */
final class Clicks {
	const META        = '_custom_events';
	const KINDS       = array( 'gclid', 'gbraid', 'wbraid' );
	const UTM         = array( 'utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'utm_id' );
	const LIMIT_CHARS = 512;
	const CATEGORY    = 'marketing';

	/**
	 * Put click and consent into an order that is about to be saved.
	 *
	 * @param \WC_Order $order The order.
	 */
	public static function keep( $order ): void {
		if ( Settings::is_connected() ) {
			$order->update_meta_data( self::META, self::facts() );
		}
	}

	/**
	 * On the page after the checkout: whether the answer about consent is another one by now.
	 *
	 * @param int $order_id The order.
	 */
	public static function look_again( $order_id ): void {
		$order = Settings::is_connected() ? wc_get_order( $order_id ) : null;
		$kept  = $order ? $order->get_meta( self::META ) : null;
		if ( ! is_array( $kept ) || ! isset( $kept['consent']['ad_user_data'] ) ) {
			return;
		}
		$facts  = self::facts();
		$answer = $facts['consent']['ad_user_data'];
		if ( 'unknown' === $answer || $answer === $kept['consent']['ad_user_data'] ) {
			return;
		}
		// Of the first answer the click stays, unless consent is refused.
		$order->update_meta_data( self::META, 'denied' === $answer ? $facts : array_merge( $kept, $facts ) );
		$order->save_meta_data();
		Order_Events::consent_changed( $order, $answer );
	}

	/**
	 * Click, landing page, UTM words and consent as they are now. Where consent is refused there is no click.
	 *
	 * @return array<string,mixed>
	 */
	public static function facts(): array {
		$consent = self::consent();
		$click   = 'denied' === $consent['ad_storage'] ? array() : self::click();
		return array_merge( $click, array( 'consent' => $consent ) );
	}

	/**
	 * What the cookie holds, which anybody can write: names and lengths are checked, values by Custom Events.
	 *
	 * @return array<string,mixed>
	 */
	private static function click(): array {
		$text   = isset( $_COOKIE[ Click_Script::COOKIE ] ) && is_string( $_COOKIE[ Click_Script::COOKIE ] ) ? wp_unslash( $_COOKIE[ Click_Script::COOKIE ] ) : ''; // phpcs:ignore WordPress.Security.ValidatedSanitizedInput
		$cookie = strlen( $text ) <= 4096 ? json_decode( $text, true ) : null;
		$click  = array();
		foreach ( array_merge( self::KINDS, self::UTM, array( 'landing_page' ) ) as $name ) {
			if ( isset( $cookie[ $name ] ) && is_string( $cookie[ $name ] ) && '' !== $cookie[ $name ] ) {
				// WordPress's sanitize_text_field would take percent-encoded letters out of addresses.
				$click[ $name ] = mb_substr( (string) preg_replace( '/[\p{C}\p{Zl}\p{Zp}<>"\'\\\\]/u', '', $cookie[ $name ] ), 0, self::LIMIT_CHARS );
			}
		}
		if ( isset( $cookie['clicked_at'] ) && is_int( $cookie['clicked_at'] ) && $click ) {
			$click['clicked_at'] = $cookie['clicked_at'];
		}
		return $click;
	}

	/**
	 * What the shopper allows, and who says so.
	 *
	 * @return array{ad_storage:string,ad_user_data:string,ad_personalization:string,source:string}
	 */
	public static function consent(): array {
		$answer = Settings::get( 'assume_consent' );
		$source = 'setting';
		$type   = function_exists( 'wp_has_consent' ) && function_exists( 'wp_get_consent_type' ) ? wp_get_consent_type() : false;
		if ( $type ) { // Without a type the API says yes to everything, whoever asks.
			$answer = wp_has_consent( self::CATEGORY ) ? 'granted' : 'denied';
			$source = isset( $_COOKIE[ 'wp_consent_' . self::CATEGORY ] ) ? 'wp_consent_api' : 'wp_consent_api_default_' . sanitize_key( $type );
		}
		return array(
			'ad_storage'         => $answer,
			'ad_user_data'       => $answer,
			'ad_personalization' => $answer,
			'source'             => $source,
		);
	}
}
