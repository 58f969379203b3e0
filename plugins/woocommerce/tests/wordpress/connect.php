<?php
/** Connects the plugin of the WordPress in the folder that the first argument names; the second one is the receiver's address. */

define( 'CUSTOM_EVENTS_TESTS', true );
$_SERVER['HTTP_HOST']      = 'shop.example';
$_SERVER['REQUEST_METHOD'] = 'GET';
require rtrim( $argv[1], '/' ) . '/wp-load.php';
require_once __DIR__ . '/../class-shop.php';

$custom_events_fields = array( 'url' => isset( $argv[2] ) ? $argv[2] : Shop::URL, 'key_id' => 'k1', 'secret' => Shop::SECRET );
CustomEvents\WooCommerce\Outbox::make_table();
CustomEvents\WooCommerce\Connection::parse( Shop::line( $custom_events_fields ) )->save();
echo 'connected';
