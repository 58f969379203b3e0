<?php
/**
 * The second version of Custom Events' signatures.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Signs a delivery: time, key id, event id, topic and body, so that nobody on the way can change any of them. */
final class Signature {

	/**
	 * The headers of a delivery, its signature among them.
	 *
	 * @param Connection $connection Where it goes.
	 * @param string     $event_id   The same on every attempt.
	 * @param string     $topic      What the body is about.
	 * @param string     $body       The exact bytes.
	 * @param int        $now        Seconds since 1970.
	 * @return array<string,string>
	 */
	public static function headers( Connection $connection, string $event_id, string $topic, string $body, int $now ): array {
		$message = implode( "\n", array( 'v2', (string) $now, $connection->key_id, $event_id, $topic, $body ) );
		$headers = array(
			'Content-Type'              => 'application/json',
			'X-Custom-Events-Timestamp' => (string) $now,
			'X-Custom-Events-Event-Id'  => $event_id,
			'X-Custom-Events-Topic'     => $topic,
			'X-Custom-Events-Signature' => 'v2=' . hash_hmac( 'sha256', $message, $connection->secret ),
		);
		if ( '' !== $connection->key_id ) {
			$headers['X-Custom-Events-Key-Id'] = $connection->key_id;
		}
		return $headers;
	}
}
