<?php
/**
 * A part of WooCommerce's status report.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Adds the state of the queue to WooCommerce > Status. */
final class Status_Report {

	/** The table. */
	public static function show(): void {
		$connection = Connection::current();
		$lines      = array_merge(
			array(
				__( 'Version', 'custom-events' )   => CUSTOM_EVENTS_VERSION,
				__( 'Connected', 'custom-events' ) => null === $connection ? __( 'no', 'custom-events' ) : (string) wp_parse_url( $connection->url, PHP_URL_HOST ),
			),
			Settings_Page::queue_lines( Outbox::health(), Delivery::state() )
		);
		printf( '<table class="wc_status_table widefat" cellspacing="0"><thead><tr><th colspan="3" data-export-label="Custom Events"><h2>%s</h2></th></tr></thead><tbody>', esc_html__( 'Custom Events', 'custom-events' ) );
		foreach ( $lines as $name => $value ) {
			printf( '<tr><td data-export-label="%1$s">%1$s:</td><td class="help">&nbsp;</td><td>%2$s</td></tr>', esc_attr( $name ), esc_html( $value ) );
		}
		echo '</tbody></table>';
	}
}
