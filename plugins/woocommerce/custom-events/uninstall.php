<?php
/**
 * Removes all that the plugin keeps: options, the table, scheduled actions. What it wrote into orders stays, unless the settings say otherwise.
 *
 * @package CustomEvents
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require __DIR__ . '/includes/class-outbox.php';
require __DIR__ . '/includes/class-settings.php';
require __DIR__ . '/includes/class-clicks.php';
require __DIR__ . '/includes/class-google-tags.php';
require __DIR__ . '/includes/class-lock.php';
require __DIR__ . '/includes/class-uninstaller.php';

if ( is_multisite() ) {
	foreach ( get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) as $custom_events_blog ) {
		switch_to_blog( (int) $custom_events_blog );
		CustomEvents\WooCommerce\Uninstaller::run();
		restore_current_blog();
	}
} else {
	CustomEvents\WooCommerce\Uninstaller::run();
}
