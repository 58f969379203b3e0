<?php
/**
 * Where events go, and with which secret.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** An address of the receiver with a key; read from the one line that Custom Events' console shows. */
final class Connection {
	const OPTION = 'custom_events_connection';
	const PREFIX = 'custom-events-1:';

	/**
	 * Address, key id (empty: none) and secret.
	 *
	 * @var string
	 */
	public $url, $key_id, $secret;

	/** Made by `parse` and `current` only. */
	private function __construct( string $url, string $key_id, string $secret ) {
		$this->url    = $url;
		$this->key_id = $key_id;
		$this->secret = $secret;
	}

	/**
	 * The connection that a pasted line names.
	 *
	 * @param string $line As the console shows it.
	 * @return self|string The connection, or what is wrong in words.
	 */
	public static function parse( string $line ) {
		$line = trim( $line );
		if ( strpos( $line, self::PREFIX ) !== 0 && preg_match( '/\Acustom-events-\d+:/', $line ) ) {
			return __( 'This connection string is of another version of Custom Events than this plugin: update the plugin.', 'custom-events' );
		}
		if ( strpos( $line, self::PREFIX ) !== 0 ) {
			/* translators: %s: what a connection string begins with. */
			return sprintf( __( 'This is no connection string: it begins with %s. Copy the whole line that the console shows.', 'custom-events' ), self::PREFIX );
		}
		$json   = base64_decode( strtr( substr( $line, strlen( self::PREFIX ) ), '-_', '+/' ), true ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
		$fields = false === $json ? null : json_decode( $json, true );
		if ( ! is_array( $fields ) || ! isset( $fields['url'], $fields['secret'] ) || ! is_string( $fields['url'] ) || ! is_string( $fields['secret'] ) ) {
			return __( 'The connection string is not complete: copy it again, from its first sign to its last.', 'custom-events' );
		}
		$scheme = wp_parse_url( $fields['url'], PHP_URL_SCHEME );
		if ( 'https' !== $scheme && ! self::may_be_plain( $fields['url'] ) ) {
			return __( 'The address in the connection string does not begin with https: events hold personal data and are not sent in clear.', 'custom-events' );
		}
		$key_id = isset( $fields['key_id'] ) && is_string( $fields['key_id'] ) ? $fields['key_id'] : '';
		if ( '' === $fields['secret'] || preg_match( '/[^\x21-\x7e]/', $key_id ) ) {
			return __( 'The connection string is not complete: copy it again, from its first sign to its last.', 'custom-events' );
		}
		return new self( $fields['url'], $key_id, $fields['secret'] );
	}

	/** The connection that was saved; null before that. */
	public static function current(): ?self {
		$saved = get_option( self::OPTION );
		return is_array( $saved ) && isset( $saved['url'], $saved['key_id'], $saved['secret'] ) ? new self( $saved['url'], $saved['key_id'], $saved['secret'] ) : null;
	}

	/** Keep it as the shop's. It is loaded when it is needed only. */
	public function save(): void {
		update_option(
			self::OPTION,
			array(
				'url'    => $this->url,
				'key_id' => $this->key_id,
				'secret' => $this->secret,
			),
			false
		);
		update_option( Settings::CONNECTED, 'yes' );
	}

	/** Forget it: from now on no event is recorded. */
	public static function forget(): void {
		delete_option( self::OPTION );
		update_option( Settings::CONNECTED, 'no' );
	}

	/** Whether an address without https is this machine's own, as when a developer tries it. */
	private static function may_be_plain( string $url ): bool {
		return wp_parse_url( $url, PHP_URL_SCHEME ) === 'http' && in_array( wp_parse_url( $url, PHP_URL_HOST ), array( 'localhost', '127.0.0.1' ), true );
	}
}
