"""Access: every route for every kind of key, against one table."""

from collections.abc import Iterator
from typing import Final

import pytest
from fastapi import APIRouter

from api.app import _include
from api.dependencies import Snapshot
from api.routes import LedgerRoute, Unguarded
from oms.access.model import ROLES
from tests.api.conftest import House
from tests.api.wire import an_order

# Route, method, path, the scope it asks for; `any` takes any key, `-` is open to everybody.
TABLE: Final = """
    list_orders          GET     /v1/orders                           orders:read
    get_order_facets     GET     /v1/orders/facets                    orders:read
    get_order_analysis   GET     /v1/orders/analysis?by=day           orders:read
    export_orders        GET     /v1/orders/export                    orders:read
    list_matters         GET     /v1/attention                        channels:read
    list_views           GET     /v1/views                            orders:read
    save_view            POST    /v1/views                            orders:read
    remove_view          DELETE  /v1/views/1                          orders:read
    get_order            GET     /v1/orders/R100000001                orders:read
    get_order_summary    GET     /v1/orders/R100000001/summary        orders:read
    post_order           POST    /v1/orders                           orders:write
    add_note             POST    /v1/orders/R100000001/notes          orders:read
    add_work_note        POST    /v1/fulfillments/F500000001/notes    fulfillment:write
    list_customer_notes  GET     /v1/customers/1/notes                customers:read
    add_customer_note    POST    /v1/customers/1/notes                customers:write
    edit_note            POST    /v1/notes/1/edit                     orders:read
    pin_note             POST    /v1/notes/1/pin                      orders:read
    add_attachment       POST    /v1/notes/1/attachments?name=a       orders:read
    get_attachment       GET     /v1/notes/1/attachments/1            orders:read
    get_work_attachment  GET     /v1/fulfillments/F500000001/notes/1/attachments/1 fulfillment:read
    redact_note          POST    /v1/notes/1/redact                   customers:manage
    list_cases           GET     /v1/orders/R100000001/cases          notes:internal
    link_case            POST    /v1/orders/R100000001/cases          notes:internal
    unlink_case          DELETE  /v1/orders/R100000001/cases/crm/1    notes:internal
    tag_order            POST    /v1/orders/R100000001/tags           orders:write
    tag_found            POST    /v1/orders:tag                       orders:write
    list_customers       GET     /v1/customers?channel=web&ref=c      customers:read
    get_customer         GET     /v1/customers/1                      customers:read
    list_customer_orders GET     /v1/customers/1/orders               customers:read
    add_identifier       POST    /v1/customers/1/identifiers          customers:write
    verify_identifier    POST    /v1/customers/1/identifiers/1/verify customers:write
    unverify_identifier  POST    /v1/customers/1/identifiers/1/unverify customers:manage
    merge_customer       POST    /v1/customers/1/merge                customers:manage
    unmerge_customer     POST    /v1/customers/1/unmerge              customers:manage
    claim_receipt        POST    /v1/customers/1/claims               customers:write
    erase_customer       POST    /v1/customers/1/erase                customers:manage
    look_up_orders       GET     /v1/lookup?number=1                  orders:lookup
    make_tracking_link   POST    /v1/orders/R100000001/tracking-links orders:write
    cancel_order         POST    /v1/orders/R100000001/cancel         orders:write
    preview_changes      POST    /v1/orders/R100000001/changes:preview orders:write
    change_order         POST    /v1/orders/R100000001/changes        orders:write
    list_change_orders   GET     /v1/orders/R100000001/change-orders  orders:read
    draft_change_order   POST    /v1/orders/R100000001/change-orders  orders:write
    preview_change_order POST    /v1/orders/R100000001/change-orders/1/preview orders:write
    apply_change_order   POST    /v1/orders/R100000001/change-orders/1/apply orders:write
    decline_change_order POST    /v1/orders/R100000001/change-orders/1/decline orders:write
    issue_document       POST    /v1/orders/R100000001/documents      documents:write
    list_order_documents GET     /v1/orders/R100000001/documents      documents:read
    list_documents       GET     /v1/documents                        documents:read
    export_documents     GET     /v1/documents/export                 documents:read
    get_document         GET     /v1/documents/NL-I2026-000001        documents:read
    get_document_pdf     GET     /v1/documents/NL-I2026-000001/pdf    documents:read
    get_document_xml     GET     /v1/documents/NL-I2026-000001/xml    documents:read
    mail_document        POST    /v1/documents/NL-I2026-000001/mails  documents:send
    list_mails           GET     /v1/mails                            documents:read
    note_document_sent   POST    /v1/documents/NL-I2026-000001/sent   documents:write
    list_holds           GET     /v1/holds                            orders:read
    place_hold           POST    /v1/orders/R100000001/holds          orders:hold
    release_hold         POST    /v1/orders/R100000001/holds/1/release orders:hold
    list_fulfillments    GET     /v1/fulfillments                     fulfillment:read
    find_by_code         POST    /v1/fulfillments:byCode              fulfillment:read
    get_fulfillment      GET     /v1/fulfillments/F500000001          fulfillment:read
    act_on_fulfillment   POST    /v1/fulfillments/F500000001/actions  fulfillment:write
    pack_parcels         POST    /v1/fulfillments/F500000001/parcels  fulfillment:write
    list_parcels         GET     /v1/parcels                          fulfillment:read
    get_parcel           GET     /v1/parcels/P700000001               fulfillment:read
    void_parcel          POST    /v1/parcels/P700000001/void          fulfillment:write
    tell_of_parcels      POST    /v1/carriers/dpd/events              tracking:write
    get_packing_slip     GET     /v1/fulfillments/F500000001/packing-slip fulfillment:read
    get_pick_list        GET     /v1/locations/DC/pick-list           fulfillment:read
    list_transfers       GET     /v1/transfers                        fulfillment:read
    request_transfer     POST    /v1/transfers                        fulfillment:write
    get_transfer         GET     /v1/transfers/T700000001             fulfillment:read
    act_on_transfer      POST    /v1/transfers/T700000001/actions     fulfillment:write
    list_reservations    GET     /v1/reservations?location=AMS        reservations:read
    get_reservation      GET     /v1/reservations/R100000001          reservations:read
    convert_reservation  POST    /v1/reservations/R100000001/convert  reservations:write
    extend_reservation   POST    /v1/reservations/R100000001/extend   reservations:write
    list_payments        GET     /v1/orders/R100000001/payments       payments:read
    begin_payment        POST    /v1/orders/R100000001/payments       payments:write
    get_payment          GET     /v1/payments/Y800000001              payments:read
    act_on_payment       POST    /v1/payments/Y800000001/actions      payments:write
    list_transactions    GET     /v1/transactions                     payments:read
    list_notices         GET     /v1/notices                          payments:read
    preview_refund       POST    /v1/orders/R100000001/refunds:preview refunds:read
    make_refund          POST    /v1/orders/R100000001/refunds        refunds:write
    list_refunds         GET     /v1/refunds                          refunds:read
    get_refund           GET     /v1/refunds/U600000001               refunds:read
    act_on_refund        POST    /v1/refunds/U600000001/actions       refunds:write
    get_refund_rules     GET     /v1/refund-rules?channel=web         refunds:read
    list_refund_rules    GET     /v1/refund-rules/versions            refunds:read
    set_refund_rules     POST    /v1/refund-rules                     refunds:rules
    list_refund_batches  GET     /v1/refund-batches                   refunds:read
    make_refund_batch    POST    /v1/refund-batches                   refunds:write
    get_refund_batch     GET     /v1/refund-batches/B610000001        refunds:read
    list_refund_batch_rows GET   /v1/refund-batches/B610000001/rows   refunds:read
    edit_refund_batch    POST    /v1/refund-batches/B610000001/rows   refunds:write
    act_on_refund_batch  POST    /v1/refund-batches/B610000001/actions refunds:write
    export_refund_batch  GET     /v1/refund-batches/B610000001/export refunds:read
    take_settlement      POST    /v1/settlements?psp=sandbox          settlements:write
    list_settlements     GET     /v1/settlements                      settlements:read
    get_settlement       GET     /v1/settlements/S640000001           settlements:read
    list_settlement_rows GET     /v1/settlements/S640000001/rows      settlements:read
    export_settlement    GET     /v1/settlements/S640000001/export    settlements:read
    get_settlement_file  GET     /v1/settlements/S640000001/file      settlements:read
    list_differences     GET     /v1/settlement-differences           settlements:read
    resolve_difference   POST    /v1/settlement-differences/D650000001/resolve settlements:write
    take_notices         POST    /v1/psps/sandbox/notices             -
    list_credits         GET     /v1/credits                          credits:read
    look_up_credit       POST    /v1/credits/lookup                   credits:read
    get_credit           GET     /v1/credits/K660000001               credits:read
    list_credit_entries  GET     /v1/credits/K660000001/entries       credits:read
    export_credit        GET     /v1/credits/K660000001/export        credits:read
    correct_credit       POST    /v1/credits/K660000001/corrections   credits:write
    get_returnable       GET     /v1/orders/R100000001/returnable     returns:read
    preview_return       POST    /v1/orders/R100000001/returns:preview returns:request
    request_return       POST    /v1/orders/R100000001/returns        returns:request
    list_returns         GET     /v1/returns                          returns:read
    list_unidentified    GET     /v1/returns/unidentified             returns:read
    assign_unidentified  POST    /v1/returns/unidentified/1/assign    returns:write
    get_return           GET     /v1/returns/RMA800000001             returns:read
    act_on_return        POST    /v1/returns/RMA800000001/actions     returns:request
    take_receipts        POST    /v1/return-receipts                  returns:write
    take_at_store        POST    /v1/stores/AMS/returns               returns:write
    get_return_slip      GET     /v1/returns/RMA800000001/slip        returns:read
    get_document_ubl     GET     /v1/documents/NL-I2026-000001/ubl    documents:read
    give_back_at_store   POST    /v1/stores/AMS/refunds               refunds:till
    get_visit            GET     /v1/stores/AMS/visits/V620000001     refunds:till
    get_visit_receipt    GET     /v1/stores/AMS/visits/V620000001/receipt refunds:till
    list_stock_changes   GET     /v1/stock/changes                    stock:read
    get_stock            GET     /v1/stock/PEN                        stock:read
    batch_get_stock      POST    /v1/stock:batchGet                   stock:read
    record_counts        POST    /v1/stock/counts                     stock:write
    record_movements     POST    /v1/stock/movements                  stock:write
    place_stock_hold           POST    /v1/stock/holds                      stock:write
    get_stock_hold             GET     /v1/stock/holds/H0000000000000000    stock:read
    extend_stock_hold          POST    /v1/stock/holds/H0000000000000000/extend stock:write
    release_stock_hold         DELETE  /v1/stock/holds/H0000000000000000    stock:write
    list_pickup_points   GET     /v1/pickup-points?near=52.4,4.9      stock:read
    promise_basket       POST    /v1/availability:promise             stock:read
    list_store_availability GET /v1/stores/availability?channel=web&sku=PEN stock:read
    list_locations       GET     /v1/locations                        stock:read
    list_movements       GET     /v1/stock/movements?sku=PEN          stock:read
    list_stock_reservations GET  /v1/stock/reservations?sku=PEN       stock:read
    list_told_channels   GET     /v1/stock/feeds?sku=PEN              stock:read
    list_channels        GET     /v1/channels                         channels:read
    push_payload         POST    /v1/channels/web/inbox               inbox:write
    get_payload          GET     /v1/inbox/1                          inbox:write
    list_quarantine      GET     /v1/quarantine                       quarantine:read
    get_quarantined      GET     /v1/quarantine/1                     quarantine:read
    replay_quarantined   POST    /v1/quarantine/1:replay              quarantine:write
    dismiss_quarantined  POST    /v1/quarantine/1:dismiss             quarantine:write
    list_products        GET     /v1/products                         catalog:read
    get_product          GET     /v1/products/PEN                     catalog:read
    record_products      POST    /v1/products                         catalog:write
    get_live_sales       GET     /v1/sales/live                       sales:read
    list_events          GET     /v1/events                           events:read
    stream_events        GET     /v1/events/stream                    events:read
    list_availability    GET     /v1/channels/web/availability        stock:read
    compare_availability POST    /v1/channels/web/availability:compare stock:read
    get_feed             GET     /v1/channels/web/feed                webhooks:read
    set_feed             POST    /v1/channels/web/feed                webhooks:write
    release_feed         POST    /v1/channels/web/feed:release        webhooks:write
    reconcile_feed       POST    /v1/channels/web/feed:reconcile      webhooks:write
    list_rules           GET     /v1/sourcing/rules                   sourcing:read
    get_rules            GET     /v1/sourcing/rules/1                 sourcing:read
    draft_rules          POST    /v1/sourcing/rules                   sourcing:write
    activate_rules       POST    /v1/sourcing/rules/1/activate        sourcing:write
    replay_rules         POST    /v1/sourcing/rules:replay            sourcing:read
    list_decisions       GET     /v1/sourcing/decisions               orders:read
    list_order_decisions GET     /v1/orders/R100000001/sourcing       orders:read
    list_subscriptions   GET     /v1/webhooks                         webhooks:read
    subscribe            POST    /v1/webhooks                         webhooks:write
    get_subscription     GET     /v1/webhooks/1                       webhooks:read
    enable_subscription  POST    /v1/webhooks/1:enable                webhooks:write
    pause_subscription   POST    /v1/webhooks/1:pause                 webhooks:write
    disable_subscription POST    /v1/webhooks/1:disable               webhooks:write
    rotate_secret        POST    /v1/webhooks/1:rotate                webhooks:write
    list_deliveries      GET     /v1/webhooks/1/deliveries            webhooks:read
    get_delivery         GET     /v1/webhooks/1/deliveries/1          webhooks:read
    redeliver            POST    /v1/webhooks/1/deliveries/1:redeliver webhooks:write
    get_me               GET     /v1/me                               any
    list_keys            GET     /v1/keys                             keys:write
    make_key             POST    /v1/keys                             keys:write
    revoke_key           DELETE  /v1/keys/00                          keys:write
    get_health           GET     /health/deep                         channels:read
    make_token           POST    /v1/oauth/token                      -
    get_tracking         GET     /v1/tracking                         -
    get_alive            GET     /health/live                         -
    get_ready            GET     /health/ready                        -
"""
ROWS: Final = [tuple(line.split()) for line in TABLE.strip().splitlines()]
GUARDED: Final = [row for row in ROWS if row[3] != "-"]
USELESS: Final = ("expired", "revoked", "altered", "unknown", "no key at all")


