<?php
use CustomEvents\WooCommerce\Clicks;
use CustomEvents\WooCommerce\Order_Snapshot;
use CustomEvents\WooCommerce\Outbox;
use CustomEvents\WooCommerce\Settings;
use PHPUnit\Framework\TestCase;

/** Orders: which events come of which hooks, and what counts as paid. */
final class Orders_Test extends TestCase {

	protected function setUp(): void {
		Shop::open();
	}

	public function test_without_a_connection_nothing_is_recorded(): void {
		Shop::open( false );
		$order = Shop::order( 1 );
		do_action( 'woocommerce_new_order', 1, $order );
		do_action( 'woocommerce_trash_order', 1 );
		do_action( 'woocommerce_order_refunded', 1, 2 );
		do_action( 'woocommerce_payment_complete', 1 );
		Clicks::keep( $order );
		$this->assertSame( array(), Shop::topics() );
		$this->assertSame( array(), $order->meta );
	}

	public function test_subscriptions_and_drafts_are_no_orders(): void {
		$subscription                   = Shop::subscription( 3 );
		$GLOBALS['double']->orders[ 3 ] = $subscription;
		foreach ( array( $subscription, Shop::order( 4, array( 'status' => 'checkout-draft' ) ), Shop::order( 5, array( 'status' => 'auto-draft' ) ) ) as $order ) {
			do_action( 'woocommerce_new_order', $order->get_id(), $order );
			do_action( 'woocommerce_payment_complete', $order->get_id() );
			do_action( 'woocommerce_trash_order', $order->get_id() );
		}
		do_action( 'woocommerce_order_status_changed', 3, 'pending', 'active', $subscription );
		do_action( 'woocommerce_new_order', 99 );
		$this->assertSame( array(), Shop::topics() );
	}

	public function test_an_order_that_was_a_draft_is_created_and_not_changed(): void {
		$order = Shop::order( 1 );
		do_action( 'woocommerce_new_order', 1, $order );
		do_action( 'woocommerce_order_status_changed', 1, 'checkout-draft', 'pending', $order );
		$this->assertSame( array( 'order.created' ), Shop::topics() );
	}

	public function test_each_change_is_told_once_under_the_topic_that_says_most(): void {
		$order = Shop::order( 1 );
		do_action( 'woocommerce_new_order', 1, $order );
		do_action( 'woocommerce_new_order', 1, $order );
		Shop::status( $order, 'on-hold' );
		Shop::status( $order, 'processing', array( 'date_paid' => Shop::date( Shop::GOLDEN ) ) );
		do_action( 'woocommerce_payment_complete', 1 );
		Shop::status( $order, 'completed' );
		Shop::status( $order, 'cancelled' );
		Shop::status( $order, 'processing' );
		$this->assertSame( array( 'order.created', 'order.status_changed', 'order.paid', 'order.completed', 'order.cancelled', 'order.status_changed' ), Shop::topics() );
		$moments = array_map(
			static function ( $waiting ) {
				$moment = $waiting[1]['custom_events'];
				return array( $moment['from'] ?? null, $moment['to'] ?? null, $waiting[1]['status'] );
			},
			Shop::waiting()
		);
		$this->assertSame(
			array( array( null, null, 'pending' ), array( 'pending', 'on-hold', 'on-hold' ), array( 'on-hold', 'processing', 'processing' ), array( 'processing', 'completed', 'completed' ), array( 'completed', 'cancelled', 'cancelled' ), array( 'cancelled', 'processing', 'processing' ) ),
			$moments,
			'the facts of each moment, not of the last'
		);
	}

	public function test_a_payment_without_a_change_of_status_is_told(): void {
		$order = Shop::order( 1, array( 'status' => 'processing', 'date_paid' => Shop::date( Shop::GOLDEN ), 'total' => '0.00' ) );
		do_action( 'woocommerce_payment_complete', 1 );
		do_action( 'woocommerce_payment_complete', 1 );
		$this->assertSame( array( 'order.paid' ), Shop::topics() );
	}

