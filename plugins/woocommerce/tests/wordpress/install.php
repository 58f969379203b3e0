<?php
/** Installs the WordPress in the folder that the first argument names: its tables, one user, and the plugins that the others name as active. */

define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST'] = 'shop.example';
require rtrim( $argv[1], '/' ) . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install( 'Shop', 'admin', 'admin@example.org', true, '', wp_generate_password() );
update_option( 'active_plugins', array_slice( $argv, 2 ) );
echo 'installed';
