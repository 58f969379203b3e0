<?php
/** The shop of a drive where there is no WooCommerce: its doubles, and the scenario of the golden files. */

require_once __DIR__ . '/../wordpress/double-shop.php';
require_once __DIR__ . '/../class-scenario.php';
foreach ( array( 'shutdown', 'template_redirect' ) as $custom_events_hook ) {
	remove_all_actions( $custom_events_hook ); // They are fired again and again here; WordPress's own callbacks expect that once.
}
$GLOBALS['double'] = (object) array();
if ( ! defined( 'CUSTOM_EVENTS_VERSION' ) ) {
	require WP_PLUGIN_DIR . '/custom-events/custom-events.php';
}
CustomEvents\WooCommerce\Plugin::run(); // Where WordPress loaded it there was no WooCommerce yet.

final class Live_Shop {

	/** Nothing is bought of doubles. */
	public static function product(): int {
		return 0;
	}

	/** The scenario, so that it ends now. After each request the plugin tries to send, as Action Scheduler would. */
	public static function happen(): void {
		global $wpdb;
		$connection = get_option( CustomEvents\WooCommerce\Connection::OPTION );
		$wpdb->query( "DELETE FROM {$wpdb->users} WHERE ID = 7" );
		$wpdb->insert( $wpdb->users, array( 'ID' => 7, 'user_login' => 'ana', 'user_nicename' => 'ana', 'user_email' => 'Ana.Ferreira@example.org', 'user_registered' => gmdate( 'Y-m-d H:i:s' ) ) );
		clean_user_cache( 7 );
		add_role( 'customer', 'Customer' );
		( new WP_User( 7 ) )->set_role( 'customer' );
		Shop::$opens_at = time() - Scenario::LASTS_S;
		Shop::open( false );
		CustomEvents\WooCommerce\Connection::parse( Shop::line( $connection ) )->save();
		add_action(
			'shutdown',
			static function () {
				do_action( 'custom_events_drain' );
			},
			30
		);
		Scenario::happen();
	}

	/** Nothing was made but rows of ours. */
	public static function remove( int $product ): void {}
}
