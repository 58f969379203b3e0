<?php
/**
 * Events that wait to be sent: a table of our own.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/**
 * One row for each event, written in the request in which it happened, with the exact bytes that are sent. After it was sent the bytes are
 * blanked; the row stays for a while, so that `once_key` keeps the event from being recorded again.
 */
final class Outbox {
	const WAITING = 'waiting';
	const SENT    = 'sent';
	const PARKED  = 'parked';

	const TABLE_VERSION    = '1';
	const KEPT_SENT_DAYS   = 90; // For once_key: longer than an order is worked on.
	const KEPT_PARKED_DAYS = 180; // A person has to look at them; then they go, as they hold personal data.
	const ERROR_CHARS      = 300;
	const HELD_S           = 60; // Longer than a request takes to complete an order.

	/** The table's name on this site. */
	public static function table(): string {
		global $wpdb;
		return $wpdb->prefix . 'custom_events_outbox';
	}

	/** Make the table, or bring it to this version, where that was not done yet. */
	public static function make_table(): void {
		if ( get_option( 'custom_events_table' ) === self::TABLE_VERSION ) {
			return;
		}
		global $wpdb;
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		$table   = self::table();
		$charset = $wpdb->get_charset_collate();
		dbDelta(
			"CREATE TABLE {$table} (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  event_id char(36) NOT NULL,
  once_key varchar(120) DEFAULT NULL,
  topic varchar(64) NOT NULL,
  email_hash char(64) DEFAULT NULL,
  payload longtext NOT NULL,
  status varchar(16) NOT NULL,
  attempts int(10) unsigned NOT NULL DEFAULT 0,
  created_at datetime NOT NULL,
  next_attempt_at datetime NOT NULL,
  last_error varchar(300) NOT NULL DEFAULT '',
  PRIMARY KEY  (id),
  UNIQUE KEY once_key (once_key),
  KEY due (status,next_attempt_at),
  KEY email_hash (email_hash)
) {$charset};"
		);
		update_option( 'custom_events_table', self::TABLE_VERSION );
		// They are asked for on every page: one that is missing costs a query each time.
		add_option( Settings::OPTION, array() );
		add_option( Settings::CONNECTED, 'no' );
	}

	/** Remove the table. */
	public static function drop(): void {
		global $wpdb;
		$wpdb->query( 'DROP TABLE IF EXISTS ' . self::table() ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Record an event. One whose `once_key` is known is left alone.
	 *
	 * @param string              $topic    What it is about.
	 * @param array<string,mixed> $body     What is sent; `custom_events` is completed here.
	 * @param string|null         $once_key Which events are the same; null: each is one of its own.
	 * @param string              $email    Whose it is, for requests about personal data; empty: nobody's.
	 * @return int The row's id; 0 when it is known, or could not be written.
	 */
	public static function add( string $topic, array $body, ?string $once_key, string $email = '' ): int {
		global $wpdb;
		$event_id              = wp_generate_uuid4();
		$body['custom_events'] = array_merge(
			array(
				'version' => 1,
				'plugin'  => CUSTOM_EVENTS_VERSION,
				'event'   => $topic,
				'id'      => $event_id,
			),
			$body['custom_events']
		);
		$now       = Clock::sql( Clock::seconds() );
		$hash      = self::email_hash( $email );
		$row       = array(
			'event_id'        => $event_id,
			'topic'           => $topic,
			'payload'         => self::encode( $body ),
			'status'          => self::WAITING,
			'created_at'      => $now,
			'next_attempt_at' => $now,
		);
		$row      += null === $once_key ? array() : array( 'once_key' => $once_key );
		$row      += '' === $hash ? array() : array( 'email_hash' => $hash );
		$statement = $wpdb->prepare( 'INSERT IGNORE INTO ' . self::table() . ' (' . implode( ', ', array_keys( $row ) ) . ') VALUES (' . implode( ', ', array_fill( 0, count( $row ), '%s' ) ) . ')', ...array_values( $row ) ); // phpcs:ignore WordPress.DB
		$written   = $wpdb->query( $statement ); // phpcs:ignore WordPress.DB
		if ( false === $written ) { // Somebody removed the table, say by restoring an older backup.
			delete_option( 'custom_events_table' );
			self::make_table();
			$written = $wpdb->query( $statement ); // phpcs:ignore WordPress.DB
		}
		if ( false === $written ) {
			wc_get_logger()->error( "An event ({$topic}) could not be recorded: " . $wpdb->last_error, array( 'source' => 'custom-events' ) );
		}
		if ( 1 !== $written ) {
			return 0;
		}
		$row_id = (int) $wpdb->insert_id; // Read before anything else writes.
		Delivery::wake();
		return $row_id;
	}

	/**
	 * Give a row that was not sent yet another body, with the event id that it has.
	 *
	 * @param int                 $row  Its id.
	 * @param array<string,mixed> $body The new body.
	 */
	public static function replace( int $row, array $body ): void {
		global $wpdb;
		$known = $wpdb->get_row( $wpdb->prepare( 'SELECT event_id, topic FROM ' . self::table() . ' WHERE id = %d AND status = %s AND attempts = 0', $row, self::WAITING ) ); // phpcs:ignore WordPress.DB
		if ( null === $known ) {
			return;
		}
		$body['custom_events'] = array_merge(
			array(
				'version' => 1,
				'plugin'  => CUSTOM_EVENTS_VERSION,
				'event'   => $known->topic,
				'id'      => $known->event_id,
			),
			$body['custom_events']
		);
		$wpdb->query( $wpdb->prepare( 'UPDATE ' . self::table() . ' SET payload = %s, next_attempt_at = %s WHERE id = %d AND status = %s AND attempts = 0', self::encode( $body ), Clock::sql( Clock::seconds() ), $row, self::WAITING ) ); // phpcs:ignore WordPress.DB
	}

	/** A row is not sent before it is replaced, or some seconds have passed: a run that is on would send the body that is to be replaced. */
	public static function hold( int $row ): void {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'UPDATE ' . self::table() . ' SET next_attempt_at = %s WHERE id = %d AND status = %s', Clock::sql( Clock::seconds() + self::HELD_S ), $row, self::WAITING ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Rows that are due, the oldest first.
	 *
	 * @param int $limit How many at most.
	 * @return object[]
	 */
	public static function due( int $limit ): array {
		global $wpdb;
		return $wpdb->get_results( $wpdb->prepare( 'SELECT id, event_id, topic, payload, attempts, created_at FROM ' . self::table() . ' WHERE status = %s AND next_attempt_at <= %s ORDER BY id LIMIT %d', self::WAITING, Clock::sql( Clock::seconds() ), $limit ) ); // phpcs:ignore WordPress.DB
	}

	/** A row was taken by the receiver: its body is blanked. */
	public static function sent( int $row ): void {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'UPDATE ' . self::table() . " SET status = %s, payload = '', email_hash = NULL, last_error = '', attempts = attempts + 1 WHERE id = %d", self::SENT, $row ) ); // phpcs:ignore WordPress.DB
	}

	/** A row was not taken: it is tried again at a time. */
	public static function later( int $row, int $at, string $error ): void {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'UPDATE ' . self::table() . ' SET next_attempt_at = %s, last_error = %s, attempts = attempts + 1 WHERE id = %d', Clock::sql( $at ), self::bounded( $error ), $row ) ); // phpcs:ignore WordPress.DB
	}

	/** A row is not tried again until somebody says so. One that was taken meanwhile stays so. */
	public static function park( int $row, string $error ): void {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'UPDATE ' . self::table() . ' SET status = %s, last_error = %s, attempts = attempts + 1 WHERE id = %d AND status = %s', self::PARKED, self::bounded( $error ), $row, self::WAITING ) ); // phpcs:ignore WordPress.DB
	}

	/** All that waits is due now: the receiver is back, or the connection is another one. */
	public static function hurry(): void {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'UPDATE ' . self::table() . ' SET next_attempt_at = %s WHERE status = %s AND attempts > 0', Clock::sql( Clock::seconds() ), self::WAITING ) ); // phpcs:ignore WordPress.DB
	}

	/** What was parked waits again, as if it were new. */
	public static function release(): int {
		global $wpdb;
		$now = Clock::sql( Clock::seconds() );
		return (int) $wpdb->query( $wpdb->prepare( 'UPDATE ' . self::table() . " SET status = %s, attempts = 0, last_error = '', created_at = %s, next_attempt_at = %s WHERE status = %s", self::WAITING, $now, $now, self::PARKED ) ); // phpcs:ignore WordPress.DB
	}

	/** Delete rows whose time is over. */
	public static function prune(): void {
		global $wpdb;
		foreach ( array( self::SENT => self::KEPT_SENT_DAYS, self::PARKED => self::KEPT_PARKED_DAYS ) as $status => $days ) {
			$wpdb->query( $wpdb->prepare( 'DELETE FROM ' . self::table() . ' WHERE status = %s AND created_at < %s', $status, Clock::sql( Clock::seconds() - $days * 86400 ) ) ); // phpcs:ignore WordPress.DB
		}
	}

	/**
	 * How much waits since when, how much is parked and why, when something was last sent.
	 *
	 * @return array{waiting:int,oldest:?string,parked:int,error:string}
	 */
	public static function health(): array {
		global $wpdb;
		$table = self::table();
		// phpcs:disable WordPress.DB
		$waiting = $wpdb->get_row( $wpdb->prepare( "SELECT COUNT(*) AS amount, MIN(created_at) AS oldest FROM {$table} WHERE status = %s", self::WAITING ) );
		$parked  = (int) $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM {$table} WHERE status = %s", self::PARKED ) );
		$error   = $wpdb->get_var( $wpdb->prepare( "SELECT last_error FROM {$table} WHERE status IN (%s, %s) AND last_error <> '' ORDER BY id DESC LIMIT 1", self::WAITING, self::PARKED ) );
		// phpcs:enable
		return array(
			'waiting' => $waiting ? (int) $waiting->amount : 0,
			'oldest'  => $waiting && $waiting->oldest ? $waiting->oldest : null,
			'parked'  => $parked,
			'error'   => (string) $error,
		);
	}

	/**
	 * The rows of a person that were not sent, for the export of personal data.
	 *
	 * @param string $email Their address.
	 * @return object[]
	 */
	public static function of_person( string $email ): array {
		global $wpdb;
		return $wpdb->get_results( $wpdb->prepare( 'SELECT id, topic, payload, created_at FROM ' . self::table() . ' WHERE email_hash = %s ORDER BY id', self::email_hash( $email ) ) ); // phpcs:ignore WordPress.DB
	}

	/** Delete the rows of a person; how many there were. */
	public static function forget_person( string $email ): int {
		global $wpdb;
		return (int) $wpdb->query( $wpdb->prepare( 'DELETE FROM ' . self::table() . ' WHERE email_hash = %s', self::email_hash( $email ) ) ); // phpcs:ignore WordPress.DB
	}

	/** What rows are found by instead of an address; empty for none. */
	private static function email_hash( string $email ): string {
		$email = strtolower( trim( $email ) );
		return '' === $email ? '' : hash( 'sha256', $email );
	}

	/**
	 * The bytes that are sent: ASCII, so that no character set of a database changes them.
	 *
	 * @param array<string,mixed> $body The body.
	 */
	public static function encode( array $body ): string {
		return (string) wp_json_encode( $body, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE );
	}

	/** An error as the table holds it. */
	private static function bounded( string $error ): string {
		return substr( preg_replace( '/[^\x20-\x7e]/', '?', $error ), 0, self::ERROR_CHARS );
	}
}
