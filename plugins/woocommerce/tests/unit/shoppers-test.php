<?php
use CustomEvents\WooCommerce\Click_Script;
use CustomEvents\WooCommerce\Clicks;
use CustomEvents\WooCommerce\Outbox;
use CustomEvents\WooCommerce\Settings;
use CustomEvents\WooCommerce\Subscription_Events;
use PHPUnit\Framework\TestCase;

/** Carts, customers, subscriptions, clicks and consent. */
final class Shoppers_Test extends TestCase {

	protected function setUp(): void {
		Shop::open();
	}

	private static function add_to_cart( string $key, int $product, int $quantity = 1 ): void {
		$GLOBALS['double']->cart->items[ $key ] = array( 'data' => Shop::product( 'Hat', '10', 'H' ), 'product_id' => $product, 'variation_id' => 0, 'quantity' => $quantity );
		do_action( 'woocommerce_add_to_cart', $key, $product, $quantity, 0 );
	}

	public function test_a_product_is_told_once_for_a_cart_and_again_for_the_next(): void {
		self::add_to_cart( 'a', 1 );
		self::add_to_cart( 'a', 1 );
		self::add_to_cart( 'b', 2, 3 );
		$this->assertSame( array( 'cart.item_added', 'cart.item_added' ), Shop::topics() );
		$this->assertSame( '30', Shop::waiting()[1][1]['cart']['total'] );
		do_action( 'woocommerce_cart_emptied' );
		self::add_to_cart( 'a', 1 );
		$tokens = array_column( array_column( array_column( Shop::waiting(), 1 ), 'cart' ), 'token' );
		$this->assertSame( array( true, false ), array( $tokens[0] === $tokens[1], $tokens[0] === $tokens[2] ) );
	}

	public function test_the_cart_of_a_shopper_who_is_logged_in_is_forgotten_with_them(): void {
		$GLOBALS['double']->user     = 7;
		$GLOBALS['double']->users[7] = (object) array( 'roles' => array( 'customer' ), 'user_email' => 'Ana@example.org' );
		$GLOBALS['double']->is['checkout'] = true;
		self::add_to_cart( 'a', 1 );
		do_action( 'template_redirect' );
		$this->assertSame( 2, Outbox::forget_person( 'ana@example.org' ) );
	}

	public function test_a_checkout_begins_when_its_page_is_opened_with_something_in_the_cart(): void {
		do_action( 'template_redirect' );
		$GLOBALS['double']->is['checkout'] = true;
		do_action( 'template_redirect' );
		$this->assertSame( array(), Shop::topics() );
		self::add_to_cart( 'a', 1 );
		do_action( 'template_redirect' );
		do_action( 'template_redirect' );
		$GLOBALS['double']->is['endpoint'] = true; // The page after the checkout.
		do_action( 'template_redirect' );
		$this->assertSame( array( 'cart.item_added', 'checkout.started' ), Shop::topics() );
	}

	public function test_carts_are_told_only_where_they_are_wanted_and_can_be(): void {
		Settings::save( array( 'cart_events' => 'no' ) );
		self::add_to_cart( 'a', 1 );
		Settings::save( array( 'cart_events' => 'yes' ) );
		do_action( 'woocommerce_add_to_cart', 'unknown', 1, 1, 0 );
		$GLOBALS['double']->session = null;
		do_action( 'woocommerce_add_to_cart', 'a', 1, 1, 0 );
		do_action( 'woocommerce_cart_emptied' );
		$this->assertSame( array(), Shop::topics() );
	}

