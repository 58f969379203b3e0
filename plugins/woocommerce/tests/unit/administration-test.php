<?php
use CustomEvents\WooCommerce\Clicks;
use CustomEvents\WooCommerce\Connection;
use CustomEvents\WooCommerce\Delivery;
use CustomEvents\WooCommerce\Google_Tags;
use CustomEvents\WooCommerce\Notices;
use CustomEvents\WooCommerce\Outbox;
use CustomEvents\WooCommerce\Plugin;
use CustomEvents\WooCommerce\Privacy;
use CustomEvents\WooCommerce\Requirements;
use CustomEvents\WooCommerce\Settings;
use CustomEvents\WooCommerce\Settings_Page;
use CustomEvents\WooCommerce\Uninstaller;
use PHPUnit\Framework\TestCase;

require_once dirname( __DIR__, 2 ) . '/custom-events/includes/class-uninstaller.php';

/** What staff sees and does: connection, settings, notices, report, privacy, versions, uninstalling. */
final class Administration_Test extends TestCase {

	protected function setUp(): void {
		Shop::open();
	}

	private static function press( string $action, array $fields = array() ): array {
		$_POST = array( '_wpnonce' => 'custom_events_' . $action ) + $fields;
		do_action( 'admin_post_custom_events_' . $action );
		return get_transient( Settings_Page::SAID . '0' );
	}

	private static function page( callable $show ): string {
		ob_start();
		$show();
		return ob_get_clean();
	}

	public function test_a_connection_string_connects_and_a_test_event_says_so(): void {
		Shop::open( false );
		$said = self::press( 'connect', array( 'connection' => ' ' . Shop::line( array( 'url' => Shop::URL, 'secret' => Shop::SECRET ) ) . ' ' ) );
		$this->assertSame( array( 'Connected: the test event arrived (Status 200, landed).', 'success' ), $said );
		$this->assertSame( array( 'custom_events.test' ), Shop::posted() );
		$this->assertTrue( Settings::is_connected() );
		$this->assertSame( '', Connection::current()->key_id );
		$this->assertSame( Settings_Page::address(), $GLOBALS['double']->redirected );
	}

	/** @dataProvider lines */
	public function test_what_is_no_connection_string_is_refused_in_words( string $line, string $words ): void {
		Shop::open( false );
		list( $said, $kind ) = self::press( 'connect', array( 'connection' => $line ) );
		$this->assertSame( 'error', $kind );
		$this->assertStringContainsString( $words, $said );
		$this->assertFalse( Settings::is_connected() );
	}

	public function lines(): array {
		return array(
			'nothing'   => array( '', 'begins with custom-events-1:' ),
			'a secret'  => array( 'abc', 'begins with custom-events-1:' ),
			'newer'     => array( 'custom-events-2:abc', 'update the plugin' ),
			'cut'       => array( substr( Shop::line( array( 'url' => Shop::URL, 'secret' => 's' ) ), 0, 40 ), 'not complete' ),
			'no base64' => array( 'custom-events-1:!!', 'not complete' ),
			'no secret' => array( Shop::line( array( 'url' => Shop::URL ) ), 'not complete' ),
			'empty'     => array( Shop::line( array( 'url' => Shop::URL, 'secret' => '' ) ), 'not complete' ),
			'odd key'   => array( Shop::line( array( 'url' => Shop::URL, 'secret' => 's', 'key_id' => "a\nb" ) ), 'not complete' ),
			'in clear'  => array( Shop::line( array( 'url' => 'http://events.example/x', 'secret' => 's' ) ), 'https' ),
		);
	}

	public function test_a_developers_own_machine_needs_no_https(): void {
		$this->assertInstanceOf( Connection::class, Connection::parse( Shop::line( array( 'url' => 'http://127.0.0.1:8080/x', 'secret' => 's' ) ) ) );
	}

