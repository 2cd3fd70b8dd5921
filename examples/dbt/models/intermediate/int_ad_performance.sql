{{ union_of_sources('ad_performance') }}
