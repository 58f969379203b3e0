<?php
use CustomEvents\WooCommerce\Answer;
use CustomEvents\WooCommerce\Delivery;
use CustomEvents\WooCommerce\Lock;
use CustomEvents\WooCommerce\Outbox;
use CustomEvents\WooCommerce\Signature;
use PHPUnit\Framework\TestCase;

/** Sending: when, how often, and what becomes of each answer. */
final class Delivery_Test extends TestCase {

	protected function setUp(): void {
		Shop::open();
	}

	private static function add( int $count = 1 ): void {
		for ( $number = 1; $number <= $count; $number++ ) {
			Outbox::add( 'order.paid', array( 'id' => $number, 'custom_events' => array() ), null );
		}
	}

	private static function answers( ...$answers ): void {
		$GLOBALS['double']->answers = $answers;
	}

	private static function ids(): array {
		return array_map(
			static function ( $post ) {
				return json_decode( $post['body'], true )['id'];
			},
			$GLOBALS['double']->posts
		);
	}

	public function test_nothing_is_sent_in_the_request_in_which_it_happens(): void {
		self::add();
		Shop::end_request();
		$this->assertSame( array(), $GLOBALS['double']->posts );
		$this->assertSame( array( 'custom_events_drain' => 0 ), $GLOBALS['double']->scheduled );
	}

	public function test_a_request_in_which_nothing_happens_asks_for_nothing(): void {
		Shop::end_request(); // What an earlier test recorded may have been waiting for this.
		$GLOBALS['double']->scheduled = array();
		$before                       = $GLOBALS['wpdb']->queries;
		Shop::end_request();
		$this->assertSame( array(), $GLOBALS['double']->scheduled );
		$this->assertSame( $before, $GLOBALS['wpdb']->queries );
	}

	public function test_all_that_waits_is_sent_in_its_order(): void {
		self::add( 60 );
		Shop::drain();
		$this->assertSame( range( 1, 60 ), self::ids() );
		$this->assertSame( 0, Outbox::health()['waiting'] );
		$this->assertSame( Shop::GOLDEN, Delivery::state()['sent_at'] );
		$post = $GLOBALS['double']->posts[0];
		$this->assertSame( array( Shop::URL, 0 ), array( $post['url'], $post['redirection'] ) );
		$this->assertSame( Signature::headers( Shop::connection(), $post['headers']['X-Custom-Events-Event-Id'], 'order.paid', $post['body'], Shop::GOLDEN ), $post['headers'] );
	}

	public function test_the_send_path_reads_no_order(): void {
		$order = Shop::order( 1001 );
		do_action( 'woocommerce_new_order', 1001, $order );
		$GLOBALS['double']->orders = array(); // Gone: whoever asks for it fails.
		Shop::drain();
		$this->assertSame( array( 1001 ), self::ids() );
	}

	/** @dataProvider retried */
	public function test_what_may_be_better_later_is_tried_again( $answer, int $wait_s ): void {
		self::add( 2 );
		self::answers( $answer );
		Shop::drain();
		$this->assertSame( array( 1 ), self::ids(), 'the others would be answered alike' );
		$this->assertSame( 2, Outbox::health()['waiting'] );
		Shop::wait( $wait_s - 1 );
		$this->assertSame( array( '2' ), array_column( Outbox::due( 9 ), 'id' ) );
		Shop::wait( 1 );
		Shop::drain();
		$this->assertSame( array( 1, 1, 2 ), self::ids() );
		$this->assertSame( $GLOBALS['double']->posts[0]['body'], $GLOBALS['double']->posts[1]['body'] );
		$this->assertSame( $GLOBALS['double']->posts[0]['headers']['X-Custom-Events-Event-Id'], $GLOBALS['double']->posts[1]['headers']['X-Custom-Events-Event-Id'] );
		$this->assertNotSame( $GLOBALS['double']->posts[0]['headers']['X-Custom-Events-Signature'], $GLOBALS['double']->posts[1]['headers']['X-Custom-Events-Signature'], 'signed anew' );
	}

