"""Shopify's Admin REST documents and webhooks: orders, refunds, fulfillments, stock, products."""

from oms.adapters.channels.shopify.client import ShopifyClient, puller
from oms.adapters.channels.shopify.mapping import ShopifyMapping, build
from oms.adapters.channels.shopify.signature import verify
from oms.adapters.channels.shopify.telling import ShopTeller

__all__ = ["ShopTeller", "ShopifyClient", "ShopifyMapping", "build", "puller", "verify"]