	public function test_customers_are_told_and_staff_is_not(): void {
		$GLOBALS['double']->users = array(
			1 => (object) array( 'roles' => array( 'shop_manager' ), 'user_email' => 's@example.org', 'user_registered' => '2026-11-25 09:58:00' ),
			2 => (object) array( 'roles' => array( 'customer' ), 'user_email' => 'c@example.org', 'user_registered' => '2026-11-25 09:58:00' ),
		);
		foreach ( array( 1, 2, 3 ) as $id ) {
			do_action( 'user_register', $id );
		}
		$this->assertSame( array( 2 ), array_column( array_column( Shop::waiting(), 1 ), 'id' ) );
		Shop::open( false );
		do_action( 'user_register', 2 );
		$this->assertSame( array(), Shop::topics() );
	}

	public function test_a_subscription_starts_from_pending_only_and_ends_once_for_each_cancellation(): void {
		$subscription = Shop::subscription( 3 );
		$changes      = array( array( 'active', 'pending' ), array( 'on-hold', 'active' ), array( 'active', 'on-hold' ) );
		foreach ( $changes as list( $to, $from ) ) {
			do_action( 'woocommerce_subscription_status_updated', $subscription, $to, $from );
		}
		foreach ( array( Shop::GOLDEN + 60, Shop::GOLDEN + 120 ) as $cancelled ) {
			$subscription->set( array( 'times' => array( 'cancelled' => $cancelled ) ) );
			do_action( 'woocommerce_subscription_status_updated', $subscription, 'pending-cancel', 'active' );
			do_action( 'woocommerce_subscription_status_updated', $subscription, 'cancelled', 'pending-cancel' );
		}
		$this->assertSame( array( 'subscription.started', 'subscription.updated', 'subscription.updated', 'subscription.cancelled', 'subscription.cancelled' ), Shop::topics() );
		Shop::open( false );
		do_action( 'woocommerce_subscription_status_updated', $subscription, 'active', 'pending' );
		$this->assertSame( array(), Shop::topics() );
	}

	public function test_a_renewal_does_not_take_over_the_click(): void {
		$data = array( Clicks::META => 1, '_other' => 2 );
		$this->assertSame( array( '_other' => 2 ), Subscription_Events::without_clicks( $data ) );
	}

	/** @dataProvider consents */
	public function test_who_says_what_about_consent( string $assumed, ?array $api, array $cookies, string $answer, string $source ): void {
		Settings::save( array( 'assume_consent' => $assumed ) );
		$GLOBALS['double']->consent = $api;
		$_COOKIE                    = $cookies;
		$consent                    = Clicks::consent();
		$this->assertSame( array( $answer, $answer, $answer, $source ), array( $consent['ad_storage'], $consent['ad_user_data'], $consent['ad_personalization'], $consent['source'] ) );
	}

	public function consents(): array {
		return array(
			'nobody'               => array( 'unknown', null, array(), 'unknown', 'setting' ),
			'the shop'             => array( 'granted', null, array(), 'granted', 'setting' ),
			'the shopper, yes'     => array( 'denied', array( 'optin', true ), array( 'wp_consent_marketing' => 'allow' ), 'granted', 'wp_consent_api' ),
			'the shopper, no'      => array( 'granted', array( 'optin', false ), array( 'wp_consent_marketing' => 'deny' ), 'denied', 'wp_consent_api' ),
			'not yet'              => array( 'granted', array( 'optin', false ), array(), 'denied', 'wp_consent_api_default_optin' ),
			'not asked, opt-out'   => array( 'unknown', array( 'optout', true ), array(), 'granted', 'wp_consent_api_default_optout' ),
			'the API without type' => array( 'unknown', array( false, true ), array(), 'unknown', 'setting' ),
		);
	}

	/** @dataProvider cookies */
	public function test_a_cookie_is_not_believed( string $cookie, array $click ): void {
		Settings::save( array( 'assume_consent' => 'granted' ) );
		$_COOKIE[ Click_Script::COOKIE ] = addslashes( $cookie );
		$facts                     = Clicks::facts();
		unset( $facts['consent'] );
		$this->assertSame( $click, $facts );
	}

