<?php
/**
 * Requests of people about their personal data.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Exports and erases what the shop keeps for us. What Custom Events keeps is asked for in its console. */
final class Privacy {
	const ORDERS_A_PAGE = 25;

	/**
	 * Add ours to WordPress's exporters.
	 *
	 * @param array<string,array<string,mixed>> $exporters Those that are there.
	 * @return array<string,array<string,mixed>>
	 */
	public static function add_exporter( $exporters ) {
		$exporters['custom-events'] = array(
			'exporter_friendly_name' => __( 'Custom Events', 'custom-events' ),
			'callback'               => array( __CLASS__, 'export' ),
		);
		return $exporters;
	}

	/**
	 * Add ours to WordPress's erasers.
	 *
	 * @param array<string,array<string,mixed>> $erasers Those that are there.
	 * @return array<string,array<string,mixed>>
	 */
	public static function add_eraser( $erasers ) {
		$erasers['custom-events'] = array(
			'eraser_friendly_name' => __( 'Custom Events', 'custom-events' ),
			'callback'             => array( __CLASS__, 'erase' ),
		);
		return $erasers;
	}

	/**
	 * What is kept of a person: clicks and consent of their orders, and events that were not sent yet.
	 *
	 * @param string $email Their address.
	 * @param int    $page  From 1 on.
	 * @return array{data:array<int,array<string,mixed>>,done:bool}
	 */
	public static function export( $email, $page = 1 ): array {
		$data   = array();
		$orders = self::orders( $email, (int) $page );
		foreach ( $orders as $order ) {
			$facts = $order->get_meta( Clicks::META );
			if ( $facts ) {
				/* translators: %s: number of an order. */
				$data[] = self::item( 'order-' . $order->get_id(), sprintf( __( 'Ad click and consent of order %s', 'custom-events' ), $order->get_order_number() ), (string) wp_json_encode( $facts ) );
			}
		}
		foreach ( 1 === (int) $page ? Outbox::of_person( $email ) : array() as $row ) {
			$data[] = self::item( 'event-' . $row->id, $row->topic . ', ' . $row->created_at . ' UTC', $row->payload );
		}
		return array(
			'data' => $data,
			'done' => count( $orders ) < self::ORDERS_A_PAGE,
		);
	}

	/**
	 * Delete it.
	 *
	 * @param string $email Their address.
	 * @param int    $page  From 1 on.
	 * @return array{items_removed:bool,items_retained:bool,messages:string[],done:bool}
	 */
	public static function erase( $email, $page = 1 ): array {
		$removed = 1 === (int) $page ? Outbox::forget_person( $email ) : 0;
		$orders  = self::orders( $email, (int) $page );
		foreach ( $orders as $order ) {
			if ( $order->get_meta( Clicks::META ) ) {
				self::forget_order( $order );
				++$removed;
			}
		}
		return array(
			'items_removed'  => $removed > 0,
			'items_retained' => false,
			'messages'       => array( __( 'Custom Events keeps events of its own: enter the request in its console as well.', 'custom-events' ) ),
			'done'           => count( $orders ) < self::ORDERS_A_PAGE,
		);
	}

	/**
	 * Delete our meta of an order. WooCommerce has saved the order when its own eraser comes here.
	 *
	 * @param \WC_Order $order The order.
	 */
	public static function forget_order( $order ): void {
		$order->delete_meta_data( Clicks::META );
		$order->save_meta_data();
	}

	/** Words for the shop's privacy policy. */
	public static function suggest_words(): void {
		if ( function_exists( 'wp_add_privacy_policy_content' ) ) {
			wp_add_privacy_policy_content(
				__( 'Custom Events', 'custom-events' ),
				wp_kses_post( __( 'If you come to us by an ad and allow marketing, we keep the id of that click in a cookie for 90 days. When you order, we send what you ordered, your e-mail address, phone number, country and postcode, that id and your answer about consent to our service Custom Events, which reports the sale to Google in hashed form.', 'custom-events' ) )
			);
		}
	}

	/**
	 * A page of a person's orders.
	 *
	 * @param string $email Their address.
	 * @param int    $page  From 1 on.
	 * @return \WC_Order[]
	 */
	private static function orders( string $email, int $page ): array {
		return wc_get_orders(
			array(
				'billing_email' => $email,
				'limit'         => self::ORDERS_A_PAGE,
				'page'          => $page,
				'type'          => 'shop_order',
				'orderby'       => 'ID',
				'order'         => 'ASC',
			)
		);
	}

	/**
	 * One entry of an export.
	 *
	 * @param string $id    Of the entry.
	 * @param string $name  What it is.
	 * @param string $value What is kept.
	 * @return array<string,mixed>
	 */
	private static function item( string $id, string $name, string $value ): array {
		return array(
			'group_id'    => 'custom-events',
			'group_label' => __( 'Custom Events', 'custom-events' ),
			'item_id'     => 'custom-events-' . $id,
			'data'        => array(
				array(
					'name'  => $name,
					'value' => $value,
				),
			),
		);
	}
}
