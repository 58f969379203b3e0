<?php
/**
 * What happens to orders.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Records the events of orders, with the facts of the moment. Subscriptions, which WooCommerce fires the same hooks for, are left out. */
final class Order_Events {
	/**
	 * What was recorded of orders before they had lines or a total, by order and row of the outbox: what their bodies are made of.
	 *
	 * @var array<int,array<int,array{0:array<string,mixed>,1:int,2:int}>>
	 */
	private static $incomplete = array();

	/**
	 * Orders trashed, deleted or restored in this request, as two hooks tell of one.
	 *
	 * @var array<string,bool>
	 */
	private static $told = array();

	/**
	 * An order was made.
	 *
	 * @param int            $order_id Its id.
	 * @param \WC_Order|null $order    The order.
	 */
	public static function created( $order_id, $order = null ): void {
		$order = self::order( $order ? $order : $order_id );
		if ( null !== $order ) {
			self::record( 'order.created', $order, 'order.created:' . $order->get_id() );
		}
	}

	/** Make the bodies of orders again that were not complete when they were made. */
	public static function complete(): void {
		foreach ( array_keys( self::$incomplete ) as $order_id ) {
			$order = wc_get_order( $order_id );
			if ( $order ) {
				self::complete_order( $order );
			}
		}
	}

	/**
	 * The status changed: one event, under the topic that says most.
	 *
	 * @param int       $order_id Its id.
	 * @param string    $from     The status before.
	 * @param string    $to       The status now.
	 * @param \WC_Order $order    The order.
	 */
	public static function status_changed( $order_id, $from, $to, $order = null ): void {
		$order = self::order( $order ? $order : $order_id );
		if ( null === $order || in_array( $from, Order_Snapshot::DRAFTS, true ) ) {
			return;
		}
		if ( self::is_complete( $order ) ) {
			self::complete_order( $order );
		}
		$moment = array(
			'from' => $from,
			'to'   => $to,
		);
		if ( Order_Snapshot::TRASHED === $from ) {
			if ( self::is_first( 'order.restored', $order->get_id() ) ) {
				self::record( 'order.restored', $order, null, $moment );
			}
			return;
		}
		if ( null !== Order_Snapshot::paid_at( $order ) && self::record( 'order.paid', $order, 'order.paid:' . $order->get_id(), $moment ) ) {
			return;
		}
		$topics = array(
			'cancelled' => 'order.cancelled',
			'completed' => 'order.completed',
		);
		self::record( isset( $topics[ $to ] ) ? $topics[ $to ] : 'order.status_changed', $order, null, $moment );
	}

	/**
	 * A payment came. Cash on delivery and transfers never come here.
	 *
	 * @param int $order_id Its order.
	 */
	public static function payment_completed( $order_id ): void {
		$order = self::order( $order_id );
		if ( null !== $order && null !== Order_Snapshot::paid_at( $order ) ) {
			self::record( 'order.paid', $order, 'order.paid:' . $order->get_id() );
		}
	}

	/**
	 * Money, or nothing, was given back.
	 *
	 * @param int $order_id  The order.
	 * @param int $refund_id The refund.
	 */
	public static function refunded( $order_id, $refund_id ): void {
		$order = self::order( $order_id );
		if ( null !== $order ) {
			self::record( 'order.refunded', $order, "order.refunded:{$order_id}:{$refund_id}", array( 'refund_id' => (int) $refund_id ), (int) $refund_id );
		}
	}

	/**
	 * A refund was taken back.
	 *
	 * @param int $refund_id The refund, which is gone.
	 * @param int $order_id  The order.
	 */
	public static function refund_deleted( $refund_id, $order_id ): void {
		$order = self::order( $order_id );
		if ( null !== $order ) {
			self::record( 'order.refund_deleted', $order, "order.refund_deleted:{$order_id}:{$refund_id}", array( 'refund_id' => (int) $refund_id ), 0, (int) $refund_id );
		}
	}

	/**
	 * An order went to the trash, or for good.
	 *
	 * @param int            $order_id Its id.
	 * @param \WC_Order|null $order    The order, where the hook gives it.
	 */
	public static function deleted( $order_id, $order = null ): void {
		$order = self::order( $order ? $order : $order_id );
		if ( null === $order || ! self::is_first( 'order.deleted', $order->get_id() ) ) {
			return;
		}
		Outbox::add(
			'order.deleted',
			array(
				'id'            => $order->get_id(),
				'custom_events' => array( 'at' => Clock::iso() ),
			),
			null
		);
	}