def operations(house: House) -> Iterator[tuple[str, str, str]]:
    """Name every operation the application has, with its method and permission."""
    for methods in house.app.openapi()["paths"].values():
        for method, operation in methods.items():
            yield operation["operationId"], method.upper(), operation.get("x-permission", "-")


class TestTable:
    def test_has_every_route(self, house: House) -> None:
        assert {(name, method, scope) for name, method, _, scope in ROWS} == set(operations(house))

    def test_names_the_paths_of_its_routes(self, house: House) -> None:
        for name, method, path, _ in ROWS:
            answer = house.client.request(method, path)
            assert answer.status_code not in {404, 405}, name

    @pytest.mark.parametrize(("name", "method", "path", "_scope"), GUARDED)
    def test_lets_nobody_in_without_a_key(
        self, house: House, name: str, method: str, path: str, _scope: str
    ) -> None:
        """Neither what is sent nor whether something is there makes a difference."""
        for body in (None, b"", b"{", b"[" * 10_000):
            answer = house.client.request(method, path, content=body)
            assert (answer.status_code, answer.json()["code"]) == (401, "NOT_AUTHENTICATED"), name
            assert answer.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize(("name", "method", "path", "_scope"), GUARDED)
    def test_lets_nobody_in_with_a_useless_key(
        self, house: House, name: str, method: str, path: str, _scope: str
    ) -> None:
        for key in USELESS:
            answer = house._ask(method, path, key)
            assert (answer.status_code, answer.json()["code"]) == (401, "NOT_AUTHENTICATED"), key

    @pytest.mark.parametrize(("name", "method", "path", "scope"), GUARDED)
    def test_lets_in_whose_role_has_the_scope(
        self, house: House, name: str, method: str, path: str, scope: str
    ) -> None:
        for role, scopes in ROLES.items():
            answer = house._ask(method, path, role)
            if scope in {"any", *scopes}:
                assert answer.status_code not in {401, 403, 500}, role
            else:
                assert (answer.status_code, answer.json()["code"]) == (403, "SCOPE_MISSING"), role
                assert answer.json()["scope"] == scope