	public function test_the_receivers_no_is_shown(): void {
		$GLOBALS['double']->answers = array( answer( 401, '{"error":"no_such_site"}' ) );
		$this->assertSame( array( 'The test event did not arrive. The receiver said: Status 401, no_such_site', 'error' ), self::press( 'test' ) );
	}

	public function test_disconnecting_keeps_what_waits(): void {
		do_action( 'woocommerce_new_order', 1, Shop::order( 1 ) );
		self::press( 'disconnect' );
		$this->assertNull( Connection::current() );
		do_action( 'woocommerce_new_order', 2, Shop::order( 2 ) );
		$this->assertSame( array( 'order.created' ), Shop::topics() );
		$this->assertSame( 'Paste the connection string first.', self::press( 'test' )[0] );
	}

	public function test_what_is_parked_can_be_sent_again(): void {
		do_action( 'woocommerce_new_order', 1, Shop::order( 1 ) );
		Outbox::park( 1, 'no' );
		$this->assertSame( '1 event waits to be sent again.', self::press( 'release' )[0] );
		$this->assertSame( 1, Outbox::health()['waiting'] );
	}

	public function test_settings_are_kept_if_they_are_permitted(): void {
		self::press( 'save', array( 'cod_paid_when' => 'completed', 'assume_consent' => 'whatever', 'extra_meta' => 'a, b<script>' ) );
		$this->assertSame( array( 'completed', 'unknown', 'a, b', 'no', 'no' ), array_map( array( Settings::class, 'get' ), array( 'cod_paid_when', 'assume_consent', 'extra_meta', 'cart_events', 'forget_orders' ) ) );
		self::press( 'save', array( 'cart_events' => 'yes' ) );
		$this->assertSame( array( 'completed', 'yes' ), array( Settings::get( 'cod_paid_when' ), Settings::get( 'cart_events' ) ) );
	}

	/** @dataProvider actions */
	public function test_nobody_else_may_press_a_button( string $action ): void {
		$died = array();
		foreach ( array( array( false, 'custom_events_' . $action ), array( true, 'forged' ) ) as list( $may, $nonce ) ) {
			$GLOBALS['double']->may = $may;
			$_POST                  = array( '_wpnonce' => $nonce );
			try {
				do_action( 'admin_post_custom_events_' . $action );
			} catch ( Died $refusal ) {
				$died[] = $refusal->getMessage();
			}
		}
		$this->assertSame( array( 'You may not change these settings.', 'nonce' ), $died );
		$this->assertTrue( Settings::is_connected() );
		$this->assertSame( array(), Shop::posted() );
	}

	public function actions(): array {
		return array_map(
			static function ( $action ) {
				return array( $action );
			},
			Settings_Page::ACTIONS
		);
	}

	public function test_the_page_shows_the_queue_and_never_the_secret(): void {
		do_action( 'admin_menu' );
		$this->assertSame( 'manage_woocommerce', $GLOBALS['double']->is['page'][3] );
		do_action( 'woocommerce_new_order', 1, Shop::order( 1 ) );
		Outbox::park( 1, 'Status 400, <b>odd</b>' );
		set_transient( Settings_Page::SAID . '0', array( 'Said <i>this</i>', 'error' ), 60 );
		$page = self::page( array( Settings_Page::class, 'show' ) );
		$this->assertStringContainsString( 'Events are sent to events.example.', $page );
		$this->assertStringContainsString( 'Status 400, &lt;b&gt;odd&lt;/b&gt;', $page );
		$this->assertStringContainsString( 'Said &lt;i&gt;this&lt;/i&gt;', $page );
		$this->assertStringContainsString( 'Send what is parked again', $page );
		$this->assertStringNotContainsString( Shop::SECRET, $page );
		$this->assertStringNotContainsString( 'Said', self::page( array( Settings_Page::class, 'show' ) ), 'once' );
		$GLOBALS['double']->may = false;
		$this->assertSame( '', self::page( array( Settings_Page::class, 'show' ) ) );
	}