	/**
	 * An order came back from the trash. WooCommerce's own tables say so while it is still in there; its change of status follows.
	 *
	 * @param int $order_id Its id.
	 */
	public static function restored( $order_id ): void {
		$order = self::order( $order_id );
		if ( null !== $order && Order_Snapshot::TRASHED !== $order->get_status() && self::is_first( 'order.restored', $order->get_id() ) ) {
			self::record( 'order.restored', $order, null );
		}
	}

	/** The same two in shops whose orders are posts. */
	public static function post_trashed( $post_id ): void {
		if ( get_post_type( $post_id ) === 'shop_order' ) {
			self::deleted( (int) $post_id );
		}
	}

	/** See above. */
	public static function post_restored( $post_id ): void {
		if ( get_post_type( $post_id ) === 'shop_order' ) {
			self::restored( (int) $post_id );
		}
	}

	/**
	 * The shopper answered about consent after the order was made.
	 *
	 * @param \WC_Order $order  The order, with the new answer in its meta.
	 * @param string    $answer The answer.
	 */
	public static function consent_changed( $order, string $answer ): void {
		if ( null !== self::order( $order ) ) {
			self::record( 'order.consent_changed', $order, 'order.consent_changed:' . $order->get_id() . ':' . $answer );
		}
	}

	/**
	 * Record an event of an order; the row, 0 where it is known.
	 *
	 * @param string              $topic      Its topic.
	 * @param \WC_Order           $order      The order.
	 * @param string|null         $once_key   Which events are the same.
	 * @param array<string,mixed> $moment     What is known at this moment only.
	 * @param int                 $with_lines A refund whose lines are told.
	 * @param int                 $without    A refund that is gone.
	 */
	private static function record( string $topic, $order, ?string $once_key, array $moment = array(), int $with_lines = 0, int $without = 0 ): int {
		$row = Outbox::add( $topic, self::body( $order, $moment, $with_lines, $without ), $once_key, $order->get_billing_email() );
		if ( $row && ! self::is_complete( $order ) ) {
			self::$incomplete[ $order->get_id() ][ $row ] = array( $moment, $with_lines, $without );
			Outbox::hold( $row );
		}
		return $row;
	}

	/**
	 * The body of an event.
	 *
	 * @param \WC_Order           $order      The order.
	 * @param array<string,mixed> $moment     What is known at this moment only.
	 * @param int                 $with_lines A refund whose lines are told.
	 * @param int                 $without    A refund that is gone.
	 * @return array<string,mixed>
	 */
	private static function body( $order, array $moment, int $with_lines, int $without ): array {
		$body                  = Order_Snapshot::of( $order, $with_lines, $without );
		$body['custom_events'] = array_merge( $body['custom_events'], $moment );
		return $body;
	}

	/**
	 * Make the bodies of an order's events again that were made before it was complete.
	 *
	 * @param \WC_Order $order The order as it is now.
	 */
	private static function complete_order( $order ): void {
		$id = $order->get_id();
		foreach ( isset( self::$incomplete[ $id ] ) ? self::$incomplete[ $id ] : array() as $row => list( $moment, $with_lines, $without ) ) {
			Outbox::replace( $row, self::body( $order, $moment, $with_lines, $without ) );
		}
		unset( self::$incomplete[ $id ] );
	}

	/**
	 * Whether an order has lines, and its total if they cost something. Code that makes an order step by step saves it before, perhaps as paid;
	 * WooCommerce saves one of the REST API once with its lines before it adds them up.
	 *
	 * @param \WC_Order $order The order.
	 */
	private static function is_complete( $order ): bool {
		$items = $order->get_items();
		$costs = 0.0;
		foreach ( $items as $item ) {
			$costs += (float) $item->get_total();
		}
		return $items && ( 0.0 === $costs || 0.0 !== (float) $order->get_total() );
	}

	/** Whether this request has not told of it yet. */
	private static function is_first( string $topic, int $order_id ): bool {
		$key                = $topic . ':' . $order_id;
		$is_first           = ! isset( self::$told[ $key ] );
		self::$told[ $key ] = true;
		return $is_first;
	}

	/**
	 * The order, if there is one that counts, and a connection.
	 *
	 * @param \WC_Order|int $order An order, or its id.
	 * @return \WC_Order|null
	 */
	private static function order( $order ) {
		if ( ! Settings::is_connected() ) {
			return null;
		}
		$order = is_object( $order ) ? $order : wc_get_order( $order );
		// A subscription is a WC_Order, too, of a type of its own.
		return $order && $order->get_type() === 'shop_order' && ! in_array( $order->get_status(), Order_Snapshot::DRAFTS, true ) ? $order : null;
	}

	/** Forget what this request told: for tests, in which one process is many requests. */
	public static function reset(): void {
		self::$told       = array();
		self::$incomplete = array();
	}
}
