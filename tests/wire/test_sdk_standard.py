"""The SDK's own tests of every tap, against the sandbox in the process."""

from __future__ import annotations

import pytest
from singer_sdk.testing import get_tap_test_class

from tap_adstage.tap import TapAdStage

# AdStage documents some fields of users and organizations in one of its answers alone.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Fields in transformed catalog but not in records",
)

TestTapAdStage = get_tap_test_class(
    TapAdStage,
    config={
        "sandbox": True,
        "as_of": "2024-03-20",
        "reports": [
            {
                "name": "daily",
                "entity_level": "campaigns",
                "date_range": "last 2 days",
                "fields": ["clicks", "spend", "campaign_name", "objective"],
            },
            {
                "name": "monthly_by_network",
                "entity_level": "accounts",
                "aggregate_by": "month",
                "date_range": "last 2 months",
                "group_by": "network",
                "fields": ["spend"],
            },
            {
                "name": "snapshot",
                "entity_level": "ads",
                "aggregate_by": "total",
                "date_range": "last 30 days",
                "fields": ["clicks", "ad_name", "folder_names"],
            },
        ],
    },
)
