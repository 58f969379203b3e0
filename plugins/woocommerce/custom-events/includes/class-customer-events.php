<?php
/**
 * New customers.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Records that an account was made. What changes in it later is no event: WooCommerce fires that for every paid order. */
final class Customer_Events {
	const ROLES = array( 'customer', 'subscriber' );

	/**
	 * An account was made.
	 *
	 * @param int $user_id Its id.
	 */
	public static function created( $user_id ): void {
		$user = Settings::is_connected() ? get_userdata( $user_id ) : false;
		if ( ! $user || ! array_intersect( self::ROLES, $user->roles ) ) {
			return; // Shop staff is no customer.
		}
		$body = array(
			'id'               => (int) $user_id,
			'date_created_gmt' => Clock::gmt( strtotime( $user->user_registered . ' UTC' ) ),
			'email'            => $user->user_email,
			'role'             => 'customer',
			'custom_events'    => array( 'at' => Clock::iso() ),
		);
		Outbox::add( 'customer.created', $body, 'customer.created:' . $user_id, $user->user_email );
	}
}
