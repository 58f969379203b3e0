<?php
/**
 * Sends what waits in the outbox, by Action Scheduler.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/**
 * A run takes what is due, oldest first, and stops at the first failure: the receiver would answer the others alike. It reads the outbox
 * and no order: reading orders while they are written to both of WooCommerce's tables fires their hooks again.
 */
final class Delivery {
	const GROUP = 'custom-events';

	const SAFETY_S      = 300; // In case an action was lost.
	const BATCH         = 25; // Rows read at once.
	const RUN_S         = 20; // Of the 30 seconds that Action Scheduler gives a run.
	const TIMEOUT_S     = 10; // Of one request.
	const LOCK_S        = 120; // Longer than a run and its last request.
	const FIRST_WAIT_S  = 60;
	const LONGEST_S     = 21600; // 6 hours: the longest wait, also where the receiver asks for more.
	const GIVE_UP_DAYS  = 14;
	const OUTAGE        = 3; // Failures in a row after which a success makes all that waits due.
	const LATE_S        = 900; // What is due for as long shows that nothing sends.
	const STATE         = 'custom_events_delivery';
	const RECOVERABLE   = array( 408, 425, 429 );
	const OF_CONNECTION = array( 401, 403, 404, 410 ); // Refuse the shop, not the event.

	/**
	 * Whether this request recorded something.
	 *
	 * @var bool
	 */
	private static $is_woken = false;

	/** Something was recorded: at the end of the request a run is asked for. */
	public static function wake(): void {
		self::$is_woken = true;
	}

	/** Ask for a run, once for all that this request recorded. */
	public static function schedule(): void {
		if ( self::$is_woken && function_exists( 'as_enqueue_async_action' ) ) {
			self::$is_woken = false;
			as_enqueue_async_action( Hooks::DRAIN, array(), self::GROUP, true );
		}
	}

	/** See that the safety run is there. Asked on pages of the administration and by cron only: shoppers do not pay for it. */
	public static function schedule_safety(): void {
		if ( ( is_admin() || wp_doing_cron() ) && Settings::is_connected() && ! as_has_scheduled_action( Hooks::DRAIN_SAFELY, array(), self::GROUP ) ) {
			as_schedule_recurring_action( Clock::seconds() + self::SAFETY_S, self::SAFETY_S, Hooks::DRAIN_SAFELY, array(), self::GROUP, true );
		}
	}

	/** Every five minutes: send what is due, and delete what is old. */
	public static function run_safely(): void {
		self::drain( Hooks::DRAIN_AGAIN );
		Outbox::prune();
	}

	/** What the end of a request asked for. */
	public static function run(): void {
		self::drain( Hooks::DRAIN_AGAIN );
	}

	/** What an earlier run left. */
	public static function run_again(): void {
		self::drain( Hooks::DRAIN );
	}

	/**
	 * Send what is due. One run at a time.
	 *
	 * @param string $next The hook of a run that takes what is left: another one than this run's, as an action that runs counts as scheduled.
	 */
	private static function drain( string $next ): void {
		$connection = Connection::current();
		$mark       = null === $connection ? null : Lock::take( self::LOCK_S );
		if ( null === $mark ) {
			return;
		}
		try {
			$end = microtime( true ) + self::RUN_S;
			do {
				$rows = Outbox::due( self::BATCH );
				foreach ( $rows as $row ) {
					if ( ! self::send( $connection, $row ) || microtime( true ) > $end ) {
						break 2;
					}
				}
			} while ( count( $rows ) === self::BATCH );
			self::remember( array( 'ran_at' => Clock::seconds() ) );
		} finally {
			Lock::release( $mark );
		}
		if ( Outbox::due( 1 ) && function_exists( 'as_schedule_single_action' ) ) {
			as_schedule_single_action( Clock::seconds() + self::FIRST_WAIT_S, $next, array(), self::GROUP, true );
		}
	}