class TestHeader:
    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            "Basic {key}",
            "{key}",
            "Bearer {key} x",
            "Bearer  {key}",
            "Bearer {key}é",
        ],
    )
    def test_must_be_a_bearers(self, house: House, header: str) -> None:
        text = header.format(key=house.keys.of["admin"])
        answer = house.client.get("/v1/orders", headers={"Authorization": text.encode("latin-1")})
        assert answer.status_code == 401

    def test_is_there_once(self, house: House) -> None:
        headers = [("Authorization", f"Bearer {house.keys.of['admin']}")] * 2
        assert house.client.get("/v1/orders", headers=headers).status_code == 401

    def test_may_spell_bearer_as_it_likes(self, house: House) -> None:
        headers = {"Authorization": f"bearer {house.keys.of['admin']}"}
        assert house.client.get("/v1/orders", headers=headers).status_code == 200

    def test_is_the_only_place(self, house: House) -> None:
        assert house.client.get(f"/v1/orders?key={house.keys.of['admin']}").status_code == 401


class TestForeign:
    """Whatever names another channel's thing reads as if there were none."""

    @pytest.mark.parametrize(
        ("method", "path", "key"),
        [
            ("GET", "/v1/orders/R100000001", "market"),
            ("POST", "/v1/orders/R100000001/notes", "market"),
            ("POST", "/v1/channels/web/inbox?topic=orders", "market"),
            ("POST", "/v1/orders", "market"),
        ],
    )
    def test_is_not_found(self, stocked: House, method: str, path: str, key: str) -> None:
        assert stocked.order(an_order()).json()["order_number"] == "R100000001"
        body = {"body": "Hm."} if path.endswith("notes") else an_order("W-2")
        answer = stocked._ask(method, path, key, json=body, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 404
        assert stocked.count("orders") == 1
        assert stocked.count("notes") == 0
        assert stocked.count("inbox") == 0


class TestUnguarded:
    def test_ledger_route_does_not_start(self) -> None:
        router = APIRouter(route_class=LedgerRoute)

        def list_everything(tx: Snapshot) -> None:
            """Ask for no permission."""

        with pytest.raises(Unguarded, match="list_everything"):
            router.get("/everything")(list_everything)

    def test_other_route_does_not_start(self, house: House) -> None:
        router = APIRouter()
        router.get("/everything")(lambda: None)
        with pytest.raises(Unguarded, match="/everything"):
            _include(house.app, router)
