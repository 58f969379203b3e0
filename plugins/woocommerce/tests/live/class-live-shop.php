<?php
/** The shop of a drive, by WooCommerce's own functions: what each makes WooCommerce do is what the plugin has to tell of, once. */

use CustomEvents\WooCommerce\Click_Script;
use CustomEvents\WooCommerce\Order_Events;
use CustomEvents\WooCommerce\Settings;

final class Live_Shop {
	const SKU   = 'custom-events-live';
	const CLICK = 'EAIaIQobChMI-live-click_1';
	const EMAIL = 'custom-events-live@example.org';

	/** A product that can be bought. */
	public static function product(): int {
		$product = new WC_Product_Simple();
		$product->set_name( 'Custom Events live test' );
		$product->set_sku( self::SKU );
		$product->set_regular_price( '32.50' );
		$product->set_virtual( true );
		return $product->save();
	}

	/** Everything on the list, each in what stands for a request of its own. */
	public static function happen( int $product ): void {
		wc_load_cart();
		$customer = self::request( array( __CLASS__, 'customer' ) );
		$order    = self::request( array( __CLASS__, 'checkout' ), $product, $customer );
		self::request( array( __CLASS__, 'later_consent' ), $order );
		self::request( array( __CLASS__, 'payment' ), $order );
		self::request( array( __CLASS__, 'completion' ), $order );
		$refund = self::request( array( __CLASS__, 'refund' ), $order, '10.00' );
		self::request( array( __CLASS__, 'refund_deleted' ), $order, $refund );
		self::request( array( __CLASS__, 'whole_refund' ), $order );
		self::request( array( __CLASS__, 'trash' ), $order );
		self::request( array( __CLASS__, 'restoring' ), $order );
		$by_hand = self::request( array( __CLASS__, 'order_by_hand' ), $product );
		self::request( array( __CLASS__, 'cancellation' ), $by_hand );
		self::request( array( __CLASS__, 'deletion' ), $by_hand );
		self::request( array( __CLASS__, 'cash_on_delivery' ), $product );
		if ( function_exists( 'wcs_create_subscription' ) ) {
			$subscription = self::request( array( __CLASS__, 'subscription' ), $product, $customer );
			$renewal      = self::request( array( __CLASS__, 'failed_renewal' ), $subscription );
			self::request( array( __CLASS__, 'paid_renewal' ), $subscription, $renewal );
			self::request( array( __CLASS__, 'subscription_cancelled' ), $subscription );
		}
	}

	/** Delete product, orders and customer; nothing is connected any more. */
	public static function remove( int $product ): void {
		if ( function_exists( 'wcs_get_subscriptions' ) ) {
			foreach ( wcs_get_subscriptions( array( 'subscriptions_per_page' => -1, 'subscription_status' => 'any' ) ) as $subscription ) {
				if ( self::EMAIL === $subscription->get_billing_email() ) {
					$subscription->delete( true );
				}
			}
		}
		foreach ( wc_get_orders( array( 'billing_email' => self::EMAIL, 'limit' => -1, 'status' => array_merge( array_keys( wc_get_order_statuses() ), array( 'trash' ) ), 'type' => 'shop_order' ) ) as $order ) {
			$order->delete( true );
		}
		wp_delete_post( $product, true );
		$customer = get_user_by( 'email', self::EMAIL );
		if ( $customer ) {
			require_once ABSPATH . 'wp-admin/includes/user.php';
			wp_delete_user( $customer->ID );
		}
	}

	/** Do something, and end as a request does. */
	private static function request( callable $what, ...$arguments ) {
		$result = $what( ...$arguments );
		Order_Events::complete();
		Order_Events::reset();
		return $result;
	}

	/** Say what the plugin has to have told. */
	private static function expect( string $topic, int $id, array $facts ): void {
		custom_events_say( array( 'topic' => $topic, 'id' => $id, 'facts' => $facts ) );
	}

	private static function customer(): int {
		$id = wc_create_new_customer( self::EMAIL, '', wp_generate_password() );
		self::expect( 'customer.created', $id, array( 'email' => self::EMAIL, 'role' => 'customer' ) );
		return $id;
	}