	/**
	 * Send one row and keep what became of it; whether the run may go on.
	 *
	 * @param Connection $connection Where to.
	 * @param object     $row        Of the outbox.
	 */
	private static function send( Connection $connection, $row ): bool {
		$answer = self::post( $connection, $row->event_id, $row->topic, $row->payload );
		if ( $answer->is_taken ) {
			Outbox::sent( (int) $row->id );
			self::succeeded();
			return true;
		}
		if ( ! $answer->is_of_event() ) {
			$attempts = (int) $row->attempts + 1;
			if ( strtotime( $row->created_at . ' UTC' ) < Clock::seconds() - self::GIVE_UP_DAYS * 86400 ) {
				Outbox::park( (int) $row->id, $answer->words );
			} else {
				Outbox::later( (int) $row->id, Clock::seconds() + self::wait( $attempts, $answer->retry_after ), $answer->words );
			}
			$state = self::state();
			self::remember(
				array(
					'failures'  => $state['failures'] + 1,
					'failed_at' => Clock::seconds(),
					'error'     => $answer->words,
					'status'    => $answer->status,
				)
			);
			return false;
		}
		Outbox::park( (int) $row->id, $answer->words );
		return true;
	}

	/** Post one body and read the answer. Also for the test event, which waits in no outbox. */
	public static function post( Connection $connection, string $event_id, string $topic, string $body ): Answer {
		$response = wp_safe_remote_post(
			$connection->url,
			array(
				'timeout'     => self::TIMEOUT_S,
				'redirection' => 0,
				'user-agent'  => 'CustomEvents/' . CUSTOM_EVENTS_VERSION . ' WooCommerce/' . ( defined( 'WC_VERSION' ) ? WC_VERSION : '' ),
				'headers'     => Signature::headers( $connection, $event_id, $topic, $body, Clock::seconds() ),
				'body'        => $body,
			)
		);
		return Answer::of( $response, Clock::seconds() );
	}

	/**
	 * Seconds until the next attempt: 1, 2, 4 ... minutes and up to a tenth more, so that shops do not come back together.
	 *
	 * @param int      $attempts    Made so far.
	 * @param int|null $retry_after What the receiver asks for.
	 */
	public static function wait( int $attempts, ?int $retry_after ): int {
		$wait = min( self::LONGEST_S, self::FIRST_WAIT_S * ( 2 ** min( $attempts - 1, 20 ) ) );
		$wait = max( $wait, min( self::LONGEST_S, (int) $retry_after ) );
		return (int) ( $wait + wp_rand( 0, (int) ( $wait / 10 ) ) );
	}

	/** The receiver took something: after an outage all that waits is due. */
	private static function succeeded(): void {
		$state = self::state();
		if ( $state['failures'] >= self::OUTAGE ) {
			Outbox::hurry();
		}
		if ( $state['failures'] > 0 || $state['sent_at'] < Clock::seconds() - 60 ) {
			self::remember(
				array(
					'failures' => 0,
					'sent_at'  => Clock::seconds(),
					'error'    => '',
					'status'   => 200,
				)
			);
		}
	}

	/**
	 * When a run ended, when something was sent, how often it failed in a row and why.
	 *
	 * @return array{ran_at:int,sent_at:int,failures:int,failed_at:int,error:string,status:int}
	 */
	public static function state(): array {
		$none  = array(
			'ran_at'    => 0,
			'sent_at'   => 0,
			'failures'  => 0,
			'failed_at' => 0,
			'error'     => '',
			'status'    => 0,
		);
		$state = get_option( self::STATE );
		return is_array( $state ) ? array_merge( $none, $state ) : $none;
	}

	/**
	 * Keep a part of the state.
	 *
	 * @param array<string,mixed> $part What changed.
	 */
	public static function remember( array $part ): void {
		update_option( self::STATE, array_merge( self::state(), $part ), false );
	}
}
