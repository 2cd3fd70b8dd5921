-- Accounts with amounts in several currencies, or with amounts and no currency.
select source, network, account_id
from {{ ref('int_account_performance') }}
where spend <> 0
group by source, network, account_id
having count(distinct currency_code) <> 1 or count(*) <> count(currency_code)
