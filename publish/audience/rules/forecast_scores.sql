-- Counts over the key results of all functions together.
select * from forecast_scores
where getvariable('every_function')