	public function test_the_page_of_a_shop_that_is_not_connected_asks_for_the_string(): void {
		Shop::open( false );
		$page = self::page( array( Settings_Page::class, 'show' ) );
		$this->assertStringContainsString( 'name="connection"', $page );
		$this->assertStringNotContainsString( 'Oldest waiting', $page );
		$this->assertStringContainsString( 'admin.php?page=custom-events', apply_filters( 'plugin_action_links_custom-events/custom-events.php', array() )[0] );
	}

	public function test_the_status_report_has_the_queue(): void {
		$report = self::page( static function () { do_action( 'woocommerce_system_status_report' ); } );
		foreach ( array( CUSTOM_EVENTS_VERSION, 'events.example', 'Last sent', 'never' ) as $words ) {
			$this->assertStringContainsString( $words, $report );
		}
	}

	/** @dataProvider states */
	public function test_what_is_wrong_is_said_in_words( array $health, array $state, bool $no_cron, array $words ): void {
		$health   = $health + array( 'waiting' => 0, 'oldest' => null, 'parked' => 0, 'error' => '' );
		$problems = Notices::problems( $health, $state + Delivery::state(), $no_cron );
		$this->assertCount( count( $words ), $problems );
		foreach ( $words as $place => $part ) {
			$this->assertStringContainsString( $part, $problems[ $place ] );
		}
	}

	public function states(): array {
		$old = array( 'oldest' => '2026-11-25 09:00:00', 'waiting' => 1 );
		return array(
			'all is well'    => array( array(), array(), false, array() ),
			'parked'         => array( array( 'parked' => 2, 'error' => 'Status 413' ), array(), false, array( '2 events were not taken and are not tried again: Status 413' ) ),
			'wrong secret'   => array( array(), array( 'failures' => 1, 'status' => 401, 'error' => 'Status 401' ), false, array( 'refuses this shop: Status 401' ) ),
			'wrong clock'    => array( array(), array( 'failures' => 1, 'status' => 401, 'error' => 'Status 401, too_old: Set the clock.' ), false, array( 'ask your host to set the clock' ) ),
			'twice no'       => array( array(), array( 'failures' => 2, 'status' => 500 ), false, array() ),
			'away'           => array( array(), array( 'failures' => 3, 'error' => 'No answer' ), false, array( 'does not answer: No answer' ) ),
			'no cron'        => array( $old, array(), true, array( 'DISABLE_WP_CRON' ) ),
			'cron is stuck'  => array( $old, array(), false, array( 'cron does not run' ) ),
			'it runs'        => array( $old, array( 'ran_at' => Shop::GOLDEN - 60 ), false, array() ),
			'fails just now' => array( $old, array( 'failed_at' => Shop::GOLDEN - 60 ), false, array() ),
		);
	}

	public function test_notices_are_for_those_who_can_act(): void {
		$show = static function () { do_action( 'admin_notices' ); };
		do_action( 'woocommerce_new_order', 1, Shop::order( 1 ) );
		Outbox::park( 1, 'Status 400' );
		update_option( 'active_plugins', array( 'google-site-kit/google-site-kit.php', 'other/other.php' ) );
		$this->assertStringContainsString( 'Custom Events: 1 event was not taken', self::page( $show ) );
		$this->assertStringNotContainsString( 'Site Kit', self::page( $show ) );
		$_GET['page'] = 'custom-events';
		$this->assertStringContainsString( 'Site Kit by Google', self::page( $show ) );
		$GLOBALS['double']->may = false;
		$this->assertSame( '', self::page( $show ) );
	}

