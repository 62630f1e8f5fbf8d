-- Whether the data can be trusted is everybody's business.
select * from source_freshness
