"""The frame of the dashboards and the console: their navigation, nothing else."""

from pathlib import Path

import streamlit as st

from dashboards.console import (
    attention,
    deliveries,
    documents,
    holds,
    locations,
    look_up,
    order,
    orders,
    parcels,
    payments,
    quarantine,
    reconciliation,
    refund_batches,
    refunds,
    returns,
    sourcing,
    stock_by_sku,
    store_credit,
    store_work,
    transfers,
)
from dashboards.panels import navigation
from dashboards.views import (
    channel_by_product,
    coming_back,
    freshness,
    fulfillment,
    money,
    sales_by_channel,
    sales_by_product,
    sales_overview,
    stock,
)

CONSOLE = {
    "attention": st.Page(
        attention.render,
        title="Attention",
        url_path="attention",
        icon=":material/notification_important:",
    ),
    "orders": st.Page(
        orders.render, title="Orders", url_path="orders", icon=":material/receipt_long:"
    ),
    "order": st.Page(order.render, title="Order", url_path="order", icon=":material/receipt:"),
    "store_work": st.Page(
        store_work.render, title="Store work", url_path="store_work", icon=":material/checklist:"
    ),
    "transfers": st.Page(
        transfers.render, title="Transfers", url_path="transfers", icon=":material/move_up:"
    ),
    "parcels": st.Page(
        parcels.render, title="Parcels", url_path="parcels", icon=":material/package_2:"
    ),
    "returns": st.Page(returns.render, title="Returns", url_path="returns", icon=":material/undo:"),
    "holds": st.Page(holds.render, title="Holds", url_path="holds", icon=":material/pan_tool:"),
    "payments": st.Page(
        payments.render, title="Payments", url_path="payments", icon=":material/payments:"
    ),
    "refunds": st.Page(
        refunds.render, title="Refunds", url_path="refunds", icon=":material/currency_exchange:"
    ),
    "store_credit": st.Page(
        store_credit.render, title="Store credit", url_path="store_credit", icon=":material/redeem:"
    ),
    "reconciliation": st.Page(
        reconciliation.render,
        title="Reconciliation",
        url_path="reconciliation",
        icon=":material/balance:",
    ),
    "refund_batches": st.Page(
        refund_batches.render,
        title="Bulk refunds",
        url_path="refund_batches",
        icon=":material/playlist_add_check:",
    ),
    "documents": st.Page(
        documents.render, title="Documents", url_path="documents", icon=":material/description:"
    ),
    "stock_by_sku": st.Page(
        stock_by_sku.render,
        title="Stock by SKU",
        url_path="stock_by_sku",
        icon=":material/shelves:",
    ),
    "sourcing": st.Page(
        sourcing.render, title="Sourcing", url_path="sourcing", icon=":material/alt_route:"
    ),
    "locations": st.Page(
        locations.render, title="Locations", url_path="locations", icon=":material/store:"
    ),
    "look_up": st.Page(
        look_up.render,
        title="Customer look-up",
        url_path="look_up",
        icon=":material/person_search:",
    ),
    "deliveries": st.Page(
        deliveries.render, title="Deliveries", url_path="deliveries", icon=":material/outbound:"
    ),
    "quarantine": st.Page(
        quarantine.render, title="Quarantine", url_path="quarantine", icon=":material/report:"
    ),
}

FRESHNESS = st.Page(
    freshness.render, title="Freshness", url_path="freshness", icon=":material/update:"
)

PAGES = {
    "Sales": [
        st.Page(
            sales_overview.render,
            title="Overview",
            url_path="sales",
            default=True,
            icon=":material/monitoring:",
        ),
        st.Page(
            sales_by_channel.render,
            title="By channel",
            url_path="sales_by_channel",
            icon=":material/storefront:",
        ),
        st.Page(
            sales_by_product.render,
            title="By product",
            url_path="sales_by_product",
            icon=":material/sell:",
        ),
        st.Page(
            channel_by_product.render,
            title="Channel by product",
            url_path="channel_by_product",
            icon=":material/table_chart:",
        ),
    ],
    "Money": [
        st.Page(
            money.render, title="Money", url_path="money", icon=":material/account_balance_wallet:"
        ),
    ],
    "Stock": [
        st.Page(stock.render, title="Stock", url_path="stock", icon=":material/inventory_2:"),
    ],
    "Fulfillment": [
        st.Page(
            fulfillment.render,
            title="Fulfillment",
            url_path="fulfillment",
            icon=":material/local_shipping:",
        ),
        st.Page(
            coming_back.render,
            title="Coming back",
            url_path="coming_back",
            icon=":material/assignment_return:",
        ),
    ],
    "Operations": list(CONSOLE.values()),
    "Data": [FRESHNESS],
}

# A file of ours: the icons Streamlit knows by name are fetched from another site.
ICON = Path(__file__).with_name("icon.svg")

st.set_page_config(page_title="ORP OMS", page_icon=str(ICON), layout="wide")
navigation.register(CONSOLE | {"freshness": FRESHNESS})
st.navigation(PAGES, expanded=True).run()
