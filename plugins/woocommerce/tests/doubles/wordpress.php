<?php
/** Doubles of WordPress's functions, as much of each as the plugin uses. What a test looks at is in `$GLOBALS['double']`. */

define( 'ABSPATH', __DIR__ . '/wordpress/' );

class WP_Error {
	private $message;
	public function __construct( $code, $message ) {
		$this->message = $message;
	}
	public function get_error_message() {
		return $this->message;
	}
}

/** Thrown by `wp_die`. */
class Died extends Exception {}

/** All state of the doubles, as in a shop that was set up just now. */
function reset_double(): void {
	$GLOBALS['wpdb']   = new Wpdb_Double();
	$GLOBALS['double'] = (object) array(
		'options'    => array(),
		'hooks'      => isset( $GLOBALS['double'] ) ? $GLOBALS['double']->hooks : array(),
		'transients' => array(),
		'scheduled'  => array(),
		'posts'      => array(),
		'answers'    => array(),
		'uuid'       => 0,
		'user'       => 0,
		'users'      => array(),
		'may'        => true,
		'orders'     => array(),
		'session'    => null,
		'cart'       => null,
		'is'         => array(),
		'post_types' => array(),
		'redirected' => null,
		'consent'    => null,
		'scripts'    => array(),
	);
	$_COOKIE           = array();
	$_POST             = array();
	$_GET              = array();
}

// ---------------------------------------------------------------- hooks
function add_action( $hook, $callback, $priority = 10, $arguments = 1 ) {
	$GLOBALS['double']->hooks[ $hook ][ $priority ][] = array( $callback, $arguments );
	ksort( $GLOBALS['double']->hooks[ $hook ] );
}
function add_filter( $hook, $callback, $priority = 10, $arguments = 1 ) {
	add_action( $hook, $callback, $priority, $arguments );
}
function do_action( $hook, ...$given ) {
	foreach ( $GLOBALS['double']->hooks[ $hook ] ?? array() as $callbacks ) {
		foreach ( $callbacks as list( $callback, $arguments ) ) {
			call_user_func_array( $callback, array_slice( $given, 0, $arguments ) );
		}
	}
}
function apply_filters( $hook, $value, ...$given ) {
	foreach ( $GLOBALS['double']->hooks[ $hook ] ?? array() as $callbacks ) {
		foreach ( $callbacks as list( $callback, $arguments ) ) {
			$value = call_user_func_array( $callback, array_slice( array_merge( array( $value ), $given ), 0, $arguments ) );
		}
	}
	return $value;
}
function register_activation_hook( $file, $callback ) {
	add_action( 'activate', $callback );
}
function register_deactivation_hook( $file, $callback ) {
	add_action( 'deactivate', $callback );
}

// ---------------------------------------------------------------- options
function get_option( $name, $default = false ) {
	return $GLOBALS['double']->options[ $name ] ?? $default;
}
function update_option( $name, $value, $autoload = null ) {
	$GLOBALS['double']->options[ $name ] = $value;
	return true;
}
function add_option( $name, $value, $deprecated = '', $autoload = null ) {
	if ( isset( $GLOBALS['double']->options[ $name ] ) ) {
		return false;
	}
	$GLOBALS['double']->options[ $name ] = $value;
	return true;
}
function delete_option( $name ) {
	unset( $GLOBALS['double']->options[ $name ] );
	return true;
}
function get_transient( $name ) {
	return $GLOBALS['double']->transients[ $name ] ?? false;
}
function set_transient( $name, $value, $seconds ) {
	$GLOBALS['double']->transients[ $name ] = $value;
}
function delete_transient( $name ) {
	unset( $GLOBALS['double']->transients[ $name ] );
}

// ---------------------------------------------------------------- the outside
function wp_safe_remote_post( $url, $arguments ) {
	$GLOBALS['double']->posts[] = array( 'url' => $url ) + $arguments;
	$answer                     = array_shift( $GLOBALS['double']->answers );
	return null === $answer ? answer( 200, '', array( 'delivery' => 'landed' ) ) : $answer;
}
function answer( int $status, string $body = '', array $headers = array() ): array {
	return compact( 'status', 'body', 'headers' );
}
function wp_remote_get( $url, $arguments ) {
	return wp_safe_remote_post( $url, $arguments );
}
function home_url( $path ) {
	return 'https://shop.example' . $path;
}
function is_wp_error( $thing ) {
	return $thing instanceof WP_Error;
}
function wp_remote_retrieve_response_code( $response ) {
	return $response['status'];
}
function wp_remote_retrieve_body( $response ) {
	return $response['body'];
}
function wp_remote_retrieve_header( $response, $name ) {
	return $response['headers'][ $name ] ?? '';
}

