"""What a person says of a Shopify shop: its locations, its ways of shipping, its secrets."""

from pydantic import BaseModel, ConfigDict, SecretStr

from oms.payments.model import Tender


class Options(BaseModel):
    """The adapter options of a Shopify channel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: SecretStr = SecretStr("")
    """Signs the webhooks."""
    url: str = ""
    """The shop's address, for pulling and for telling it what it may sell."""
    token: SecretStr = SecretStr("")
    """The access token for both; it needs `write_inventory` and `read_products` to be told."""
    locations: dict[str, str] = {}
    """The shop's location ids to our location codes."""
    available_location: str = ""
    """The shop's location whose available quantities are set to what the channel may sell."""
    methods: dict[str, str] = {}
    """Codes or titles of shipping lines to fulfillment methods; others are sent home."""
    pickup_attribute: str = ""
    """The note attribute in which the shop names the location where an order is collected."""
    point_attribute: str = ""
    """The note attribute in which it names a carrier's pick-up point, as `carrier:point`."""
    tenders: dict[str, Tender] = {}
    """Gateways of transactions to what is paid with; others are cards."""
    inventory_items: dict[str, str] = {}
    """Inventory item ids to SKUs, for stock levels."""
    make_products: bool = False
    """Whether an unknown SKU of an order makes a product, where there is no catalog feed."""
    is_historical: bool = False
    """Whether orders are history: kept and counted, but moving no stock."""
