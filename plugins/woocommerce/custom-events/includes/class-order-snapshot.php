<?php
/**
 * An order as it is at a moment.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/**
 * Makes of an order what WooCommerce's REST API would, with less in it: no names, no streets, of meta only what Custom Events reads. It
 * asks the object that a hook gave, not the database.
 */
final class Order_Snapshot {
	/** Meta that is read; names that end with the last expression's words tell of a gateway's test mode. */
	const META = '/\A(?:_custom_events|_wc_order_attribution_(?!user_agent).*|_subscription_(?:renewal|resubscribe|switch)|_ywgc_applied_gift_cards_totals|_wc_deposits_deposit_(?:paid|amount)|_.*_(?:mode|environment|env|test_?mode|is_test|sandbox|live_?mode|is_live))\z/';

	const DRAFTS    = array( 'checkout-draft', 'auto-draft', 'draft', 'new' );
	const TRASHED   = 'trash';
	const TRANSFERS = array( 'bacs', 'cheque' );
	const DECIMALS  = 6; // What Custom Events keeps.

	/**
	 * The order's facts.
	 *
	 * @param \WC_Order $order       The order.
	 * @param int       $with_lines  The refund whose lines are told; 0 for none.
	 * @param int       $without     A refund that is deleted just now; 0 for none.
	 * @return array<string,mixed>
	 */
	public static function of( $order, int $with_lines = 0, int $without = 0 ): array {
		$body = array(
			'id'                 => $order->get_id(),
			'parent_id'          => $order->get_parent_id(),
			'number'             => (string) $order->get_order_number(),
			'status'             => $order->get_status(),
			'currency'           => $order->get_currency(),
			'total'              => self::money( $order->get_total() ),
			'total_tax'          => self::money( $order->get_total_tax() ),
			'shipping_total'     => self::money( $order->get_shipping_total() ),
			'shipping_tax'       => self::money( $order->get_shipping_tax() ),
			'discount_total'     => self::money( $order->get_discount_total() ),
			'discount_tax'       => self::money( $order->get_discount_tax() ),
			'date_created_gmt'   => self::date( $order->get_date_created() ),
			'date_modified_gmt'  => self::date( $order->get_date_modified() ),
			'date_paid_gmt'      => self::date( $order->get_date_paid() ),
			'date_completed_gmt' => self::date( $order->get_date_completed() ),
			'customer_id'        => $order->get_customer_id(),
			'created_via'        => $order->get_created_via(),
			'payment_method'     => $order->get_payment_method(),
			'billing'            => self::billing( $order ),
			'shipping'           => array(
				'country'  => $order->get_shipping_country(),
				'postcode' => $order->get_shipping_postcode(),
			),
			'line_items'         => self::lines( $order->get_items() ),
			'shipping_lines'     => array(),
			'coupon_lines'       => array(),
			'refunds'            => self::refunds( $order, $with_lines, $without ),
			'meta_data'          => self::meta( $order ),
		);
		foreach ( $order->get_items( 'shipping' ) as $item ) {
			$body['shipping_lines'][] = array( 'method_title' => $item->get_name() );
		}
		foreach ( $order->get_items( 'coupon' ) as $item ) {
			$body['coupon_lines'][] = array( 'code' => $item->get_code() );
		}
		foreach ( array( 'gift_card' => 'gift_cards', 'pw_gift_card' => 'pw_gift_cards_redeemed' ) as $type => $field ) {
			foreach ( $order->get_items( $type ) as $item ) {
				if ( is_callable( array( $item, 'get_amount' ) ) ) {
					$body[ $field ][] = array( 'amount' => self::money( $item->get_amount() ) );
				}
			}
		}
		$body['custom_events'] = array(
			'at'      => Clock::iso(),
			'paid_at' => self::paid_at( $order ),
			'is_test' => self::is_test( $order->get_payment_method() ),
		);
		return $body;
	}

	/**
	 * Since when the order counts as paid by the shop's settings; null while it does not. Cash on delivery and transfers that count before
	 * WooCommerce has a date for them count from the order's creation, so that the time never changes.
	 *
	 * @param \WC_Order $order The order.
	 */
	public static function paid_at( $order ): ?string {
		$method  = $order->get_payment_method();
		$status  = $order->get_status();
		$paid    = self::date( $order->get_date_paid() );
		$created = self::date( $order->get_date_created() );
		if ( 'cod' === $method && Settings::get( 'cod_paid_when' ) === 'processing' ) {
			return null !== $paid || in_array( $status, wc_get_is_paid_statuses(), true ) ? $created : null;
		}
		if ( in_array( $method, self::TRANSFERS, true ) && Settings::get( 'transfer_paid_when' ) === 'placed' ) {
			return null !== $paid || 'on-hold' === $status || in_array( $status, wc_get_is_paid_statuses(), true ) ? $created : null;
		}
		if ( null !== $paid ) {
			return $paid;
		}
		if ( ! in_array( $status, wc_get_is_paid_statuses(), true ) || ( 'cod' === $method && 'completed' !== $status ) ) {
			return null;
		}
		$completed = self::date( $order->get_date_completed() );
		return null === $completed ? $created : $completed;
	}

