{{ union_of_sources('campaign_performance') }}
