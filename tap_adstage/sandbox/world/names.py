"""Names of networks, companies, campaigns, ads and keywords, ordinary and awkward."""

from __future__ import annotations

NETWORK_NAMES = {
    "adwords": "AdWords",
    "amazon": "Amazon",
    "bing_ads": "Bing",
    "facebook": "Facebook",
    "linkedin": "LinkedIn",
    "pinterest": "Pinterest",
    "quora": "Quora",
    "spotify": "Spotify",
    "twitter": "Twitter",
}
"""The networks of cross-network reports and their names in AdStage."""

NETWORKS = tuple(NETWORK_NAMES)

PROVIDER_NETWORK_NAMES = {
    "gemini": "Gemini",
    "google_analytics": "Google Analytics",
}
"""The networks that are not available in cross-network reports, and their names."""

KEYWORD_NETWORKS = ("adwords", "amazon", "bing_ads")

CURRENCIES = (
    ("USD", "$"),
    ("EUR", "€"),
    ("GBP", "£"),
    ("USD", "$"),
    ("CAD", "CA$"),
    ("AUD", "A$"),
    ("SEK", "kr"),
    ("USD", "$"),
    ("BRL", "R$"),
    ("PLN", "zł"),
    ("INR", "₹"),
)

COMPANIES = (
    "Alder & Finch",
    "Brightwater",
    "Cobalt Cycles",
    "Driftwood Coffee",
    "Elm Street Books",
    "Fairmont Optics",
    "Granite Gear",
    "Harbour Hotels",
    "Inkwell Software",
    "Juniper Skincare",
    "Kestrel Airways",
    "Lantern Insurance",
)

ACCOUNT_PURPOSES = ("Brand", "Performance", "Prospecting", "Retention")

REGIONS = ("US", "UK", "DACH", "Nordics", "LATAM", "APAC")

THEMES = (
    "Brand",
    "Nonbrand",
    "Competitors",
    "Remarketing",
    "Lookalikes",
    "Product Launch",
    "Black Friday",
    "Back to School",
    "Holiday",
    "Evergreen",
)

AUDIENCES = (
    "Men 25-34",
    "Women 25-34",
    "Parents",
    "Students",
    "IT Decision Makers",
    "Frequent Travellers",
    "Cart Abandoners",
    "Newsletter Readers",
)

HEADLINES = (
    "Free Shipping This Week",
    "Try It for 30 Days",
    "New Season, New Colours",
    "Rated 4.8 by Customers",
    "Save on Your First Order",
    "Made to Last",
    "Book a Demo Today",
    "Only a Few Left",
)

SEARCH_TERMS = (
    "buy running shoes",
    "best espresso machine",
    "cheap flights to lisbon",
    "project management software",
    "sensitive skin moisturiser",
    "travel insurance quote",
    "used textbooks online",
    "waterproof hiking jacket",
    "road bike sale",
    "hotel near the harbour",
)

OBJECTIVES = (
    ("CONVERSIONS", "Conversions", "Drive valuable actions", "conversion"),
    ("LINK_CLICKS", "Traffic", "Send people to a destination", "click"),
    ("BRAND_AWARENESS", "Brand awareness", "Reach people", "impression"),
    ("VIDEO_VIEWS", "Video views", "Get more people to watch", "video view"),
)
"""Code, title, subtitle and unit of campaign objectives."""

AWKWARD_NAMES = (
    "Summer \N{BLACK SUN WITH RAYS}\N{VARIATION SELECTOR-16} Sale \N{FIRE}\N{FIRE}",
    "\u05de\u05d1\u05e6\u05e2 \u05e7\u05d9\u05e5 2019",  # Hebrew, right to left
    "\u0639\u0631\u0636 \u0627\u0644\u0635\u064a\u0641 (2019) - A/B",  # Arabic, mixed
    "\u590f\u306e\u30bb\u30fc\u30eb\uff05",  # Japanese, with a full-width sign
    "Caf\u00e9 and Cafe\u0301",  # composed and decomposed
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL} Families\N{ZERO WIDTH SPACE}",
    'She said "Buy now", didn\'t she?',
    "Line one\nLine two\tand a tab",
    "  spaces on both sides  ",
    "NULL",
    "--",
    "100% off; DROP TABLE ads",
    "C:\\ads\\new\\table",
    "a,b|c;d\r\ne",
    "<b>Bold</b> &amp; brave {{ campaign.name }} ${HOME}",
    "=SUM(A1:A9)",
    "true",
    "0123",
    "Very long " + "name " * 120 + "end",
    "",
)
"""Names as people and machines really write them; the last one is empty."""