	public function retried(): array {
		return array(
			'no answer'        => array( new WP_Error( 'http', 'timed out' ), 60 ),
			'500'              => array( answer( 500 ), 60 ),
			'503, Retry-After' => array( answer( 503, '{"error":"busy"}', array( 'retry-after' => '300' ) ), 300 ),
			'a date'           => array( answer( 429, '', array( 'retry-after' => gmdate( 'D, d M Y H:i:s \G\M\T', Shop::GOLDEN + 240 ) ) ), 240 ),
			'never so long'    => array( answer( 429, '', array( 'retry-after' => '999999' ) ), 21600 ),
			'no sense'         => array( answer( 408, '', array( 'retry-after' => 'soon' ) ), 60 ),
			'a redirect'       => array( answer( 302 ), 60 ),
			'wrong secret'     => array( answer( 401, '{"error":"wrong_signature","message":"no","remedy":"yes"}' ), 60 ),
			'removed'          => array( answer( 410 ), 60 ),
		);
	}

	public function test_the_wait_doubles_up_to_six_hours(): void {
		$waits = array_map(
			static function ( $attempts ) {
				return Delivery::wait( $attempts, null );
			},
			array( 1, 2, 3, 9, 10, 500 )
		);
		$this->assertSame( array( 60, 120, 240, 15360, 21600, 21600 ), $waits );
	}

	public function test_what_the_receiver_never_takes_is_parked_and_holds_up_nothing(): void {
		self::add( 2 );
		self::answers( answer( 413, '{"error":"too_large","message":"too large","remedy":"send less"}' ) );
		Shop::drain();
		$this->assertSame( array( 1, 2 ), self::ids() );
		$health = Outbox::health();
		$this->assertSame( array( 0, 1, 'Status 413, too_large: too large: send less' ), array( $health['waiting'], $health['parked'], $health['error'] ) );
	}

	public function test_a_receiver_that_is_dead_for_a_day_loses_nothing_and_doubles_nothing(): void {
		$sold = 0;
		for ( $hour = 0; $hour < 24; $hour++ ) {
			self::add();
			++$sold;
			for ( $run = 0; $run < 12; $run++ ) {
				self::answers( new WP_Error( 'http', 'dead' ) );
				Shop::drain();
				Shop::wait( 300 );
			}
		}
		$this->assertSame( $sold, Outbox::health()['waiting'] );
		$this->assertGreaterThanOrEqual( Delivery::OUTAGE, Delivery::state()['failures'] );
		$GLOBALS['double']->posts = array();
		self::answers();
		Shop::wait( 6 * 3600 );
		Shop::drain();
		$this->assertSame( 0, Outbox::health()['waiting'] );
		$bodies = array_column( $GLOBALS['double']->posts, 'body' );
		$this->assertCount( $sold, $bodies );
		$this->assertSame( $bodies, array_unique( $bodies ) );
		$this->assertSame( 0, Delivery::state()['failures'] );
	}

	public function test_after_an_outage_the_first_success_makes_all_due(): void {
		self::add( 4 );
		for ( $run = 0; $run < 3; $run++ ) {
			self::answers( answer( 500 ) );
			Shop::drain();
		}
		Shop::drain();
		$this->assertSame( array( 1, 2, 3, 4 ), self::ids() );
		Shop::drain();
		$this->assertSame( array( 1, 2, 3, 4, 1, 2, 3 ), self::ids() );
	}

	public function test_after_two_weeks_it_is_parked(): void {
		self::add();
		Shop::wait( 14 * 86400 + 1 );
		self::answers( answer( 500 ) );
		Shop::drain();
		$this->assertSame( 1, Outbox::health()['parked'] );
	}

