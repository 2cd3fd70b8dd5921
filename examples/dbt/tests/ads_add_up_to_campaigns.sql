-- Days of a campaign on which its ads don't add up to the campaign's own row. Campaigns
-- without any ad on a day don't count: some kinds, such as Google's Performance Max, have
-- no ads to report on.
{%- set campaign_day = ['date', 'source', 'network', 'account_id', 'campaign_id'] %}
{{ differences('int_campaign_performance', 'int_ad_performance', campaign_day, 'right') }}