	/** The classic checkout, of somebody who came by an ad and was not asked about it yet. */
	private static function checkout( int $product, int $customer ): int {
		$_COOKIE[ Click_Script::COOKIE ] = addslashes( wp_json_encode( array( 'gclid' => self::CLICK, 'landing_page' => '/?gclid=' . self::CLICK, 'clicked_at' => time() - 600 ) ) );
		wp_set_current_user( $customer );
		WC()->cart->empty_cart();
		WC()->cart->add_to_cart( $product, 2 );
		self::expect( 'cart.item_added', 0, array( 'cart.line_items.0.sku' => self::SKU, 'cart.line_items.0.quantity' => 2 ) );
		$order = WC()->checkout()->create_order( self::address() + array( 'payment_method' => 'bacs', 'billing_email' => self::EMAIL ) );
		WC()->cart->empty_cart();
		self::expect( 'order.created', $order, array( 'status' => 'pending', 'total' => self::total( $order ), 'line_items.0.quantity' => 2, 'click.gclid' => self::CLICK, 'billing.email' => self::EMAIL ) );
		return $order;
	}

	private static function address(): array {
		return array( 'billing_country' => 'PT', 'billing_postcode' => '1100-148', 'billing_phone' => '912345678', 'shipping_country' => 'PT', 'shipping_postcode' => '1100-148', 'order_comments' => '', 'ship_to_different_address' => false );
	}

	/** The page after the checkout, when the shopper has answered. */
	private static function later_consent( int $order ): void {
		$before = Settings::get( 'assume_consent' );
		Settings::save( array( 'assume_consent' => 'granted' ) );
		ob_start(); // Themes write the page's words.
		do_action( 'woocommerce_thankyou', $order );
		ob_end_clean();
		Settings::save( array( 'assume_consent' => $before ) );
		self::expect( 'order.consent_changed', $order, array( 'click.consent.ad_user_data' => 'granted', 'click.gclid' => self::CLICK ) );
		$_COOKIE = array();
	}

	private static function payment( int $order ): void {
		wc_get_order( $order )->payment_complete( 'txn-1' );
		self::expect( 'order.paid', $order, array( 'custom_events.from' => 'pending', 'custom_events.to' => wc_get_order( $order )->get_status() ) );
	}

	private static function completion( int $order ): void {
		if ( 'completed' === wc_get_order( $order )->get_status() ) { // WooCommerce itself completes an order of what is only downloaded.
			return;
		}
		wc_get_order( $order )->update_status( 'completed' );
		self::expect( 'order.completed', $order, array( 'custom_events.from' => 'processing', 'custom_events.to' => 'completed' ) );
	}

	private static function refund( int $order, string $amount ): int {
		$refund = wc_create_refund( array( 'order_id' => $order, 'amount' => $amount, 'reason' => 'live test' ) )->get_id();
		self::expect( 'order.refunded', $order, array( 'custom_events.refund_id' => $refund, 'refunds.0.id' => $refund, 'refunds.0.total' => '-' . wc_format_decimal( $amount, 6, true ) ) );
		return $refund;
	}

	private static function refund_deleted( int $order, int $refund ): void {
		wc_get_order( $refund )->delete( true );
		do_action( 'woocommerce_refund_deleted', $refund, $order ); // WooCommerce's own page does so; its objects do not.
		self::expect( 'order.refund_deleted', $order, array( 'custom_events.refund_id' => $refund, 'refunds' => array() ) );
	}

	private static function whole_refund( int $order ): void {
		self::refund( $order, wc_format_decimal( wc_get_order( $order )->get_total(), 2 ) );
		self::expect( 'order.status_changed', $order, array( 'custom_events.from' => 'completed', 'custom_events.to' => 'refunded' ) );
	}

	private static function trash( int $order ): void {
		wc_get_order( $order )->delete( false );
		self::expect( 'order.deleted', $order, array() );
	}

	private static function restoring( int $order ): void {
		if ( Automattic\WooCommerce\Utilities\OrderUtil::custom_orders_table_usage_is_enabled() ) {
			wc_get_container()->get( Automattic\WooCommerce\Internal\DataStores\Orders\OrdersTableDataStore::class )->untrash_order( wc_get_order( $order ) );
		} else {
			wp_untrash_post( $order );
		}
		self::expect( 'order.restored', $order, array( 'status' => 'refunded' ) );
	}

	/** An order that somebody makes step by step: its body is made again when it is complete. */
	private static function order_by_hand( int $product ): int {
		$order = wc_create_order();
		$order->set_billing_email( self::EMAIL );
		$order->set_payment_method( 'bacs' );
		$order->add_product( wc_get_product( $product ), 1 );
		$order->calculate_totals();
		$order->update_status( 'on-hold' );
		self::expect( 'order.created', $order->get_id(), array( 'total' => self::total( $order->get_id() ), 'line_items.0.sku' => self::SKU, 'custom_events.paid_at' => null ) );
		self::expect( 'order.status_changed', $order->get_id(), array( 'custom_events.from' => 'pending', 'custom_events.to' => 'on-hold' ) );
		return $order->get_id();
	}

