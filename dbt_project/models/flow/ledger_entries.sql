{{ config(materialized='view') }}
{{ plumbline.postings() }}
