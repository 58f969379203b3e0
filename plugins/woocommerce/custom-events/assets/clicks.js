/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keeps the id of an ad click in a cookie of the shop's own, with the time and the landing page, once consent to marketing is given.
 * Settings come from `window.customEventsClicks`. No network, no dependency.
 */
(function () {
	'use strict';
	var given = window.customEventsClicks;
	if (!given) {
		return;
	}
	var KINDS = ['gclid', 'gbraid', 'wbraid'];
	var UTM = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'utm_id'];
	// A browser drops a cookie of more than 4096 bytes.
	var LONGEST = { id: 512, word: 100, page: 300, cookie: 3900 };

	// A new click takes the place of the one before, with all that belongs to it.
	function read() {
		var query = new URLSearchParams(window.location.search);
		var click = {};
		var kept = new URLSearchParams();
		KINDS.concat(UTM).forEach(function (name) {
			var value = query.get(name);
			if (value) {
				click[name] = value.slice(0, KINDS.indexOf(name) < 0 ? LONGEST.word : LONGEST.id);
				kept.set(name, click[name]);
			}
		});
		var isClick = KINDS.some(function (name) {
			return click[name];
		});
		if (!isClick) {
			return null;
		}
		click.clicked_at = Math.floor(Date.now() / 1000);
		// Of the query only what is known: others write e-mail addresses into theirs.
		click.landing_page = (window.location.pathname + '?' + kept.toString()).slice(0, LONGEST.page);
		return click;
	}

	function write(value, seconds) {
		document.cookie =
			given.cookie + '=' + encodeURIComponent(value) + ';path=/;max-age=' + seconds + ';SameSite=Lax' +
			(window.location.protocol === 'https:' ? ';Secure' : '');
	}

	// granted, denied or unknown, as the WP Consent API says, else the shop's setting. Plugins that ask for consent say of which type it is
	// in a script or on the server, which the API passes on under another name.
	function answer() {
		var type = window.wp_consent_type || window.wp_fallback_consent_type;
		if (typeof window.wp_has_consent === 'function' && type) {
			return window.wp_has_consent('marketing') ? 'granted' : 'denied';
		}
		return given.api ? 'unknown' : given.assume; // Its script may come after this one.
	}

	// A cookie that is too large would be dropped as a whole: then the id goes alone.
	function text(click) {
		var whole = JSON.stringify(click);
		if (encodeURIComponent(whole).length <= LONGEST.cookie) {
			return whole;
		}
		var alone = { clicked_at: click.clicked_at };
		KINDS.forEach(function (name) {
			if (click[name]) {
				alone[name] = click[name];
			}
		});
		return JSON.stringify(alone);
	}

	var click = read();
	function apply(said) {
		if (said === 'denied') {
			write('', 0);
		} else if (said === 'granted' && click) {
			write(text(click), given.days * 24 * 60 * 60);
			click = null;
		}
	}

	document.addEventListener('wp_listen_for_consent_change', function (event) {
		var said = event.detail && event.detail.marketing;
		if (said) {
			apply(said === 'allow' ? 'granted' : 'denied');
		}
	});
	document.addEventListener('wp_consent_type_defined', function () {
		apply(answer());
	});
	apply(answer());
	// By now every script has run.
	window.addEventListener('load', function () {
		apply(answer());
	});
})();