	public function test_one_run_at_a_time_and_a_dead_one_holds_nobody_up(): void {
		self::add();
		$this->assertNotNull( Lock::take( 10 ) );
		Shop::drain();
		$this->assertSame( array(), self::ids() );
		Shop::wait( 11 );
		Shop::drain();
		$this->assertSame( array( 1 ), self::ids() );
		$this->assertNotNull( Lock::take( 10 ), 'it was given back' );
	}

	public function test_the_lock_is_the_databases_and_no_option_that_is_written_over(): void {
		update_option( Lock::OPTION, '0' ); // As an object cache may believe.
		$mark = Lock::take( 10 );
		delete_option( Lock::OPTION );
		$this->assertNull( Lock::take( 10 ) );
		Lock::release( 'of another run' );
		$this->assertNull( Lock::take( 10 ) );
		Lock::release( $mark );
		$this->assertNotNull( Lock::take( 10 ) );
	}

	public function test_a_run_that_lasted_too_long_does_not_give_back_the_lock_of_the_next(): void {
		$first = Lock::take( 10 );
		Shop::wait( 11 );
		$this->assertNotNull( Lock::take( 10 ) );
		Lock::release( $first );
		$this->assertNull( Lock::take( 10 ) );
	}

	public function test_what_is_left_is_asked_for_again(): void {
		self::add( 2 );
		self::answers( answer( 500 ) );
		Shop::drain();
		$this->assertSame( array( 'custom_events_drain_again' => Shop::GOLDEN + 60 ), $GLOBALS['double']->scheduled );
		self::answers( answer( 500 ) );
		self::add();
		do_action( 'custom_events_drain_again' );
		$this->assertArrayHasKey( 'custom_events_drain', $GLOBALS['double']->scheduled, 'the action that runs counts as scheduled' );
	}

	public function test_the_safety_run_is_there_and_prunes(): void {
		do_action( 'action_scheduler_init' );
		$this->assertSame( array( 'custom_events_drain_safety' => Shop::GOLDEN + 300 ), $GLOBALS['double']->scheduled );
		self::add();
		do_action( 'custom_events_drain_safety' );
		Shop::wait( 100 * 86400 );
		do_action( 'custom_events_drain_safety' );
		$this->assertSame( '0', $GLOBALS['wpdb']->get_var( 'SELECT COUNT(*) FROM ' . Outbox::table() ) );
	}

	public function test_shoppers_do_not_pay_for_the_safety_run(): void {
		$GLOBALS['double']->is['admin'] = false;
		do_action( 'action_scheduler_init' );
		$this->assertSame( array(), $GLOBALS['double']->scheduled );
	}

	public function test_without_a_connection_nothing_is_sent(): void {
		self::add();
		CustomEvents\WooCommerce\Connection::forget();
		Shop::drain();
		$this->assertSame( array(), self::ids() );
	}

	public function test_an_answer_in_words(): void {
		$answer = Answer::of( answer( 200, '', array( 'delivery' => 'landed' ) ), 0 );
		$this->assertSame( array( true, 'Status 200, landed', null ), array( $answer->is_taken, $answer->words, $answer->retry_after ) );
		$answer = Answer::of( answer( 502, '<html>' ), 0 );
		$this->assertSame( array( false, 'Status 502' ), array( $answer->is_taken, $answer->words ) );
		$this->assertSame( 0, Answer::of( answer( 503, '', array( 'retry-after' => 'Thu, 01 Jan 1970 00:00:01 GMT' ) ), 100 )->retry_after );
	}

	public function test_a_connection_without_a_key_id_names_none(): void {
		$connection         = Shop::connection();
		$connection->key_id = '';
		$headers            = Signature::headers( $connection, 'e', 't', '{}', 1 );
		$this->assertArrayNotHasKey( 'X-Custom-Events-Key-Id', $headers );
		$this->assertSame( 'v2=' . hash_hmac( 'sha256', "v2\n1\n\ne\nt\n{}", Shop::SECRET ), $headers['X-Custom-Events-Signature'] );
	}
}