	/** Whether a gateway's own settings say that it is in test mode. */
	public static function is_test( string $method ): bool {
		if ( '' === $method ) {
			return false;
		}
		$settings = get_option( 'woocommerce_' . $method . '_settings' );
		foreach ( array( 'testmode', 'test_mode', 'sandbox' ) as $name ) {
			if ( is_array( $settings ) && isset( $settings[ $name ] ) && 'yes' === $settings[ $name ] ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * What Custom Events hashes of a customer, and where the order goes.
	 *
	 * @param \WC_Order $order The order, or a subscription.
	 * @return array<string,string>
	 */
	public static function billing( $order ): array {
		return array(
			'email'    => $order->get_billing_email(),
			'phone'    => $order->get_billing_phone(),
			'country'  => $order->get_billing_country(),
			'postcode' => $order->get_billing_postcode(),
		);
	}

	/**
	 * Lines of an order or a refund.
	 *
	 * @param iterable $items Its items.
	 * @return array<int,array<string,mixed>>
	 */
	private static function lines( $items ): array {
		$lines = array();
		foreach ( $items as $item ) {
			$product  = $item->get_product();
			$quantity = (float) $item->get_quantity();
			$lines[]  = array(
				'name'         => $item->get_name(),
				'product_id'   => $item->get_product_id(),
				'variation_id' => $item->get_variation_id(),
				'sku'          => $product ? (string) $product->get_sku() : '',
				'quantity'     => floor( $quantity ) === $quantity ? (int) $quantity : $quantity,
				'subtotal'     => self::money( $item->get_subtotal() ),
				'total'        => self::money( $item->get_total() ),
				'total_tax'    => self::money( $item->get_total_tax() ),
				'price'        => 0.0 === $quantity ? null : self::money( (float) $item->get_total() / $quantity ),
			);
		}
		return $lines;
	}

	/**
	 * The order's refunds, the newest first, as WooCommerce has them.
	 *
	 * @param \WC_Order $order      The order.
	 * @param int       $with_lines The refund whose lines are told.
	 * @param int       $without    A refund that is left out.
	 * @return array<int,array<string,mixed>>
	 */
	private static function refunds( $order, int $with_lines, int $without ): array {
		$refunds = array();
		foreach ( $order->get_refunds() as $refund ) {
			if ( $refund->get_id() === $without ) {
				continue;
			}
			$entry = array(
				'id'               => $refund->get_id(),
				'total'            => '-' . self::money( $refund->get_amount() ),
				'date_created_gmt' => self::date( $refund->get_date_created() ),
			);
			if ( $refund->get_id() === $with_lines ) {
				$entry['line_items']     = self::lines( $refund->get_items() );
				$entry['shipping_lines'] = array();
				foreach ( $refund->get_items( 'shipping' ) as $item ) {
					$entry['shipping_lines'][] = array(
						'total'     => self::money( $item->get_total() ),
						'total_tax' => self::money( $item->get_total_tax() ),
					);
				}
			}
			$refunds[] = $entry;
		}
		return $refunds;
	}

	/**
	 * The meta that Custom Events reads, and what the shop's settings add.
	 *
	 * @param \WC_Data $thing An order or a subscription.
	 * @return array<int,array<string,mixed>>
	 */
	public static function meta( $thing ): array {
		$extra = Settings::extra_meta();
		$meta  = array();
		foreach ( $thing->get_meta_data() as $entry ) {
			$entry = $entry->get_data();
			if ( preg_match( self::META, (string) $entry['key'] ) || in_array( $entry['key'], $extra, true ) ) {
				$meta[] = array(
					'key'   => $entry['key'],
					'value' => $entry['value'],
				);
			}
		}
		return $meta;
	}

	/**
	 * An amount as decimal text, without the zeros at its end.
	 *
	 * @param string|float|int $amount Of WooCommerce, perhaps empty.
	 */
	public static function money( $amount ): string {
		$text = wc_format_decimal( $amount, self::DECIMALS, true );
		return '' === $text ? '0' : (string) $text;
	}

	/**
	 * A time of WooCommerce in UTC.
	 *
	 * @param \DateTimeInterface|null $date The time.
	 */
	public static function date( $date ): ?string {
		return $date ? Clock::gmt( $date->getTimestamp() ) : null;
	}
}
