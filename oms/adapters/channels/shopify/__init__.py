"""Shopify's Admin REST documents and webhooks: orders, refunds, fulfillments, stock, products."""

from oms.adapters.channels.shopify.client import ShopifyClient, puller
from oms.adapters.channels.shopify.mapping import ShopifyMapping, build
from oms.adapters.channels.shopify.signature import verify

__all__ = ["ShopifyClient", "ShopifyMapping", "build", "puller", "verify"]
