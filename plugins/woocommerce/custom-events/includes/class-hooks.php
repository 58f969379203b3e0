<?php
/**
 * Which hooks of WordPress and WooCommerce call what.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/**
 * All hooks, with classes by name only: a class is loaded when its first hook fires. A page on which nothing is bought pays for this file, the
 * settings and the script's few lines.
 */
final class Hooks {
	const DRAIN        = 'custom_events_drain';
	const DRAIN_AGAIN  = 'custom_events_drain_again';
	const DRAIN_SAFELY = 'custom_events_drain_safety';
	const LATE         = 100; // After what other plugins do with an order.

	/** Add those of every request. */
	public static function add(): void {
		add_action( 'wp_enqueue_scripts', array( Click_Script::class, 'add' ) );
		add_action( 'template_redirect', array( __CLASS__, 'page_opened' ), self::LATE );
		add_action( 'shutdown', array( __CLASS__, 'complete' ), 10 );
		add_action( 'shutdown', array( __CLASS__, 'schedule' ), 20 );
		self::of_orders();
		self::of_shoppers();
		self::of_subscriptions();
		add_action( self::DRAIN, array( Delivery::class, 'run' ) );
		add_action( self::DRAIN_AGAIN, array( Delivery::class, 'run_again' ) );
		add_action( self::DRAIN_SAFELY, array( Delivery::class, 'run_safely' ) );
		add_filter( 'wp_privacy_personal_data_exporters', array( Privacy::class, 'add_exporter' ) );
		add_filter( 'wp_privacy_personal_data_erasers', array( Privacy::class, 'add_eraser' ) );
		add_action( 'woocommerce_privacy_remove_order_personal_data', array( Privacy::class, 'forget_order' ) );
	}

	/** Add those of the administration and of cron: shoppers do not pay for them. */
	public static function add_behind_the_shop(): void {
		add_action( 'init', array( Plugin::class, 'load_words' ) );
		add_action( 'init', array( Outbox::class, 'make_table' ) );
		add_action( 'action_scheduler_init', array( Delivery::class, 'schedule_safety' ) );
	}

	/** Add those of the administration. */
	public static function add_of_administration(): void {
		Settings_Page::add_hooks();
		add_action( 'admin_init', array( Privacy::class, 'suggest_words' ) );
		add_action( 'admin_notices', array( Notices::class, 'show' ) );
		add_action( 'woocommerce_system_status_report', array( Status_Report::class, 'show' ) );
	}

	/** A page of the shop is about to be shown. No cache holds the checkout. */
	public static function page_opened(): void {
		if ( function_exists( 'is_checkout' ) && is_checkout() ) {
			Cart_Events::checkout_opened();
		}
	}

	/** The request ends: what it recorded of orders that were not complete is made again. */
	public static function complete(): void {
		if ( class_exists( Order_Events::class, false ) ) {
			Order_Events::complete();
		}
	}

	/** The request ends: what it recorded is sent by another one. */
	public static function schedule(): void {
		if ( class_exists( Delivery::class, false ) ) {
			Delivery::schedule();
		}
	}

	/** What happens to orders. */
	private static function of_orders(): void {
		add_action( 'woocommerce_new_order', array( Order_Events::class, 'created' ), self::LATE, 2 );
		add_action( 'woocommerce_order_status_changed', array( Order_Events::class, 'status_changed' ), self::LATE, 4 );
		add_action( 'woocommerce_payment_complete', array( Order_Events::class, 'payment_completed' ), self::LATE );
		add_action( 'woocommerce_order_refunded', array( Order_Events::class, 'refunded' ), self::LATE, 2 );
		add_action( 'woocommerce_refund_deleted', array( Order_Events::class, 'refund_deleted' ), self::LATE, 2 );
		add_action( 'woocommerce_trash_order', array( Order_Events::class, 'deleted' ), self::LATE );
		add_action( 'woocommerce_before_delete_order', array( Order_Events::class, 'deleted' ), self::LATE, 2 );
		add_action( 'wp_trash_post', array( Order_Events::class, 'post_trashed' ), self::LATE );
		add_action( 'woocommerce_untrash_order', array( Order_Events::class, 'restored' ), self::LATE );
		add_action( 'untrashed_post', array( Order_Events::class, 'post_restored' ), self::LATE );
	}

	/** Carts, clicks and accounts: the hooks of carts and checkouts fire in both kinds of each; an account is made by WooCommerce's forms, or by others. */
	private static function of_shoppers(): void {
		add_action( 'woocommerce_add_to_cart', array( Cart_Events::class, 'item_added' ), self::LATE, 4 );
		add_action( 'woocommerce_cart_emptied', array( Cart_Events::class, 'emptied' ) );
		add_action( 'woocommerce_checkout_create_order', array( Clicks::class, 'keep' ), 10 );
		add_action( 'woocommerce_store_api_checkout_update_order_from_request', array( Clicks::class, 'keep' ), 10 );
		add_action( 'woocommerce_thankyou', array( Clicks::class, 'look_again' ), 10 );
		add_action( 'woocommerce_created_customer', array( Customer_Events::class, 'created' ), self::LATE );
		add_action( 'user_register', array( Customer_Events::class, 'created' ), self::LATE );
	}

	/** Subscriptions; without that plugin nobody fires them. */
	private static function of_subscriptions(): void {
		add_action( 'woocommerce_subscription_status_updated', array( Subscription_Events::class, 'status_updated' ), self::LATE, 3 );
		add_filter( 'wc_subscriptions_renewal_order_data', array( Subscription_Events::class, 'without_clicks' ) );
		add_filter( 'wc_subscriptions_resubscribe_order_data', array( Subscription_Events::class, 'without_clicks' ) );
	}
}
