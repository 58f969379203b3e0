<?php
/**
 * Google tags that the shop's pages load.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Looks at the shop's front page as a browser gets it: a tag may be in the theme, or in a plugin that nobody knows. */
final class Google_Tags {
	const CACHE   = 'custom_events_google_tags';
	const KEPT_S  = 43200; // 12 hours: the page is not asked for each time that the settings are opened.
	const LIMIT_S = 5; // Of the request.
	const BYTES   = 1000000; // Of the page: tags are at its beginning.
	const AT_MOST = 5; // Ids that are named.
	// Google Ads, Google's tag, Tag Manager, Analytics 4; each as the value of a script or in the address of one.
	const ID = '/(?:["\'=])((?:AW-[0-9]{6,12}|GT-[A-Z0-9]{4,12}|GTM-[A-Z0-9]{4,10}|G-[A-Z0-9]{6,12}))(?=["\'&\/])/';

	/**
	 * The ids of the tags on the front page; none where it cannot be read.
	 *
	 * @return string[]
	 */
	public static function of_shop(): array {
		$known = get_transient( self::CACHE );
		if ( is_array( $known ) ) {
			return $known;
		}
		$answer = wp_remote_get(
			home_url( '/' ),
			array(
				'timeout'             => self::LIMIT_S,
				'limit_response_size' => self::BYTES,
			)
		);
		$tags   = is_wp_error( $answer ) || 200 !== wp_remote_retrieve_response_code( $answer ) ? array() : self::on_page( wp_remote_retrieve_body( $answer ) );
		set_transient( self::CACHE, $tags, self::KEPT_S );
		return $tags;
	}

	/**
	 * The ids of the tags on a page.
	 *
	 * @param string $html The page.
	 * @return string[]
	 */
	public static function on_page( string $html ): array {
		if ( strpos( $html, 'googletagmanager.com' ) === false ) {
			return array(); // A word of that shape alone is no tag.
		}
		preg_match_all( self::ID, $html, $matches );
		return array_slice( array_values( array_unique( $matches[1] ) ), 0, self::AT_MOST );
	}
}
