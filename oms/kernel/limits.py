"""Every limit of the system, with its unit last."""

from typing import Final

AMOUNT_MINOR_MAX: Final = 10**12
QUANTITY_MAX: Final = 1_000_000
ORDER_LINES_MAX: Final = 2_000
NOTE_CHARACTERS_MAX: Final = 10_000
# On an order or a customer, and how often one of them may be written.
NOTES_MAX: Final = 500
NOTE_VERSIONS_MAX: Final = 100
# How many files a note has, and how large each is.
NOTE_ATTACHMENTS_MAX: Final = 10
ATTACHMENT_BYTES_MAX: Final = 4 * 1024 * 1024
ATTACHMENT_NAME_CHARACTERS_MAX: Final = 100
TAGS_MAX: Final = 50
CASES_MAX: Final = 50
TAG_CHARACTERS_MAX: Final = 50
# How many orders of a search are tagged in one transaction.
TAGGED_ORDERS_MAX: Final = 5_000
REF_CHARACTERS_MAX: Final = 200

# A slice is one transaction. Larger slices load faster but hold back the journal's horizon,
# and with it what everybody else sees, for as long as they run.
SLICE_DOCUMENTS_MAX: Final = 5_000

INBOX_BODY_BYTES_MAX: Final = 32 * 1024 * 1024
INBOX_INLINE_BYTES_MAX: Final = 256 * 1024
INBOX_ATTEMPTS_MAX: Final = 5
FRAGMENT_BYTES_MAX: Final = 1024 * 1024

PAGE_ROWS_MAX: Final = 200
# Up to so many orders a search takes all that an index finds, counts and sorts it; when there are
# more it goes through the orders as they are sorted.
SEARCH_HITS_MAX: Final = 25_000
# So many orders are looked through for the facets of a result that is larger, and so many that an
# index finds are held to the conditions it does not know.
FACET_ORDERS_MAX: Final = 10_000
FACET_HITS_MAX: Final = 15_000
ANALYSIS_ORDERS_MAX: Final = 100_000
EXPORT_ORDERS_MAX: Final = 200_000
STOCK_SKUS_MAX: Final = 500
STORE_SKUS_MAX: Final = 100
STORES_MAX: Final = 50
# How long stock is held without an order, each time somebody asks for it.
STOCK_HOLD_MINUTES_MAX: Final = 120
# For how many of its store's opening days something can be reserved, from when it was.
RESERVE_DAYS_MAX: Final = 14
TRANSACTION_ATTEMPTS_MAX: Final = 8

# How long an answer is kept for who repeats a request under its Idempotency-Key.
IDEMPOTENCY_KEY_DAYS_MAX: Final = 30
# How long messages to subscribers are kept after they were delivered or parked.
DELIVERY_DAYS_MAX: Final = 30
# How much one API key may ask for where the settings do not say otherwise: a program's key about
# what two cores can answer at most, a person's more than anybody clicks.
KEY_REQUESTS_PER_MINUTE_MAX: Final = 30_000
PERSON_REQUESTS_PER_MINUTE_MAX: Final = 6_000
# How many requests of one key a process holds at a time, at work or waiting.
KEY_REQUESTS_AT_ONCE_MAX: Final = 1_000
# How long what a key is exchanged for is good, and how many of a key are at a time.
TOKEN_MINUTES: Final = 60
KEY_TOKENS_MAX: Final = 100
# How many streams of events of one key are open at a time, and of all keys in a process.
KEY_STREAMS_MAX: Final = 10
PROCESS_STREAMS_MAX: Final = 100
# What upkeep removes in one transaction: as with slices, more would hold back the horizon.
REMOVED_ROWS_MAX: Final = 10_000
