<?php
/**
 * Plugin Name:          Custom Events for WooCommerce
 * Description:          Tells Custom Events of orders, payments, refunds, carts and subscriptions as they happen, with the ad click they came from.
 * Version:              1.0.0
 * Requires at least:    6.7
 * Requires PHP:         7.4
 * Requires Plugins:     woocommerce
 * Author:               Custom Events
 * License:              GPL-2.0-or-later
 * License URI:          https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:          custom-events
 * Domain Path:          /languages
 * WC requires at least: 9.8
 * WC tested up to:      11.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package CustomEvents
 */

defined( 'ABSPATH' ) || exit;

define( 'CUSTOM_EVENTS_VERSION', '1.0.0' );
define( 'CUSTOM_EVENTS_FILE', __FILE__ );

require __DIR__ . '/includes/class-plugin.php';

register_activation_hook( __FILE__, array( 'CustomEvents\WooCommerce\Plugin', 'activate' ) );
register_deactivation_hook( __FILE__, array( 'CustomEvents\WooCommerce\Plugin', 'deactivate' ) );
CustomEvents\WooCommerce\Plugin::start();
