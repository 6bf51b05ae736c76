"""Every measure and dimension of the fulfillment reports: one title and one definition each."""

from typing import Final

from oms.reports.sheet import Unit

_TIMES: Final = (
    ("fulfillments_count", "Fulfillment orders", Unit.COUNT,
     "Times a location was asked to supply a delivery group or a part of it."),
    ("out_count", "Out", Unit.COUNT, "Of these, those that left or lay ready to be collected."),
    ("work_p50_seconds", "Work, median", Unit.SECONDS,
     "From the moment a location was asked until its goods left or lay ready; half took less."),
    ("work_p90_seconds", "Work, 9 of 10", Unit.SECONDS,
     "From asked until left or ready; nine of ten took less."),
    ("order_to_out_p50_seconds", "Order to out, median", Unit.SECONDS,
     "From the order until its goods left or lay ready; half took less."),
    ("order_to_out_p90_seconds", "Order to out, 9 of 10", Unit.SECONDS,
     "From the order until left or ready; nine of ten took less."),
    ("accept_p50_seconds", "Accept, median", Unit.SECONDS, "From asked until accepted."),
    ("pick_p50_seconds", "Pick, median", Unit.SECONDS, "From accepted until picked."),
    ("pack_p50_seconds", "Pack, median", Unit.SECONDS, "From picked until left or ready."),
    ("delivery_p50_seconds", "Delivery, median", Unit.SECONDS,
     "From shipped until the last parcel came, as carriers say."),
    ("delivery_p90_seconds", "Delivery, 9 of 10", Unit.SECONDS,
     "From shipped until the last parcel came; nine of ten took less."),
    ("on_time_ratio", "On time", Unit.RATIO,
     "Left or ready as the sourcing rules promise, of all they made a promise for."),
)  # fmt: skip
_SPLITS: Final = (
    ("groups_count", "Delivery groups", Unit.COUNT,
     "What goes one way to a customer: an order has one or several."),
    ("shipped_groups_count", "Groups out", Unit.COUNT, "Of these, those of which something left."),
    ("split_groups_count", "Split", Unit.COUNT, "Groups with more than one shipment."),
    ("split_ratio", "Split ratio", Unit.RATIO,
     "Groups with more than one shipment, of those of which something left."),
    ("shipments_count", "Shipments", Unit.COUNT, "Fulfillment orders that left or lay ready."),
    ("shipments_average", "Shipments per group", Unit.NUMBER, "Of groups that are out."),
    ("one_shipment_count", "1 shipment", Unit.COUNT, "Groups that went in one."),
    ("two_shipments_count", "2 shipments", Unit.COUNT, "Groups that went in two."),
    ("more_shipments_count", "3 and more", Unit.COUNT, "Groups that went in three or more."),
    ("rerouted_groups_count", "Sought elsewhere", Unit.COUNT,
     "Groups a location rejected at least once."),
    ("rerouted_ratio", "Sought elsewhere, part", Unit.RATIO,
     "Groups a location rejected at least once, of all."),
    ("planned_distance_km", "Distance as planned (km)", Unit.NUMBER,
     "Kilometers to the customer as first planned, on average, where known."),
)  # fmt: skip
_REJECTIONS: Final = (
    ("rejected_count", "Rejected", Unit.COUNT, "Fulfillment orders a location was let off."),
    ("rejection_ratio", "Rejection ratio", Unit.RATIO, "Rejected, of all it was asked for."),
    ("to_pick_units", "Units to pick", Unit.COUNT,
     "Units of fulfillment orders that were picked or rejected."),
    ("short_units", "Short units", Unit.COUNT, "Units locations said they could not supply."),
    ("short_ratio", "Short ratio", Unit.RATIO, "Short units, of the units to pick."),
    ("not_found_units", "Not found", Unit.COUNT, "Short units the count says are there."),
    ("damaged_units", "Damaged", Unit.COUNT, "Short units that are there and not for sale."),
    ("no_capacity_units", "No capacity", Unit.COUNT, "Short for want of time or people."),
    ("closed_units", "Closed", Unit.COUNT, "Short because the location was closed."),
    ("other_units", "Other reasons", Unit.COUNT, "Short for another reason."),
)  # fmt: skip
_COLLECTION: Final = (
    ("ready_count", "Lay ready", Unit.COUNT, "Fulfillment orders that were ready to collect."),
    ("ready_on_time_ratio", "Ready on time", Unit.RATIO,
     "Ready as the sourcing rules promise, of all they made a promise for."),
    ("collected_count", "Collected", Unit.COUNT, "Handed to the customer."),
    ("uncollected_count", "Not collected", Unit.COUNT, "Taken back because nobody came in time."),
    ("waiting_count", "Lies ready", Unit.COUNT, "Still waits for its customer."),
    ("collect_ratio", "Collect ratio", Unit.RATIO,
     "Collected, of what was collected or taken back; what still waits is in neither."),
    ("no_show_ratio", "No-show ratio", Unit.RATIO,
     "Taken back, of what was collected or taken back."),
    ("shelf_p50_seconds", "On the shelf, median", Unit.SECONDS,
     "From ready until collected or taken back; half lay shorter."),
    ("shelf_p90_seconds", "On the shelf, 9 of 10", Unit.SECONDS,
     "From ready until collected or taken back; nine of ten lay shorter."),
)  # fmt: skip
_FLOW: Final = (
    ("flow_units", "Units that left", Unit.COUNT,
     "Units sent, handed over or carried out, of every channel, and those that came back."),
    ("flow_orders_count", "Orders", Unit.COUNT, "Orders of which units left or came back."),
    ("omnichannel_ratio", "Omnichannel orders", Unit.RATIO,
     "Orders sold online and supplied from or returned to a store, or sold in a store and "
     "supplied from or returned to another location."),
    ("store_supplied_ratio", "Online from stores", Unit.RATIO,
     "Units sold online that left from a store."),
    ("returned_units", "Returned units", Unit.COUNT, "Units that came back."),
    ("returned_elsewhere_ratio", "Returned elsewhere", Unit.RATIO,
     "Returned units that came back to another location than they left from. Of a line with "
     "several shipments the first units to leave count as the first to come back."),
    ("sold_location_name", "Sold at", Unit.TEXT, "The store, till or kiosk; or online."),
    ("fulfilled_location_name", "Left from", Unit.TEXT, "The location the units left from."),
    ("returned_location_name", "Came back to", Unit.TEXT, "Kept: they did not come back."),
)  # fmt: skip
_TRANSPORT: Final = (
    ("transfers_count", "Transfers", Unit.COUNT, "Sent from one location to another."),
    ("sent_units", "Sent units", Unit.COUNT, "Units that left the sender."),
    ("received_units", "Received", Unit.COUNT, "Units that came in good order."),
    ("arrived_damaged_units", "Came damaged", Unit.COUNT, "Units that came and are not for sale."),
    ("missing_units", "Missing", Unit.COUNT, "Units that left and never came."),
    ("over_units", "Too many", Unit.COUNT, "Units that came beyond those sent."),
    ("wrong_units", "Wrong item", Unit.COUNT, "Units that came of something nobody sent."),
    ("discrepancy_ratio", "With differences", Unit.RATIO,
     "Transfers whose receiver told of a difference, of those that came."),
    ("send_p50_seconds", "Until sent, median", Unit.SECONDS, "From asked for until it left."),
    ("transit_p50_seconds", "Underway, median", Unit.SECONDS,
     "From left until the first of it came; half took less."),
    ("transit_p90_seconds", "Underway, 9 of 10", Unit.SECONDS,
     "From left until the first of it came; nine of ten took less."),
    ("parcels_count", "Parcels", Unit.COUNT, "Parcels with a label that was not voided."),
    ("arrived_count", "Arrived", Unit.COUNT, "Delivered or collected, as carriers say."),
    ("failed_parcels_count", "With a failure", Unit.COUNT,
     "Parcels that once could not be delivered, were damaged or lost."),
    ("failed_parcels_ratio", "Failure ratio", Unit.RATIO, "Parcels with a failure, of all."),
    ("carrier", "Carrier", Unit.TEXT, ""),
    ("from_location_name", "From", Unit.TEXT, "Who sends."),
    ("to_location_name", "To", Unit.TEXT, "Who receives."),
)  # fmt: skip
_HOLDS: Final = (
    ("holds_count", "Holds", Unit.COUNT, "Holds that were placed."),
    ("open_holds_count", "Still held", Unit.COUNT, "Holds nobody has released yet."),
    ("held_p50_seconds", "Held, median", Unit.SECONDS, "From placed until released."),
    ("held_p90_seconds", "Held, 9 of 10", Unit.SECONDS, "Nine of ten were released sooner."),
    ("hold_type", "Type", Unit.TEXT, "What the hold is for."),
    ("fulfillment_method", "Method", Unit.TEXT, "How it gets to the customer."),
)  # fmt: skip

FULFILLMENT: Final = (
    *_TIMES, *_SPLITS, *_REJECTIONS, *_COLLECTION, *_FLOW, *_TRANSPORT, *_HOLDS
)  # fmt: skip