	private static function cancellation( int $order ): void {
		wc_get_order( $order )->update_status( 'cancelled' );
		self::expect( 'order.cancelled', $order, array( 'custom_events.from' => 'on-hold', 'custom_events.to' => 'cancelled' ) );
	}

	private static function deletion( int $order ): void {
		wc_get_order( $order )->delete( true );
		self::expect( 'order.deleted', $order, array() );
	}

	/** Of cash on delivery WooCommerce completes no payment. */
	private static function cash_on_delivery( int $product ): void {
		$order = wc_create_order( array( 'created_via' => 'live-test' ) );
		$order->set_billing_email( self::EMAIL );
		$order->set_payment_method( 'cod' );
		$order->add_product( wc_get_product( $product ), 1 );
		$order->calculate_totals();
		$order->update_status( 'processing' );
		self::expect( 'order.created', $order->get_id(), array( 'payment_method' => 'cod', 'total' => self::total( $order->get_id() ) ) );
		self::expect( 'order.paid', $order->get_id(), array( 'custom_events.to' => 'processing' ) );
	}

	private static function subscription( int $product, int $customer ): int {
		$first = wc_create_order( array( 'customer_id' => $customer ) );
		$first->set_billing_email( self::EMAIL );
		$first->add_product( wc_get_product( $product ), 1 );
		$first->calculate_totals();
		self::expect( 'order.created', $first->get_id(), array( 'line_items.0.sku' => self::SKU ) );
		$subscription = wcs_create_subscription( array( 'order_id' => $first->get_id(), 'customer_id' => $customer, 'billing_period' => 'month', 'billing_interval' => 1, 'start_date' => gmdate( 'Y-m-d H:i:s' ) ) );
		$subscription->set_billing_email( self::EMAIL );
		$subscription->add_product( wc_get_product( $product ), 1 );
		$subscription->update_meta_data( '_custom_events', array( 'gclid' => 'stale-click' ) );
		$subscription->calculate_totals();
		$subscription->save();
		$first->payment_complete( 'txn-2' ); // Subscriptions activates what the order began.
		self::expect( 'order.paid', $first->get_id(), array( 'custom_events.from' => 'pending' ) );
		self::expect( 'subscription.started', $subscription->get_id(), array( 'custom_events.from' => 'pending', 'custom_events.to' => 'active', 'parent_id' => $first->get_id(), 'billing_period' => 'month' ) );
		return $subscription->get_id();
	}

	private static function failed_renewal( int $id ): int {
		$subscription = wcs_get_subscription( $id );
		$subscription->update_status( 'on-hold' );
		self::expect( 'subscription.updated', $id, array( 'custom_events.from' => 'active', 'custom_events.to' => 'on-hold' ) );
		$renewal = wcs_create_renewal_order( $subscription );
		self::expect( 'order.created', $renewal->get_id(), array( 'meta._subscription_renewal' => (string) $id, 'click' => null ) );
		$renewal->update_status( 'failed' );
		self::expect( 'order.status_changed', $renewal->get_id(), array( 'custom_events.to' => 'failed' ) );
		return $renewal->get_id();
	}

	private static function paid_renewal( int $id, int $renewal ): void {
		wc_get_order( $renewal )->payment_complete( 'txn-3' );
		self::expect( 'order.paid', $renewal, array( 'custom_events.from' => 'failed', 'meta._subscription_renewal' => (string) $id ) );
		self::expect( 'subscription.updated', $id, array( 'custom_events.from' => 'on-hold', 'custom_events.to' => 'active' ) );
	}

	/** At once when the shopper says so, and not again at the end of the term. */
	private static function subscription_cancelled( int $id ): void {
		wcs_get_subscription( $id )->update_status( 'pending-cancel' );
		wcs_get_subscription( $id )->update_status( 'cancelled' );
		self::expect( 'subscription.cancelled', $id, array( 'custom_events.from' => 'active', 'custom_events.to' => 'pending-cancel' ) );
	}

	private static function total( int $order ): string {
		return wc_format_decimal( wc_get_order( $order )->get_total(), 6, true );
	}
}
