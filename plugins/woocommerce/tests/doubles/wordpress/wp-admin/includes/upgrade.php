<?php // dbDelta stands in class-wpdb-double.php.
