<?php
/**
 * The page "Custom Events" in WooCommerce's menu.
 *
 * @package CustomEvents
 */

namespace CustomEvents\WooCommerce;

defined( 'ABSPATH' ) || exit;

/** Shows settings and the state of the queue, and carries out what is asked there. The secret is never shown. */
final class Settings_Page {
	const SLUG       = 'custom-events';
	const CAPABILITY = 'manage_woocommerce';
	const SAID       = 'custom_events_said_';

	/** What the page's buttons do, by the action's name. */
	const ACTIONS = array( 'save', 'connect', 'disconnect', 'test', 'release' );

	/** Add the hooks. */
	public static function add_hooks(): void {
		add_action( 'admin_menu', array( __CLASS__, 'add_page' ), 60 );
		foreach ( self::ACTIONS as $action ) {
			add_action( 'admin_post_custom_events_' . $action, array( __CLASS__, 'carry_out_' . $action ) );
		}
		add_filter( 'plugin_action_links_' . plugin_basename( CUSTOM_EVENTS_FILE ), array( __CLASS__, 'add_link' ) );
	}

	/** Add the page to WooCommerce's menu. */
	public static function add_page(): void {
		add_submenu_page( 'woocommerce', __( 'Custom Events', 'custom-events' ), __( 'Custom Events', 'custom-events' ), self::CAPABILITY, self::SLUG, array( __CLASS__, 'show' ) );
	}

	/**
	 * A link to the page in the list of plugins.
	 *
	 * @param string[] $links Those that are there.
	 * @return string[]
	 */
	public static function add_link( $links ) {
		array_unshift( $links, sprintf( '<a href="%s">%s</a>', esc_url( self::address() ), esc_html__( 'Settings', 'custom-events' ) ) );
		return $links;
	}

	/** The page's address. */
	public static function address(): string {
		return admin_url( 'admin.php?page=' . self::SLUG );
	}

	/** Take the line that the console shows. */
	public static function carry_out_connect(): void {
		self::check( 'connect' );
		$line       = isset( $_POST['connection'] ) ? sanitize_text_field( wp_unslash( $_POST['connection'] ) ) : ''; // phpcs:ignore WordPress.Security.NonceVerification
		$connection = Connection::parse( $line );
		if ( is_string( $connection ) ) {
			self::back( $connection, 'error' );
			return;
		}
		$connection->save();
		Outbox::hurry();
		Delivery::remember(
			array(
				'failures' => 0,
				'error'    => '',
			)
		);
		Delivery::wake();
		self::send_test( $connection );
	}

	/** Forget the connection. */
	public static function carry_out_disconnect(): void {
		self::check( 'disconnect' );
		Connection::forget();
		self::back( __( 'Disconnected: nothing is recorded from now on. What waits is sent when you connect again.', 'custom-events' ), 'success' );
	}

	/** Send a test event and show the answer. */
	public static function carry_out_test(): void {
		self::check( 'test' );
		$connection = Connection::current();
		if ( null === $connection ) {
			self::back( __( 'Paste the connection string first.', 'custom-events' ), 'error' );
			return;
		}
		self::send_test( $connection );
	}

	/** Send what was parked again. */
	public static function carry_out_release(): void {
		self::check( 'release' );
		$released = Outbox::release();
		Delivery::wake();
		/* translators: %d: number of events. */
		self::back( sprintf( _n( '%d event waits to be sent again.', '%d events wait to be sent again.', $released, 'custom-events' ), $released ), 'success' );
	}

	/** Keep the settings. */
	public static function carry_out_save(): void {
		self::check( 'save' );
		$given = array();
		foreach ( array_keys( Settings::DEFAULTS ) as $name ) {
			if ( isset( $_POST[ $name ] ) ) { // phpcs:ignore WordPress.Security.NonceVerification
				$given[ $name ] = sanitize_text_field( wp_unslash( $_POST[ $name ] ) ); // phpcs:ignore WordPress.Security.NonceVerification
			} elseif ( isset( Settings::CHOICES[ $name ] ) && in_array( 'no', Settings::CHOICES[ $name ], true ) ) {
				$given[ $name ] = 'no'; // A box that is not ticked is not sent.
			}
		}
		Settings::save( $given );
		self::back( __( 'Saved.', 'custom-events' ), 'success' );
	}

