<?php
/**
 * Runs the scenario and writes what was posted as JSON lines: {"url": ..., "headers": {...}, "body": "..."}. With an argument, seconds since
 * 1970, it is posted then, and all happens in the days before.
 */

require __DIR__ . '/bootstrap.php';
require __DIR__ . '/class-scenario.php';
if ( isset( $argv[1] ) ) {
	Shop::$opens_at = (int) $argv[1] - Scenario::LASTS_S;
}
Scenario::run();
foreach ( $GLOBALS['double']->posts as $post ) {
	echo json_encode( array( 'url' => $post['url'], 'headers' => $post['headers'], 'body' => $post['body'] ), JSON_UNESCAPED_SLASHES ), "\n";
}