	public function cookies(): array {
		return array(
			'none'       => array( '', array() ),
			'no JSON'    => array( '{"gclid"', array() ),
			'a number'   => array( '7', array() ),
			'too long'   => array( '{"gclid":"' . str_repeat( 'x', 5000 ) . '"}', array() ),
			'a long id'  => array( '{"gclid":"' . str_repeat( 'x', 600 ) . '"}', array( 'gclid' => str_repeat( 'x', 512 ) ) ),
			'other keys' => array( '{"gclid":"abc","evil":"x","wbraid":["y"],"gbraid":"<b>z</b>","clicked_at":17}', array( 'gclid' => 'abc', 'gbraid' => 'bz/b', 'clicked_at' => 17 ) ),
			'a page'     => array( '{"landing_page":"/h%C3%BCte?gclid=a-b_c&utm_term=a+b"}', array( 'landing_page' => '/h%C3%BCte?gclid=a-b_c&utm_term=a+b' ) ),
			'umlauts'    => array( json_encode( array( 'gclid' => 'abc', 'utm_campaign' => "Sommer-Gr\u{fc}\u{df}e\n\u{2028}" ), JSON_UNESCAPED_UNICODE ), array( 'gclid' => 'abc', 'utm_campaign' => "Sommer-Gr\u{fc}\u{df}e" ) ),
			'time alone' => array( '{"clicked_at":17}', array() ),
			'text time'  => array( '{"wbraid":"abc","clicked_at":"17"}', array( 'wbraid' => 'abc' ) ),
		);
	}

	public function test_where_consent_is_refused_there_is_no_click(): void {
		Settings::save( array( 'assume_consent' => 'denied' ) );
		$_COOKIE[ Click_Script::COOKIE ] = addslashes( '{"gclid":"abc"}' );
		$this->assertSame( array( 'consent' ), array_keys( Clicks::facts() ) );
	}

	public function test_a_later_answer_is_kept_and_told_once(): void {
		$order = Shop::order( 1 );
		Clicks::keep( $order );
		do_action( 'woocommerce_thankyou', 1 );
		$this->assertSame( array(), Shop::topics(), 'the answer is the same' );
		$GLOBALS['double']->consent = array( 'optin', true );
		$_COOKIE[ Click_Script::COOKIE ]  = addslashes( '{"gclid":"abc-def-1"}' );
		do_action( 'woocommerce_thankyou', 1 );
		do_action( 'woocommerce_thankyou', 1 );
		$this->assertSame( array( 'order.consent_changed' ), Shop::topics() );
		$this->assertSame( array( 'abc-def-1', 'granted' ), array( $order->meta[ Clicks::META ]['gclid'], $order->meta[ Clicks::META ]['consent']['ad_user_data'] ) );
		$GLOBALS['double']->consent = array( 'optin', false );
		do_action( 'woocommerce_thankyou', 1 );
		$this->assertSame( array( 'consent' ), array_keys( $order->meta[ Clicks::META ] ), 'refused: the click goes' );
	}

	public function test_an_order_of_before_the_plugin_is_left_alone(): void {
		$order                      = Shop::order( 1 );
		$GLOBALS['double']->consent = array( 'optin', true );
		do_action( 'woocommerce_thankyou', 1 );
		do_action( 'woocommerce_thankyou', 2 );
		$this->assertSame( array(), $order->meta );
	}

	public function test_the_script_is_deferred_and_told_its_settings(): void {
		do_action( 'wp_enqueue_scripts' );
		$script = $GLOBALS['double']->scripts['custom-events-clicks'];
		$this->assertSame( array( 'in_footer' => true, 'strategy' => 'defer' ), $script[1] );
		$this->assertSame( 'window.customEventsClicks={"cookie":"custom_events_click","days":90,"assume":"unknown","api":true};', $script[2] );
		Shop::open( false );
		do_action( 'wp_enqueue_scripts' );
		$this->assertSame( array(), $GLOBALS['double']->scripts );
	}
}
