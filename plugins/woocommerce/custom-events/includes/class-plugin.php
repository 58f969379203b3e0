<?php
/**
 * Wires the plugin's parts to WordPress and WooCommerce.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Loads the classes and adds the hooks; does nothing else on inclusion. */
final class Plugin {

	/** Register what has to be there before other plugins are loaded. */
	public static function start(): void {
		spl_autoload_register( array( __CLASS__, 'load' ) );
		add_action( 'before_woocommerce_init', array( __CLASS__, 'declare_compatibility' ) );
		add_action( 'plugins_loaded', array( __CLASS__, 'run' ) );
		add_filter( 'wp_consent_api_registered_' . plugin_basename( CUSTOM_EVENTS_FILE ), '__return_true' );
	}

	/** Load a class of ours: `Order_Events` is in `class-order-events.php`. */
	public static function load( string $name ): void {
		$prefix = __NAMESPACE__ . '\\';
		if ( strpos( $name, $prefix ) === 0 ) {
			$file = strtolower( str_replace( '_', '-', substr( $name, strlen( $prefix ) ) ) );
			$path = __DIR__ . '/class-' . $file . '.php';
			if ( is_readable( $path ) ) {
				require_once $path;
			}
		}
	}

	/** Say to WooCommerce that orders in its own tables and the block checkout work. */
	public static function declare_compatibility(): void {
		$features = 'Automattic\WooCommerce\Utilities\FeaturesUtil';
		if ( class_exists( $features ) ) {
			$features::declare_compatibility( 'custom_order_tables', CUSTOM_EVENTS_FILE, true );
			$features::declare_compatibility( 'cart_checkout_blocks', CUSTOM_EVENTS_FILE, true );
		}
	}

	/** Add all hooks, or say why not. */
	public static function run(): void {
		$problems = Requirements::problems( get_bloginfo( 'version' ), defined( 'WC_VERSION' ) ? WC_VERSION : null, PHP_VERSION );
		if ( $problems ) {
			add_action( 'init', array( __CLASS__, 'load_words' ) );
			Requirements::show_on_admin_pages();
			return;
		}
		Hooks::add();
		if ( is_admin() || wp_doing_cron() ) {
			Hooks::add_behind_the_shop();
		}
		if ( is_admin() ) {
			Hooks::add_of_administration();
		}
	}

	/** Load the translations. */
	public static function load_words(): void {
		load_plugin_textdomain( 'custom-events', false, dirname( plugin_basename( CUSTOM_EVENTS_FILE ) ) . '/languages' );
	}

	/** Make the table; on a network each site makes its own when its administration is opened, or something is recorded. */
	public static function activate(): void {
		Outbox::make_table();
	}

	/** Nothing is sent any more; what waits stays. */
	public static function deactivate(): void {
		if ( function_exists( 'as_unschedule_all_actions' ) ) {
			as_unschedule_all_actions( '', array(), 'custom-events' );
		}
	}
}
