<?php
/** A shop for tests: connected, with a clock that stands, in which things happen as WooCommerce makes them happen. */

use CustomEvents\WooCommerce\Clock;
use CustomEvents\WooCommerce\Connection;
use CustomEvents\WooCommerce\Order_Events;
use CustomEvents\WooCommerce\Outbox;

final class Shop {
	const GOLDEN = 1795600800; // 2026-11-25T10:00:00Z
	const URL    = 'https://events.example/webhooks/woocommerce/shop-key-1';
	const SECRET = 'golden-secret-of-the-tests';

	/**
	 * When the shop opens.
	 *
	 * @var int
	 */
	public static $opens_at = self::GOLDEN;

	/** Forget all, make the table, connect. */
	public static function open( bool $is_connected = true ): void {
		reset_double();
		Order_Events::reset();
		self::at( self::$opens_at );
		$GLOBALS['double']->session = new WC_Session_Double();
		$GLOBALS['double']->cart    = new WC_Cart_Double();
		Outbox::make_table();
		if ( $is_connected ) {
			self::connection()->save();
		}
	}

	public static function connection(): Connection {
		return Connection::parse( self::line( array( 'url' => self::URL, 'key_id' => 'k1', 'secret' => self::SECRET ) ) );
	}

	/** A connection string, as the console makes it. */
	public static function line( array $fields ): string {
		return Connection::PREFIX . rtrim( strtr( base64_encode( json_encode( $fields, JSON_UNESCAPED_SLASHES ) ), '+/', '-_' ), '=' );
	}

	/** Set the clock. */
	public static function at( int $seconds, int $micros = 123456 ): void {
		Clock::$fixed = array( $seconds, $micros );
	}

	/** Let time pass. */
	public static function wait( int $seconds ): void {
		self::at( Clock::seconds() + $seconds );
	}

	/** The end of a request. */
	public static function end_request(): void {
		do_action( 'shutdown' );
		Order_Events::reset();
	}

	/** A moment as WooCommerce gives it. */
	public static function date( ?int $seconds ): ?DateTimeImmutable {
		return null === $seconds ? null : ( new DateTimeImmutable( '@' . $seconds ) )->setTimezone( new DateTimeZone( 'Europe/Lisbon' ) );
	}

	/** An order with two lines, which the shop knows. */
	public static function order( int $id, array $changes = array() ): WC_Order {
		$order = new WC_Order( array_merge( self::order_data( $id ), $changes ) );
		$GLOBALS['double']->orders[ $id ] = $order;
		return $order;
	}

	private static function order_data( int $id ): array {
		return array(
			'id'                => $id,
			'parent_id'         => 0,
			'status'            => 'pending',
			'currency'          => 'EUR',
			'total'             => '119.00',
			'total_tax'         => '19.00',
			'shipping_total'    => '10.00',
			'shipping_tax'      => '1.9',
			'discount_total'    => '5.00',
			'discount_tax'      => '0.95',
			'date_created'      => self::date( Clock::seconds() ),
			'date_modified'     => self::date( Clock::seconds() ),
			'date_paid'         => null,
			'date_completed'    => null,
			'customer_id'       => 7,
			'created_via'       => 'store-api',
			'payment_method'    => 'stripe',
			'billing_email'     => 'Ana.Ferreira@example.org',
			'billing_phone'     => '912 345 678',
			'billing_country'   => 'PT',
			'billing_postcode'  => '1100-148',
			'shipping_country'  => 'PT',
			'shipping_postcode' => '1100-148',
			'refunds'           => array(),
			'items'             => array(
				'line_item' => array(
					self::item( 'Chapéu de palha', 31, 32, 'HAT-S', 2, '65.00', '60.00', '11.4' ),
					self::item( 'Wool, 100%s %d, by the metre', 40, 0, '', 1.5, '30.00', '30.00', '5.7' ),
				),
				'shipping'  => array( new WC_Order_Item( array( 'name' => 'Courier' ) ) ),
				'coupon'    => array( new WC_Order_Item( array( 'code' => 'summer5' ) ) ),
			),
		);
	}

	public static function item( string $name, int $product, int $variation, string $sku, float $quantity, string $subtotal, string $total, string $tax ): WC_Order_Item {
		return new WC_Order_Item(
			array(
				'name'         => $name,
				'product_id'   => $product,
				'variation_id' => $variation,
				'quantity'     => $quantity,
				'subtotal'     => $subtotal,
				'total'        => $total,
				'total_tax'    => $tax,
				'product'      => '' === $sku ? false : new WC_Product( array( 'sku' => $sku ) ),
			)
		);
	}

	/** A refund of an order, as the hook finds it. */
	public static function refund( WC_Order $order, int $id, string $amount, array $items = array() ): WC_Order_Refund {
		$refund = new WC_Order_Refund( array( 'id' => $id, 'amount' => $amount, 'date_created' => self::date( Clock::seconds() ), 'items' => $items ) );
		$order->set( array( 'refunds' => array_merge( array( $refund ), $order->get_refunds() ) ) );
		return $refund;
	}

	/** Change an order's status as WooCommerce does. */
	public static function status( WC_Order $order, string $to, array $changes = array() ): void {
		$from = $order->get_status();
		$order->set( array( 'status' => $to, 'date_modified' => self::date( Clock::seconds() ) ) + $changes );
		do_action( 'woocommerce_order_status_changed', $order->get_id(), $from, $to, $order );
	}

	public static function product( string $name, string $price, string $sku ): WC_Product {
		return new WC_Product( array( 'name' => $name, 'price' => $price, 'sku' => $sku ) );
	}

	public static function subscription( int $id, array $changes = array() ): WC_Subscription {
		return new WC_Subscription(
			array_merge(
				self::order_data( $id ),
				array( 'parent_id' => 1001, 'total' => '19.90', 'billing_period' => 'month', 'billing_interval' => 1, 'times' => array( 'start' => Clock::seconds() ) ),
				$changes
			)
		);
	}

	/** What waits in the outbox: topic => body, in order. */
	public static function waiting(): array {
		global $wpdb;
		$rows = $wpdb->get_results( 'SELECT topic, payload FROM ' . Outbox::table() . " WHERE status = 'waiting' ORDER BY id" );
		return array_map(
			static function ( $row ) {
				return array( $row->topic, json_decode( $row->payload, true ) );
			},
			$rows
		);
	}

	public static function topics(): array {
		return array_column( self::waiting(), 0 );
	}

	/** What the receiver got: topics, in order. */
	public static function posted(): array {
		return array_map(
			static function ( $post ) {
				return $post['headers']['X-Custom-Events-Topic'];
			},
			$GLOBALS['double']->posts
		);
	}

	/** Let a run of the delivery happen, as Action Scheduler would. */
	public static function drain(): void {
		unset( $GLOBALS['double']->scheduled['custom_events_drain'] );
		do_action( 'custom_events_drain' );
	}
}