	public function test_a_person_is_exported_and_forgotten(): void {
		$order = Shop::order( 1 );
		Clicks::keep( $order );
		Shop::order( 2 );
		do_action( 'woocommerce_new_order', 1, $order );
		$exporter = apply_filters( 'wp_privacy_personal_data_exporters', array() )['custom-events']['callback'];
		$export   = $exporter( 'Ana.Ferreira@example.org', 1 );
		$this->assertTrue( $export['done'] );
		$this->assertSame( array( 'custom-events-order-1', 'custom-events-event-1' ), array_column( $export['data'], 'item_id' ) );
		$this->assertStringContainsString( 'unknown', $export['data'][0]['data'][0]['value'] );
		$eraser = apply_filters( 'wp_privacy_personal_data_erasers', array() )['custom-events']['callback'];
		$this->assertTrue( $eraser( 'Ana.Ferreira@example.org', 1 )['items_removed'] );
		$this->assertFalse( $eraser( 'Ana.Ferreira@example.org', 2 )['items_removed'] );
		$this->assertSame( array(), $order->meta );
		$this->assertSame( array(), Shop::topics() );
		do_action( 'admin_init' );
		$this->assertStringContainsString( '90 days', $GLOBALS['double']->is['policy'] );
	}

	/** @dataProvider versions */
	public function test_versions_that_do_not_fit_are_refused_in_words( string $wordpress, ?string $woocommerce, string $php, array $words ): void {
		$problems = Requirements::problems( $wordpress, $woocommerce, $php );
		$this->assertCount( count( $words ), $problems );
		foreach ( $words as $place => $part ) {
			$this->assertStringContainsString( $part, $problems[ $place ] );
		}
	}

	public function versions(): array {
		return array(
			'newest'            => array( '7.0.4', '11.2.2', '8.5.0', array() ),
			'oldest'            => array( '6.7', '9.8', '7.4.0', array() ),
			'WooCommerce 10'    => array( '6.7.1', '10.9.9', '8.2', array() ),
			'WooCommerce 11'    => array( '6.8.3', '11.0.1', '8.2', array( 'WooCommerce 11.0.1 needs WordPress 6.9' ) ),
			'old WordPress'     => array( '6.6.9', '9.8.1', '8.2', array( 'needs WordPress 6.7' ) ),
			'old WooCommerce'   => array( '6.9', '9.7.9', '8.2', array( 'WooCommerce 9.8 or newer; this shop has 9.7.9' ) ),
			'without'           => array( '6.9', null, '7.3.33', array( 'PHP 7.4 or newer; this server has 7.3.33', 'which is not active' ) ),
			'a beta of Core 11' => array( '6.9', '11.0.0-beta.1', '8.2', array() ),
		);
	}

	public function test_where_versions_do_not_fit_only_the_notice_is_there(): void {
		$hooks                                = $GLOBALS['double']->hooks;
		$GLOBALS['double']->hooks             = array();
		$GLOBALS['double']->is['wordpress']   = '6.5';
		Plugin::run();
		$this->assertSame( array( 'init', 'admin_notices' ), array_keys( $GLOBALS['double']->hooks ) );
		$this->assertStringContainsString( 'needs WordPress 6.9', self::page( static function () { do_action( 'admin_notices' ); } ) );
		$GLOBALS['double']->may = false;
		$this->assertSame( '', self::page( static function () { do_action( 'admin_notices' ); } ) );
		$GLOBALS['double']->hooks = $hooks;
	}

	public function test_deactivating_sends_nothing_any_more_and_activating_makes_the_table(): void {
		$GLOBALS['double']->scheduled = array( 'custom_events_drain' => 1 );
		do_action( 'deactivate' );
		$this->assertSame( array(), $GLOBALS['double']->scheduled );
		Outbox::drop();
		delete_option( 'custom_events_table' );
		do_action( 'activate' );
		$this->assertSame( array(), Shop::topics() );
	}

	/** @dataProvider pages */
	public function test_the_tags_of_a_page_are_named( string $html, array $tags ): void {
		$this->assertSame( $tags, Google_Tags::on_page( $html ) );
	}