	/** Post a test event, at once: nobody shops in this request. */
	private static function send_test( Connection $connection ): void {
		$body   = Outbox::encode(
			array(
				'custom_events' => array(
					'version' => 1,
					'plugin'  => CUSTOM_EVENTS_VERSION,
					'event'   => 'custom_events.test',
					'at'      => Clock::iso(),
					'wc'      => defined( 'WC_VERSION' ) ? WC_VERSION : '',
				),
			)
		);
		$answer = Delivery::post( $connection, wp_generate_uuid4(), 'custom_events.test', $body );
		if ( $answer->is_taken ) {
			/* translators: %s: the answer. */
			self::back( sprintf( __( 'Connected: the test event arrived (%s).', 'custom-events' ), $answer->words ), 'success' );
		} else {
			/* translators: %s: the answer. */
			self::back( sprintf( __( 'The test event did not arrive. The receiver said: %s', 'custom-events' ), $answer->words ), 'error' );
		}
	}

	/** Refuse who may not, and what comes from elsewhere. */
	private static function check( string $action ): void {
		if ( ! current_user_can( self::CAPABILITY ) ) {
			wp_die( esc_html__( 'You may not change these settings.', 'custom-events' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( 'custom_events_' . $action );
	}

	/** Go back to the page, and say there what happened. */
	private static function back( string $words, string $kind ): void {
		set_transient( self::SAID . get_current_user_id(), array( $words, $kind ), 60 );
		wp_safe_redirect( self::address() );
		if ( ! defined( 'CUSTOM_EVENTS_TESTS' ) ) {
			exit;
		}
	}

	/** The page. */
	public static function show(): void {
		if ( ! current_user_can( self::CAPABILITY ) ) {
			return;
		}
		$said = get_transient( self::SAID . get_current_user_id() );
		delete_transient( self::SAID . get_current_user_id() );
		$connection = Connection::current();
		$health     = Outbox::health();
		$state      = Delivery::state();
		echo '<div class="wrap"><h1>' . esc_html__( 'Custom Events', 'custom-events' ) . '</h1>';
		if ( is_array( $said ) ) {
			printf( '<div class="notice notice-%s"><p>%s</p></div>', esc_attr( $said[1] ), esc_html( $said[0] ) );
		}
		self::show_connection( $connection );
		if ( null !== $connection ) {
			self::show_queue( $health, $state );
		}
		self::show_settings();
		echo '</div>';
	}

	/**
	 * Where events go, or the field for the connection string.
	 *
	 * @param Connection|null $connection The shop's.
	 */
	private static function show_connection( ?Connection $connection ): void {
		echo '<h2>' . esc_html__( 'Connection', 'custom-events' ) . '</h2>';
		if ( null !== $connection ) {
			/* translators: %s: a host name. */
			printf( '<p>%s</p>', esc_html( sprintf( __( 'Events are sent to %s. The secret is kept and never shown.', 'custom-events' ), (string) wp_parse_url( $connection->url, PHP_URL_HOST ) ) ) );
			self::button( 'test', __( 'Send a test event', 'custom-events' ) );
			self::button( 'disconnect', __( 'Disconnect', 'custom-events' ) );
		}
		self::form( 'connect' );
		printf(
			'<p><label for="custom-events-connection">%s</label><br><input type="password" autocomplete="off" class="large-text" id="custom-events-connection" name="connection" value=""></p><p><button class="button button-primary">%s</button></p></form>',
			esc_html__( 'Connection string, as the console of Custom Events shows it when a site or a secret is made', 'custom-events' ),
			esc_html__( 'Connect', 'custom-events' )
		);
	}

	/**
	 * What waits, what is parked, and what went wrong last.
	 *
	 * @param array<string,mixed> $health Of the outbox.
	 * @param array<string,mixed> $state  Of the delivery.
	 */
	private static function show_queue( array $health, array $state ): void {
		echo '<h2>' . esc_html__( 'Queue', 'custom-events' ) . '</h2><table class="widefat striped" style="max-width:60em"><tbody>';
		foreach ( self::queue_lines( $health, $state ) as $name => $value ) {
			printf( '<tr><th scope="row">%s</th><td>%s</td></tr>', esc_html( $name ), esc_html( $value ) );
		}
		echo '</tbody></table>';
		if ( $health['parked'] > 0 ) {
			self::button( 'release', __( 'Send what is parked again', 'custom-events' ) );
		}
	}

	/**
	 * The state of the queue in words; also for the status report.
	 *
	 * @param array<string,mixed> $health Of the outbox.
	 * @param array<string,mixed> $state  Of the delivery.
	 * @return array<string,string>
	 */
	public static function queue_lines( array $health, array $state ): array {
		$never = __( 'never', 'custom-events' );
		$lines = array(
			__( 'Waiting', 'custom-events' )       => (string) $health['waiting'],
			__( 'Oldest waiting', 'custom-events' ) => null === $health['oldest'] ? '-' : $health['oldest'] . ' UTC',
			__( 'Parked', 'custom-events' )        => (string) $health['parked'],
			__( 'Last sent', 'custom-events' )     => $state['sent_at'] ? Clock::sql( $state['sent_at'] ) . ' UTC' : $never,
			__( 'Last run', 'custom-events' )      => $state['ran_at'] ? Clock::sql( $state['ran_at'] ) . ' UTC' : $never,
		);
		if ( '' !== $health['error'] ) {
			$lines[ __( 'Last error', 'custom-events' ) ] = $health['error'];
		}
		return $lines;
	}

	/** The form of the settings. */
	private static function show_settings(): void {
		echo '<h2>' . esc_html__( 'Settings', 'custom-events' ) . '</h2>';
		self::form( 'save' );
		echo '<table class="form-table"><tbody>';
		self::choice(
			'cod_paid_when',
			__( 'Cash on delivery counts as paid', 'custom-events' ),
			array(
				'processing' => __( 'when the order is placed', 'custom-events' ),
				'completed'  => __( 'when the order is completed', 'custom-events' ),
			)
		);
		self::choice(
			'transfer_paid_when',
			__( 'Bank transfers and cheques count as paid', 'custom-events' ),
			array(
				'paid'   => __( 'when the money is there', 'custom-events' ),
				'placed' => __( 'when the order is placed', 'custom-events' ),
			)
		);
		self::choice(
			'assume_consent',
			__( 'Consent to ads where no consent plugin answers', 'custom-events' ),
			array(
				'unknown' => __( 'unknown: no click is kept, orders say that nobody was asked', 'custom-events' ),
				'granted' => __( 'granted: the shop asks in another way', 'custom-events' ),
				'denied'  => __( 'denied', 'custom-events' ),
			)
		);
		self::box( 'cart_events', __( 'Tell of carts and of checkouts that begin', 'custom-events' ) );
		printf(
			'<tr><th scope="row"><label for="custom-events-extra-meta">%s</label></th><td><input type="text" class="regular-text" id="custom-events-extra-meta" name="extra_meta" value="%s"><p class="description">%s</p></td></tr>',
			esc_html__( 'Further order fields to send', 'custom-events' ),
			esc_attr( Settings::get( 'extra_meta' ) ),
			esc_html__( 'Names of order meta, separated by commas, for conditions of yours. Name none that hold personal data.', 'custom-events' )
		);
		self::box( 'forget_orders', __( 'When the plugin is deleted, also delete what it wrote into orders', 'custom-events' ) );
		printf( '</tbody></table><p><button class="button button-primary">%s</button></p></form>', esc_html__( 'Save', 'custom-events' ) );
	}

	/**
	 * A choice of several.
	 *
	 * @param string               $name    Of the setting.
	 * @param string               $label   For people.
	 * @param array<string,string> $choices Value and label.
	 */
	private static function choice( string $name, string $label, array $choices ): void {
		printf( '<tr><th scope="row"><label for="custom-events-%1$s">%2$s</label></th><td><select id="custom-events-%1$s" name="%1$s">', esc_attr( $name ), esc_html( $label ) );
		foreach ( $choices as $value => $words ) {
			printf( '<option value="%s"%s>%s</option>', esc_attr( $value ), selected( Settings::get( $name ), $value, false ), esc_html( $words ) );
		}
		echo '</select></td></tr>';
	}

	/** A box to tick. */
	private static function box( string $name, string $label ): void {
		printf( '<tr><th scope="row">%2$s</th><td><input type="checkbox" name="%1$s" value="yes" aria-label="%2$s"%3$s></td></tr>', esc_attr( $name ), esc_attr( $label ), checked( Settings::get( $name ), 'yes', false ) );
	}

	/** The beginning of a form that carries out an action. */
	private static function form( string $action ): void {
		printf( '<form method="post" action="%s"><input type="hidden" name="action" value="custom_events_%s">', esc_url( admin_url( 'admin-post.php' ) ), esc_attr( $action ) );
		wp_nonce_field( 'custom_events_' . $action );
	}

	/** A form that is one button. */
	private static function button( string $action, string $label ): void {
		self::form( $action );
		printf( '<p><button class="button">%s</button></p></form>', esc_html( $label ) );
	}
}