	public function test_an_order_made_step_by_step_is_told_with_its_lines(): void {
		$items = Shop::order( 9 )->get_items();
		$order = Shop::order( 1, array( 'items' => array(), 'total' => '0' ) );
		do_action( 'woocommerce_new_order', 1, $order );
		$order->set( array( 'items' => array( 'line_item' => $items ), 'total' => '119.00' ) );
		$this->assertSame( '0', Shop::waiting()[0][1]['total'] );
		Shop::end_request();
		$body = Shop::waiting()[0][1];
		$this->assertSame( array( '119', 2 ), array( $body['total'], count( $body['line_items'] ) ) );
	}

	public function test_an_order_made_step_by_step_is_whole_before_its_status_changes(): void {
		$items = Shop::order( 9 )->get_items();
		$order = Shop::order( 1, array( 'items' => array() ) );
		do_action( 'woocommerce_new_order', 1, $order );
		$order->set( array( 'items' => array( 'line_item' => $items ) ) );
		Shop::status( $order, 'failed' );
		$this->assertCount( 2, Shop::waiting()[0][1]['line_items'] );
		Shop::end_request();
	}

	public function test_an_order_of_the_rest_api_is_told_with_its_total(): void {
		$order = Shop::order( 1, array( 'created_via' => 'rest-api', 'total' => '0' ) );
		do_action( 'woocommerce_new_order', 1, $order ); // Saved with its lines before they are added up.
		$this->assertSame( array(), Outbox::due( 1 ), 'no run takes it meanwhile' );
		$order->set( array( 'total' => '119.00' ) );
		Shop::end_request();
		$this->assertSame( array( 'order.created' ), Shop::topics() );
		$this->assertSame( '119', Shop::waiting()[0][1]['total'] );
		$this->assertCount( 1, Outbox::due( 1 ) );
	}

	public function test_an_order_that_is_made_as_paid_and_filled_afterwards_is_told_with_its_total(): void {
		$items = Shop::order( 2 )->get_items();
		$order = Shop::order( 1, array( 'total' => '0', 'items' => array() ) );
		do_action( 'woocommerce_new_order', 1, $order );
		Shop::status( $order, 'processing' );
		$order->set( array( 'total' => '119.00', 'items' => array( 'line_item' => $items ) ) );
		Shop::end_request();
		$this->assertSame( array( 'order.created', 'order.paid' ), Shop::topics() );
		list( $created, $paid ) = array_column( Shop::waiting(), 1 );
		$this->assertSame( array( '119', '119' ), array( $created['total'], $paid['total'] ) );
		$this->assertSame( array( 'pending', 'processing' ), array( $paid['custom_events']['from'], $paid['custom_events']['to'] ) );
		$this->assertSame( 'order.paid', $paid['custom_events']['event'] );
	}

	public function test_an_order_of_fees_alone_is_not_held_longer_than_its_request(): void {
		do_action( 'woocommerce_new_order', 1, Shop::order( 1, array( 'items' => array() ) ) );
		Shop::end_request();
		$this->assertCount( 1, Outbox::due( 1 ) );
	}

	public function test_an_order_for_nothing_is_complete(): void {
		$gift = Shop::item( 'Sample', 31, 32, 'S', 1, '5.00', '0.00', '0' );
		do_action( 'woocommerce_new_order', 1, Shop::order( 1, array( 'total' => '0.00', 'items' => array( 'line_item' => array( $gift ) ) ) ) );
		$this->assertCount( 1, Outbox::due( 1 ) );
	}

	public function test_an_order_without_lines_that_is_gone_stays_as_it_was_told(): void {
		do_action( 'woocommerce_new_order', 1, Shop::order( 1, array( 'items' => array() ) ) );
		$GLOBALS['double']->orders = array();
		Shop::end_request();
		$this->assertSame( array( 'order.created' ), Shop::topics() );
	}

