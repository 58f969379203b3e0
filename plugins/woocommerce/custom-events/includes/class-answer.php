<?php
/**
 * What the receiver answered.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** An answer of the receiver, or that there was none. */
final class Answer {
	/**
	 * The status; 0 without an answer.
	 *
	 * @var int
	 */
	public $status = 0;

	/**
	 * Whether the event is on the receiver's disk.
	 *
	 * @var bool
	 */
	public $is_taken = false;

	/**
	 * When to come again, in seconds from now.
	 *
	 * @var int|null
	 */
	public $retry_after = null;

	/**
	 * The answer for people.
	 *
	 * @var string
	 */
	public $words = '';

	/**
	 * Read a response of WordPress's HTTP functions.
	 *
	 * @param array|\WP_Error $response What they gave.
	 * @param int             $now      Seconds since 1970.
	 */
	public static function of( $response, int $now ): self {
		$answer = new self();
		if ( is_wp_error( $response ) ) {
			$answer->words = 'No answer: ' . $response->get_error_message();
			return $answer;
		}
		$answer->status   = (int) wp_remote_retrieve_response_code( $response );
		$answer->is_taken = $answer->status >= 200 && $answer->status < 300;
		$answer->words    = 'Status ' . $answer->status;
		$document         = json_decode( (string) wp_remote_retrieve_body( $response ), true );
		if ( is_array( $document ) ) {
			foreach ( array( 'error', 'message', 'remedy' ) as $part ) {
				if ( isset( $document[ $part ] ) && is_string( $document[ $part ] ) ) {
					$answer->words .= ( 'error' === $part ? ', ' : ': ' ) . $document[ $part ];
				}
			}
		}
		$delivery = (string) wp_remote_retrieve_header( $response, 'delivery' );
		if ( '' !== $delivery ) {
			$answer->words .= ', ' . $delivery;
		}
		$answer->retry_after = self::seconds( (string) wp_remote_retrieve_header( $response, 'retry-after' ), $now );
		return $answer;
	}

	/** Whether the receiver will never take this event, while it takes others: it is parked. Anything else is tried again. */
	public function is_of_event(): bool {
		return $this->status >= 400 && $this->status < 500
			&& ! in_array( $this->status, Delivery::RECOVERABLE, true )
			&& ! in_array( $this->status, Delivery::OF_CONNECTION, true );
	}

	/** Retry-After in seconds or as a date; null for neither. */
	private static function seconds( string $value, int $now ): ?int {
		if ( ctype_digit( $value ) ) {
			return (int) substr( $value, 0, 9 );
		}
		$at = '' === $value ? false : strtotime( $value );
		return false === $at ? null : max( 0, $at - $now );
	}
}
