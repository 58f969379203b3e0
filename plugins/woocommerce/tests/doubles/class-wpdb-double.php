<?php
/** WordPress's database class on SQLite in memory: what the plugin uses of it. */

class Wpdb_Double {
	public $prefix = 'wp_';
	public $options = 'wp_options';
	public $insert_id = 0;
	public $queries = 0;
	public $last_error = '';
	public $is_broken = false;
	private $pdo;

	public function __construct() {
		$this->pdo = new PDO( 'sqlite::memory:' );
		$this->pdo->setAttribute( PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION );
		// Numbers as text, as MySQL's client gives them.
		$this->pdo->setAttribute( PDO::ATTR_STRINGIFY_FETCHES, true );
		$this->pdo->exec( 'CREATE TABLE wp_options (option_name TEXT UNIQUE, option_value TEXT, autoload TEXT)' ); // Of what is written past WordPress's functions.
	}

	public function get_charset_collate() {
		return 'DEFAULT CHARACTER SET utf8mb4';
	}

	public function prepare( $sql, ...$values ) {
		$place = 0;
		return preg_replace_callback(
			'/%([sd])/',
			function ( $match ) use ( $values, &$place ) {
				$value = $values[ $place++ ];
				return 'd' === $match[1] ? (string) (int) $value : $this->pdo->quote( (string) $value );
			},
			$sql
		);
	}

	public function query( $sql ) {
		++$this->queries;
		if ( $this->is_broken ) {
			$this->last_error = 'disk full';
			return false;
		}
		try {
			return $this->execute( $sql );
		} catch ( PDOException $error ) { // As WordPress does: false, and the words beside.
			$this->last_error = $error->getMessage();
			return false;
		}
	}

	private function execute( $sql ) {
		$statement       = $this->pdo->prepare( str_replace( 'INSERT IGNORE', 'INSERT OR IGNORE', $sql ) );
		$statement->execute();
		$this->insert_id = (int) $this->pdo->lastInsertId();
		return $statement->rowCount();
	}

	public function get_results( $sql ) {
		++$this->queries;
		return $this->pdo->query( $sql )->fetchAll( PDO::FETCH_OBJ );
	}

	public function get_row( $sql ) {
		$rows = $this->get_results( $sql );
		return $rows ? $rows[0] : null;
	}

	public function get_var( $sql ) {
		$row = $this->get_row( $sql );
		return null === $row ? null : current( (array) $row );
	}
}

/** The outbox's table: MySQL's words for it in SQLite's. */
function dbDelta( $sql ) {
	global $wpdb;
	preg_match( '/CREATE TABLE (\S+)/', $sql, $match );
	$sql = preg_replace( '/bigint\(20\) unsigned NOT NULL AUTO_INCREMENT/', 'INTEGER PRIMARY KEY', $sql );
	$sql = preg_replace( '/,\s*(PRIMARY KEY  \(id\)|KEY \w+ \([\w,]+\))/', '', $sql );
	$sql = preg_replace( '/UNIQUE KEY \w+ (\(\w+\))/', 'UNIQUE $1', $sql );
	$sql = preg_replace( '/int\(10\) unsigned/', 'INTEGER', $sql );
	$wpdb->query( preg_replace( '/\) DEFAULT CHARACTER.*/', ')', $sql ) );
	return array( $match[1] );
}
