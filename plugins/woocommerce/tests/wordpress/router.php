<?php
/** Files as they are, everything else by WordPress: addresses without index.php under PHP's own server. */

$custom_events_path = realpath( $_SERVER['DOCUMENT_ROOT'] . parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH ) );
if ( false !== $custom_events_path && is_file( $custom_events_path ) ) {
	return false;
}
$_SERVER['SCRIPT_NAME'] = '/index.php';
$_SERVER['PHP_SELF']    = '/index.php';
require $_SERVER['DOCUMENT_ROOT'] . '/index.php';