	public function test_each_refund_is_told_with_all_of_them_beside(): void {
		$order = Shop::order( 1, array( 'status' => 'processing' ) );
		foreach ( array( 11 => '10', 12 => '2.5' ) as $id => $amount ) {
			Shop::refund( $order, $id, $amount, array( 'shipping' => array( new WC_Order_Item( array( 'total' => '-1.00', 'total_tax' => '-0.19' ) ) ) ) );
			do_action( 'woocommerce_order_refunded', 1, $id );
			do_action( 'woocommerce_order_refunded', 1, $id );
		}
		do_action( 'woocommerce_refund_deleted', 12, 1 );
		$this->assertSame( array( 'order.refunded', 'order.refunded', 'order.refund_deleted' ), Shop::topics() );
		list( $first, $second, $third ) = array_column( Shop::waiting(), 1 );
		$this->assertSame( array( '-10' ), array_column( $first['refunds'], 'total' ) );
		$this->assertSame( array( '-2.5', '-10' ), array_column( $second['refunds'], 'total' ) );
		$this->assertSame( array( array( 'total' => '-1', 'total_tax' => '-0.19' ) ), $second['refunds'][0]['shipping_lines'] );
		$this->assertArrayNotHasKey( 'line_items', $second['refunds'][1] );
		$this->assertSame( array( 11 ), array_column( $third['refunds'], 'id' ), 'the deleted one is not there, though it still is in the object' );
	}

	public function test_trash_and_back_as_often_as_it_happens_and_once_a_request(): void {
		$order                             = Shop::order( 1 );
		$GLOBALS['double']->post_types[1]  = 'shop_order';
		$GLOBALS['double']->post_types[77] = 'page';
		foreach ( array( 1, 2 ) as $time ) {
			do_action( 'wp_trash_post', 1 );
			do_action( 'wp_trash_post', 77 );
			do_action( 'woocommerce_trash_order', 1 );
			Shop::end_request();
			do_action( 'untrashed_post', 1 );
			do_action( 'untrashed_post', 77 );
			do_action( 'woocommerce_untrash_order', 1 );
			Shop::end_request();
		}
		do_action( 'woocommerce_before_delete_order', 1, $order );
		$this->assertSame( array( 'order.deleted', 'order.restored', 'order.deleted', 'order.restored', 'order.deleted' ), Shop::topics() );
	}

	public function test_an_order_that_comes_back_is_told_when_its_status_has(): void {
		$order = Shop::order( 1, array( 'status' => 'trash', 'date_paid' => Shop::date( Shop::GOLDEN ) ) );
		do_action( 'woocommerce_untrash_order', 1, 'wc-processing' ); // WooCommerce's own tables: still in the trash.
		$this->assertSame( array(), Shop::topics() );
		Shop::status( $order, 'processing' );
		Shop::end_request();
		$this->assertSame( array( 'order.restored' ), Shop::topics() );
		$body = Shop::waiting()[0][1];
		$this->assertSame( array( 'processing', 'trash', 'processing' ), array( $body['status'], $body['custom_events']['from'], $body['custom_events']['to'] ) );
	}

	/** @dataProvider payments */
	public function test_when_an_order_counts_as_paid( array $settings, array $order, ?string $paid_at ): void {
		Settings::save( $settings );
		foreach ( array( 'date_paid', 'date_completed' ) as $date ) {
			$order[ $date ] = Shop::date( isset( $order[ $date ] ) ? Shop::GOLDEN + $order[ $date ] : null );
		}
		$this->assertSame( $paid_at, Order_Snapshot::paid_at( Shop::order( 1, $order ) ) );
	}

