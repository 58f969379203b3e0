<?php
/**
 * What happens to subscriptions of WooCommerce Subscriptions.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/**
 * Records that a subscription started or ended, and its other changes. That it was renewed, or that this failed, is told by the order of the
 * period: it names its subscription, and comes also where Subscriptions' own hooks do not.
 */
final class Subscription_Events {
	const ENDED = array( 'pending-cancel', 'cancelled', 'expired' );

	/**
	 * The status changed. Active after anything but pending is no start; a cancellation is told of once, at once, and not again at the end
	 * of the term.
	 *
	 * @param \WC_Subscription $subscription The subscription.
	 * @param string           $to           The status now.
	 * @param string           $from         The status before.
	 */
	public static function status_updated( $subscription, $to, $from ): void {
		if ( ! Settings::is_connected() ) {
			return;
		}
		$id   = $subscription->get_id();
		$body = self::snapshot( $subscription, $from, $to );
		if ( 'active' === $to && 'pending' === $from ) {
			$topic = 'subscription.started';
			$once  = $topic . ':' . $id;
		} elseif ( in_array( $to, self::ENDED, true ) ) {
			$topic = 'subscription.cancelled';
			$once  = $topic . ':' . $id . ':' . (string) $body['cancelled_date_gmt'];
		} else {
			$topic = 'subscription.updated';
			$once  = null;
		}
		Outbox::add( $topic, $body, $once, $subscription->get_billing_email() );
	}

	/**
	 * What is copied from a subscription into the order of a period, without the click of its first order, perhaps years ago.
	 *
	 * @param array<string,mixed> $data Meta by key.
	 * @return array<string,mixed>
	 */
	public static function without_clicks( $data ) {
		unset( $data[ Clicks::META ] );
		return $data;
	}

	/**
	 * The subscription's facts, as WooCommerce's REST API names them.
	 *
	 * @param \WC_Subscription $subscription The subscription.
	 * @param string           $from         The status before.
	 * @param string           $to           The status now.
	 * @return array<string,mixed>
	 */
	private static function snapshot( $subscription, string $from, string $to ): array {
		return array(
			'id'                 => $subscription->get_id(),
			'parent_id'          => $subscription->get_parent_id(),
			'status'             => $to,
			'currency'           => $subscription->get_currency(),
			'total'              => Order_Snapshot::money( $subscription->get_total() ),
			'billing_period'     => $subscription->get_billing_period(),
			'billing_interval'   => (string) $subscription->get_billing_interval(),
			'customer_id'        => $subscription->get_customer_id(),
			'date_created_gmt'   => Order_Snapshot::date( $subscription->get_date_created() ),
			'date_modified_gmt'  => Order_Snapshot::date( $subscription->get_date_modified() ),
			'date_paid_gmt'      => Order_Snapshot::date( $subscription->get_date_paid() ),
			'start_date_gmt'     => self::date( $subscription, 'start' ),
			'cancelled_date_gmt' => self::date( $subscription, 'cancelled' ),
			'end_date_gmt'       => self::date( $subscription, 'end' ),
			'billing'            => Order_Snapshot::billing( $subscription ),
			'meta_data'          => Order_Snapshot::meta( $subscription ),
			'custom_events'      => array(
				'at'      => Clock::iso(),
				'from'    => $from,
				'to'      => $to,
				'is_test' => Order_Snapshot::is_test( $subscription->get_payment_method() ),
			),
		);
	}

	/**
	 * A date of the subscription; Subscriptions gives 0 for none.
	 *
	 * @param \WC_Subscription $subscription The subscription.
	 * @param string           $name         Of the date.
	 */
	private static function date( $subscription, string $name ): ?string {
		$seconds = (int) $subscription->get_time( $name );
		return $seconds > 0 ? Clock::gmt( $seconds ) : null;
	}
}
