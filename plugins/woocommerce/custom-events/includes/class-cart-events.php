<?php
/**
 * Carts, and checkouts that begin.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Records what is put into a cart, and that its checkout was opened; each once for a cart. */
final class Cart_Events {
	const SESSION = 'custom_events_cart';

	/**
	 * A product was put into the cart.
	 *
	 * @param string $key          Its key in the cart.
	 * @param int    $product_id   The product.
	 * @param float  $quantity     How many were added.
	 * @param int    $variation_id The variation, or 0.
	 */
	public static function item_added( $key, $product_id, $quantity, $variation_id ): void {
		$cart = self::cart();
		$item = null === $cart ? null : $cart->get_cart_item( $key );
		if ( ! $item ) {
			return;
		}
		$line = self::line( $item['data'], (int) $product_id, (int) $variation_id, (float) $quantity );
		$body = self::body( array( $line ), $line['total'] );
		Outbox::add( 'cart.item_added', $body, 'cart.item_added:' . $body['cart']['token'] . ':' . ( $variation_id ? $variation_id : $product_id ), self::email() );
	}

	/** The page of the checkout was opened with something in the cart. No cache holds this page. */
	public static function checkout_opened(): void {
		if ( ! function_exists( 'is_checkout' ) || ! is_checkout() || is_wc_endpoint_url() ) {
			return;
		}
		$cart = self::cart();
		if ( null === $cart || $cart->is_empty() ) {
			return;
		}
		$lines = array();
		foreach ( $cart->get_cart() as $item ) {
			$lines[] = self::line( $item['data'], (int) $item['product_id'], (int) $item['variation_id'], (float) $item['quantity'] );
		}
		$body = self::body( $lines, Order_Snapshot::money( $cart->get_total( 'edit' ) ) );
		Outbox::add( 'checkout.started', $body, 'checkout.started:' . $body['cart']['token'], self::email() );
	}

	/** The cart became an order, or nothing: what comes next is another one. */
	public static function emptied(): void {
		if ( function_exists( 'WC' ) && WC()->session ) {
			WC()->session->set( self::SESSION, null );
		}
	}

	/**
	 * The shopper's cart, where its events are wanted.
	 *
	 * @return \WC_Cart|null
	 */
	private static function cart() {
		$is_wanted = Settings::is_connected() && Settings::get( 'cart_events' ) === 'yes';
		return $is_wanted && function_exists( 'WC' ) && WC()->session && WC()->cart ? WC()->cart : null;
	}

	/** The address of a shopper who is logged in, so that a request to forget them finds their carts. */
	private static function email(): string {
		$user = get_userdata( get_current_user_id() );
		return $user ? $user->user_email : '';
	}

	/**
	 * A line as an order would have it: without tax.
	 *
	 * @param \WC_Product $product      The product, or the variation.
	 * @param int         $product_id   Its id.
	 * @param int         $variation_id Its id, or 0.
	 * @param float       $quantity     How many.
	 * @return array<string,mixed>
	 */
	private static function line( $product, int $product_id, int $variation_id, float $quantity ): array {
		return array(
			'name'         => $product->get_name(),
			'product_id'   => $product_id,
			'variation_id' => $variation_id,
			'sku'          => (string) $product->get_sku(),
			'quantity'     => floor( $quantity ) === $quantity ? (int) $quantity : $quantity,
			'total'        => Order_Snapshot::money( wc_get_price_excluding_tax( $product, array( 'qty' => $quantity ) ) ),
			'price'        => Order_Snapshot::money( wc_get_price_excluding_tax( $product ) ),
		);
	}

	/**
	 * The body of both events.
	 *
	 * @param array<int,array<string,mixed>> $lines What it is about.
	 * @param string                         $total What that is worth.
	 * @return array<string,mixed>
	 */
	private static function body( array $lines, string $total ): array {
		$session = WC()->session->get( self::SESSION );
		if ( ! is_array( $session ) ) {
			$session = array(
				'token' => wp_generate_uuid4(),
				'at'    => Clock::seconds(),
			);
			WC()->session->set( self::SESSION, $session );
		}
		$origin = Clicks::facts();
		return array(
			'cart'          => array(
				'token'            => $session['token'],
				'date_created_gmt' => Clock::gmt( (int) $session['at'] ),
				'currency'         => get_woocommerce_currency(),
				'total'            => $total,
				'line_items'       => $lines,
			),
			'customer_id'   => get_current_user_id(),
			'meta_data'     => array(
				array(
					'key'   => Clicks::META,
					'value' => $origin,
				),
			),
			'custom_events' => array( 'at' => Clock::iso() ),
		);
	}
}
