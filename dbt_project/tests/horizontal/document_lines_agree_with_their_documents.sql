-- Guards: the lines of every document come to what stands below them, net and tax, to the cent.
{{ config(meta={'dagster': {'ref': {'name': 'fct_document_lines'}}}) }}

with

documents as (
    select * from {{ ref('fct_documents') }}
),

summed as (
    select document_id, sum(net_amount) as net_amount, sum(tax_amount) as tax_amount, sum(total_amount) as total_amount
    from {{ ref('fct_document_lines') }}
    group by document_id
)

select coalesce(documents.document_id, summed.document_id) as document_id
from documents
full join summed on documents.document_id = summed.document_id
where
    documents.net_amount is distinct from summed.net_amount
    or documents.tax_amount is distinct from summed.tax_amount
    or documents.total_amount is distinct from summed.total_amount
