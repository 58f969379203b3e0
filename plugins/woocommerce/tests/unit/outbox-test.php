<?php
use CustomEvents\WooCommerce\Outbox;
use PHPUnit\Framework\TestCase;

/** The table of events that wait. */
final class Outbox_Test extends TestCase {

	protected function setUp(): void {
		Shop::open();
	}

	private static function add( string $topic = 'order.paid', ?string $once = null, string $email = '' ): int {
		return Outbox::add( $topic, array( 'id' => 1, 'custom_events' => array( 'at' => 'now' ) ), $once, $email );
	}

	public function test_an_event_is_recorded_once(): void {
		$this->assertSame( array( 1, 0, 2 ), array( self::add( 'order.paid', 'a' ), self::add( 'order.paid', 'a' ), self::add( 'order.paid', 'b' ) ) );
		$this->assertCount( 2, Shop::waiting() );
	}

	public function test_events_without_a_key_are_each_one_of_its_own(): void {
		self::add();
		self::add();
		$this->assertCount( 2, Outbox::due( 10 ) );
	}

	public function test_the_envelope_is_completed_and_the_bytes_are_ascii(): void {
		Outbox::add( 'order.paid', array( 'name' => "Chapéu \xff", 'custom_events' => array( 'at' => 'now' ) ), null );
		$row = Outbox::due( 1 )[0];
		$this->assertSame( 0, preg_match( '/[^\x20-\x7e]/', $row->payload ) );
		$body = json_decode( $row->payload, true );
		$this->assertSame( "Chapéu \u{fffd}", $body['name'] );
		$this->assertSame( array( 'version' => 1, 'plugin' => CUSTOM_EVENTS_VERSION, 'event' => 'order.paid', 'id' => $row->event_id, 'at' => 'now' ), $body['custom_events'] );
	}

	public function test_what_was_sent_is_blanked_and_still_known(): void {
		$row = self::add( 'order.paid', 'a', 'ana@example.org' );
		Outbox::sent( $row );
		$this->assertSame( array(), Outbox::due( 10 ) );
		$this->assertSame( array(), Outbox::of_person( 'ana@example.org' ) );
		$this->assertSame( 0, self::add( 'order.paid', 'a' ) );
		$this->assertSame( '', $GLOBALS['wpdb']->get_var( 'SELECT payload FROM ' . Outbox::table() ) );
	}

	public function test_a_row_comes_again_at_its_time(): void {
		$row = self::add();
		Outbox::later( $row, Shop::GOLDEN + 60, "no ans\u{e9}wer" );
		$this->assertSame( array(), Outbox::due( 10 ) );
		Shop::wait( 60 );
		$this->assertSame( '1', Outbox::due( 10 )[0]->attempts );
		$this->assertSame( 'no ans??wer', Outbox::health()['error'] );
	}

	public function test_the_oldest_comes_first_and_no_more_than_asked_for(): void {
		foreach ( array( 'a', 'b', 'c' ) as $topic ) {
			self::add( $topic );
		}
		$this->assertSame( array( 'a', 'b' ), array_column( Outbox::due( 2 ), 'topic' ) );
	}

	public function test_what_is_parked_waits_for_a_person(): void {
		$row = self::add();
		Outbox::park( $row, 'Status 400' );
		$this->assertSame( array( 'waiting' => 0, 'oldest' => null, 'parked' => 1, 'error' => 'Status 400' ), Outbox::health() );
		$this->assertSame( 1, Outbox::release() );
		$this->assertSame( '0', Outbox::due( 1 )[0]->attempts );
	}

	public function test_what_was_taken_is_not_parked_by_a_run_beside(): void {
		$row = self::add();
		Outbox::sent( $row );
		Outbox::park( $row, 'Status 400' );
		$this->assertSame( 0, Outbox::release() );
		$this->assertSame( '', Outbox::health()['error'] );
	}

	public function test_a_row_that_is_held_waits_for_its_body(): void {
		$row = self::add();
		Outbox::hold( $row );
		$this->assertSame( array(), Outbox::due( 1 ) );
		Outbox::replace( $row, array( 'id' => 2, 'custom_events' => array() ) );
		$this->assertCount( 1, Outbox::due( 1 ) );
		Outbox::hold( $row );
		Shop::wait( Outbox::HELD_S );
		$this->assertCount( 1, Outbox::due( 1 ), 'a request that died holds nothing up for long' );
	}

	public function test_old_rows_are_deleted_but_none_that_waits(): void {
		Outbox::sent( self::add() );
		Outbox::park( self::add(), 'no' );
		self::add( 'waits' );
		Shop::wait( 91 * 86400 );
		Outbox::prune();
		$this->assertSame( array( 'waiting' => 1, 'parked' => 1 ), array_intersect_key( Outbox::health(), array( 'waiting' => 1, 'parked' => 1 ) ) );
		$this->assertSame( '2', $GLOBALS['wpdb']->get_var( 'SELECT COUNT(*) FROM ' . Outbox::table() ) );
		Shop::wait( 90 * 86400 );
		Outbox::prune();
		$this->assertSame( array( 'waits' ), Shop::topics() );
	}

	public function test_a_body_is_replaced_before_the_first_attempt_only(): void {
		$row = self::add();
		Outbox::replace( $row, array( 'id' => 2, 'custom_events' => array( 'at' => 'later' ) ) );
		$body = Shop::waiting()[0][1];
		$this->assertSame( array( 2, 'later', 'order.paid' ), array( $body['id'], $body['custom_events']['at'], $body['custom_events']['event'] ) );
		$this->assertSame( Outbox::due( 1 )[0]->event_id, $body['custom_events']['id'] );
		Outbox::later( $row, Shop::GOLDEN, 'no answer' );
		Outbox::replace( $row, array( 'id' => 3, 'custom_events' => array() ) );
		$this->assertSame( 2, Shop::waiting()[0][1]['id'] );
	}

	public function test_a_table_that_somebody_removed_is_made_again(): void {
		Outbox::drop();
		$this->assertSame( 1, self::add() );
		$this->assertArrayNotHasKey( 'logged', $GLOBALS['double']->is );
	}

	public function test_what_cannot_be_recorded_is_logged(): void {
		$GLOBALS['wpdb']->is_broken = true;
		$this->assertSame( 0, self::add() );
		$this->assertSame( 'An event (order.paid) could not be recorded: disk full', $GLOBALS['double']->is['logged'] );
	}

	public function test_a_persons_rows_are_found_in_any_case_and_forgotten(): void {
		self::add( 'a', null, 'Ana@Example.org ' );
		self::add( 'b', null, 'other@example.org' );
		$this->assertSame( array( 'a' ), array_column( Outbox::of_person( 'ana@example.org' ), 'topic' ) );
		$this->assertSame( 1, Outbox::forget_person( 'ANA@example.org' ) );
		$this->assertSame( array( 'b' ), Shop::topics() );
		$this->assertSame( 0, Outbox::forget_person( '' ) );
	}

	public function test_the_table_is_made_once(): void {
		$before = $GLOBALS['wpdb']->queries;
		Outbox::make_table();
		$this->assertSame( $before, $GLOBALS['wpdb']->queries );
		$this->assertSame( array(), get_option( 'custom_events_settings' ), 'a missing option costs each page a query' );
		Shop::open( false );
		$this->assertSame( 'no', get_option( 'custom_events_connected' ) );
	}
}
