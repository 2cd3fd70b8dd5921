{{ after_tests_of_levels() }}
select *
from {{ ref('int_campaign_performance') }}