	public function pages(): array {
		$script = '<script async src="https://www.googletagmanager.com/gtag/js?id=';
		return array(
			'none'              => array( '<p>AW-123456789 "GTM-ABC123"</p>', array() ),
			'of Google Ads'     => array( $script . "AW-123456789\"></script><script>gtag('config', 'AW-123456789');</script>", array( 'AW-123456789' ) ),
			'several'           => array( $script . "G-ABC123DEF4\"></script><script>gtag('config','AW-987654321');</script>", array( 'G-ABC123DEF4', 'AW-987654321' ) ),
			'manager'           => array( "<script>(function(w,d,s,l,i){j.src='https://www.googletagmanager.com/gtm.js?id='+i;})(window,document,'script','dataLayer','GTM-ABC1234');</script>", array( 'GTM-ABC1234' ) ),
			'without a script'  => array( '<iframe src="https://www.googletagmanager.com/ns.html?id=GTM-ABC1234&gtm_auth=x"></iframe>', array( 'GTM-ABC1234' ) ),
			'words of its kind' => array( $script . 'AW-123456789"></script><a href="/G-STRING/big-LAGTM-ABC1234">', array( 'AW-123456789' ) ),
		);
	}

	public function test_staff_is_told_on_the_settings_page_of_who_else_counts_and_the_page_is_read_once(): void {
		$double                            = $GLOBALS['double'];
		$double->options['active_plugins'] = array( 'google-site-kit/google-site-kit.php' );
		$double->answers[]                 = answer( 200, '<script src="https://www.googletagmanager.com/gtag/js?id=AW-123456789"></script>' );
		$this->assertStringNotContainsString( 'Google', self::page( array( Notices::class, 'show' ) ) );
		$_GET['page'] = Settings_Page::SLUG;
		foreach ( array( 'first', 'again' ) as $time ) {
			$words = self::page( array( Notices::class, 'show' ) );
			$this->assertStringContainsString( 'may count purchases with a Google tag as well: Site Kit by Google. Let them', $words, $time );
			$this->assertStringContainsString( 'loads Google tags, which may count purchases as well: AW-123456789. Let them', $words, $time );
		}
		$this->assertSame( array( 'https://shop.example/' ), array_column( $double->posts, 'url' ) );
	}

	public function test_a_shop_that_cannot_read_itself_is_told_of_no_tag(): void {
		$GLOBALS['double']->answers = array( new WP_Error( 'http', 'no loopback' ), answer( 404 ) );
		$this->assertSame( array(), Google_Tags::of_shop() );
		delete_transient( Google_Tags::CACHE );
		$this->assertSame( array(), Google_Tags::of_shop() );
	}

	public function test_uninstalling_leaves_nothing_but_orders(): void {
		$order = Shop::order( 1 );
		Clicks::keep( $order );
		Settings::save( array( 'forget_orders' => 'no' ) );
		Uninstaller::run();
		$this->assertSame( array(), $GLOBALS['double']->options );
		$this->assertArrayHasKey( Clicks::META, $order->meta );
		Settings::save( array( 'forget_orders' => 'yes' ) );
		Uninstaller::run();
		$this->assertSame( array(), $order->meta );
	}

	public function test_the_features_of_woocommerce_are_declared(): void {
		$this->assertFalse( class_exists( 'Automattic\WooCommerce\Utilities\FeaturesUtil' ) );
		do_action( 'before_woocommerce_init' );
		eval( 'namespace Automattic\WooCommerce\Utilities; class FeaturesUtil { public static $declared = array(); public static function declare_compatibility( $feature, $file, $is ) { self::$declared[ $feature ] = $is; } }' );
		do_action( 'before_woocommerce_init' );
		$this->assertSame( array( 'custom_order_tables' => true, 'cart_checkout_blocks' => true ), Automattic\WooCommerce\Utilities\FeaturesUtil::$declared );
	}
}
