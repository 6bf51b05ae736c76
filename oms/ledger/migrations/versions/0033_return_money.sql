-- What of an order's money its returns change beside the goods that came back: fees are kept,
-- shipping is given back, and who gets something else instead gets no money for the goods.
create view return_money as
select r.order_id,
    sum(d.fee_minor + case when l.resolution = 'refund'
            then -d.shipping_net_minor - d.shipping_tax_minor
            else d.goods_net_minor + d.goods_tax_minor end)::bigint as kept_minor
from return_decisions d
join returns r using (return_id)
join return_lines l using (return_id, line_no)
where d.verdict = 'accepted'
group by r.order_id;