	public function payments(): array {
		$created = '2026-11-25T10:00:00';
		$cod     = array( 'payment_method' => 'cod' );
		$bank    = array( 'payment_method' => 'bacs' );
		$placed  = array( 'transfer_paid_when' => 'placed' );
		$late    = array( 'cod_paid_when' => 'completed' );
		return array(
			'card, pending'             => array( array(), array(), null ),
			'card, with a date'         => array( array(), array( 'status' => 'processing', 'date_paid' => 60 ), '2026-11-25T10:01:00' ),
			'date, then refunded'       => array( array(), array( 'status' => 'refunded', 'date_paid' => 60 ), '2026-11-25T10:01:00' ),
			'no date, processing'       => array( array(), array( 'status' => 'processing' ), $created ),
			'no date, completed'        => array( array(), array( 'status' => 'completed', 'date_completed' => 90 ), '2026-11-25T10:01:30' ),
			'failed, then refunded'     => array( array(), array( 'status' => 'refunded' ), null ),
			'cod, placed'               => array( array(), $cod + array( 'status' => 'processing' ), $created ),
			'cod, cancelled'            => array( array(), $cod + array( 'status' => 'cancelled' ), null ),
			'cod, completed'            => array( array(), $cod + array( 'status' => 'completed', 'date_paid' => 60 ), $created ),
			'cod late, placed'          => array( $late, $cod + array( 'status' => 'processing' ), null ),
			'cod late, completed'       => array( $late, $cod + array( 'status' => 'completed', 'date_completed' => 90 ), '2026-11-25T10:01:30' ),
			'cod late, with a date'     => array( $late, $cod + array( 'status' => 'completed', 'date_paid' => 60 ), '2026-11-25T10:01:00' ),
			'transfer, on hold'         => array( array(), $bank + array( 'status' => 'on-hold' ), null ),
			'transfer, money there'     => array( array(), $bank + array( 'status' => 'processing', 'date_paid' => 60 ), '2026-11-25T10:01:00' ),
			'transfer placed, on hold'  => array( $placed, $bank + array( 'status' => 'on-hold' ), $created ),
			'transfer placed, pending'  => array( $placed, $bank + array( 'status' => 'pending' ), null ),
			'cheque placed, processing' => array( $placed, array( 'payment_method' => 'cheque', 'status' => 'processing' ), $created ),
		);
	}

	public function test_a_gateway_in_test_mode_is_marked(): void {
		update_option( 'woocommerce_stripe_settings', array( 'testmode' => 'yes' ) );
		update_option( 'woocommerce_other_settings', array( 'testmode' => 'no' ) );
		update_option( 'woocommerce_odd_settings', 'no settings' );
		$this->assertSame( array( true, false, false, false ), array_map( array( Order_Snapshot::class, 'is_test' ), array( 'stripe', 'other', 'odd', '' ) ) );
	}

	public function test_meta_is_sent_by_name(): void {
		Settings::save( array( 'extra_meta' => ' sales_rep ,, margin' ) );
		$order       = Shop::order( 1 );
		$order->meta = array(
			'_custom_events'                       => array( 'gclid' => 'x' ),
			'_wc_order_attribution_session_entry'  => '/',
			'_wc_order_attribution_user_agent'     => 'no',
			'_subscription_renewal'                => '3',
			'_wcpay_mode'                          => 'test',
			'_ppcp_environment'                    => 'sandbox',
			'_acme_testmode'                       => 'yes',
			'_billing_vat'                         => 'no',
			'engraving'                            => 'no',
			'sales_rep'                            => 7,
			'margin'                               => null,
		);
		$sent        = array_column( Order_Snapshot::meta( $order ), 'key' );
		$this->assertSame( array( '_custom_events', '_wc_order_attribution_session_entry', '_subscription_renewal', '_wcpay_mode', '_ppcp_environment', '_acme_testmode', 'sales_rep', 'margin' ), $sent );
	}

	public function test_gift_cards_are_told(): void {
		$card  = new WC_Order_Item( array( 'amount' => '24.00' ) );
		$order = Shop::order( 1, array( 'items' => array( 'gift_card' => array( $card ), 'pw_gift_card' => array( $card ) ) ) );
		$body  = Order_Snapshot::of( $order );
		$this->assertSame( array( array( array( 'amount' => '24' ) ), array( array( 'amount' => '24' ) ) ), array( $body['gift_cards'], $body['pw_gift_cards_redeemed'] ) );
	}

	public function test_amounts_are_exact_text(): void {
		$this->assertSame( array( '39.8', '0', '0', '16558', '0.1', '19.9' ), array_map( array( Order_Snapshot::class, 'money' ), array( '39.80', '', 0, '16558.00', 0.1, 19.900000000000002 ) ) );
	}

	public function test_a_line_of_nothing_has_no_price(): void {
		$order = Shop::order( 1, array( 'items' => array( 'line_item' => array( Shop::item( 'x', 1, 0, '', 0, '0', '0', '0' ) ) ) ) );
		$this->assertNull( Order_Snapshot::of( $order )['line_items'][0]['price'] );
	}
}