// ---------------------------------------------------------------- Action Scheduler
function as_enqueue_async_action( $hook, $arguments, $group, $unique ) {
	return as_schedule_single_action( 0, $hook, $arguments, $group, $unique );
}
function as_schedule_single_action( $at, $hook, $arguments, $group, $unique ) {
	if ( as_has_scheduled_action( $hook ) && $unique ) {
		return 0;
	}
	$GLOBALS['double']->scheduled[ $hook ] = $at;
	return 1;
}
function as_schedule_recurring_action( $at, $every, $hook, $arguments, $group, $unique ) {
	return as_schedule_single_action( $at, $hook, $arguments, $group, $unique );
}
function as_has_scheduled_action( $hook, $arguments = array(), $group = '' ) {
	return isset( $GLOBALS['double']->scheduled[ $hook ] );
}
function as_unschedule_all_actions( $hook, $arguments, $group ) {
	$GLOBALS['double']->scheduled = array();
}

// ---------------------------------------------------------------- people and pages
function current_user_can( $capability ) {
	return $GLOBALS['double']->may;
}
function get_current_user_id() {
	return $GLOBALS['double']->user;
}
function get_userdata( $id ) {
	return $GLOBALS['double']->users[ $id ] ?? false;
}
function check_admin_referer( $action ) {
	if ( ( $_POST['_wpnonce'] ?? '' ) !== $action ) {
		throw new Died( 'nonce' );
	}
}
function wp_nonce_field( $action ) {
	echo '<input type="hidden" name="_wpnonce" value="' . esc_attr( $action ) . '">';
}
function wp_die( $words = '', $title = '', $arguments = array() ) {
	throw new Died( $words );
}
function wp_safe_redirect( $url ) {
	$GLOBALS['double']->redirected = $url;
}
function add_submenu_page( ...$arguments ) {
	$GLOBALS['double']->is['page'] = $arguments;
}
function admin_url( $path ) {
	return 'https://shop.example/wp-admin/' . $path;
}
function plugins_url( $path, $file ) {
	return 'https://shop.example/wp-content/plugins/custom-events/' . $path;
}
function plugin_basename( $file ) {
	return 'custom-events/custom-events.php';
}
function is_admin() {
	return $GLOBALS['double']->is['admin'] ?? true;
}
function wp_doing_cron() {
	return $GLOBALS['double']->is['cron'] ?? false;
}
function is_multisite() {
	return false;
}
function get_bloginfo( $name ) {
	return $GLOBALS['double']->is['wordpress'] ?? '6.9';
}
function get_post_type( $id ) {
	return $GLOBALS['double']->post_types[ $id ] ?? false;
}
function load_plugin_textdomain( ...$arguments ) {
	return true;
}
function wp_enqueue_script( $handle, $url, $needs, $version, $arguments ) {
	$GLOBALS['double']->scripts[ $handle ] = array( $url, $arguments );
}
function wp_add_inline_script( $handle, $code, $place ) {
	$GLOBALS['double']->scripts[ $handle ][] = $code;
}
function wp_add_privacy_policy_content( $name, $words ) {
	$GLOBALS['double']->is['policy'] = $words;
}
function wp_has_consent( $category ) {
	return null === $GLOBALS['double']->consent ? true : $GLOBALS['double']->consent[1];
}
function wp_get_consent_type() {
	return null === $GLOBALS['double']->consent ? false : $GLOBALS['double']->consent[0];
}

// ---------------------------------------------------------------- words and values
function __( $words, $domain ) {
	return $words;
}
function _n( $one, $many, $number, $domain ) {
	return 1 === $number ? $one : $many;
}
function esc_html( $text ) {
	return htmlspecialchars( (string) $text, ENT_QUOTES );
}
function esc_attr( $text ) {
	return esc_html( $text );
}
function esc_url( $text ) {
	return esc_html( $text );
}
function esc_html__( $words, $domain ) {
	return esc_html( $words );
}
function wp_kses_post( $words ) {
	return $words;
}
function selected( $value, $other, $echo ) {
	return $value === $other ? ' selected' : '';
}
function checked( $value, $other, $echo ) {
	return $value === $other ? ' checked' : '';
}
function sanitize_text_field( $text ) {
	return trim( preg_replace( '/[\r\n\t ]+/', ' ', strip_tags( $text ) ) );
}
function sanitize_key( $text ) {
	return preg_replace( '/[^a-z0-9_\-]/', '', strtolower( $text ) );
}
function wp_unslash( $value ) {
	return is_string( $value ) ? stripslashes( $value ) : $value;
}
function wp_json_encode( $value, $flags = 0 ) {
	return json_encode( $value, $flags );
}
function wp_parse_url( $url, $part ) {
	return parse_url( $url, $part );
}
function wp_rand( $from, $to ) {
	return $from;
}
function wp_generate_uuid4() {
	return sprintf( '00000000-0000-4000-8000-%012d', ++$GLOBALS['double']->uuid );
}
