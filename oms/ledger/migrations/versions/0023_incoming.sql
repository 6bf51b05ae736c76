-- What of a product comes to which location.
create index transfer_lines_of_product on transfer_lines (product_id);
