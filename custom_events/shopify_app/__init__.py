"""Our app in Shopify's shops: installed, its tokens kept fresh, its webhooks and pixel registered and watched."""
