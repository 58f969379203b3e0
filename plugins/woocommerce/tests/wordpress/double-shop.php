<?php
/**
 * WooCommerce and Action Scheduler as doubles in a real WordPress, which has its database, options, hooks, users and HTTP functions of its own.
 * Loaded behind WordPress, or by it as a plugin that must be used.
 */

/** What the doubles of WooCommerce share with tests. */
function reset_double(): void {
	$GLOBALS['double'] = (object) array(
		'scheduled' => array(),
		'posts'     => array(),
		'users'     => array(),
		'orders'    => array(),
		'is'        => array(),
		'session'   => null,
		'cart'      => null,
		'consent'   => null,
	);
	$_COOKIE           = array();
	foreach ( CustomEvents\WooCommerce\Settings::OPTIONS as $option ) {
		delete_option( $option );
	}
	CustomEvents\WooCommerce\Outbox::drop();
}
function as_enqueue_async_action( $hook ) {
	$GLOBALS['double']->scheduled[ $hook ] = 0;
}
function as_schedule_single_action() {}
function as_has_scheduled_action() {
	return true;
}
function as_unschedule_all_actions() {}
function wp_has_consent() {
	return $GLOBALS['double']->consent[1];
}
function wp_get_consent_type() {
	return $GLOBALS['double']->consent[0];
}

require __DIR__ . '/../doubles/woocommerce.php';
$GLOBALS['wp_version'] = max( $GLOBALS['wp_version'], '6.9' ); // The newest stored build that tests can have is 6.7-alpha.
