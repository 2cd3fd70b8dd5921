-- Days of an account on which its campaigns don't add up to the account's own row.
-- A missing row is zero, as networks leave out days without delivery.
{%- set account_day = ['date', 'source', 'network', 'account_id'] %}
{{ differences('int_account_performance', 'int_campaign_performance', account_day, 'full') }}
