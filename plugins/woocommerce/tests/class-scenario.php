<?php
/** Everything that the plugin tells of, once, in the order in which a shop would see it. The golden files and the Python tests are made of it. */

final class Scenario {

	/** How long it takes in the shop's time, in seconds. */
	const LASTS_S = 190000;

	/** Run it; afterwards all of it was posted, at the end of this time. */
	public static function run(): void {
		Shop::open();
		self::happen();
		Shop::at( Shop::$opens_at + self::LASTS_S );
		Shop::drain();
	}

	/** All that happens in the shop, which is open. */
	public static function happen(): void {
		self::cart_and_checkout();
		self::order_that_is_paid_and_refunded();
		self::cash_on_delivery_that_is_cancelled();
		self::subscription_with_a_renewal();
	}

	private static function cart_and_checkout(): void {
		$double                = $GLOBALS['double'];
		$double->users[7]      = (object) array( 'roles' => array( 'customer' ), 'user_email' => 'Ana.Ferreira@example.org', 'user_registered' => CustomEvents\WooCommerce\Clock::sql( Shop::$opens_at - 120 ) );
		$double->consent       = array( 'optin', true );
		$_COOKIE['wp_consent_marketing'] = 'allow';
		$_COOKIE['custom_events_click']  = addslashes( json_encode( array( 'gclid' => 'EAIaIQobChMI-golden-click_1', 'utm_source' => 'google', 'landing_page' => '/hats?gclid=EAIaIQobChMI-golden-click_1', 'clicked_at' => Shop::$opens_at - 3600 ) ) );
		do_action( 'user_register', 7 );
		do_action( 'woocommerce_created_customer', 7 );
		$hat                 = Shop::product( 'Chapéu de palha', '32.50', 'HAT-S' );
		$double->cart->items = array( 'a1' => array( 'data' => $hat, 'product_id' => 31, 'variation_id' => 32, 'quantity' => 2 ) );
		$double->cart->total = '76.93';
		do_action( 'woocommerce_add_to_cart', 'a1', 31, 2, 32 );
		Shop::wait( 30 );
		$double->is['checkout'] = true;
		do_action( 'template_redirect' );
		$double->is['checkout'] = false;
		Shop::end_request();
	}

	private static function order_that_is_paid_and_refunded(): void {
		Shop::wait( 60 );
		$order = Shop::order( 1001 );
		do_action( 'woocommerce_store_api_checkout_update_order_from_request', $order );
		$order->meta += array( '_wc_order_attribution_utm_source' => 'google', '_wc_order_attribution_user_agent' => 'left out', '_billing_birthday' => 'left out', 'gift_note' => 'left out' );
		do_action( 'woocommerce_new_order', 1001, $order );
		do_action( 'woocommerce_cart_emptied' );
		Shop::wait( 2 );
		Shop::status( $order, 'processing', array( 'date_paid' => Shop::date( Shop::$opens_at + 92 ) ) );
		do_action( 'woocommerce_payment_complete', 1001, 'txn' );
		Shop::end_request();
		Shop::wait( 3600 );
		Shop::status( $order, 'completed', array( 'date_completed' => Shop::date( Shop::$opens_at + 3692 ) ) );
		Shop::end_request();
		Shop::wait( 3600 );
		$back = Shop::item( 'Chapéu de palha', 31, 32, 'HAT-S', -1, '-32.50', '-30.00', '-5.7' );
		Shop::refund( $order, 2001, '35.70', array( 'line_item' => array( $back ) ) );
		do_action( 'woocommerce_order_refunded', 1001, 2001 );
		Shop::end_request();
		Shop::wait( 60 );
		do_action( 'woocommerce_refund_deleted', 2001, 1001 );
		$order->set( array( 'refunds' => array() ) );
		Shop::end_request();
		Shop::wait( 60 );
		$order->set( array( 'status' => 'trash' ) ); // WooCommerce's own tables: without a change of status.
		do_action( 'woocommerce_trash_order', 1001 );
		Shop::end_request();
		Shop::wait( 60 );
		do_action( 'woocommerce_untrash_order', 1001, 'wc-completed' );
		Shop::status( $order, 'completed' );
		Shop::end_request();
	}

	private static function cash_on_delivery_that_is_cancelled(): void {
		Shop::wait( 60 );
		$_COOKIE                      = array( 'wp_consent_marketing' => 'deny' );
		$GLOBALS['double']->consent   = array( 'optin', false );
		$order                        = Shop::order( 1002, array( 'payment_method' => 'cod', 'status' => 'processing', 'customer_id' => 0 ) );
		do_action( 'woocommerce_checkout_create_order', $order, array() );
		do_action( 'woocommerce_new_order', 1002, $order );
		Shop::end_request();
		Shop::wait( 60 );
		$GLOBALS['double']->consent = array( 'optin', true );
		$_COOKIE                    = array( 'wp_consent_marketing' => 'allow' );
		do_action( 'woocommerce_thankyou', 1002 );
		Shop::end_request();
		Shop::wait( 60 );
		Shop::status( $order, 'on-hold' );
		Shop::wait( 60 );
		Shop::status( $order, 'cancelled' );
		Shop::end_request();
	}

	private static function subscription_with_a_renewal(): void {
		Shop::wait( 60 );
		$subscription = Shop::subscription( 3001 );
		do_action( 'woocommerce_new_order', 3001, $subscription );
		do_action( 'woocommerce_subscription_status_updated', $subscription, 'active', 'pending' );
		Shop::end_request();
		Shop::wait( 86400 );
		do_action( 'woocommerce_subscription_status_updated', $subscription, 'on-hold', 'active' );
		$renewal       = Shop::order( 1003, array( 'total' => '19.90', 'created_via' => 'subscription', 'payment_method' => 'woocommerce_payments' ) );
		$renewal->meta = apply_filters( 'wc_subscriptions_renewal_order_data', array( '_subscription_renewal' => '3001', '_custom_events' => array( 'gclid' => 'stale-click' ), '_wcpay_mode' => 'test' ) );
		do_action( 'woocommerce_new_order', 1003, $renewal );
		Shop::end_request();
		Shop::wait( 5 );
		Shop::status( $renewal, 'failed' );
		Shop::wait( 3600 );
		Shop::status( $renewal, 'processing', array( 'date_paid' => Shop::date( CustomEvents\WooCommerce\Clock::seconds() ) ) );
		do_action( 'woocommerce_subscription_status_updated', $subscription, 'active', 'on-hold' );
		Shop::end_request();
		Shop::wait( 60 );
		$subscription->set( array( 'times' => array( 'start' => Shop::$opens_at, 'cancelled' => CustomEvents\WooCommerce\Clock::seconds() ) ) );
		do_action( 'woocommerce_subscription_status_updated', $subscription, 'pending-cancel', 'active' );
		Shop::wait( 86400 );
		do_action( 'woocommerce_subscription_status_updated', $subscription, 'cancelled', 'pending-cancel' );
		Shop::end_request();
	}
}
