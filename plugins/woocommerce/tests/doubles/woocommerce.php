<?php
/** Doubles of WooCommerce's objects, as much of each as the plugin uses. Orders keep what they are given; `save` is nobody's matter here. */

define( 'WC_VERSION', '11.0.1' );

class WC_Meta_Data {
	private $data;
	public function __construct( array $data ) {
		$this->data = $data;
	}
	public function get_data() {
		return $this->data;
	}
}

/** An object whose getters answer from an array: `get_total()` gives `$data['total']`. */
class WC_Data {
	protected $data;
	public $meta = array();

	public function __construct( array $data = array() ) {
		$this->data = $data;
	}
	public function __call( $name, $arguments ) {
		if ( strpos( $name, 'get_' ) !== 0 ) {
			throw new BadMethodCallException( get_class( $this ) . '::' . $name );
		}
		$field = substr( $name, 4 );
		if ( ! array_key_exists( $field, $this->data ) ) {
			throw new OutOfBoundsException( get_class( $this ) . ' has no ' . $field );
		}
		return $this->data[ $field ];
	}
	public function set( array $data ): void {
		$this->data = array_merge( $this->data, $data );
	}
	public function get_meta_data() {
		$entries = array();
		foreach ( $this->meta as $key => $value ) {
			$entries[] = new WC_Meta_Data( array( 'id' => count( $entries ) + 1, 'key' => $key, 'value' => $value ) );
		}
		return $entries;
	}
	public function get_meta( $key ) {
		return $this->meta[ $key ] ?? '';
	}
	public function update_meta_data( $key, $value ) {
		$this->meta[ $key ] = $value;
	}
	public function delete_meta_data( $key ) {
		unset( $this->meta[ $key ] );
	}
	public function save_meta_data() {
	}
}

class WC_Product extends WC_Data {}

class WC_Order_Item extends WC_Data {
	public function get_product() {
		return $this->data['product'] ?? false;
	}
}

class WC_Order extends WC_Data {
	public function get_type() {
		return 'shop_order';
	}
	public function get_order_number() {
		return (string) ( $this->data['number'] ?? $this->data['id'] );
	}
	public function get_items( $type = 'line_item' ) {
		return $this->data['items'][ $type ] ?? array();
	}
	public function get_refunds() {
		return $this->data['refunds'];
	}
}

class WC_Order_Refund extends WC_Order {
	public function get_type() {
		return 'shop_order_refund';
	}
}

class WC_Subscription extends WC_Order {
	public function get_type() {
		return 'shop_subscription';
	}
	public function get_time( $name ) {
		return $this->data['times'][ $name ] ?? 0;
	}
}

class WC_Session_Double {
	private $values = array();
	public function get( $name ) {
		return $this->values[ $name ] ?? null;
	}
	public function set( $name, $value ) {
		$this->values[ $name ] = $value;
	}
}

class WC_Cart_Double {
	public $items = array();
	public $total = '0';
	public function get_cart_item( $key ) {
		return $this->items[ $key ] ?? array();
	}
	public function get_cart() {
		return $this->items;
	}
	public function is_empty() {
		return ! $this->items;
	}
	public function get_total( $context ) {
		return $this->total;
	}
}

function wc_get_logger() {
	return new class() {
		public function error( $words, $context ) {
			$GLOBALS['double']->is['logged'] = $words;
		}
	};
}
function WC() {
	return $GLOBALS['double'];
}
function wc_get_order( $id ) {
	return $GLOBALS['double']->orders[ $id ] ?? false;
}
function wc_get_orders( array $asked ) {
	$orders = array_filter(
		$GLOBALS['double']->orders,
		static function ( $order ) use ( $asked ) {
			return isset( $asked['meta_key'] ) ? isset( $order->meta[ $asked['meta_key'] ] ) : $order->get_billing_email() === $asked['billing_email'];
		}
	);
	return array_slice( array_values( $orders ), ( ( $asked['page'] ?? 1 ) - 1 ) * $asked['limit'], $asked['limit'] );
}
function wc_get_is_paid_statuses() {
	return array( 'processing', 'completed' );
}
function wc_format_decimal( $number, $decimals, $trim_zeros ) {
	if ( ! is_float( $number ) ) {
		$number = trim( (string) $number );
	}
	if ( '' === $number ) {
		return '';
	}
	$text = number_format( (float) $number, $decimals, '.', '' );
	return $trim_zeros ? rtrim( rtrim( $text, '0' ), '.' ) : $text;
}
function wc_get_price_excluding_tax( $product, array $arguments = array() ) {
	return (float) $product->get_price() * ( $arguments['qty'] ?? 1 );
}
function get_woocommerce_currency() {
	return 'EUR';
}
function is_checkout() {
	return $GLOBALS['double']->is['checkout'] ?? false;
}
function is_wc_endpoint_url() {
	return $GLOBALS['double']->is['endpoint'] ?? false;
}
